"""Periods of time in requests: days in the platform's time zone, or times with their zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import TypeAdapter, ValidationError

from allotment.api.problems import RequestInvalid
from allotment.model.moments import Moment
from allotment.record.columns import from_stored, to_stored
from allotment.rules.usage import first_instant, local_date

TIME_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]{4,15}(Z|[+-][0-9:]{4,5}))?$"
_FIRST_YEAR, _LAST_YEAR = 1971, 9000
_moment: TypeAdapter[datetime] = TypeAdapter(Moment)


def _time_query(name: str, words: str) -> Any:
    return Query(
        alias=name,
        pattern=TIME_PATTERN,
        max_length=40,
        description=f"{words}: a day in the platform's time zone, or a time with its zone",
        examples=["2026-11-01"],
    )


_From = Annotated[str | None, _time_query("from", "From this on")]
_To = Annotated[str | None, _time_query("to", "Until this, a day as a whole; else until now")]

Words = tuple[str | None, str | None]
"""A period in words, as far as it was given."""


def _period(begin: _From = None, end: _To = None) -> Words:
    return begin, end


Period = Annotated[Words, Depends(_period)]
"""The period asked for, in a route's signature."""


def times(
    period: Words, now: datetime, zone: tzinfo, begin: datetime | None = None
) -> tuple[datetime, datetime]:
    """From when until when: from ``begin`` (None: this month's) until now, where nothing else is asked for.

    Raises:
        RequestInvalid: no such day, or the period ends before it begins.
    """
    begin_text, end_text = period
    if begin_text is not None:
        begin = _time(begin_text, zone, last=False)
    elif begin is None:
        today = local_date(to_stored(now), zone)
        begin = from_stored(first_instant(today.replace(day=1), zone))
    end = now if end_text is None else _time(end_text, zone, last=True)
    if begin > end:
        message = "The period ends before it begins."
        raise RequestInvalid(message, "Give a later day as to, or an earlier one as from.")
    return begin, end


def _time(text: str, zone: tzinfo, *, last: bool) -> datetime:
    """A time from its words; a day that ends a period is the instant after it."""
    try:
        if len(text) == len("2026-11-22"):
            day = date.fromisoformat(text)
            _check_year(day.year)
            return from_stored(first_instant(day + timedelta(days=1) if last else day, zone))
        moment = _moment.validate_python(text)
        _check_year(moment.year)
    except (ValueError, ValidationError) as error:
        message = f"{text!r} is no day and no time."
        raise RequestInvalid(message, "Write 2026-11-22, or 2026-11-22T14:00:00Z.") from error
    return moment


def _check_year(year: int) -> None:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise ValueError(year)
