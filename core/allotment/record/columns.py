"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Text
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_stored(moment: datetime) -> int:
    """Turn an aware time into whole microseconds since the epoch, exactly.

    Raises:
        ValueError: the time has no time zone.
    """
    if moment.tzinfo is None:
        message = "a time without a zone cannot be stored"
        raise ValueError(message)
    return (moment - _EPOCH) // _MICROSECOND


def from_stored(microseconds: int) -> datetime:
    """Turn microseconds since the epoch into an aware UTC time."""
    return _EPOCH + timedelta(microseconds=microseconds)


def dumps(document: Any) -> str:
    """Write a document as compact JSON with sorted keys, so that equal ones are equal text."""
    return json.dumps(document, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


class Moment(TypeDecorator[datetime]):
    """An aware time, stored as microseconds since the epoch: exact, ordered and indexable on both."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Store a time."""
        return None if value is None else to_stored(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Read a time."""
        return None if value is None else from_stored(value)


class Document(TypeDecorator[Any]):
    """A JSON document, stored as text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Store a document."""
        return None if value is None else dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Read a document."""
        return None if value is None else json.loads(value)
