"""Drift: what runs though the record cannot account for it. Operators see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.record.engine import Reading, Writing
from allotment.record.schema import drift


@dataclass(frozen=True, slots=True)
class DriftEntry:
    """A server that runs on devices which the record says another holds, or does not know."""

    id: str
    hub: str
    person: str
    server: str
    devices: tuple[str, ...]
    note: str
    seen_at: datetime
    resolved_at: datetime | None


def _from_row(row: sa.Row[Any]) -> DriftEntry:
    return DriftEntry(
        row.id,
        row.hub,
        row.person,
        row.server,
        tuple(row.devices),
        row.note,
        row.seen_at,
        row.resolved_at,
    )


def open_entries(reading: Reading) -> tuple[DriftEntry, ...]:
    """What is not resolved, oldest first."""
    return tuple(
        _from_row(row)
        for row in reading.all(
            sa.select(drift)
            .where(drift.c.resolved_at.is_(None))
            .order_by(drift.c.seen_at, drift.c.id)
        )
    )


def note(
    writing: Writing,
    entry_id: str,
    hub: str,
    person: str,
    server: str,
    devices: Sequence[str],
    words: str,
) -> DriftEntry:
    """Note a server once; while its entry is open it is not noted again."""
    match = (
        drift.c.hub == hub,
        drift.c.person == person,
        drift.c.server == server,
        drift.c.resolved_at.is_(None),
    )
    row = writing.first(sa.select(drift).where(*match))
    if row is None:
        values = {
            "hub": hub,
            "person": person,
            "server": server,
            "devices": sorted(devices),
            "note": words,
        }
        writing.run(drift.insert().values(id=entry_id, seen_at=writing.now, **values))
        writing.event("drift.noted", f"{person}/{server}", person=person, after=values)
        row = writing.connection.execute(sa.select(drift).where(*match)).one()
    return _from_row(row)


def resolve(writing: Writing, entry_id: str) -> None:
    """Close an entry: its server is gone, or accounted for."""
    row = writing.first(
        sa.select(drift).where(drift.c.id == entry_id, drift.c.resolved_at.is_(None))
    )
    if row is not None:
        writing.run(drift.update().where(drift.c.id == entry_id).values(resolved_at=writing.now))
        writing.event(
            "drift.resolved",
            f"{row.person}/{row.server}",
            person=row.person,
            before={"note": row.note},
        )
