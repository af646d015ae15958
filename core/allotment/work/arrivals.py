"""Large files on their way in: so many at a time, and only where the disk has room for them."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from allotment.data.problems import SourceProblem
from allotment.data.room import SPARE
from allotment.model.amounts import counted, format_memory
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal

AT_ONCE = 4
"""Files on their way at the same time, of everybody."""
OF_PERSON = 2
"""Of one person; more than one only while half of the turns are free, so that others find one."""
_STEP = 64 * 2**20
"""Bytes for which room is looked for at a time, where nobody said how long a file is."""


def free(descriptor: int) -> int:
    """Free bytes of the disk on which an open file lies."""
    found = os.fstatvfs(descriptor)
    return found.f_bavail * found.f_frsize


@dataclass(eq=False, slots=True)
class Arrival:
    """One file on its way: bytes that there is room for, and those that are there."""

    person: str
    promised: int = 0
    there: int = 0


class Arrivals:
    """Counts what is on its way. ``free`` says how much room the disk of an open file has."""

    def __init__(self, free: Callable[[int], int] = free) -> None:
        self.free = free
        self._lock = threading.Lock()
        self._under_way: list[Arrival] = []

    @contextmanager
    def turn(self, person: str) -> Iterator[Arrival]:
        """A turn to send one file.

        Raises:
            Refusal: this person sends as many as one may.
            SourceProblem: everybody together does.
        """
        arrival = Arrival(person)
        with self._lock:
            of_person = Counter(one.person for one in self._under_way)[person]
            most = OF_PERSON if len(self._under_way) < AT_ONCE // 2 else 1
            if of_person >= most:
                raise Refusal(_own(of_person, most))
            if len(self._under_way) >= AT_ONCE:
                message = f"{len(self._under_way)} large files are on their way to this platform."
                raise SourceProblem(message, remedy="Try again in a few minutes.")
            self._under_way.append(arrival)
        try:
            yield arrival
        finally:
            with self._lock:
                self._under_way.remove(arrival)

    def promise(self, arrival: Arrival, descriptor: int, size: int) -> None:
        """Keep room for so many bytes in all, beside what others were promised.

        Raises:
            SourceProblem: the disk has no room for them.
        """
        with self._lock:
            rest = sum(max(0, one.promised - one.there) for one in self._under_way)
            more = max(0, size - arrival.promised)
            room = self.free(descriptor) - rest - SPARE
            if more > room:
                raise SourceProblem(
                    f"The disk has no room for a file of {format_memory(size)}: "
                    f"{format_memory(max(0, room))} can be taken now.",
                    remedy="Put it into a bucket and register its URI, or ask an operator for room.",
                )
            arrival.promised += more

    def grow(self, arrival: Arrival, descriptor: int, more: int) -> None:
        """Say that so many more bytes have come, before they are written.

        Raises:
            SourceProblem: the disk has no room for them.
        """
        if arrival.there + more > arrival.promised:
            self.promise(arrival, descriptor, arrival.there + max(more, _STEP))
        arrival.there += more


def _own(used: int, most: int) -> Reason:
    files = counted(used, "large file")
    message = (
        f"{files} of yours {'is' if used == 1 else 'are'} on the way, and others need a turn, too."
    )
    remedy = "Wait until one of them has arrived."
    return Reason(Rule.DATA_SOURCE, message, limit=most, used=used, asked=1, remedy=remedy)
