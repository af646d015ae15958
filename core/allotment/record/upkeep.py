"""What those who keep the record must know of it: its size, its schema, when it was last backed up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from allotment.record.engine import Reading, Writing
from allotment.record.events import latest_sequence
from allotment.record.schema import platform

_SIZE = {
    "postgresql": "SELECT pg_database_size(current_database()) AS size",
    "sqlite": "SELECT page_count * page_size AS size FROM pragma_page_count(), pragma_page_size()",
}
_BACKUP = "backup"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was written: when, and how many rows it has."""

    at: datetime
    rows: int


@dataclass(frozen=True, slots=True)
class Upkeep:
    """The record from its keeper's side. ``size`` is in bytes, the whole database's; ``schema`` is its last migration.

    ``backup`` is the last one that `allotment backup` wrote; None: none, or made by other means.
    """

    dialect: str
    size: int
    schema: str
    events: int
    backup: Backup | None


def read(reading: Reading) -> Upkeep:
    """Read it."""
    schema = reading.driver("SELECT version_num FROM alembic_version", {}).scalar_one()
    size = reading.driver(_SIZE[reading.dialect], {}).scalar_one()
    return Upkeep(
        dialect=reading.dialect,
        size=int(size),
        schema=str(schema),
        events=latest_sequence(reading),
        backup=_backup(reading),
    )


def _backup(reading: Reading) -> Backup | None:
    row = reading.first(sa.select(platform.c.value).where(platform.c.key == _BACKUP))
    return (
        None if row is None else Backup(datetime.fromisoformat(row.value["at"]), row.value["rows"])
    )


def note_backup(writing: Writing, rows: int) -> None:
    """A backup of so many rows was written, and read back. Its file is not told: who reads this need not know it."""
    value = {"at": writing.now.isoformat(), "rows": rows}
    changed = platform.update().where(platform.c.key == _BACKUP).values(value=value)
    if writing.run(changed).rowcount == 0:
        writing.run(platform.insert().values(key=_BACKUP, value=value))
    writing.event("platform.backed_up", "record", after={"rows": rows})
