"""Leaving: everything that a person holds here ends, and what they did stays in the record.

The record's part is one transaction. What a hub has of the person (tokens, shares, the home) is
ended by that hub's own control plane, once it is proven that none of their servers is left there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from allotment.model.people import BuiltInRole
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.record import audiences, memberships, owners, people, service_accounts, tickets
from allotment.record.engine import Reading, Writing
from allotment.record.rows import bump, named
from allotment.record.schema import (
    allotments,
    credentials,
    datasets,
    farewells,
    identities,
    leavings,
    links,
    registered_models,
    reservations,
    reset_links,
)
from allotment.record.schema import people as people_table

WHY = "Its owner has left the platform."
REMOVED = "Removed from the platform."


@dataclass(frozen=True, slots=True)
class Leaving:
    """What somebody who leaves holds. ``left_at`` is None before it is done."""

    person: str
    role: str
    groups: tuple[str, ...]
    servers: tuple[tuple[str, str], ...]
    """Servers that are not proven gone, by hub and name."""
    tickets: int
    reservations: int
    service_accounts: tuple[str, ...]
    datasets: int
    models: int
    heir: str | None = None
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """Somebody who has left, of whom a hub still has something."""

    person: str
    heir: str | None


def foresee(reading: Reading, name: str) -> Leaving:
    """What would end if this person left, or has ended.

    Raises:
        NotFound: the platform knows nobody of that name.
    """
    row = named(reading, people_table, "person", name)
    done = reading.first(sa.select(leavings).where(leavings.c.person == name))
    rows = memberships.all_memberships(reading, person=name)
    return Leaving(
        person=name,
        role=row.role,
        groups=tuple(sorted({one.group for one in rows})),
        servers=_servers(reading, name),
        tickets=len(tickets.live(reading, person=name)),
        reservations=_count(reading, reservations, reservations.c.person == name),
        service_accounts=tuple(
            one.name for one in service_accounts.all_accounts(reading, maker=name)
        ),
        datasets=_count(reading, datasets, datasets.c.created_by == name),
        models=_count(reading, registered_models, registered_models.c.person == name),
        heir=None if done is None else done.heir,
        left_at=row.left_at,
    )


def leave(writing: Writing, name: str, why: str = "", heir: str | None = None) -> Leaving:
    """Let a person go. Who has left already stays so. Returns what they held.

    The servers are not stopped here: whoever calls marks them, and the hub stops them.

    Raises:
        NotFound: the platform knows nobody of that name, or of the heir's.
        Refusal: no operator would be left, or the heir is not here.
    """
    held = foresee(writing, name)
    if held.left_at is not None:
        return held
    if heir is not None:
        _check_heir(writing, name, heir)
    people.keep_an_operator(writing, {name}, "let go")
    for group in held.groups:
        memberships.remove(writing, name, group)
    for ticket in tickets.live(writing, person=name):
        tickets.cancel(writing, ticket.id, WHY)
    for account in held.service_accounts:
        service_accounts.revoke(writing, account)
    writing.run(reservations.delete().where(reservations.c.person == name))
    for table in (credentials, reset_links, links):
        writing.run(table.delete().where(table.c.person == name))
    # Or these would give again what they gave, should the person come back.
    writing.run(identities.update().where(identities.c.person == name).values(groups=[]))
    audiences.leave(writing, audiences.PERSON, name)
    owners.hand_over(writing, name, heir)
    plain = str(BuiltInRole.DATA_SCIENTIST)
    away = {"onboarded_at": None, "left_at": writing.now, "confirmed_until": None}
    bump(writing, people_table, name, role=plain, provider_role=None, **away)
    writing.run(leavings.delete().where(leavings.c.person == name))
    row = {"person": name, "at": writing.now, "actor": writing.actor, "why": why[:300]}
    writing.run(leavings.insert().values(**row, heir=heir))
    before = {"role": held.role, "groups": list(held.groups)}
    writing.event("person.left", name, person=name, before=before, after={"why": why, "heir": heir})
    return held


def removed(writing: Writing, name: str) -> None:
    """Have each hub end what it has of somebody who was removed from the platform; one that is away, when it is back.

    Of somebody who left before, hubs end it already, with what was said of the home then.
    """
    if writing.first(sa.select(leavings.c.at).where(leavings.c.person == name)) is not None:
        return
    row = {"person": name, "at": writing.now, "actor": writing.actor, "why": REMOVED}
    writing.run(leavings.insert().values(**row, heir=None))


def due(reading: Reading, hub: str) -> tuple[Due, ...]:
    """Who has left, and of whom this hub has not ended what it had."""
    done = sa.select(farewells.c.person).where(farewells.c.hub == hub)
    statement = sa.select(leavings).where(leavings.c.person.not_in(done))
    return tuple(
        Due(row.person, row.heir) for row in reading.all(statement.order_by(leavings.c.person))
    )


def is_removed(reading: Reading, name: str) -> bool:
    """Whether what hubs had of somebody is ending because they were removed, and nothing is to become of a home."""
    row = reading.first(sa.select(leavings.c.why).where(leavings.c.person == name))
    return row is not None and row.why == REMOVED


def said_farewell(writing: Writing, person: str, hub: str, note: str) -> bool:
    """Note that a hub has ended what it had of somebody. False: they are back, or it was noted."""
    still = writing.first(sa.select(leavings.c.person).where(leavings.c.person == person))
    known = writing.first(
        sa.select(farewells.c.at).where(farewells.c.person == person, farewells.c.hub == hub)
    )
    if still is None or known is not None:
        return False
    row = {"person": person, "hub": hub, "at": writing.now, "note": note[:300]}
    writing.run(farewells.insert().values(**row))
    writing.event("person.farewell", person, person=person, after={"hub": hub, "note": note})
    return True


def _check_heir(reading: Reading, name: str, heir: str) -> None:
    row = named(reading, people_table, "person", heir)
    if heir == name or row.onboarded_at is None:
        message = f"{heir} cannot take over the home of {name}."
        remedy = "Name somebody else who is on-boarded, or let the home be kept."
        raise Refusal(Reason(Rule.REQUEST, message, remedy=remedy))


def _servers(reading: Reading, name: str) -> tuple[tuple[str, str], ...]:
    statement = (
        sa.select(allotments.c.hub, allotments.c.server)
        .where(allotments.c.person == name, allotments.c.state != "released")
        .order_by(allotments.c.hub, allotments.c.server)
    )
    return tuple((row.hub, row.server) for row in reading.all(statement))


def _count(reading: Reading, table: sa.Table, match: sa.ColumnElement[bool]) -> int:
    row = reading.first(sa.select(sa.func.count().label("number")).select_from(table).where(match))
    return 0 if row is None else int(row.number)
