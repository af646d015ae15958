"""Instance types with their limits, what a cloud says of its quotas, and how much homes hold."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Integer, String, Table, Text

from allotment.record.columns import Moment
from allotment.record.schema.base import NAME, metadata

instance_types = Table(
    "instance_types",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("title", String(200), nullable=False, server_default=""),
    Column("price", BigInteger),
    Column("most", Integer),
    Column("vcpus", Integer),
    Column("quota", String(40)),
    Column("enabled", Boolean, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
    CheckConstraint("price >= 0", name="price"),
    CheckConstraint("most >= 0", name="most"),
    CheckConstraint("vcpus > 0", name="vcpus"),
)
"""``price`` is in millionths an hour; ``most`` is the typed-in limit in instances (none: no limit).

``quota`` names a row of :data:`quotas`, of which each instance takes ``vcpus``.
"""

quotas = Table(
    "quotas",
    metadata,
    Column("code", String(40), primary_key=True),
    Column("region", String(40), nullable=False),
    Column("title", String(200), nullable=False),
    Column("value", Integer),
    Column("used", Integer),
    Column("read_at", Moment),
    Column("tried_at", Moment, nullable=False),
    Column("problem", Text, nullable=False, server_default=""),
)
"""The last good reading of each, with its time, and why the last attempt failed where it did.

``used`` is what the whole account uses, where the cloud says it.
"""

storage = Table(
    "storage",
    metadata,
    Column("person", NAME, primary_key=True),
    Column("hub", NAME, primary_key=True),
    Column("used", BigInteger, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("measured_at", Moment, nullable=False),
    CheckConstraint("used >= 0", name="used"),
)
"""What a person's home holds on a hub, in bytes; not ``complete`` where counting it took too long: then it is at least that."""
