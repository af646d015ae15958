"""Leases: who does a piece of work now, of all processes that open the record.

They end by the database's clock: those of machines may differ.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from allotment.record.engine import Reading, Writing
from allotment.record.schema import leases

NOW = {
    "postgresql": "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS bigint)",
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000000 AS integer)",
}
"""Microseconds since the epoch, as the record keeps times."""
_TAKE = """
INSERT INTO leases (name, holder, until) VALUES (:name, :holder, {now} + :lasting)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
WHERE leases.holder IN (excluded.holder, :gone) OR leases.until <= {now}
RETURNING holder
"""
_HELD = "SELECT holder FROM leases WHERE name = :name AND until > {now}{lock}"

_REMAINING = "SELECT name, until - {now} AS rest FROM leases"
_HOLDERS = "SELECT holder FROM leases WHERE name LIKE :name AND until > {now}"


def take(
    writing: Writing,
    name: str,
    holder: str,
    lasting: timedelta,
    *,
    gone: Callable[[str], bool] = lambda _holder: False,
) -> bool:
    """Take or prolong a lease; False where another holds it still.

    ``gone`` says of a holder whether it is known to have ended: its lease is free at once.
    """
    before = writing.first(sa.select(leases.c.holder).where(leases.c.name == name))
    ended = before is not None and before.holder != holder and gone(before.holder)
    asked = {
        "name": name,
        "holder": holder,
        "lasting": lasting // timedelta(microseconds=1),
        "gone": before.holder if before is not None and ended else holder,
    }
    statement = _TAKE.format(now=NOW[writing.dialect])
    return writing.driver(statement, asked).first() is not None


def holder_of(reading: Reading, name: str) -> str | None:
    """Who holds a lease now; None: nobody."""
    statement = _HELD.format(now=NOW[reading.dialect], lock="")
    row = reading.driver(statement, {"name": name}).first()
    return None if row is None else str(row.holder)


def holders(reading: Reading, beginning: str) -> tuple[str, ...]:
    """Who holds a lease now whose name begins so."""
    statement = _HOLDERS.format(now=NOW[reading.dialect])
    rows = reading.driver(statement, {"name": f"{beginning}%"})
    return tuple(str(row.holder) for row in rows)


def held(writing: Writing, name: str) -> bool:
    """Whether anybody holds a lease now; it stays so until the transaction ends."""
    lock = " FOR UPDATE" if writing.dialect == "postgresql" else ""
    statement = _HELD.format(now=NOW[writing.dialect], lock=lock)
    return writing.driver(statement, {"name": name}).first() is not None


def remaining(reading: Reading) -> dict[str, float]:
    """For how many seconds each lease still keeps others away; 0: it has run out."""
    rows = reading.driver(_REMAINING.format(now=NOW[reading.dialect]), {})
    return {row.name: max(0.0, int(row.rest) / 1e6) for row in rows}


def give_up(writing: Writing, name: str, holder: str) -> None:
    """Give a lease back at an orderly end."""
    writing.run(leases.delete().where(leases.c.name == name, leases.c.holder == holder))
