"""How many waited over time, and how long those waited whose turn came. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Wait:
    """One wait, in microseconds since the epoch. ``served``: it ended because its turn came."""

    begin: int
    end: int
    served: bool


@dataclass(frozen=True, slots=True)
class Waited:
    """What was waited between two moments: on average, and at most, so many at once."""

    average: float
    most: int


def waited(waits: Iterable[Wait], edges: Sequence[int]) -> tuple[Waited, ...]:
    """How many waited between each two of these moments, which rise (microseconds)."""
    known = list(waits)
    return tuple(_between(known, begin, end) for begin, end in pairwise(edges))


def _between(waits: Iterable[Wait], begin: int, end: int) -> Waited:
    steps: list[tuple[int, int]] = []
    for wait in waits:
        first, last = max(wait.begin, begin), min(wait.end, end)
        if first < last:
            steps += ((first, 1), (last, -1))
    now = most = area = 0
    before = begin
    for at, change in sorted(steps):
        area += now * (at - before)
        now, before = now + change, at
        most = max(most, now)
    return Waited(area / (end - begin), most)


def quantile(waits: Iterable[Wait], part: float) -> int | None:
    """The wait, in microseconds, within which this part of those got their turn who got one; None: nobody."""
    lasted = sorted(wait.end - wait.begin for wait in waits if wait.served)
    if not lasted:
        return None
    return lasted[min(len(lasted) - 1, int(part * len(lasted)))]
