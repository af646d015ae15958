"""Plain replays of one pool, written without the rules, to stand beside theirs.

Every group is guaranteed devices by its use, requests are capped at the guarantee, and all devices are
on one node. *Least* ranks by devices held over guarantee, then arrival, and starts whatever fits, so
that small claims overtake large ones for ever; the others say who may not be overtaken.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from heapq import heappop, heappush
from math import inf

from allotment.simulate import Job, Waits
from allotment.simulate.policy import guarantees_by_use

REFERENCES = {
    "fixed": "fixed partitions, each first come first served",
    "common": "one queue, first come first served",
    "least": "least held, whatever fits",
    "protected": "least held, who has waited 48 h not overtaken",
    "strict": "least held, the first not overtaken",
    "backfill": "least held, the first not delayed, all durations known",
}
PROTECTED = 48 * 3600.0
Key = tuple[str, int]
"""Group and devices."""
Head = tuple[float, float, str, int]
"""Held over guarantee, when it came, group, devices."""


class Reference:
    """One plain replay. ``order`` is a name in :data:`REFERENCES`."""

    def __init__(self, jobs: Sequence[Job], devices: int, order: str) -> None:
        self._jobs, self._order = jobs, order
        self._share = guarantees_by_use(jobs, devices)
        self._free, self._idle, self._clock = devices, 0.0, jobs[0].at
        self._held: dict[str, int] = defaultdict(int)
        self._lines: dict[Key, deque[Job]] = defaultdict(deque)
        self._ends: list[tuple[float, int, str]] = []
        self._waited: list[float] = []

    def run(self) -> tuple[Waits, float]:
        """Waits, and device hours idle while somebody waits."""
        jobs, ends, place = self._jobs, self._ends, 0
        while place < len(jobs) or ends:
            coming = jobs[place].at if place < len(jobs) else inf
            then = min(coming, ends[0][0] if ends else inf)
            if len(self._waited) < place:
                self._idle += self._free * (then - self._clock)
            self._clock = then
            while ends and ends[0][0] <= then:
                _, size, group = heappop(ends)
                self._free, self._held[group] = self._free + size, self._held[group] - size
            while place < len(jobs) and jobs[place].at <= then:
                job = jobs[place]
                self._lines[job.group, min(job.devices, self._share[job.group])].append(job)
                place += 1
            while self._free and (key := self._next()) is not None:
                self._start(key)
        return Waits.of(self._waited), self._idle / 3600

    def _start(self, key: Key) -> None:
        group, size = key
        job = self._lines[key].popleft()
        if not self._lines[key]:
            del self._lines[key]
        self._free, self._held[group] = self._free - size, self._held[group] + size
        self._waited.append(self._clock - job.at)
        heappush(self._ends, (self._clock + job.seconds, size, group))

    def _next(self) -> Key | None:
        """Who starts next, if anybody."""
        if not self._lines:
            return None
        if self._order == "fixed":
            return self._of_own_group()
        heads = [
            (self._held[group] / self._share[group], line[0].at, group, size)
            for (group, size), line in self._lines.items()
        ]
        kept = self._not_overtaken(heads)
        if kept is not None:
            if kept[3] <= self._free:
                return kept[2:]
            if self._order != "backfill":
                return None
            heads = self._harmless(kept, heads)
        able = [head for head in heads if head[3] <= self._free]
        return min(able)[2:] if able else None

    def _not_overtaken(self, heads: Sequence[Head]) -> Head | None:
        """Whom nobody may overtake, or in backfill only what does no harm."""
        if self._order == "least":
            return None
        if self._order in {"strict", "backfill"}:
            return min(heads)
        oldest = min(heads, key=lambda head: head[1])
        long = self._order == "common" or self._clock - oldest[1] >= PROTECTED
        return oldest if long else None

    def _of_own_group(self) -> Key | None:
        first: dict[str, tuple[float, int]] = {}
        for (group, size), line in self._lines.items():
            first[group] = min(first.get(group, (inf, 0)), (line[0].at, size))
        able = [
            (at, group, size)
            for group, (at, size) in first.items()
            if self._held[group] + size <= self._share[group]
        ]
        return min(able)[1:] if able else None

    def _harmless(self, first: Head, heads: Sequence[Head]) -> list[Head]:
        """What ends before the first could start, or uses devices that are over then."""
        free, shadow = self._free, self._clock
        for end, size, _ in sorted(self._ends):
            if free >= first[3]:
                break
            free, shadow = free + size, end
        over = free - first[3]
        return [
            head
            for head in heads
            if head[3] <= over or self._clock + self._lines[head[2:]][0].seconds <= shadow
        ]
