"""Tickets: servers that wait for their turn."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, StringConstraints

from allotment.api.answering import Repeated, answer, answer_list, keep_answer, recall_answer
from allotment.api.fields import Body, NameField, PersonQuery, Title, Words
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, ControlPlane, Plane, require
from allotment.api.views.tickets import ticket_document, ticket_documents
from allotment.model import documents
from allotment.model.claims import Claim, Refused
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotFound, NotPermitted, Refusal
from allotment.model.tickets import Ticket, TicketState
from allotment.record import Reading, claims, estimates, events, sessions, tickets
from allotment.record.prospects import Question
from allotment.rules.permission import Action, Caller, Target, sight

router = APIRouter(prefix="/tickets", tags=["tickets"])

ServerName = Annotated[
    str, StringConstraints(pattern=r"^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)?$", max_length=63)
]
TicketPath = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
ENDED_SINCE = timedelta(days=7)


class NewTicket(Body):
    """A server of one's own that is to wait for its turn."""

    profile: NameField
    server: ServerName = Field(default="", description="Empty for the default server")
    group: NameField | None = Field(default=None, description="The group that pays")
    software: NameField | None = Field(
        default=None, description="One of the profile's choices; left out: the one it proposes"
    )
    display_name: Title = ""
    note: Words = ""


class MovedTicket(Body):
    """Where a ticket goes: before all others, after them, or to its own place."""

    to: Literal["front", "back", "own"]


@router.get("", response_model=documents.TicketListing, summary="List tickets")
def list_tickets(
    request: Request,
    plane: Plane,
    caller: Asker,
    page: Paged,
    person: PersonQuery = None,
    ended: Annotated[bool | None, Query(description="Those that ended this week, instead")] = None,
) -> Response:
    """Who waits: all for those who see everything, those of led groups for leads, else own ones."""
    seen = sight(caller)
    seen_by = None if seen.everything else (seen.person, seen.leads)
    with plane.record.reading() as reading:
        since = plane.now() - ENDED_SINCE
        known = (
            tickets.ended(reading, since=since, person=person, seen_by=seen_by)
            if ended
            else tickets.live(reading, person=person, seen_by=seen_by)
        )
        sequence = events.latest_sequence(reading)
        found = ticket_documents(reading, known, seen)
        scored = estimates.calibration(reading, plane.now() - sessions.LOOK_BACK)
    found.sort(key=lambda ticket: (ticket.since, ticket.id))
    items, following = cut(found, lambda one: (one.since.isoformat(), one.id), page)
    listing = documents.TicketListing(
        items=items,
        next=following,
        sequence=sequence,
        estimates_told=scored.told,
        estimates_held=scored.most_held,
    )
    return answer_list(request, listing)


@router.get("/{ticket}", response_model=documents.Ticket, summary="Read a ticket")
def read_ticket(plane: Plane, caller: Asker, ticket: TicketPath) -> Response:
    """One ticket, live or ended, where the caller may see it; with what would let it in sooner."""
    now = plane.now()
    with plane.record.reading() as reading:
        known = _seen(reading, caller, ticket)
        told = estimates.latest(reading, [ticket]).get(ticket)
        question = Question(known.hub, known.person, known.server, ticket=known.id)
        waits = known.state is TicketState.WAITING
        outlook = plane.prospects.find(reading, question, now) if waits else None
        return answer(ticket_document(known, told, outlook))


@router.post("", response_model=documents.Ticket, status_code=201, summary="Wait for a turn")
def create_ticket(plane: Plane, caller: Asker, repeat: Repeated, body: NewTicket) -> Response:
    """Let a server of one's own wait. The rules are those of a launch; it starts by itself."""
    require(caller, Action.WAIT, Target(caller.person))
    if not caller.authority.role:
        raise NotPermitted(_UNKNOWN)
    known = recall_answer(plane, caller, repeat)
    if known is not None:
        return known
    claim = Claim(
        plane.environment.hub,
        caller.person,
        body.server,
        body.profile,
        body.group,
        display_name=body.display_name,
        note=body.note,
        wait=True,
        software=body.software or "",
    )
    outcome = claims.queue(plane.record, claim, plane.now())
    if isinstance(outcome, Refused):
        raise Refusal(*outcome.reasons)
    return keep_answer(plane, caller, repeat, ticket_document(outcome.ticket), status=201)


_UNKNOWN = Reason(
    Rule.PERSON_ONBOARDED,
    "You are not on-boarded to this platform.",
    remedy="Ask an operator to on-board you.",
)


@router.delete("/{ticket}", response_model=documents.Ticket, summary="Leave the queue")
def cancel_ticket(
    plane: Plane,
    caller: Asker,
    ticket: TicketPath,
    reason: Annotated[str, Query(max_length=1000, description="Its owner reads it")] = "",
) -> Response:
    """Take a ticket out of the queue: an own one, one of a led group, or with the permission any."""
    _act(plane, caller, ticket, Action.CANCEL_TICKET)
    with plane.record.writing(caller.person, plane.now()) as writing:
        return answer(ticket_document(tickets.cancel(writing, ticket, reason)))


@router.post("/{ticket}/move", response_model=documents.Ticket, summary="Move a ticket")
def move_ticket(plane: Plane, caller: Asker, ticket: TicketPath, body: MovedTicket) -> Response:
    """Let a ticket go before all others, after them, or take its own place again."""
    _act(plane, caller, ticket, Action.MOVE_TICKET)
    with plane.record.writing(caller.person, plane.now()) as writing:
        moved = [one.moved for one in tickets.live(writing) if one.id != ticket]
        places = {"front": max(moved, default=0) + 1, "back": min(moved, default=0) - 1, "own": 0}
        return answer(ticket_document(tickets.move(writing, ticket, places[body.to])))


def _act(plane: ControlPlane, caller: Caller, ticket: str, action: Action) -> None:
    with plane.record.reading() as reading:
        known = _seen(reading, caller, ticket)
    groups = (known.group,) if known.group else ()
    require(caller, action, Target(known.person, groups))


def _seen(reading: Reading, caller: Caller, ticket: str) -> Ticket:
    """A ticket; whoever may not even see it is not told whether there is one."""
    known = tickets.get(reading, ticket)
    if not sight(caller).sees(known.person, (known.group,)):
        what = "ticket"
        raise NotFound(what, ticket)
    return known
