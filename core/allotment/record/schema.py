"""The tables of the record. They change only through migrations.

Three kinds of rows: configuration (with a revision), what is held (allotments and holdings), and
what happened (events, minutes). Counters (``shares.held``, ``pool_nodes.free``) repeat what the
holdings say, in the same transaction, so that an admission costs the same with ten servers as with
ten thousand; :mod:`allotment.record.counting` recounts them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from allotment.record.columns import Document, Moment

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_NAME = String(128)
_ID = String(40)

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

pools = Table(
    "pools",
    metadata,
    Column("name", _NAME, primary_key=True),
    Column("model", String(200), nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
)

devices = Table(
    "devices",
    metadata,
    Column("id", _NAME, primary_key=True),
    Column("node", _NAME, nullable=False),
    Column("model", String(200), nullable=False),
    Column("memory", BigInteger, nullable=False),
    Column("uuid", String(200), nullable=False),
    Column("origin", String(20), nullable=False),
    Column("isolation", String(20), nullable=False),
    Column("pool", _NAME, ForeignKey("pools.name"), nullable=False),
    Column("healthy", Boolean, nullable=False),
    Column("present", Boolean, nullable=False),
    Column("health_note", Text, nullable=False, server_default=""),
    Column("free", Boolean, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
    Index("ix_devices_pool", "pool"),
    Index(
        "ix_devices_allottable",
        "pool",
        "node",
        "model",
        "id",
        sqlite_where=text("free AND healthy AND present"),
        postgresql_where=text("free AND healthy AND present"),
    ),
)
"""``free`` repeats that no holding names the device."""

pool_nodes = Table(
    "pool_nodes",
    metadata,
    Column("pool", _NAME, ForeignKey("pools.name", ondelete="CASCADE"), primary_key=True),
    Column("node", _NAME, primary_key=True),
    Column("model", String(200), primary_key=True),
    Column("total", Integer, nullable=False),
    Column("free", Integer, nullable=False),
    CheckConstraint("free >= 0", name="free"),
    CheckConstraint("free <= total", name="total"),
)
"""How many devices of a model a pool has on a node, and how many of them could be given out now."""

groups = Table(
    "groups",
    metadata,
    Column("name", _NAME, primary_key=True),
    Column("title", String(200), nullable=False, server_default=""),
    Column("tags", Document, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
)

shares = Table(
    "shares",
    metadata,
    Column("group_name", _NAME, ForeignKey("groups.name"), primary_key=True),
    Column("pool", _NAME, ForeignKey("pools.name"), primary_key=True),
    Column("guaranteed", Integer, nullable=False),
    Column("ceiling", Integer, nullable=False),
    Column("weight", Float, nullable=False, server_default="1"),
    Column("held", Integer, nullable=False, server_default="0"),
    CheckConstraint("guaranteed >= 0", name="guaranteed"),
    CheckConstraint("ceiling >= guaranteed", name="ceiling"),
    CheckConstraint("held >= 0", name="held"),
    Index("ix_shares_pool", "pool"),
)

roles = Table(
    "roles",
    metadata,
    Column("name", _NAME, primary_key=True),
    Column("permissions", Document, nullable=False),
    Column("built_in", Boolean, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
)

people = Table(
    "people",
    metadata,
    Column("name", _NAME, primary_key=True),
    Column("role", _NAME, ForeignKey("roles.name"), nullable=False),
    Column("onboarded_at", Moment),
    Column("revision", Integer, nullable=False, server_default="1"),
)

memberships = Table(
    "memberships",
    metadata,
    Column("person", _NAME, ForeignKey("people.name", ondelete="CASCADE"), primary_key=True),
    Column("group_name", _NAME, ForeignKey("groups.name"), primary_key=True),
    Column("origin", String(20), primary_key=True),
    Column("lead", Boolean, nullable=False),
    Column("until", Moment),
    Index("ix_memberships_group_name", "group_name"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("person", _NAME, ForeignKey("people.name", ondelete="CASCADE"), primary_key=True),
    Column("hash", Text, nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

reset_links = Table(
    "reset_links",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("person", _NAME, ForeignKey("people.name", ondelete="CASCADE"), nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Index("ix_reset_links_person", "person"),
)

limits = Table(
    "limits",
    metadata,
    Column("scope", String(20), primary_key=True),
    Column("subject", _NAME, primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("value", Integer, nullable=False),
    CheckConstraint("value >= 0", name="value"),
)

profiles = Table(
    "profiles",
    metadata,
    Column("name", _NAME, primary_key=True),
    Column("document", Document),
    Column("device_count", Integer, nullable=False, server_default="0"),
    Column("source", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("problem", Text, nullable=False, server_default=""),
    Column("enabled", Boolean, nullable=False),
    Column("retired", Boolean, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
)
"""``document`` is the last good version, ``device_count`` repeats its devices; ``problem`` says what is wrong with the file now."""

allotments = Table(
    "allotments",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("hub", _NAME, nullable=False),
    Column("person", _NAME, nullable=False),
    Column("server", _NAME, nullable=False),
    Column("group_name", _NAME),
    Column("pool", _NAME),
    Column("profile", _NAME, nullable=False),
    Column("state", String(12), nullable=False),
    Column("device_count", Integer, nullable=False),
    Column("terms", Document, nullable=False),
    Column("devices", Document, nullable=False),
    Column("token_hash", String(64), nullable=False),
    Column("admitted_at", Moment, nullable=False),
    Column("running_at", Moment),
    Column("stopping_at", Moment),
    Column("released_at", Moment),
    Column("process_id", Integer),
    Column("process_started", Float),
    Column("stop_reason", Text, nullable=False, server_default=""),
    Column("stopped_by", _NAME, nullable=False, server_default=""),
    Column("proof", Text, nullable=False, server_default=""),
    Column("reclaim_deadline", Moment),
    CheckConstraint(
        "state IN ('offered','starting','running','stopping','released')", name="state"
    ),
    Index("ix_allotments_history", "person", "hub", "server", "admitted_at"),
    Index("ix_allotments_token_hash", "token_hash"),
    Index(
        "ix_allotments_active_person",
        "person",
        sqlite_where=text("state <> 'released'"),
        postgresql_where=text("state <> 'released'"),
    ),
    Index(
        "ix_allotments_active_pool",
        "pool",
        "group_name",
        sqlite_where=text("state <> 'released'"),
        postgresql_where=text("state <> 'released'"),
    ),
    Index(
        "uq_allotments_active_server",
        "hub",
        "person",
        "server",
        unique=True,
        sqlite_where=text("state <> 'released'"),
        postgresql_where=text("state <> 'released'"),
    ),
)

holdings = Table(
    "holdings",
    metadata,
    Column("device", _NAME, ForeignKey("devices.id"), primary_key=True),
    Column("allotment", _ID, ForeignKey("allotments.id"), nullable=False),
    Index("ix_holdings_allotment", "allotment"),
)
"""Who holds what. Its key is what makes two holders of one device impossible."""

servers = Table(
    "servers",
    metadata,
    Column("person", _NAME, primary_key=True),
    Column("hub", _NAME, primary_key=True),
    Column("name", _NAME, primary_key=True),
    Column("display_name", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("profile", _NAME, nullable=False),
    Column("allotment", _ID, nullable=False),
    Column("created_at", Moment, nullable=False),
)
"""Servers that exist, stopped ones too, each with its latest allotment."""

drift = Table(
    "drift",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("hub", _NAME, nullable=False),
    Column("person", _NAME, nullable=False),
    Column("server", _NAME, nullable=False),
    Column("devices", Document, nullable=False),
    Column("note", Text, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("resolved_at", Moment),
    Index(
        "uq_drift_open",
        "hub",
        "person",
        "server",
        unique=True,
        sqlite_where=text("resolved_at IS NULL"),
        postgresql_where=text("resolved_at IS NULL"),
    ),
)

events = Table(
    "events",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("actor", _NAME, nullable=False),
    Column("kind", String(60), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("person", _NAME),
    Column("group_name", _NAME),
    Column("before", Document),
    Column("after", Document),
    Index("ix_events_person_sequence", "person", "sequence"),
    Index("ix_events_kind_sequence", "kind", "sequence"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", _NAME, primary_key=True),
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
    Column("device", _NAME, primary_key=True),
    Column("minute", Moment, primary_key=True),
    Column("samples", Integer, nullable=False),
    Column("utilisation_sum", Float, nullable=False),
    Column("memory_most", BigInteger, nullable=False),
)
"""Reports of use, a minute each: percent summed over samples, bytes at most."""

server_minutes = Table(
    "server_minutes",
    metadata,
    Column("allotment", _ID, primary_key=True),
    Column("minute", Moment, primary_key=True),
    Column("samples", Integer, nullable=False),
    Column("busy_samples", Integer, nullable=False),
    Column("kernels_most", Integer, nullable=False),
    Column("memory_most", BigInteger, nullable=False),
)
