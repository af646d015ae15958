"""Tickets: claims that wait, kept whatever becomes of the browser, the hub and the control plane."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.model.amounts import counted
from allotment.model.claims import Claim
from allotment.model.profiles import Priority, Profile
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotFound, Refusal
from allotment.model.tickets import MOST_TICKETS, Ticket, TicketState
from allotment.record import claim_statements
from allotment.record.engine import Reading, Writing
from allotment.record.ids import new_id
from allotment.record.schema import tickets

SeenBy = tuple[str, tuple[str, ...]] | None
"""A person and the groups whose tickets they may see beside their own; None: all are seen."""
LIVE = tickets.c.state.in_(["waiting", "offered"])
NO_SERVER = "No server had been started."


def from_row(row: sa.Row[Any]) -> Ticket:
    """Turn a row into a value, here only."""
    return Ticket(
        id=row.id,
        hub=row.hub,
        person=row.person,
        server=row.server,
        profile=row.profile,
        group=row.group_name,
        devices=row.device_count,
        priority=Priority(row.priority),
        candidates=tuple((pool, model) for pool, model in row.candidates),
        state=TicketState(row.state),
        since=row.since,
        moved=row.moved,
        display_name=row.display_name,
        note=row.note,
        software=row.software,
        position=row.position,
        waits_for=None if row.waits_for is None else Reason.from_document(row.waits_for),
        aside_at=row.aside_at,
        allotment=row.allotment,
        offered_at=row.offered_at,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
    )


def get(reading: Reading, ticket_id: str) -> Ticket:
    """One ticket, live or ended.

    Raises:
        NotFound: there is none of that id.
    """
    row = reading.first(sa.select(tickets).where(tickets.c.id == ticket_id))
    if row is None:
        raise NotFound("ticket", ticket_id)
    return from_row(row)


# Statements that are built once: building them anew costs more than running them.
_INSERT = tickets.insert()
_SOME = sa.select(tickets).where(tickets.c.id.in_(sa.bindparam("ids", expanding=True)))
_LOCKED = _SOME.order_by(tickets.c.id).with_for_update()
_OFFER = (
    tickets.update()
    .where(tickets.c.id == sa.bindparam("the_ticket"))
    .values(
        state=str(TicketState.OFFERED),
        allotment=sa.bindparam("the_allotment"),
        offered_at=sa.bindparam("the_time"),
        aside_at=None,
        position=None,
        waits_for=None,
    )
)
_END = (
    tickets.update()
    .where(tickets.c.id == sa.bindparam("the_ticket"))
    .values(
        state=sa.bindparam("the_state"),
        ended_at=sa.bindparam("the_time"),
        end_reason=sa.bindparam("the_reason"),
        position=None,
    )
)


def some(reading: Reading, ids: Collection[str]) -> dict[str, Ticket]:
    """Tickets by id, as far as there are any of these; ask for at most a few thousand."""
    found = reading.connection.execute(_SOME, {"ids": list(ids)})
    return {row.id: from_row(row) for row in found}


def live(
    reading: Reading,
    *,
    hub: str | None = None,
    person: str | None = None,
    state: TicketState | None = None,
    seen_by: SeenBy = None,
) -> tuple[Ticket, ...]:
    """Tickets that wait or are offered, the oldest first; of one hub, person or state where asked."""
    statement = sa.select(tickets).where(LIVE, *_seen(seen_by))
    statement = statement.order_by(tickets.c.since, tickets.c.id)
    for column, wanted in (("hub", hub), ("person", person), ("state", state)):
        if wanted is not None:
            statement = statement.where(tickets.c[column] == str(wanted))
    return tuple(from_row(row) for row in reading.all(statement))


def ended(
    reading: Reading,
    *,
    since: datetime,
    person: str | None = None,
    seen_by: SeenBy = None,
    limit: int = 200,
) -> tuple[Ticket, ...]:
    """Tickets that came at or after ``since`` and have ended, the newest first."""
    statement = sa.select(tickets).where(sa.not_(LIVE), tickets.c.since >= since, *_seen(seen_by))
    if person is not None:
        statement = statement.where(tickets.c.person == person)
    newest = statement.order_by(tickets.c.since.desc(), tickets.c.id.desc()).limit(limit)
    return tuple(from_row(row) for row in reading.all(newest))


def _seen(seen_by: SeenBy) -> tuple[sa.ColumnElement[bool], ...]:
    if seen_by is None:
        return ()
    person, groups = seen_by
    return (sa.or_(tickets.c.person == person, tickets.c.group_name.in_(groups)),)


def make(
    writing: Writing,
    claim: Claim,
    profile: Profile,
    group: str | None,
    candidates: Collection[tuple[str, str]],
    reasons: Iterable[Reason],
    *,
    beside: int,
) -> Ticket:
    """Let a claim wait for one of these pools; ``reasons`` are why it does not start at once.

    ``beside`` is how many tickets of its person are live already.

    Raises:
        Refusal: the person has too many tickets.
    """
    _refuse_many(beside)
    first = next(iter(reasons), None)
    ticket = Ticket(
        id=new_id(writing.now),
        hub=claim.hub,
        person=claim.person,
        server=claim.server,
        profile=profile.name,
        group=group,
        devices=profile.devices,
        priority=profile.priority,
        candidates=tuple(sorted(candidates)),
        state=TicketState.WAITING,
        since=writing.now,
        display_name=claim.display_name,
        note=claim.note,
        software=claim.software,
        waits_for=first,
    )
    writing.run(_INSERT, _values(ticket))
    said = [reason.document() for reason in reasons]
    tell(writing, "ticket.made", ticket, {"reasons": said})
    return ticket


def _refuse_many(number: int) -> None:
    if number >= MOST_TICKETS:
        raise Refusal(
            Reason(
                Rule.QUEUE_TICKETS,
                f"You wait with {counted(number, 'server')} already, which is the most.",
                limit=MOST_TICKETS,
                used=number,
                asked=1,
                remedy="Take one of them out of the queue.",
            )
        )


def _values(ticket: Ticket) -> dict[str, Any]:
    reason = ticket.waits_for
    return {
        "id": ticket.id,
        "hub": ticket.hub,
        "person": ticket.person,
        "server": ticket.server,
        "profile": ticket.profile,
        "group_name": ticket.group,
        "device_count": ticket.devices,
        "priority": str(ticket.priority),
        "candidates": [list(one) for one in ticket.candidates],
        "state": str(ticket.state),
        "since": ticket.since,
        "display_name": ticket.display_name,
        "note": ticket.note,
        "software": ticket.software,
        "waits_for": None if reason is None else reason.document(),
    }


def lock(writing: Writing, ticket_id: str) -> Ticket | None:
    """One ticket, which nobody else changes until the transaction ends."""
    return lock_all(writing, (ticket_id,)).get(ticket_id)


def lock_all(writing: Writing, ids: Collection[str]) -> dict[str, Ticket]:
    """Some tickets by id, which nobody else changes until the transaction ends; locked in their order."""
    found = writing.connection.execute(_LOCKED, {"ids": list(ids)})
    return {row.id: from_row(row) for row in found}


def offer(writing: Writing, ticket: Ticket, allotment_id: str) -> None:
    """Bind a locked ticket that waits to the allotment that was made for it."""
    values = {
        "the_ticket": ticket.id,
        "the_allotment": allotment_id,
        "the_time": writing.now,
    }
    writing.run(_OFFER, values)
    tell(writing, "ticket.offered", ticket, {"allotment": allotment_id})


def end(writing: Writing, ticket: Ticket, state: TicketState, reason: str) -> None:
    """End a locked ticket. What was offered to it and not taken is given back."""
    if ticket.state is TicketState.OFFERED and state is not TicketState.STARTED:
        claim_statements.release(writing, ticket.allotment or "", NO_SERVER)
    values = {
        "the_ticket": ticket.id,
        "the_state": str(state),
        "the_time": writing.now,
        "the_reason": reason[:2000],
    }
    writing.run(_END, values)
    tell(writing, f"ticket.{state}", ticket, {"reason": reason} if reason else {})


def cancel(writing: Writing, ticket_id: str, reason: str = "") -> Ticket:
    """Take a ticket out of the queue.

    Raises:
        NotFound: there is none of that id.
        Refusal: it has ended already; its server may have started.
    """
    ticket = lock(writing, ticket_id)
    if ticket is None:
        raise NotFound("ticket", ticket_id)
    if not ticket.live:
        raise Refusal(
            Reason(
                Rule.QUEUE_TICKET,
                f"This ticket does not wait any more: {_ENDS[ticket.state]}.",
                remedy="Stop its server instead."
                if ticket.state is TicketState.STARTED
                else "There is nothing to cancel.",
            )
        )
    end(writing, ticket, TicketState.CANCELLED, reason)
    return get(writing, ticket_id)


_ENDS = {
    TicketState.STARTED: "its server was started",
    TicketState.CANCELLED: "it was taken out of the queue",
    TicketState.EXPIRED: "its server was not started in time",
    TicketState.REFUSED: "it was refused when its turn came",
}


def cancel_of_server(writing: Writing, hub: str, person: str, server: str, reason: str) -> bool:
    """Take a server's ticket out of the queue, if it has one. Returns whether it had."""
    match = (tickets.c.hub == hub, tickets.c.person == person, tickets.c.server == server)
    row = writing.first(sa.select(tickets.c.id).where(LIVE, *match))
    if row is None:
        return False
    cancel(writing, row.id, reason)
    return True


