"""Who waits, what they were told, and what is kept free for a time."""

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

from allotment.record.columns import Document, Moment
from allotment.record.schema.base import ID, NAME, metadata

_LIVE = text("state IN ('waiting', 'offered')")

tickets = Table(
    "tickets",
    metadata,
    Column("id", ID, primary_key=True),
    Column("hub", NAME, nullable=False),
    Column("person", NAME, nullable=False),
    Column("server", NAME, nullable=False),
    Column("profile", NAME, nullable=False),
    Column("group_name", NAME),
    Column("device_count", Integer, nullable=False),
    Column("priority", String(12), nullable=False),
    Column("candidates", Document, nullable=False),
    Column("state", String(12), nullable=False),
    Column("since", Moment, nullable=False),
    Column("moved", Integer, nullable=False, server_default="0"),
    Column("display_name", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("position", Integer),
    Column("waits_for", Document),
    Column("allotment", ID, ForeignKey("allotments.id")),
    Column("aside_at", Moment),
    Column("offered_at", Moment),
    Column("ended_at", Moment),
    Column("end_reason", Text, nullable=False, server_default=""),
    Column("software", NAME, nullable=False, server_default=""),
    CheckConstraint(
        "state IN ('waiting','offered','started','cancelled','expired','refused')", name="state"
    ),
    Index("ix_tickets_since", "since"),
    Index("ix_tickets_live", "state", "since", sqlite_where=_LIVE, postgresql_where=_LIVE),
    Index(
        "uq_tickets_live_server",
        "hub",
        "person",
        "server",
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    ),
)
"""Claims that wait. ``candidates`` are the pools that may serve one, as pairs of pool and model.

``position`` and ``waits_for`` (a reason) are what the queue said last: pages show them without deciding.
A ticket with ``aside_at`` stands aside since then: its turn came, but a limit of its person did not
allow it; others pass until it does.
"""

estimates = Table(
    "estimates",
    metadata,
    Column("ticket", ID, ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("half", Moment),
    Column("most", Moment),
)
"""What a ticket was told: when its server starts with 50 % (``half``) and 90 % (``most``); kept to be scored."""

reservations = Table(
    "reservations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("pool", NAME, ForeignKey("pools.name"), nullable=False),
    Column("device_count", Integer, nullable=False),
    Column("group_name", NAME, ForeignKey("groups.name")),
    Column("person", NAME, ForeignKey("people.name")),
    Column("begins_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("revision", Integer, nullable=False, server_default="1"),
    CheckConstraint("ends_at > begins_at", name="times"),
    CheckConstraint("device_count > 0", name="devices"),
)
