"""What can be launched, what was granted, who holds what."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
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

profiles = Table(
    "profiles",
    metadata,
    Column("name", NAME, primary_key=True),
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
    Column("id", ID, primary_key=True),
    Column("hub", NAME, nullable=False),
    Column("person", NAME, nullable=False),
    Column("server", NAME, nullable=False),
    Column("group_name", NAME),
    Column("pool", NAME),
    Column("profile", NAME, nullable=False),
    Column("state", String(12), nullable=False),
    Column("device_count", Integer, nullable=False),
    Column("priority", String(12), nullable=False, server_default="dedicated"),
    Column("terms", Document, nullable=False),
    Column("devices", Document, nullable=False),
    Column("token_hash", String(64), nullable=False),
    Column("admitted_at", Moment, nullable=False),
    Column("running_at", Moment),
    Column("stopping_at", Moment),
    Column("released_at", Moment),
    Column("charged_until", Moment),
    Column("process_id", Integer),
    Column("process_started", Float),
    Column("pod_namespace", String(63), nullable=False, server_default=""),
    Column("pod_name", String(253), nullable=False, server_default=""),
    Column("pod_uid", String(64), nullable=False, server_default=""),
    Column("pod_cluster", String(64), nullable=False, server_default=""),
    Column("awaits", Text, nullable=False, server_default=""),
    Column("stop_reason", Text, nullable=False, server_default=""),
    Column("stopped_by", NAME, nullable=False, server_default=""),
    Column("proof", Text, nullable=False, server_default=""),
    Column("reclaim_deadline", Moment),
    Column("stop_cause", String(20), nullable=False, server_default=""),
    Column("instance_type", NAME),
    CheckConstraint(
        "state IN ('offered','starting','running','stopping','released')", name="state"
    ),
    Index("ix_allotments_history", "person", "hub", "server", "admitted_at"),
    Index("ix_allotments_token_hash", "token_hash"),
    Index("ix_allotments_stopping_at", "stopping_at"),
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
        "ix_allotments_active_type",
        "instance_type",
        sqlite_where=text("state <> 'released' AND instance_type IS NOT NULL"),
        postgresql_where=text("state <> 'released' AND instance_type IS NOT NULL"),
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

"""A server's place is a process of a machine or a pod of a cluster; ``process_started`` says since when, of either.

``awaits`` is what a server waits for while it starts, in the cluster's own words.
"""

holdings = Table(
    "holdings",
    metadata,
    Column("device", NAME, ForeignKey("devices.id"), primary_key=True),
    Column("allotment", ID, ForeignKey("allotments.id"), nullable=False),
    Index("ix_holdings_allotment", "allotment"),
)
"""Who holds what. Its key is what makes two holders of one device impossible."""

servers = Table(
    "servers",
    metadata,
    Column("person", NAME, primary_key=True),
    Column("hub", NAME, primary_key=True),
    Column("name", NAME, primary_key=True),
    Column("display_name", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("profile", NAME, nullable=False),
    Column("allotment", ID, nullable=False),
    Column("created_at", Moment, nullable=False),
)
"""Servers that exist, stopped ones too, each with its latest allotment."""

drift = Table(
    "drift",
    metadata,
    Column("id", ID, primary_key=True),
    Column("hub", NAME, nullable=False),
    Column("person", NAME, nullable=False),
    Column("server", NAME, nullable=False),
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
