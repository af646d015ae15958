"""Homes as documents."""

from __future__ import annotations

from collections.abc import Mapping

from allotment.model import documents
from allotment.model.homes import Archive, Home
from allotment.record import Reading, home_archives, homes, storage
from allotment.rules.permission import Sight

SEPARATOR = "~"


def home_documents(reading: Reading, sight: Sight) -> list[documents.Home]:
    """The homes that the caller may see."""
    person = None if sight.everything else sight.person
    measured = storage.of_homes(reading, person)
    return [home_document(one, measured) for one in homes.all_homes(reading, person=person)]


def archive_documents(reading: Reading, sight: Sight) -> tuple[documents.HomeArchive, ...]:
    """The archives that the caller may see."""
    person = None if sight.everything else sight.person
    found = home_archives.all_archives(reading, person=person)
    return tuple(archive_document(one) for one in found)


def home_document(one: Home, measured: Mapping[tuple[str, str], int]) -> documents.Home:
    """One home, with what it holds as far as that was measured."""
    return documents.Home(
        id=f"{one.hub}{SEPARATOR}{one.place}",
        hub=one.hub,
        place=one.place,
        person=one.person,
        server=one.server,
        size=one.size,
        used=measured.get((one.hub, one.place)),
        in_use=one.used,
        unused_since=one.unused_since,
        keep_until=one.keep_until,
        ends_at=one.ends_at,
        warned_at=one.warned_at,
        asked=one.asked,
        problem=one.problem,
        heir=one.heir,
    )


def archive_document(one: Archive) -> documents.HomeArchive:
    """One archive."""
    return documents.HomeArchive(
        id=one.id,
        hub=one.hub,
        place=one.place,
        person=one.person,
        file=one.file,
        size=one.size,
        entries=one.entries,
        made_at=one.made_at,
        made_by=one.made_by,
        restored_at=one.restored_at,
        asked=one.asked,
        problem=one.problem,
    )


def home_notices(reading: Reading, person: str) -> list[documents.Notice]:
    """What a person should know of homes: whose end was announced, and which they are to get of others."""
    heirs = [
        documents.Notice(
            at=one.warned_at,
            kind="home",
            message=f"You are to get the home of {one.person} on {one.hub}, who has left. Whoever runs "
            "the storage moves it; it is kept until then.",
        )
        for one in homes.all_homes(reading, heir=person)
        if one.warned_at is not None
    ]
    return heirs + [
        documents.Notice(
            at=one.warned_at,
            kind="home",
            message=f"Your home on {one.hub} ends at {one.ends_at:%Y-%m-%d %H:%M} UTC, for you "
            "have no server there. Launch one before, or ask an operator to keep it.",
        )
        for one in homes.all_homes(reading, person=person)
        if one.warned_at is not None and one.ends_at is not None
    ]
