"""Leases: who does a hub's periodic work now."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from allotment.record.engine import Writing
from allotment.record.schema import leases


def take(writing: Writing, name: str, holder: str, until: datetime) -> bool:
    """Take or prolong a lease; False where another holds it still."""
    row = writing.first(sa.select(leases).where(leases.c.name == name).with_for_update())
    if row is None:
        writing.run(leases.insert().values(name=name, holder=holder, until=until))
        return True
    if row.holder != holder and row.until > writing.now:
        return False
    writing.run(leases.update().where(leases.c.name == name).values(holder=holder, until=until))
    return True


def held(writing: Writing, name: str) -> bool:
    """Whether anybody holds a lease now."""
    row = writing.first(sa.select(leases).where(leases.c.name == name).with_for_update())
    return row is not None and row.until > writing.now


def give_up(writing: Writing, name: str, holder: str) -> None:
    """Give a lease back at an orderly end."""
    writing.run(leases.delete().where(leases.c.name == name, leases.c.holder == holder))
