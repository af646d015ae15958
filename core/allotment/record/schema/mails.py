"""Notices that are sent by e-mail."""

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

_WAITING = text("sent_at IS NULL AND given_up_at IS NULL")

mails = Table(
    "mails",
    metadata,
    Column("id", ID, primary_key=True),
    Column("about", String(300), nullable=False),
    Column("person", NAME, ForeignKey("people.name", ondelete="CASCADE"), nullable=False),
    Column("kind", String(60), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("body", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("sent_at", Moment),
    Column("given_up_at", Moment),
    Column("problem", Text, nullable=False, server_default=""),
    CheckConstraint("sent_at IS NULL OR given_up_at IS NULL", name="one_end"),
    Index("uq_mails_about", "person", "about", unique=True),
    Index("ix_mails_made_at", "made_at"),
    Index("ix_mails_due", "due_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
)
"""``about`` says what a mail tells of: nobody is written to twice about one thing."""
