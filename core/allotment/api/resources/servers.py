"""Servers: who runs what, since when, on which devices; stopping them, and starting them again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from allotment.api.answering import (
    Repeated,
    answer,
    answer_list,
    keep_answer,
    recall_answer,
    write_once,
)
from allotment.api.fields import (
    Body,
    NameQuery,
    PersonQuery,
    Sequence,
    ServerField,
    ServerPath,
    Words,
)
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, ControlPlane, Plane, require
from allotment.api.stopping import Wanted, start_servers, stop_servers
from allotment.api.views.changes import touched
from allotment.api.views.launching import server_documents
from allotment.api.views.names import server_id, server_key
from allotment.model import documents
from allotment.model.allotments import Allotment, State
from allotment.model.moments import Moment
from allotment.model.refusals import NotFound
from allotment.record import Reading, Writing, allotments, events, extending, servers
from allotment.rules.permission import Action, Caller, Sight, Target, sight

router = APIRouter(prefix="/servers", tags=["servers"])

Ids = Annotated[tuple[ServerField, ...], Field(min_length=1, max_length=1000)]


class StoppingServers(Body):
    """Servers that are to be stopped, and why: their users read it."""

    servers: Ids
    reason: Words = ""


class StartingServers(Body):
    """Servers that are to be started again."""

    servers: Ids


class KeepingServer(Body):
    """Until when a server is to be left alone, and why: leads and operators read it."""

    until: Moment
    note: Words = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which servers are asked for; None: any."""

    person: str | None
    group: str | None
    profile: str | None
    active: bool | None

    def fits(self, one: documents.Server) -> bool:
        """Whether a server is asked for."""
        return (
            self.person in {None, one.person}
            and self.group in {None, one.group}
            and self.profile in {None, one.profile}
            and self.active in {None, one.state != "stopped"}
        )


def _wish(
    person: PersonQuery = None,
    group: NameQuery = None,
    profile: NameQuery = None,
    active: Annotated[bool | None, Query(description="Whether it holds devices and counts")] = None,
) -> Wish:
    return Wish(person, group, profile, active)


@router.get("", response_model=documents.ServerListing, summary="List servers")
def list_servers(
    request: Request,
    plane: Plane,
    caller: Asker,
    page: Paged,
    wish: Annotated[Wish, Depends(_wish)],
    changed_after: Sequence = None,
) -> Response:
    """All servers for those who see everything; those of led groups for leads; else own ones."""
    seen, reported = sight(caller), plane.use.latest(plane.now())
    with plane.record.reading() as reading:
        change = None if changed_after is None else touched(reading, seen, changed_after)
        only = None if change is None else change.servers
        people = None if only is None else {server_key(one).person for one in only}
        found = server_documents(reading, seen, reported, person=wish.person, people=people)
        sequence = events.latest_sequence(reading)
    if only is not None:
        found = [one for one in found if one.id in only]
    gone = () if only is None else sorted(only - {one.id for one in found})
    found = [one for one in found if wish.fits(one)]
    items, following = cut(found, lambda one: (one.person, one.name, one.hub), page)
    listing = documents.ServerListing.model_construct(
        items=items, next=following, sequence=sequence, complete=only is None, removed=tuple(gone)
    )
    return answer_list(request, listing)


@router.get("/{server}", response_model=documents.Server, summary="Read a server")
def read_server(plane: Plane, caller: Asker, server: ServerPath) -> Response:
    """One server, where the caller may see it."""
    reported, key = plane.use.latest(plane.now()), server_key(server)
    with plane.record.reading() as reading:
        found = server_documents(reading, sight(caller), reported, person=key.person)
    one = next((one for one in found if one.id == server), None)
    if one is None:
        raise NotFound("server", server)
    return answer(one)


