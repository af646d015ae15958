"""What was held of the pools in a period, for planning."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa

from allotment.record.columns import to_stored
from allotment.record.engine import Reading
from allotment.record.schema import allotments, groups
from allotment.rules.planning import Span

_SPANS = """
SELECT pool, group_name, device_count, admitted_at, released_at FROM allotments
WHERE device_count > 0 AND pool IS NOT NULL AND admitted_at < :end
AND (released_at IS NULL OR released_at > :begin)
"""


def spans(reading: Reading, begin: datetime, end: datetime) -> Iterator[Span]:
    """Which devices were held from ``begin`` until before ``end``; what is held still, is until ``end``.

    They are held from admission to release: while a server starts and stops nobody else can have them.
    """
    last = to_stored(end)
    parameters = {"begin": to_stored(begin), "end": last}
    for row in reading.driver(_SPANS, parameters):
        until = last if row.released_at is None else row.released_at
        yield Span(row.pool, row.group_name or "", row.device_count, row.admitted_at, until)


def held_now(reading: Reading) -> dict[tuple[str, str], int]:
    """Devices that are held now, by pool and group; empty: of people without a group."""
    columns = (allotments.c.pool, sa.func.coalesce(allotments.c.group_name, "").label("group"))
    statement = (
        sa.select(*columns, sa.func.sum(allotments.c.device_count).label("devices"))
        .where(allotments.c.state != "released", allotments.c.device_count > 0)
        .where(allotments.c.pool.is_not(None))
        .group_by(*columns)
    )
    return {(row.pool, row.group): int(row.devices) for row in reading.all(statement)}


def departments(reading: Reading) -> dict[str, str]:
    """The department of each group; empty: of none."""
    return {
        row.name: row.department or ""
        for row in reading.all(sa.select(groups.c.name, groups.c.department))
    }
