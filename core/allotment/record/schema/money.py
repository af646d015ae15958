"""Budgets, each with what is already known to be spent of it."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, String, Table

from allotment.record.columns import Moment
from allotment.record.schema.base import NAME, metadata

budgets = Table(
    "budgets",
    metadata,
    Column("scope", String(20), primary_key=True),
    Column("subject", NAME, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Column("period", String(10), nullable=False),
    Column("begins_at", Moment, nullable=False),
    Column("at_limit", String(10), nullable=False),
    Column("grace", Integer, nullable=False),
    Column("minimum_session", Integer, nullable=False),
    Column("settled", String(40), nullable=False, server_default="0"),
    Column("settled_from", Moment, nullable=False),
    Column("settled_until", Moment, nullable=False),
    Column("warned", Integer, nullable=False, server_default="0"),
    Column("revision", Integer, nullable=False, server_default="1"),
    CheckConstraint("scope IN ('person','group','department','members','everybody')", name="scope"),
    CheckConstraint("period IN ('month','quarter','none')", name="period"),
    CheckConstraint("at_limit IN ('warn','refuse','stop')", name="at_limit"),
    CheckConstraint("amount >= 0", name="amount"),
)
"""``amount`` is in millionths of a unit of money, ``grace`` and ``minimum_session`` in seconds.

``settled`` is what was spent from ``settled_from`` (the beginning of a period) to ``settled_until``,
as a charge (see :mod:`allotment.model.money`), too large for a database's whole numbers. It repeats
what the allotments say, so that an admission need read only what came after. ``warned`` is the
highest part of the amount, in percent, that was told in that period.
"""

budget_warnings = Table(
    "budget_warnings",
    metadata,
    Column("scope", String(20), primary_key=True),
    Column("subject", NAME, primary_key=True),
    Column("person", NAME, primary_key=True),
    Column("begins_at", Moment, nullable=False),
    Column("warned", Integer, nullable=False),
)
"""What each person was told of a budget that is a default: the highest part, in percent, in the period
that began at ``begins_at``."""
