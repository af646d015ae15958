"""Use: the time that is charged, cut at the days and months of the platform's time zone. Pure.

A server is charged while it runs: from when it was ready until its stop began. What comes before
and after, starting, waiting for its owner and stopping, holds devices and costs nothing.

All times here are whole microseconds since the epoch, as the record keeps them, so that nothing is
rounded; days are cut where the local date changes, however long a day is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from allotment.model.money import MILLION, Use

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_LONGEST_OFFSET = 27 * 3600
"""Seconds by which a local date's first instant may differ from the same midnight in UTC, at most."""


@dataclass(frozen=True, slots=True)
class Charged:
    """What one allotment is charged for.

    ``begin`` and ``end`` are microseconds since the epoch; ``price`` is in millionths per hour.
    ``subject`` is whatever the caller groups by.
    """

    begin: int
    end: int
    devices: int
    price: int
    subject: tuple[str, ...]


@lru_cache(maxsize=4096)
def first_instant(day: date, zone: tzinfo) -> int:
    """The first instant, in microseconds since the epoch, at which the local date is ``day`` or later.

    That is midnight, where there is one. Where clocks skip it, the day begins when they have
    skipped; a date that a country left out is as long as nothing.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    guess = int((midnight - _EPOCH).total_seconds())
    if _date_at(guess, zone) >= day > _date_at(guess - 1, zone):
        return guess * MILLION
    before, after = guess - _LONGEST_OFFSET, guess + _LONGEST_OFFSET
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if _date_at(middle, zone) >= day else (middle, after)
    return after * MILLION


def _date_at(second: int, zone: tzinfo) -> date:
    return (_EPOCH + timedelta(seconds=second)).astimezone(zone).date()


def local_date(instant: int, zone: tzinfo) -> date:
    """The local date at an instant in microseconds since the epoch: the day that it is counted to."""
    day = _date_at(instant // MILLION, zone)
    while first_instant(day + _DAY, zone) <= instant:
        day += _DAY
    return day


def next_month(day: date) -> date:
    """The first day of the month after a day's."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def days_between(begin: int, end: int, zone: tzinfo) -> tuple[date, ...]:
    """Every local date from the one that ``begin`` is in to the last that begins before ``end``."""
    first = local_date(begin, zone)
    days = [first]
    while first_instant(days[-1] + _DAY, zone) < end:
        days.append(days[-1] + _DAY)
    return tuple(days)


class Cuts:
    """Where time is cut, and what the parts are called."""

    def __init__(self, edges: Sequence[int], names: Sequence[str]) -> None:
        """``edges`` rise; part ``i`` is from edge ``i`` to the next, the last without an end."""
        self._edges, self._names = edges, names

    def parts(self, begin: int, end: int) -> Iterable[tuple[str, int]]:
        """The parts of a span that begins at or after the first edge: each part's name and its microseconds."""
        place = bisect_right(self._edges, begin) - 1
        while begin < end:
            last = place + 1 >= len(self._edges)
            until = end if last else min(end, self._edges[place + 1])
            if until > begin:
                yield self._names[place], until - begin
            begin, place = until, place + 1


def uncut(begin: int) -> Cuts:
    """No cut: one part, whose name is empty."""
    return Cuts((begin,), ("",))


def by_day(begin: int, end: int, zone: tzinfo) -> Cuts:
    """Cut at local midnights; parts are called ``2026-11-22``."""
    days = days_between(begin, end, zone)
    return Cuts([first_instant(day, zone) for day in days], [day.isoformat() for day in days])


def by_month(begin: int, end: int, zone: tzinfo) -> Cuts:
    """Cut where local months begin; parts are called ``2026-11``."""
    months = [local_date(begin, zone).replace(day=1)]
    while first_instant(next_month(months[-1]), zone) < end:
        months.append(next_month(months[-1]))
    edges = [first_instant(month, zone) for month in months]
    return Cuts(edges, [f"{month:%Y-%m}" for month in months])


def tally(
    charged: Iterable[Charged],
    begin: int,
    end: int,
    cuts: Cuts,
    name: Callable[[tuple[str, ...]], tuple[str, ...]] = lambda subject: subject,
) -> dict[tuple[str, ...], Use]:
    """Add up what was used from ``begin`` to ``end``, by subject and part.

    Keys are what ``name`` makes of the subject, with the part's name after it. No microsecond is
    lost or counted twice: the sum over all keys is the time of all spans within the period.
    """
    sums: dict[tuple[str, ...], list[int]] = {}
    names: dict[tuple[str, ...], tuple[str, ...]] = {}
    for one in charged:
        start, stop = max(one.begin, begin), min(one.end, end)
        if start >= stop:
            continue
        subject = names.get(one.subject)
        if subject is None:
            subject = names[one.subject] = name(one.subject)
        for part, span in cuts.parts(start, stop):
            total = sums.setdefault((*subject, part), [0, 0, 0, 0])
            total[0] += span
            total[1] += span * one.devices
            total[2] += span * one.price
            total[3] += 1
    return {key: Use(*total) for key, total in sums.items()}
