"""The hubs of a record, each by its name."""

from __future__ import annotations

from sqlalchemy import Column, String, Table

from allotment.record.columns import Moment
from allotment.record.schema.base import NAME, metadata

hubs = Table(
    "hubs",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("identity", String(64), nullable=False),
    Column("holder", String(200), nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("until", Moment, nullable=False),
)
"""``identity`` is of the installation, and outlives a restart; ``holder`` is its process. Times are the database's own."""
