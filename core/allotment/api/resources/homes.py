"""Homes: what is kept of people's files, for how long, and what was packed away."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from allotment.api.answering import Repeated, answer_list, write_once
from allotment.api.fields import Body
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, Plane, require
from allotment.api.views.homes import (
    SEPARATOR,
    archive_document,
    archive_documents,
    home_document,
    home_documents,
)
from allotment.model import documents
from allotment.model.homes import ArchiveAsk, Home, HomeEnd
from allotment.model.moments import Moment
from allotment.record import Reading, Writing, events, home_archives, homes, storage
from allotment.rules.permission import Action, sight

router = APIRouter(prefix="/homes", tags=["users"])

HomePath = Annotated[
    str,
    Path(pattern=r"^[^~/\x00-\x1f\x7f]{1,128}~[^/\x00-\x1f\x7f]{1,253}$", description="hub~place"),
]
ArchivePath = Annotated[str, Path(pattern=r"^[0-9a-f]{1,40}$", max_length=40)]


class KeepHome(Body):
    """Until when a home is kept at least; null: as long as all others."""

    until: Moment | None


class HomeWish(Body):
    """What is to be done with a home now; null: nothing, where it was not done yet."""

    what: HomeEnd | None


class ArchiveWish(Body):
    """What is to be done with an archive."""

    what: ArchiveAsk


@router.get("", response_model=documents.HomeListing, summary="List homes and archives")
def list_homes(request: Request, plane: Plane, caller: Asker, page: Paged) -> Response:
    """Homes with what they hold and until when they are kept; one's own, or all for those who see everything."""
    with plane.record.reading() as reading:
        found = home_documents(reading, sight(caller))
        archives = archive_documents(reading, sight(caller))
        sequence = events.latest_sequence(reading)
    items, following = cut(found, lambda one: (one.person, one.hub, one.place), page)
    listing = documents.HomeListing(
        items=items, archives=archives, next=following, sequence=sequence
    )
    return answer_list(request, listing)


@router.post("/{home}/keep", response_model=documents.Home, summary="Keep a home longer")
def keep_home(
    plane: Plane, caller: Asker, repeat: Repeated, home: HomePath, body: KeepHome
) -> Response:
    """Keep a home until a time at least, though nobody uses it; its person is warned anew before that."""
    require(caller, Action.KEEP_HOMES)

    def change(writing: Writing) -> documents.Document:
        return _document(writing, homes.keep(writing, _home(writing, home), body.until))

    return write_once(plane, caller, repeat, change)


@router.post("/{home}/end", response_model=documents.Home, summary="Remove or pack away a home")
def end_home(
    plane: Plane, caller: Asker, repeat: Repeated, home: HomePath, body: HomeWish
) -> Response:
    """Remove a home, or pack it away, within a minute and without a warning; refused while its person has a server."""
    require(caller, Action.KEEP_HOMES)

    def change(writing: Writing) -> documents.Document:
        return _document(writing, homes.ask(writing, _home(writing, home), body.what))

    return write_once(plane, caller, repeat, change)


@router.post(
    "/archives/{key}", response_model=documents.HomeArchive, summary="Restore or remove an archive"
)
def answer_archive(
    plane: Plane, caller: Asker, repeat: Repeated, key: ArchivePath, body: ArchiveWish
) -> Response:
    """Unpack an archive where the home is empty or gone, or remove it for good; within a minute."""
    require(caller, Action.KEEP_HOMES)

    def change(writing: Writing) -> documents.Document:
        return archive_document(home_archives.ask(writing, key, body.what))

    return write_once(plane, caller, repeat, change)


def _home(reading: Reading, text: str) -> Home:
    hub, _, place = text.partition(SEPARATOR)
    return homes.get(reading, hub, place)


def _document(reading: Reading, home: Home) -> documents.Home:
    return home_document(home, storage.of_homes(reading, home.person))
