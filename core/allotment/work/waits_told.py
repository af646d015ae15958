"""The step ``waits``: whose wait is over is remembered here, so that servers can be told with their reports.

A report must be answered from memory: ten thousand servers send one each half minute.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from allotment.model.events import Event
from allotment.record import Reading, Record, events, waits
from allotment.record.waits import WaitOver

EVERY = 1.0
"""Seconds between two looks."""
TOLD_FOR = timedelta(hours=12)
"""For so long open notebooks tell of a wait that is over."""
_AT_ONCE = 500
_MOST_AT_START = 200
_MOST_OF_ONE = 10


class WaitsTold:
    """What is to be told to whom. ``look`` blocks; ``of`` answers from memory, in any thread."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._lock = threading.Lock()
        self._over: dict[str, tuple[WaitOver, ...]] = {}
        self._seen: int | None = None

    def of(self, person: str) -> tuple[WaitOver, ...]:
        """What one person is told, the newest first."""
        return self._over.get(person, ())

    def look(self, now: datetime) -> str:
        """Take in what has ended since the last look, and forget what was told long enough."""
        with self._lock, self._record.reading() as reading:
            latest = events.latest_sequence(reading)
            if latest != self._seen:
                found = self._first(reading) if self._seen is None else self._later(reading)
                self._take(waits.of_events(reading, found))
                self._seen = latest
            self._forget(now - TOLD_FOR)
        return ""

    def _first(self, reading: Reading) -> list[Event]:
        """After a start: what ended lately, of each kind."""
        return [one for kind in waits.KINDS for one in events.newest(reading, kind, _MOST_AT_START)]

    def _later(self, reading: Reading) -> list[Event]:
        return [one for kind in waits.KINDS for one in self._all_later(reading, kind)]

    def _all_later(self, reading: Reading, kind: str) -> Iterator[Event]:
        """All of a kind since the last look: an operator may have emptied a long queue."""
        after = self._seen or 0
        while found := events.after(reading, after, _AT_ONCE, kind=kind):
            yield from found
            after = found[-1].sequence

    def _take(self, over: Iterable[WaitOver]) -> None:
        mine: dict[str, dict[str, WaitOver]] = defaultdict(dict)
        for one in over:
            mine[one.ticket.person][one.ticket.id] = one
        for person, new in mine.items():
            known = {one.ticket.id: one for one in self._over.get(person, ())} | new
            newest = sorted(known.values(), key=lambda one: (one.at, one.ticket.id), reverse=True)
            self._over[person] = tuple(newest[:_MOST_OF_ONE])

    def _forget(self, before: datetime) -> None:
        for person, known in list(self._over.items()):
            kept = tuple(one for one in known if one.at >= before)
            if not kept:
                del self._over[person]
            elif len(kept) < len(known):
                self._over[person] = kept
