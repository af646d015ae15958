"""Who waited in a period, and for how long: what the chart of waiting is drawn from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from allotment.record.columns import to_stored
from allotment.record.engine import Reading
from allotment.record.queue_facts import read_candidates
from allotment.rules.waiting import Wait

_WAITS = """
SELECT candidates, since, COALESCE(offered_at, ended_at) AS until, offered_at FROM tickets
WHERE since < :end AND (COALESCE(offered_at, ended_at) IS NULL OR COALESCE(offered_at, ended_at) > :begin)
"""


def waits(
    reading: Reading, begin: datetime, end: datetime, pool: str | None = None
) -> Iterator[Wait]:
    """Waits that fall into a period, of one pool where asked; who waits still, waits until its end.

    A wait ends when its turn comes, or when it is given up.
    """
    last = to_stored(end)
    for row in reading.driver(_WAITS, {"begin": to_stored(begin), "end": last}):
        if pool is None or any(name == pool for name, _ in read_candidates(row.candidates)):
            until = last if row.until is None else row.until
            yield Wait(row.since, until, served=row.offered_at is not None and until <= last)
