"""Tickets as documents."""

from __future__ import annotations

from collections.abc import Iterable

from allotment.api.views.names import server_id
from allotment.model import documents
from allotment.model.documents.queue import TicketPlace, Way
from allotment.model.tickets import Ticket
from allotment.record import Reading, estimates
from allotment.record.places import Place
from allotment.record.prospects import Outlook
from allotment.record.waits import WaitOver
from allotment.rules import sooner
from allotment.rules.eta import Estimate
from allotment.rules.permission import Sight


def ticket_documents(
    reading: Reading, found: Iterable[Ticket], sight: Sight
) -> list[documents.Ticket]:
    """Tickets that the caller may see, with what they were told last."""
    seen = [one for one in found if sight.sees(one.person, (one.group,))]
    told = estimates.latest(reading, [one.id for one in seen if one.live])
    return [ticket_document(one, told.get(one.id)) for one in seen]


def ticket_document(
    ticket: Ticket, told: Estimate | None = None, outlook: Outlook | None = None
) -> documents.Ticket:
    """One ticket as a document, with what would be sooner where that was looked up."""
    reason = ticket.waits_for
    told = told or _expected(ticket, outlook)
    return documents.Ticket(
        id=ticket.id,
        hub=ticket.hub,
        person=ticket.person,
        name=ticket.server,
        display_name=ticket.display_name,
        note=ticket.note,
        profile=ticket.profile,
        software=ticket.software,
        group=ticket.group,
        devices=ticket.devices,
        priority=ticket.priority,
        pools=tuple(dict.fromkeys(pool for pool, _ in ticket.candidates)),
        state=ticket.state,
        since=ticket.since,
        moved=ticket.moved,
        position=ticket.position,
        reason=None
        if reason is None
        else documents.ReasonDocument.model_validate(reason.document()),
        starts_half=told.half if told else None,
        starts_most=told.most if told else None,
        allotment=ticket.allotment,
        offered_at=ticket.offered_at,
        ended_at=ticket.ended_at,
        end_reason=ticket.end_reason,
        sooner=None if outlook is None else way_documents(outlook.ways.get(ticket.profile, ())),
    )


def _expected(ticket: Ticket, outlook: Outlook | None) -> Estimate | None:
    """What was just looked up, where the queue has not told a time yet."""
    found = outlook.prospects.get(ticket.profile) if outlook is not None else None
    return None if found is None else Estimate(ticket.position or 0, found.half, found.most)


def way_documents(ways: Iterable[sooner.Way]) -> tuple[Way, ...]:
    """What would be sooner, as documents."""
    return tuple(
        Way(
            kind=way.kind.value,
            words=way.words,
            profile=way.profile,
            server=way.server,
            pool=way.prospect.pool,
            devices=way.devices,
            price=way.price,
            starts_at_once=way.prospect.at_once,
            starts_half=way.prospect.half,
            starts_most=way.prospect.most,
        )
        for way in ways
    )


def place_document(place: Place) -> TicketPlace:
    """Where a ticket stands, for the stream."""
    ticket, told = place.ticket, place.told
    return TicketPlace(
        ticket=ticket.id,
        person=ticket.person,
        group=ticket.group,
        position=ticket.position,
        reason=ticket.waits_for.message if ticket.waits_for else "",
        starts_half=told.half if told else None,
        starts_most=told.most if told else None,
    )


def wait_notices(over: Iterable[WaitOver]) -> tuple[documents.Notice, ...]:
    """Waits that are over, as notices to their person."""
    return tuple(
        documents.Notice(
            at=one.at,
            kind="wait",
            message=one.words,
            id=f"wait-{one.ticket.id}",
            server=server_id(one.ticket.hub, one.ticket.person, one.ticket.server),
        )
        for one in over
    )
