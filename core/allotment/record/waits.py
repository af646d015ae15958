"""Waits that are over, as their people are told of them: started, refused, run out, taken out by somebody else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from allotment.model.durations import rough_words
from allotment.model.events import Event
from allotment.model.tickets import Ticket, TicketState
from allotment.record import events, tickets
from allotment.record.engine import Reading
from allotment.record.schema import tickets as ticket_rows

TOLD_FOR = timedelta(days=1)
"""For so long after its end people are told of a wait."""
LONGEST_WAIT = timedelta(days=30)
"""Tickets older than that are not looked through."""
KINDS = ("ticket.started", "ticket.refused", "ticket.expired", "ticket.cancelled")
_MOST = 20
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class WaitOver:
    """A wait that is over. ``by`` is who took the server out of the queue; empty: nobody did."""

    ticket: Ticket
    at: datetime
    by: str = ""

    @property
    def title(self) -> str:
        """What its owner calls the server."""
        return self.ticket.display_name or self.ticket.server or "default"

    @property
    def started(self) -> bool:
        """Whether the server was started."""
        return self.ticket.state is TicketState.STARTED

    @property
    def words(self) -> str:
        """What its owner reads."""
        ticket, why = self.ticket, f": {self.ticket.end_reason}" if self.ticket.end_reason else "."
        if self.started:
            waited = rough_words((ticket.offered_at or self.at) - ticket.since)
            return f"Your server {self.title} has started. It waited {waited}."
        if ticket.state is TicketState.CANCELLED:
            return f"{self.by} took your server {self.title} out of the queue{why}"
        if ticket.state is TicketState.REFUSED:
            return f"Your server {self.title} was not started when its turn came{why}"
        return f"Your server {self.title} was not started{why}"


def of_person(reading: Reading, person: str, now: datetime) -> tuple[WaitOver, ...]:
    """What one person is told of their own waits, the newest first."""
    statement = (
        sa.select(ticket_rows)
        .where(
            ticket_rows.c.person == person,
            ticket_rows.c.since >= now - LONGEST_WAIT,
            ticket_rows.c.ended_at >= now - TOLD_FOR,
        )
        .order_by(ticket_rows.c.ended_at.desc(), ticket_rows.c.id.desc())
        .limit(_MOST)
    )
    ended = [tickets.from_row(row) for row in reading.all(statement)]
    said: dict[str, str] = {}
    if any(one.state is TicketState.CANCELLED for one in ended):
        cancelled = events.newest(reading, "ticket.cancelled", _MOST, person=person)
        said = {one.subject: one.actor for one in cancelled}
    over = (WaitOver(one, one.ended_at or now, said.get(one.id, "")) for one in ended)
    return tuple(one for one in over if _worth_telling(one))


def of_events(reading: Reading, found: Iterable[Event]) -> tuple[WaitOver, ...]:
    """The same of some events of :data:`KINDS`, whoever's the tickets are."""
    of_tickets = list(found)
    known: dict[str, Ticket] = {}
    for start in range(0, len(of_tickets), _AT_ONCE):
        known |= tickets.some(
            reading, [one.subject for one in of_tickets[start : start + _AT_ONCE]]
        )
    over = (WaitOver(known[one.subject], one.at, one.actor) for one in of_tickets)
    return tuple(one for one in over if _worth_telling(one))


def _worth_telling(over: WaitOver) -> bool:
    """What people did themselves they know."""
    return over.ticket.state is not TicketState.CANCELLED or over.by not in {
        "",
        "hub",
        over.ticket.person,
    }
