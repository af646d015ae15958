"""Reading events. They are written by :meth:`allotment.record.engine.Writing.event`."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from allotment.model.events import Event
from allotment.record.engine import Reading
from allotment.record.schema import events


def _from_row(row: sa.Row[Any]) -> Event:
    return Event(
        row.sequence,
        row.at,
        row.actor,
        row.kind,
        row.subject,
        row.person,
        row.group_name,
        row.before,
        row.after,
    )


def after(
    reading: Reading,
    sequence: int,
    limit: int = 500,
    *,
    person: str | None = None,
    groups: tuple[str, ...] = (),
    kind: str | None = None,
) -> tuple[Event, ...]:
    """Events after a sequence, in order. With ``person``: only those that concern the person or these groups.

    A reader that resumes after the last sequence it saw misses none: sequences become visible in their order.
    """
    statement = (
        sa.select(events)
        .where(events.c.sequence > sequence)
        .order_by(events.c.sequence)
        .limit(limit)
    )
    if person is not None:
        statement = statement.where(
            sa.or_(events.c.person == person, events.c.group_name.in_(groups))
        )
    if kind is not None:
        statement = statement.where(events.c.kind == kind)
    return tuple(_from_row(row) for row in reading.all(statement))


def newest(
    reading: Reading,
    kind: str,
    limit: int = 50,
    *,
    before: int | None = None,
    person: str | None = None,
    groups: tuple[str, ...] = (),
) -> tuple[Event, ...]:
    """The newest events of a kind, newest first, from before a sequence and of a person or groups where asked."""
    statement = (
        sa.select(events)
        .where(events.c.kind == kind)
        .order_by(events.c.sequence.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(events.c.sequence < before)
    if person is not None:
        statement = statement.where(
            sa.or_(events.c.person == person, events.c.group_name.in_(groups))
        )
    return tuple(_from_row(row) for row in reading.all(statement))


def latest_sequence(reading: Reading) -> int:
    """The sequence of the newest event; 0 before the first."""
    return int(reading.driver(_LATEST, {}).scalar_one())


_LATEST = "SELECT value FROM counters WHERE name = 'event'"
