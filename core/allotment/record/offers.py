"""Offers: a ticket whose turn has come holds its devices, and its server is to be started.

Each function opens transactions of its own. The queue decides outside of them; here every rule is
asked again, and what has changed meanwhile lets the ticket wait on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from allotment.model.allotments import Allotment, State
from allotment.model.claims import Claim, Granted, Refused, Waits
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotFound
from allotment.model.sharing import OFFER_LASTS
from allotment.model.tickets import Ticket, TicketState
from allotment.record import (
    allotments,
    claim_facts,
    claims,
    locking,
    queue_aside,
    schema,
    tickets,
)
from allotment.record.claim_facts import Facts
from allotment.record.columns import from_stored
from allotment.record.engine import Reading, Record, Writing
from allotment.record.turns import Placed, claim_of, devices_on
from allotment.record.undone import again_where_undone
from allotment.rules.admission import Admitted, admit, gate_reasons

QUEUE = "queue"
"""Who offers, in the record's events."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ticket is to be served."""

    pool: str
    model: str
    node: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A ticket whose turn has come, and where."""

    ticket: str
    place: Place


Offered = Granted | Waits | Refused | None
"""*Waits*: there is no room any more, or a limit of the person does not allow it now: the ticket waits
on, in the second case aside. *Refused*: rules stand in the way for good, and the ticket has ended.
None: it does not wait any more."""


def offer(record: Record, ticket_id: str, place: Place, now: datetime) -> Offered:
    """Offer devices of one node to a ticket that waits: its allotment holds them from now on."""
    return offer_all(record, (Turn(ticket_id, place),), now)[0]


@again_where_undone
def offer_all(record: Record, turns: Sequence[Turn], now: datetime) -> tuple[Offered, ...]:
    """Offer devices to several tickets in one transaction, one after the other; the outcomes in their order."""
    with record.reading() as reading:
        known = tickets.some(reading, [turn.ticket for turn in turns])
    with record.writing(QUEUE, now, configuration=False) as writing:
        locking.lock_turns(
            writing,
            [(known[turn.ticket], turn.place.pool) for turn in turns if turn.ticket in known],
        )
        locked = tickets.lock_all(writing, list(known))
        return tuple(_offer(writing, locked.get(turn.ticket), turn.place, now) for turn in turns)


def _offer(writing: Writing, ticket: Ticket | None, place: Place, now: datetime) -> Offered:
    if ticket is None or ticket.state is not TicketState.WAITING:
        return None
    facts = _at(claim_facts.read(writing, claim_of(ticket), now), place)
    decision = admit(facts.standing)
    if isinstance(decision, Refused):
        if queue_aside.passes(decision.reasons):
            queue_aside.set_aside(writing, ticket, decision.reasons[0])
            return Waits(decision.reasons)
        reason = " ".join(reason.sentence for reason in decision.reasons)
        tickets.end(writing, ticket, TicketState.REFUSED, reason)
        return decision
    if isinstance(decision, Waits):
        return decision
    return _hold(writing, ticket, facts, decision, place)


def _at(facts: Facts, place: Place) -> Facts:
    """The same facts, as if there were only the place that the queue has chosen."""
    here = tuple(
        pool
        for pool in facts.standing.pools
        if (pool.pool, pool.model) == (place.pool, place.model)
    )
    return replace(facts, standing=replace(facts.standing, pools=here, server_waits=False))


def _hold(
    writing: Writing, ticket: Ticket, facts: Facts, decision: Admitted, place: Place
) -> Granted | Waits:
    devices = devices_on(writing, facts, decision, place.node)
    if len(devices) < ticket.devices:
        message = f"{place.node or place.pool} has fewer than {ticket.devices} devices free."
        return Waits((Reason(Rule.DEVICES_FREE, message, asked=ticket.devices),))
    made = claims.allot(writing, facts, Placed(decision, devices), State.OFFERED)
    tickets.offer(writing, ticket, made.id)
    return Granted(made)


@again_where_undone
def take_offer(
    record: Record, claim: Claim, ticket_id: str, now: datetime
) -> tuple[Granted | Refused, Ticket | None]:
    """Let a server start with the devices that were offered to its ticket: once, and only that server.

    Answers with the ticket where it is this person's and server's: what it waited for.
    """
    with record.writing(claim.person, now, configuration=False) as writing:
        locking.lock_configuration(writing)
        ticket = tickets.lock(writing, ticket_id)
        if ticket is None or _whose(ticket) != (claim.hub, claim.person, claim.server):
            return Refused((_NOT_YOURS,)), None
        if ticket.state is not TicketState.OFFERED or ticket.allotment is None:
            return Refused((_not_offered(ticket),)), ticket
        asked = replace(claim_of(ticket), token_hash=claim.token_hash)
        facts = claim_facts.read(writing, asked, now)
        reasons = gate_reasons(replace(facts.standing, server_active=False))
        if reasons:
            tickets.end(writing, ticket, TicketState.REFUSED, reasons[0].sentence)
            return Refused(reasons), ticket
        started = _start(writing, ticket, ticket.allotment, claim.token_hash)
        return Granted(started), ticket


def _whose(ticket: Ticket) -> tuple[str, str, str]:
    return ticket.hub, ticket.person, ticket.server


_NOT_YOURS = Reason(
    Rule.QUEUE_TICKET,
    "There is no such ticket of this server.",
    remedy="Launch the server; where it is full, wait in the queue.",
)


def _not_offered(ticket: Ticket) -> Reason:
    if ticket.state is TicketState.WAITING:
        message = "The turn of this ticket has not come."
        return Reason(Rule.QUEUE_TICKET, message, remedy="Its server starts by itself.")
    return Reason(
        Rule.QUEUE_TICKET,
        "This ticket was good for one start and does not count any more.",
        remedy="Launch the server again.",
    )


_STARTED = (
    schema.allotments.update()
    .where(
        schema.allotments.c.id == sa.bindparam("the_allotment"),
        schema.allotments.c.state == str(State.OFFERED),
    )
    .values(state=str(State.STARTING), token_hash=sa.bindparam("the_token"))
    .returning(*allotments.COLUMNS)
)


def _start(writing: Writing, ticket: Ticket, allotment_id: str, token_hash: str) -> Allotment:
    tickets.end(writing, ticket, TicketState.STARTED, "")
    asked = {"the_allotment": allotment_id, "the_token": token_hash}
    started = writing.connection.execute(_STARTED, asked).one()
    writing.event(
        "allotment.starting",
        allotment_id,
        person=ticket.person,
        group=ticket.group,
        after={"state": "starting", "server": ticket.server, "hub": ticket.hub},
    )
    return allotments.from_row(started)


def withdraw(record: Record, ticket_id: str, reason: str, now: datetime) -> bool:
    """Take an offer back whose server cannot be started. Returns False where it was taken meanwhile."""
    return _end(record, ticket_id, TicketState.REFUSED, reason, now)


EXPIRED = "Its server was not started within ten minutes of its turn."


@dataclass(frozen=True, slots=True)
class Outstanding:
    """An offer that has not been taken: its ticket, which server of which hub is to be started, and since when."""

    ticket: str
    hub: str
    person: str
    server: str
    display_name: str
    since: datetime


_OUTSTANDING = (
    "SELECT id, hub, person, server, display_name, offered_at FROM tickets "
    "WHERE state IN ('waiting', 'offered') AND state = 'offered' ORDER BY since, id"
)


def outstanding(reading: Reading) -> tuple[Outstanding, ...]:
    """Offers that have not been taken; the ticket that came first is first."""
    rows = reading.driver(_OUTSTANDING, {})
    return tuple(
        Outstanding(
            row.id,
            row.hub,
            row.person,
            row.server,
            row.display_name,
            from_stored(row.offered_at),
        )
        for row in rows
    )


def expire_offers(record: Record, now: datetime) -> tuple[str, ...]:
    """End offers whose server was not started in time; their devices are the next one's."""
    with record.reading() as reading:
        due = [one.ticket for one in outstanding(reading) if one.since + OFFER_LASTS <= now]
    return tuple(one for one in due if _end(record, one, TicketState.EXPIRED, EXPIRED, now))


@again_where_undone
def _end(record: Record, ticket_id: str, state: TicketState, reason: str, now: datetime) -> bool:
    with record.writing(QUEUE, now, configuration=False) as writing:
        locking.lock_configuration(writing)
        ticket = tickets.lock(writing, ticket_id)
        if ticket is None:
            what = "ticket"
            raise NotFound(what, ticket_id)
        if ticket.state is not TicketState.OFFERED:
            return False
        tickets.end(writing, ticket, state, reason)
        return True
