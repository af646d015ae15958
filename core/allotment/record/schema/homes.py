"""People's homes, and those that were packed away."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, String, Table, Text

from allotment.record.columns import Moment
from allotment.record.schema.base import ID, NAME, metadata

PLACE = String(253)

homes = Table(
    "homes",
    metadata,
    Column("hub", NAME, primary_key=True),
    Column("place", PLACE, primary_key=True),
    Column("person", NAME, nullable=False),
    Column("server", NAME),
    Column("size", BigInteger),
    Column("used", BigInteger),
    Column("measured_at", Moment),
    Column("unused_since", Moment),
    Column("keep_until", Moment),
    Column("ends_at", Moment),
    Column("warned_at", Moment),
    Column("asked", String(12)),
    Column("asked_by", NAME, nullable=False, server_default=""),
    Column("problem", Text, nullable=False, server_default=""),
    CheckConstraint("asked IN ('remove','archive')", name="asked"),
    CheckConstraint("size >= 0", name="size"),
    CheckConstraint("used >= 0", name="used"),
    Index("ix_homes_person", "person"),
)
"""``server`` names the one server whose home it is, where each has its own; ``used`` is what that
server measured last in it, in bytes: of homes that the platform itself can measure, see storage."""

home_archives = Table(
    "home_archives",
    metadata,
    Column("id", ID, primary_key=True),
    Column("hub", NAME, nullable=False),
    Column("place", PLACE, nullable=False),
    Column("person", NAME, nullable=False),
    Column("file", String(300), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("made_by", NAME, nullable=False),
    Column("restored_at", Moment),
    Column("asked", String(12)),
    Column("asked_by", NAME, nullable=False, server_default=""),
    Column("problem", Text, nullable=False, server_default=""),
    CheckConstraint("asked IN ('restore','remove')", name="asked"),
    Index("ix_home_archives_person", "person"),
)
