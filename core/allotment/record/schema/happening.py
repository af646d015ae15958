"""What happened, and what the platform keeps of itself."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, String, Table

from allotment.record.columns import Document, Moment
from allotment.record.schema.base import ID, NAME, metadata

counters = Table(
    "counters",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Counter ``event`` gives events their sequence: a locked row, so that no reader misses a late commit."""

platform = Table(
    "platform",
    metadata,
    Column("key", String(40), primary_key=True),
    Column("value", Document, nullable=False),
)
"""Choices for the whole platform, such as the membership mode."""

events = Table(
    "events",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("actor", NAME, nullable=False),
    Column("kind", String(60), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("person", NAME),
    Column("group_name", NAME),
    Column("before", Document),
    Column("after", Document),
    Index("ix_events_person_sequence", "person", "sequence"),
    Index("ix_events_kind_sequence", "kind", "sequence"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("holder", String(200), nullable=False),
    Column("until", Moment, nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("caller", String(200), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Document, nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_answers_at", "at"),
)
"""Answers given under an Idempotency-Key."""

declared = Table(
    "declared",
    metadata,
    Column("kind", String(40), primary_key=True),
    Column("name", String(300), primary_key=True),
    Column("document", Document, nullable=False),
    Column("at", Moment, nullable=False),
)
"""What the settings file has made once: it is not made again."""

device_minutes = Table(
    "device_minutes",
    metadata,
    Column("device", NAME, primary_key=True),
    Column("minute", Moment, primary_key=True),
    Column("samples", Integer, nullable=False),
    Column("utilisation_sum", Float, nullable=False),
    Column("memory_most", BigInteger, nullable=False),
)
"""Reports of use, a minute each: percent summed over samples, bytes at most."""

server_minutes = Table(
    "server_minutes",
    metadata,
    Column("allotment", ID, primary_key=True),
    Column("minute", Moment, primary_key=True),
    Column("samples", Integer, nullable=False),
    Column("busy_samples", Integer, nullable=False),
    Column("kernels_most", Integer, nullable=False),
    Column("memory_most", BigInteger, nullable=False),
)
