"""The step ``software notices``: which versions there are is remembered, for servers that report and for operators.

A report must be answered from memory: ten thousand servers send one each half minute.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from allotment.model.allotments import Allotment
from allotment.model.releases import Line, Release, Update, promised
from allotment.record import Record, allotments, events, releases
from allotment.rules.updating import Releases, update_for

EVERY = 15.0
"""Seconds between two looks."""


class SoftwareTold:
    """Which servers could update. ``look`` blocks; the rest answers from memory, in any thread."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._lock = threading.Lock()
        self._releases: Releases = {}
        self._behind: Mapping[Line, int] = {}
        self._seen: int | None = None

    def of(self, allotment: Allotment) -> Update | None:
        """What a server would get by a reset; None: nothing new."""
        return update_for(allotment, self._releases)

    def behind(self) -> tuple[tuple[Release, int], ...]:
        """The newest release of each line that servers are behind, with how many."""
        found = [(self._releases[line][0], number) for line, number in self._behind.items()]
        return tuple(sorted(found, key=lambda one: (one[0].line.profile, one[0].line.software)))

    def look(self, now: datetime) -> str:  # noqa: ARG002 - as steps are called
        """Take in what has changed since the last look."""
        with self._lock, self._record.reading() as reading:
            latest = events.latest_sequence(reading)
            if latest == self._seen:
                return ""
            self._releases = releases.of_profiles(reading)
            self._behind = {}
            if any(len(those) > 1 for those in self._releases.values()):
                active = allotments.active(reading)
                late = [promised(one.profile, one.terms)[0] for one in active if self.of(one)]
                self._behind = Counter(late)
            self._seen = latest
        return ""
