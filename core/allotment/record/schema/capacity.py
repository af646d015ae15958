"""Devices, pools, and what groups have of them; what one person may hold."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
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
from allotment.record.schema.base import NAME, metadata

USABLE = "taken_by = '' AND cordon = '' AND node_cordon = ''"
"""What the flag ``usable`` of a device repeats."""

pools = Table(
    "pools",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("model", String(200), nullable=False),
    Column("policy", Document, nullable=False, server_default="{}"),
    Column("nodes", Document, nullable=False, server_default="{}"),
    Column("revision", Integer, nullable=False, server_default="1"),
)

devices = Table(
    "devices",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("node", NAME, nullable=False),
    Column("model", String(200), nullable=False),
    Column("memory", BigInteger, nullable=False),
    Column("uuid", String(200), nullable=False),
    Column("origin", String(20), nullable=False),
    Column("isolation", String(20), nullable=False),
    Column("pool", NAME, ForeignKey("pools.name"), nullable=False),
    Column("healthy", Boolean, nullable=False),
    Column("present", Boolean, nullable=False),
    Column("health_note", Text, nullable=False, server_default=""),
    Column("free", Boolean, nullable=False),
    Column("resource", String(200), nullable=False, server_default=""),
    Column("taken_by", Text, nullable=False, server_default=""),
    Column("cordon", Text, nullable=False, server_default=""),
    Column("node_cordon", Text, nullable=False, server_default=""),
    Column("usable", Boolean, Computed(USABLE), nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
    Index("ix_devices_pool", "pool"),
    Index(
        "ix_devices_allottable",
        "pool",
        "node",
        "model",
        "id",
        sqlite_where=text("free AND healthy AND present AND usable"),
        postgresql_where=text("free AND healthy AND present AND usable"),
    ),
)
"""``free`` repeats that no holding names the device.

``taken_by`` says who outside the platform uses it, ``cordon`` why an operator took it out of use, and
``node_cordon`` why its cluster gives its node to nobody. ``usable`` is made of these by the database
itself: nobody can forget it.
"""

nodes = Table(
    "nodes",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("document", Document, nullable=False),
    Column("seen_at", Moment, nullable=False),
)
"""What a cluster says of its nodes, as it was seen last; written where it changed."""

pool_nodes = Table(
    "pool_nodes",
    metadata,
    Column("pool", NAME, ForeignKey("pools.name", ondelete="CASCADE"), primary_key=True),
    Column("node", NAME, primary_key=True),
    Column("model", String(200), primary_key=True),
    Column("total", Integer, nullable=False),
    Column("free", Integer, nullable=False),
    CheckConstraint("free >= 0", name="free"),
    CheckConstraint("free <= total", name="total"),
)
"""How many devices of a model a pool has on a node, and how many of them could be given out now."""

departments = Table(
    "departments",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("title", String(200), nullable=False, server_default=""),
    Column("revision", Integer, nullable=False, server_default="1"),
)

department_ceilings = Table(
    "department_ceilings",
    metadata,
    Column(
        "department", NAME, ForeignKey("departments.name", ondelete="CASCADE"), primary_key=True
    ),
    Column("pool", NAME, ForeignKey("pools.name"), primary_key=True),
    Column("ceiling", Integer, nullable=False),
    CheckConstraint("ceiling >= 0", name="ceiling"),
)
"""What all groups of a department may hold of a pool together."""

groups = Table(
    "groups",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("title", String(200), nullable=False, server_default=""),
    Column("tags", Document, nullable=False),
    Column("department", NAME),
    Column("revision", Integer, nullable=False, server_default="1"),
)

shares = Table(
    "shares",
    metadata,
    Column("group_name", NAME, ForeignKey("groups.name"), primary_key=True),
    Column("pool", NAME, ForeignKey("pools.name"), primary_key=True),
    Column("guaranteed", Integer, nullable=False),
    Column("ceiling", Integer, nullable=False),
    Column("weight", Float, nullable=False, server_default="1"),
    Column("held", Integer, nullable=False, server_default="0"),
    Column("used", Float, nullable=False, server_default="0"),
    Column("used_at", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("guaranteed >= 0", name="guaranteed"),
    CheckConstraint("ceiling >= guaranteed", name="ceiling"),
    CheckConstraint("held >= 0", name="held"),
    Index("ix_shares_pool", "pool"),
)
"""``used`` is what ended servers held, in devices on average over the half-life, decayed to ``used_at``
(microseconds): each release adds to it."""

limits = Table(
    "limits",
    metadata,
    Column("scope", String(20), primary_key=True),
    Column("subject", NAME, primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("value", Integer, nullable=False),
    CheckConstraint("value >= 0", name="value"),
)