def move(writing: Writing, ticket_id: str, moved: int) -> Ticket:
    """Let a ticket go before all others (above 0), after them (below 0), or in its own place (0).

    Raises:
        NotFound: no such ticket waits.
    """
    ticket = lock(writing, ticket_id)
    if ticket is None or ticket.state is not TicketState.WAITING:
        raise NotFound("waiting ticket", ticket_id)
    writing.run(tickets.update().where(tickets.c.id == ticket_id).values(moved=moved))
    tell(writing, "ticket.moved", ticket, {"moved": moved}, before={"moved": ticket.moved})
    return get(writing, ticket_id)


@dataclass(frozen=True, slots=True)
class Said:
    """What the queue says of one waiting ticket."""

    ticket: str
    position: int
    reason: Reason


def note(writing: Writing, said: Collection[Said]) -> None:
    """Keep what the queue said last of tickets that still wait in line."""
    if not said:
        return
    statement = (
        tickets.update()
        .where(
            tickets.c.id == sa.bindparam("the_ticket"),
            tickets.c.state == "waiting",
            tickets.c.aside_at.is_(None),
        )
        .values(position=sa.bindparam("the_position"), waits_for=sa.bindparam("the_reason"))
    )
    rows = [
        {
            "the_ticket": one.ticket,
            "the_position": one.position,
            "the_reason": one.reason.document(),
        }
        # In one order: of two who write at once neither waits for the other.
        for one in sorted(said, key=lambda one: one.ticket)
    ]
    writing.run(statement, rows)


def tell(
    writing: Writing,
    kind: str,
    ticket: Ticket,
    after: dict[str, Any],
    before: dict[str, Any] | None = None,
) -> None:
    """Write an event about a ticket."""
    whose = {
        "hub": ticket.hub,
        "server": ticket.server,
        "profile": ticket.profile,
        "devices": ticket.devices,
    }
    writing.event(
        kind,
        ticket.id,
        person=ticket.person,
        group=ticket.group,
        before=before,
        after=whose | after,
    )
