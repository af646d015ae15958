"""Tickets as documents."""

from __future__ import annotations

from collections.abc import Iterable

from allotment.model import documents
from allotment.model.tickets import Ticket
from allotment.record import Reading, estimates
from allotment.rules.eta import Estimate
from allotment.rules.permission import Sight


def ticket_documents(
    reading: Reading, found: Iterable[Ticket], sight: Sight
) -> list[documents.Ticket]:
    """Tickets that the caller may see, with what they were told last."""
    seen = [one for one in found if sight.sees(one.person, (one.group,))]
    told = estimates.latest(reading, [one.id for one in seen if one.live])
    return [ticket_document(one, told.get(one.id)) for one in seen]


def ticket_document(ticket: Ticket, told: Estimate | None = None) -> documents.Ticket:
    """One ticket as a document."""
    reason = ticket.waits_for
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
    )
