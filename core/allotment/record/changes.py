"""Waiting for the record to change, whoever changes it: another thread, the hub, another control plane."""

from __future__ import annotations

import threading
import time

from allotment.record import events
from allotment.record.engine import Record

QUICKEST, SLOWEST = 0.001, 0.05
"""Seconds between two looks: right after a change, and when nothing has happened for a while."""
_LONGER = 1.5


class Watch:
    """Looks at the record's event counter: often after a change, then more and more seldom.

    One look costs a fraction of a millisecond, on both databases, and needs nothing of those who write.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._pause = SLOWEST
        self._ending = threading.Event()

    def wait(self, after: int, seconds: float, *, slowest: float = SLOWEST) -> bool:
        """Wait until there is an event after this sequence, at most so many seconds. Returns whether there is."""
        deadline = time.monotonic() + seconds
        while not self._ending.is_set():
            if self._latest() > after:
                self._pause = QUICKEST
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._ending.wait(min(self._pause, left))
            self._pause = min(self._pause * _LONGER, slowest)
        return False

    def rest(self, seconds: float) -> None:
        """Look at nothing for so long, or until :meth:`end`."""
        if seconds > 0:
            self._ending.wait(seconds)

    def end(self) -> None:
        """Wait no more: whoever waits is let go."""
        self._ending.set()

    def _latest(self) -> int:
        with self._record.reading() as reading:
            return events.latest_sequence(reading)
