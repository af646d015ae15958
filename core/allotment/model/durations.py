"""Durations, read from and written in the words people use for them: ``30m``, ``12h``, ``1h30m``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from allotment.model.amounts import counted

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_PATTERN = r"^(?:\d{1,9}[dhms]){1,4}$"
_WHOLE = re.compile(_PATTERN, re.ASCII)
_PART = re.compile(r"(\d+)([dhms])", re.ASCII)
LONGEST = timedelta(days=3660)


def parse_duration(text: str) -> timedelta:
    """Return a duration such as ``30m``, ``12h``, ``2d`` or ``1h30m``.

    Raises:
        ValueError: the text is no duration, names a unit twice, or is longer than ten years.
    """
    written = text.strip().replace(" ", "")
    parts = _PART.findall(written) if _WHOLE.fullmatch(written) else []
    units = [unit for _, unit in parts]
    if not parts or len(set(units)) < len(units):
        message = f"expected a duration such as 30m, 12h or 1h30m, found {text[:40]!r}"
        raise ValueError(message)
    seconds = sum(int(number) * _UNITS[unit] for number, unit in parts)
    if seconds > LONGEST.total_seconds():
        message = f"{text[:40]!r} is longer than ten years"
        raise ValueError(message)
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """Write a duration in whole seconds, as :func:`parse_duration` reads it: ``1h30m``; nothing is ``0m``."""
    left, words = round(duration.total_seconds()), ""
    for unit, seconds in _UNITS.items():
        number, left = divmod(left, seconds)
        words += f"{number}{unit}" if number else ""
    return words or "0m"


def _read(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        return parse_duration(value)
    message = "expected a duration such as 30m, 12h or 1h30m"
    raise ValueError(message)


Duration = Annotated[
    timedelta,
    BeforeValidator(_read),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _PATTERN, "examples": ["30m", "1h30m"]}),
]
"""A duration; in documents a text such as ``30m``, never a bare number."""


def rough_words(duration: timedelta) -> str:
    """A duration as people say it who do not count: ``3 days``, ``2 hours``, ``25 minutes``."""
    seconds = max(0, round(duration.total_seconds()))
    for size, noun in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return counted(seconds // size, noun)
    return counted(seconds, "second")
