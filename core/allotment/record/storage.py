"""What people's homes hold, as it was measured last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from allotment.record.engine import Reading, Writing
from allotment.record.schema import homes, storage


@dataclass(frozen=True, slots=True)
class Held:
    """What a person's homes hold together, in bytes.

    Not ``complete`` where counting one was cut short: it is at least that. ``measured_at`` is the
    oldest of the measurements.
    """

    used: int
    complete: bool
    measured_at: datetime


def of_everybody(reading: Reading, person: str | None = None) -> dict[str, Held]:
    """By person: what the homes hold on all hubs together; those never measured are not in it."""
    statement = sa.select(storage).order_by(storage.c.person, storage.c.hub)
    if person is not None:
        statement = statement.where(storage.c.person == person)
    found: dict[str, Held] = {}
    for row in reading.all(statement):
        before = found.get(row.person, Held(0, complete=True, measured_at=row.measured_at))
        found[row.person] = Held(
            before.used + row.used,
            before.complete and row.complete,
            min(before.measured_at, row.measured_at),
        )
    return found


def measured(writing: Writing, hub: str, person: str, used: int, *, complete: bool) -> None:
    """Keep what a home holds now, in bytes."""
    match = (storage.c.person == person, storage.c.hub == hub)
    values = {"used": used, "complete": complete, "measured_at": writing.now}
    if not writing.run(storage.update().where(*match).values(**values)).rowcount:
        writing.run(storage.insert().values(person=person, hub=hub, **values))


def forget(writing: Writing, hub: str, person: str) -> None:
    """Forget a home that is gone."""
    writing.run(storage.delete().where(storage.c.person == person, storage.c.hub == hub))


def last_measured(reading: Reading, hub: str) -> dict[str, datetime]:
    """By person: when the home on this hub was measured last."""
    statement = sa.select(storage.c.person, storage.c.measured_at).where(storage.c.hub == hub)
    return {row.person: row.measured_at for row in reading.all(statement)}


def of_homes(reading: Reading, person: str | None = None) -> dict[tuple[str, str], int]:
    """By hub and place: what a home holds in bytes, as it was measured last."""
    whole = sa.and_(storage.c.person == homes.c.person, storage.c.hub == homes.c.hub)
    alone = sa.and_(homes.c.size.is_(None), homes.c.server.is_(None))
    statement = sa.select(
        homes.c.hub, homes.c.place, homes.c.used, storage.c.used.label("whole")
    ).outerjoin(storage, sa.and_(whole, alone))
    if person is not None:
        statement = statement.where(homes.c.person == person)
    found = {
        (row.hub, row.place): row.used if row.used is not None else row.whole
        for row in reading.all(statement)
    }
    return {key: int(used) for key, used in found.items() if used is not None}
