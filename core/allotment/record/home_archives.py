"""Homes that were packed away, and what is asked of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from allotment.model.homes import Archive, ArchiveAsk, Home, Packed
from allotment.model.refusals import NotFound
from allotment.record.engine import Reading, Writing
from allotment.record.schema import home_archives as table


def all_archives(
    reading: Reading, *, hub: str | None = None, person: str | None = None
) -> tuple[Archive, ...]:
    """Archives, the newest first; of one hub or person where asked."""
    statement = sa.select(table).order_by(table.c.made_at.desc(), table.c.id.desc())
    if hub is not None:
        statement = statement.where(table.c.hub == hub)
    if person is not None:
        statement = statement.where(table.c.person == person)
    return tuple(_from_row(row) for row in reading.all(statement))


def get(reading: Reading, key: str) -> Archive:
    """One archive.

    Raises:
        NotFound: there is no such archive.
    """
    row = reading.first(sa.select(table).where(table.c.id == key))
    if row is None:
        raise NotFound("archive", key)
    return _from_row(row)


def made(writing: Writing, key: str, home: Home, file: str, packed: Packed, by: str) -> None:
    """Note that a home was packed into a file, and that the file was read back."""
    writing.run(
        table.insert().values(
            id=key,
            hub=home.hub,
            place=home.place,
            person=home.person,
            file=file,
            size=packed.size,
            entries=packed.entries,
            made_at=writing.now,
            made_by=by,
        )
    )


def ask(writing: Writing, key: str, what: ArchiveAsk) -> Archive:
    """Ask for an archive to be restored or removed.

    Raises:
        NotFound: there is no such archive.
    """
    archive = get(writing, key)
    _set(writing, archive, asked=str(what), asked_by=writing.actor, problem="")
    after = {"hub": archive.hub, "asked": str(what), "archive": archive.file}
    writing.event("home.asked", archive.place, person=archive.person, after=after)
    return get(writing, key)


def failed(writing: Writing, archive: Archive, problem: str) -> None:
    """Note why it could not be done; it is asked no more."""
    _set(writing, archive, problem=problem[:1000], asked=None, asked_by="")
    after = {"problem": problem[:1000], "archive": archive.file}
    writing.event("home.failed", archive.place, person=archive.person, after=after)


def restored(writing: Writing, archive: Archive) -> None:
    """Note that a home is there again as it was packed. The archive stays until it is removed."""
    _set(writing, archive, restored_at=writing.now, asked=None, asked_by="", problem="")
    after = {"by": archive.asked_by, "archive": archive.file}
    writing.event("home.restored", archive.place, person=archive.person, after=after)


def gone(writing: Writing, archive: Archive) -> None:
    """Forget an archive whose file was removed."""
    writing.run(table.delete().where(table.c.id == archive.id))
    before = {"file": archive.file, "size": archive.size, "by": archive.asked_by}
    writing.event("home.archive-removed", archive.place, person=archive.person, before=before)


def _set(writing: Writing, archive: Archive, **values: Any) -> None:
    writing.run(table.update().where(table.c.id == archive.id).values(**values))


def _from_row(row: sa.Row[Any]) -> Archive:
    return Archive(
        id=row.id,
        hub=row.hub,
        place=row.place,
        person=row.person,
        file=row.file,
        size=row.size,
        entries=row.entries,
        made_at=row.made_at,
        made_by=row.made_by,
        restored_at=row.restored_at,
        asked=None if row.asked is None else ArchiveAsk(row.asked),
        asked_by=row.asked_by,
        problem=row.problem,
    )
