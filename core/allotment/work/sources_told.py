"""The step ``source notices``: which sources were added or changed lately is remembered, for servers that report.

A report must be answered from memory: ten thousand servers send one each half minute.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from allotment.record import Record, events, source_news
from allotment.record.source_news import SourceNews

EVERY = 5.0
"""Seconds between two looks."""
_AGAIN = timedelta(minutes=10)
"""Without an event nothing changes but that what was told long enough is told no more."""


class SourcesTold:
    """What is to be told to whom. ``look`` blocks; ``of`` answers from memory, in any thread."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._lock = threading.Lock()
        self._news: tuple[tuple[SourceNews, frozenset[str] | None], ...] = ()
        self._seen: int | None = None
        self._looked_at: datetime | None = None

    def of(self, person: str) -> tuple[SourceNews, ...]:
        """What one person is told, the newest first. Whoever has a server is on-boarded."""
        return tuple(one for one, readers in self._news if readers is None or person in readers)

    def look(self, now: datetime) -> str:
        """Take in what has changed since the last look."""
        with self._lock, self._record.reading() as reading:
            latest = events.latest_sequence(reading)
            lately = self._looked_at is not None and now - self._looked_at < _AGAIN
            if latest != self._seen or not lately:
                self._news = tuple(
                    (one, source_news.readers(reading, one, now))
                    for one in source_news.lately(reading, now)
                )
                self._seen, self._looked_at = latest, now
        return ""
