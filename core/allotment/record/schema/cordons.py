"""What is out of use by an operator's word."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Table, Text, text

from allotment.record.columns import Document, Moment
from allotment.record.schema.base import ID, NAME, metadata

cordons = Table(
    "cordons",
    metadata,
    Column("id", ID, primary_key=True),
    Column("scope", String(12), nullable=False),
    Column("names", Document, nullable=False),
    Column("reason", Text, nullable=False),
    Column("begins_at", Moment, nullable=False),
    Column("drain_at", Moment),
    Column("ends_at", Moment),
    Column("said_by", NAME, nullable=False),
    Column("said_at", Moment, nullable=False),
    Column("lifted_at", Moment),
    Column("revision", Integer, nullable=False, server_default="1"),
    CheckConstraint("scope IN ('node','pool','device')", name="scope"),
    CheckConstraint("drain_at IS NULL OR drain_at >= begins_at", name="drain"),
    Index(
        "ix_cordons_open",
        "begins_at",
        sqlite_where=text("lifted_at IS NULL"),
        postgresql_where=text("lifted_at IS NULL"),
    ),
)
"""One that was lifted, or whose time has passed, stays as what happened."""
