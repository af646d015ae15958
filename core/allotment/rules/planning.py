"""Capacity planning: the most that was held at once, and the average, from spans of time. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from allotment.model.planning import Fit

Key = tuple[str, ...]
"""Whose use it is: () everybody's, (pool,) a pool's, (pool, group) a group's in it."""


@dataclass(frozen=True, slots=True)
class Span:
    """Devices that one allotment held from ``begin`` until before ``end``, in microseconds since the epoch."""

    pool: str
    group: str
    devices: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Held:
    """What was held in a period: ``peak`` devices at once, first at ``peak_at``; ``average`` over all of it."""

    peak: int = 0
    peak_at: int | None = None
    average: float = 0.0


def held(spans: Iterable[Span], begin: int, end: int) -> Mapping[Key, Held]:
    """Peak and average by key, of the period from ``begin`` until before ``end`` (microseconds).

    What one server gives back in the instant in which another takes it was not held by both.
    """
    if begin >= end:
        return {}
    steps: dict[Key, list[tuple[int, int]]] = defaultdict(list)
    for span in spans:
        first, last = max(span.begin, begin), min(span.end, end)
        if first >= last:
            continue
        for key in ((), (span.pool,), (span.pool, span.group)):
            steps[key] += ((first, span.devices), (last, -span.devices))
    return {key: _sweep(sorted(known), end - begin) for key, known in steps.items()}


def _sweep(steps: Iterable[tuple[int, int]], length: int) -> Held:
    """Walk along the steps, which are sorted: those that give back before those that take."""
    now = peak = area = before = 0
    peak_at: int | None = None
    for at, change in steps:
        area += now * (at - before)
        now, before = now + change, at
        if now > peak:
            peak, peak_at = now, at
    return Held(peak, peak_at, area / length)


def fit(available: int, guaranteed: int, ceilings: int, peak: int) -> Fit:
    """How guarantees, ceilings and the peak fit the devices that can be given out; all in devices."""
    if guaranteed > available:
        return Fit.OVERCOMMITTED
    if available and peak >= available:
        return Fit.FULL
    return Fit.LENT if ceilings > available else Fit.FITS
