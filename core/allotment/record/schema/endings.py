"""Announced ends of servers, and servers that are to be left alone."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from allotment.record.columns import Moment
from allotment.record.schema.base import ID, NAME, metadata

_OPEN = text("withdrawn_at IS NULL AND done_at IS NULL")

endings = Table(
    "endings",
    metadata,
    Column("id", ID, primary_key=True),
    Column("allotment", ID, ForeignKey("allotments.id"), nullable=False),
    Column("cause", String(20), nullable=False),
    Column("said_at", Moment, nullable=False),
    Column("stop_at", Moment, nullable=False),
    Column("message", Text, nullable=False),
    Column("extended", Integer, nullable=False, server_default="0"),
    Column("withdrawn_at", Moment),
    Column("done_at", Moment),
    CheckConstraint(
        "cause IN ('reclaim','idle','idle-devices','lifetime','budget','stopped','drain','update')",
        name="cause",
    ),
    CheckConstraint("withdrawn_at IS NULL OR done_at IS NULL", name="one_end"),
    Index("ix_endings_allotment", "allotment"),
    Index("ix_endings_due", "stop_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index(
        "uq_endings_open",
        "allotment",
        "cause",
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    ),
)
"""Said once for each cause while it is open; the key sees to it."""

keeps = Table(
    "keeps",
    metadata,
    Column("allotment", ID, ForeignKey("allotments.id"), primary_key=True),
    Column("until", Moment, nullable=False),
    Column("said_by", NAME, nullable=False),
    Column("said_at", Moment, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
)
"""Servers that are left alone until a time though they look idle."""
