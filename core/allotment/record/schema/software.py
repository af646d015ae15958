"""Versions of software that profiles have named."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from allotment.record.columns import Moment
from allotment.record.schema.base import NAME, metadata

releases = Table(
    "releases",
    metadata,
    Column("profile", NAME, primary_key=True),
    Column("software", NAME, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("version", String(100), nullable=False),
    Column("image", String(500), nullable=False),
    Column("python_environment", String(1000), nullable=False),
    Column("notes", Text, nullable=False),
    Column("published_at", Moment, nullable=False),
    Column("update_by", Moment),
)
"""``software`` is empty where a profile leaves no choice of it."""
