"""Standing aside: whose turn came while a limit of their person did not allow it. Others pass them.

They are back in line as soon as the limit allows: then their own turn is asked for again, and with it
every rule.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from allotment.model.claims import Refused
from allotment.model.reasons import WAITING_RULES, Reason, Rule
from allotment.model.tickets import Ticket, TicketState
from allotment.record import claim_facts, tickets
from allotment.record.engine import Reading, Writing
from allotment.record.schema import tickets as rows
from allotment.record.turns import claim_of
from allotment.rules.admission import admit

_PASSING = frozenset(
    {
        Rule.LIMIT_SERVERS,
        Rule.LIMIT_SERVERS_EXISTING,
        Rule.LIMIT_DEVICES,
        Rule.LIMIT_INSTANCES,
        Rule.STORAGE_PERSON,
        Rule.BUDGET_PERSON,
        Rule.BUDGET_GROUP,
        Rule.BUDGET_DEPARTMENT,
        Rule.TYPE_LIMIT,
    }
)
"""Rules that may let a claim through later, though nothing about the claim changes."""


def passes(reasons: Iterable[Reason]) -> bool:
    """Whether what stands in the way can pass: limits, of which none is below what is asked for."""
    limits = [reason for reason in reasons if reason.rule not in WAITING_RULES]
    return bool(limits) and all(
        reason.rule in _PASSING and not _too_large(reason) for reason in limits
    )


def _too_large(reason: Reason) -> bool:
    return reason.limit is not None and reason.asked is not None and reason.asked > reason.limit


def set_aside(writing: Writing, ticket: Ticket, reason: Reason) -> None:
    """Let others pass a locked ticket that waits, until what the reason says is over."""
    values = {"aside_at": writing.now, "position": None, "waits_for": reason.document()}
    writing.run(rows.update().where(rows.c.id == ticket.id).values(values))
    tickets.tell(writing, "ticket.set_aside", ticket, {"reasons": [reason.document()]})


def line_up(writing: Writing, ticket_id: str) -> bool:
    """Let a ticket that stands aside go back to its place. Returns False where it does not stand aside."""
    ticket = tickets.lock(writing, ticket_id)
    if ticket is None or ticket.state is not TicketState.WAITING or ticket.aside_at is None:
        return False
    writing.run(rows.update().where(rows.c.id == ticket_id).values(aside_at=None))
    tickets.tell(writing, "ticket.lined_up", ticket, {})
    return True


_ANYBODY = (
    "SELECT 1 FROM tickets WHERE state IN ('waiting', 'offered') AND state = 'waiting' "
    "AND aside_at IS NOT NULL LIMIT 1"
)
_SINCE = "SELECT DISTINCT kind, person FROM events WHERE sequence > :after"
_OF_ONE = ("allotment.", "claim.", "ending.", "server.", "ticket.")
"""Events that change what one person holds; any other may change what everybody may hold."""


def anybody(reading: Reading) -> bool:
    """Whether a ticket stands aside."""
    return reading.driver(_ANYBODY, {}).first() is not None


def touched(reading: Reading, after: int) -> frozenset[str] | None:
    """Whose limits may allow more since this event; None: everybody's."""
    rows_since = reading.driver(_SINCE, {"after": after}).all()
    if not all(row.kind.startswith(_OF_ONE) for row in rows_since):
        return None
    return frozenset(row.person for row in rows_since if row.person is not None)


def able(reading: Reading, now: datetime, people: Collection[str] | None = None) -> tuple[str, ...]:
    """Tickets that need stand aside no more, of these people or of all: for each person the oldest at most.

    One at a time, for what lets the first in may not be enough for the second as well.
    """
    aside = (
        sa.select(rows)
        .where(rows.c.state == str(TicketState.WAITING), rows.c.aside_at.is_not(None))
        .order_by(rows.c.since, rows.c.id)
    )
    found: dict[str, str] = {}
    hindered: set[tuple[str, str, str | None]] = set()
    for ticket in map(tickets.from_row, reading.all(aside)):
        kind = ticket.person, ticket.profile, ticket.group
        asked = people is None or ticket.person in people
        if not asked or ticket.person in found or kind in hindered:
            continue
        if _hindered(reading, ticket, now):
            hindered.add(kind)
        else:
            found[ticket.person] = ticket.id
    return tuple(found.values())


def _hindered(reading: Reading, ticket: Ticket, now: datetime) -> bool:
    """Whether a limit would still set the ticket aside. What refuses it for good is found at its turn."""
    standing = claim_facts.read(reading, claim_of(ticket), now).standing
    decision = admit(replace(standing, server_waits=False))
    return isinstance(decision, Refused) and passes(decision.reasons)
