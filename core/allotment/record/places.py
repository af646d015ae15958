"""Where tickets stand now: what the queue said last of each, which changes without an event."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from allotment.model.tickets import Ticket, TicketState
from allotment.record import estimates, tickets
from allotment.record.engine import Reading
from allotment.record.schema import tickets as ticket_rows
from allotment.rules.eta import Estimate

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Place:
    """A waiting ticket with what it was told last of when its turn comes."""

    ticket: Ticket
    told: Estimate | None


def of_tickets(reading: Reading, ids: Collection[str]) -> tuple[Place, ...]:
    """Those of these tickets that still wait."""
    wanted, found = sorted(ids), []
    for start in range(0, len(wanted), _AT_ONCE):
        some = ticket_rows.c.id.in_(wanted[start : start + _AT_ONCE])
        waiting = ticket_rows.c.state == str(TicketState.WAITING)
        found += [
            tickets.from_row(row)
            for row in reading.all(sa.select(ticket_rows).where(some, waiting))
        ]
    told = estimates.latest(reading, [one.id for one in found])
    return tuple(Place(one, told.get(one.id)) for one in found)