@router.post("/stop", response_model=documents.ServerOutcomes, summary="Stop servers")
def stop(plane: Plane, caller: Asker, repeat: Repeated, body: StoppingServers) -> Response:
    """Stop one or many servers: own ones, those of led groups, or with the permission any."""
    wanted = _wanted(plane, caller, body.servers)
    known = recall_answer(plane, caller, repeat)
    if known is not None:
        return known
    return keep_answer(plane, caller, repeat, stop_servers(plane, caller, wanted, body.reason))


@router.post("/start", response_model=documents.ServerOutcomes, summary="Start servers again")
def start(plane: Plane, caller: Asker, repeat: Repeated, body: StartingServers) -> Response:
    """Start stopped servers as they were launched last. Admission asks every rule again."""
    wanted = _wanted(plane, caller, body.servers)
    known = recall_answer(plane, caller, repeat)
    if known is not None:
        return known
    return keep_answer(plane, caller, repeat, start_servers(plane, wanted))


@router.post(
    "/{server}/extend",
    response_model=documents.Server,
    summary="Put off the announced end of a server",
)
def extend(plane: Plane, caller: Asker, repeat: Repeated, server: ServerPath) -> Response:
    """Put the announced ends of a server off, by as much and as often as its profile lets its user.

    Its owner may, leads of its group, and whoever may stop it.
    """

    def change(writing: Writing) -> documents.Server:
        extending.extend(writing, _to_extend(writing, caller, server))
        return _document(writing, plane, server)

    return write_once(plane, caller, repeat, change)


@router.post(
    "/{server}/keep",
    response_model=documents.Server,
    summary="Have a server left alone until a time",
)
def keep(
    plane: Plane, caller: Asker, repeat: Repeated, server: ServerPath, body: KeepingServer
) -> Response:
    """Have an unattended server left alone though it looks idle, within its profile's policy.

    It is charged meanwhile; leads and operators see who asked for it, until when, and the note.
    """

    def change(writing: Writing) -> documents.Server:
        allotment = _to_extend(writing, caller, server)
        extending.leave_alone(writing, allotment, body.until, body.note)
        return _document(writing, plane, server)

    return write_once(plane, caller, repeat, change)


def _to_extend(writing: Writing, caller: Caller, server: str) -> Allotment:
    """The allotment of a server that the caller may see and extend, and that has not ended."""
    key = server_key(server)
    found = allotments.latest(writing, *key)
    groups = (found.group,) if found is not None and found.group else ()
    if found is None or not sight(caller).sees(key.person, groups):
        raise NotFound("server", server)
    require(caller, Action.EXTEND_SERVER, Target(key.person, groups))
    if found.state not in {State.STARTING, State.RUNNING}:
        raise NotFound("running server", server)
    return found


def _document(reading: Reading, plane: ControlPlane, server: str) -> documents.Server:
    reported, key = plane.use.latest(plane.now()), server_key(server)
    own = Sight(everything=True, person=key.person, groups=(), leads=())
    found = server_documents(reading, own, reported, person=key.person)
    return next(one for one in found if one.id == server)


def _wanted(plane: ControlPlane, caller: Caller, ids: tuple[str, ...]) -> list[Wanted]:
    """The servers of these ids; refused as a whole where the caller may not act on one of them."""
    seen = sight(caller)
    keys = {one: server_key(one) for one in dict.fromkeys(ids)}
    with plane.record.reading() as reading:
        people = {key.person for key in keys.values()}
        known = {
            server_id(one.hub, one.person, one.name): one
            for one in servers.all_servers(reading, people=people)
        }
    wanted = []
    for one, key in keys.items():
        server = known.get(one)
        groups = (server.allotment.group,) if server and server.allotment.group else ()
        # Whoever may not even see a server is not told whether there is one.
        if server is None or not seen.sees(key.person, groups):
            raise NotFound("server", one)
        require(caller, Action.STOP_SERVER, Target(key.person, groups))
        wanted.append(Wanted(key, server.allotment))
    return wanted
