"""People: on-boarding, roles, and what each may do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.model.budgets import BudgetScope
from allotment.model.groups import Origin
from allotment.model.mail import check_address
from allotment.model.names import check_person
from allotment.model.people import Authority, BuiltInRole, Permission, Person
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.record import audiences, budgets, memberships, owners, service_accounts, tickets
from allotment.record.engine import Reading, Writing
from allotment.record.rows import bump, for_change, named
from allotment.record.schema import (
    allotments,
    farewells,
    identities,
    leavings,
    limits,
    links,
    people,
    reservations,
    roles,
    servers,
)


def _from_row(row: sa.Row[Any]) -> Person:
    return Person(
        row.name,
        row.role,
        row.onboarded_at,
        row.revision,
        row.email,
        row.confirmed_until,
        row.left_at,
    )


def all_people(reading: Reading) -> tuple[Person, ...]:
    """Everybody whom the platform knows, by name."""
    return tuple(_from_row(row) for row in reading.all(sa.select(people).order_by(people.c.name)))


def get(reading: Reading, name: str) -> Person:
    """One person.

    Raises:
        NotFound: the platform knows nobody of that name.
    """
    return _from_row(named(reading, people, "person", name))


def authority(reading: Reading, name: str, now: datetime) -> Authority:
    """What a person may do now. Somebody unknown may do nothing.

    Whom the provider has not confirmed in time has no power over others until it does.
    """
    row = reading.first(
        sa.select(people.c.role, people.c.confirmed_until, roles.c.permissions)
        .join(roles, roles.c.name == people.c.role)
        .where(people.c.name == name)
    )
    if row is None:
        return Authority(name, "", frozenset(), (), ())
    current = [
        member
        for member in memberships.all_memberships(reading, person=name)
        if member.until is None or member.until > now
    ]
    lapsed = row.confirmed_until is not None and row.confirmed_until <= now
    given = () if lapsed else row.permissions
    return Authority(
        person=name,
        role=row.role,
        permissions=frozenset(Permission(permission) for permission in given),
        groups=tuple(sorted({member.group for member in current})),
        leads=() if lapsed else tuple(sorted({member.group for member in current if member.lead})),
    )


def leads_any(reading: Reading, name: str) -> bool:
    """Whether a person leads any group, by any origin."""
    return any(row.lead for row in memberships.all_memberships(reading, person=name))


def onboard(
    writing: Writing,
    names: Sequence[str],
    group: str | None = None,
    role: str = BuiltInRole.DATA_SCIENTIST,
    origin: Origin = Origin.CONSOLE,
) -> tuple[Person, ...]:
    """Admit people to the platform, into a group or none. Who is on-boarded already stays as is.

    Raises:
        NotFound: there is no such group or role.
        Refusal: strict mode, and somebody is in another group; or somebody has left, and a hub has
            not yet ended what it had of them. Nobody is on-boarded then.
    """
    named(writing, roles, "role", role)
    for name in dict.fromkeys(names):
        check_person(name)
        known = writing.first(sa.select(people).where(people.c.name == name))
        if known is None or known.onboarded_at is None:
            _come_back(writing, name, origin)
        if known is None:
            writing.run(people.insert().values(name=name, role=role, onboarded_at=writing.now))
            writing.event("person.onboarded", name, person=name, group=group, after={"role": role})
        elif known.onboarded_at is None:
            bump(writing, people, name, onboarded_at=writing.now, role=role, left_at=None)
            writing.event("person.onboarded", name, person=name, group=group, after={"role": role})
        if group is not None and not any(
            row.group == group for row in memberships.all_memberships(writing, person=name)
        ):
            memberships.add(writing, name, group, origin)
    return tuple(get(writing, name) for name in dict.fromkeys(names))


def _come_back(writing: Writing, name: str, origin: Origin) -> None:
    """Let nobody back whose tokens and sessions of before a hub has not ended.

    The settings are applied before the hub is up, which could not end anything while they were
    refused: with them the leaving stays open, and the hub ends what it has as soon as it is there.

    Raises:
        Refusal: a hub has not.
    """
    if writing.first(sa.select(leavings.c.at).where(leavings.c.person == name)) is None:
        return
    done = {row.hub for row in writing.all(sa.select(farewells).where(farewells.c.person == name))}
    used = writing.all(sa.select(allotments.c.hub).where(allotments.c.person == name).distinct())
    open_still = sorted({row.hub for row in used} - done)
    if done and not open_still:
        writing.run(leavings.delete().where(leavings.c.person == name))
        return
    if origin is Origin.SETTINGS:
        return
    where = f"the hub {', '.join(open_still)}" if open_still else "the hub"
    reason = Reason(
        Rule.PERSON_IN_USE,
        f"{name} has left, and {where} has not yet ended what it had of {name}.",
        remedy="Try again in some minutes. A hub that is away does its part when it is back.",
    )
    raise Refusal(reason)


def set_role(writing: Writing, name: str, role: str, revision: int | None = None) -> Person:
    """Give a person another role.

    Raises:
        NotFound, RevisionStale: as ever.
        Refusal: the last operator cannot be downgraded.
    """
    row = for_change(writing, people, "person", name, revision)
    named(writing, roles, "role", role)
    if row.role == role:
        return _from_row(row)
    if row.role == BuiltInRole.OPERATOR:
        keep_an_operator(writing, {name}, "downgraded")
    bump(writing, people, name, role=role)
    # A link was a word about what the person had then.
    writing.run(links.delete().where(links.c.person == name))
    writing.event(
        "person.role_changed", name, person=name, before={"role": row.role}, after={"role": role}
    )
    return get(writing, name)


def set_email(writing: Writing, name: str, email: str) -> Person:
    """Say where a person's notices are sent; empty: nowhere. The event does not repeat the address.

    Raises:
        NotFound: nobody of that name.
        Refusal: it is no address.
    """
    row = named(writing, people, "person", name)
    try:
        address = check_address(email) if email.strip() else ""
    except ValueError as error:
        remedy = "Write one address, or nothing for no mail."
        raise Refusal(Reason(Rule.REQUEST, f"{error}.".capitalize(), remedy=remedy)) from None
    if address != row.email:
        bump(writing, people, name, email=address)
        before, after = {"email": bool(row.email)}, {"email": bool(address)}
        writing.event("person.email_changed", name, person=name, before=before, after=after)
    return get(writing, name)


def delete(writing: Writing, names: Sequence[str]) -> None:
    """Remove people from the platform, all of them or none. The record of what happened stays.

    Raises:
        NotFound: nobody of that name.
        Refusal: somebody has a running server, or no operator would be left.
    """
    wanted = tuple(dict.fromkeys(names))
    for name in wanted:
        named(writing, people, "person", name)
    reasons = [reason for name in wanted for reason in [_running(writing, name)] if reason]
    if reasons:
        raise Refusal(*reasons)
    keep_an_operator(writing, set(wanted), "removed")
    for name in wanted:
        row = get(writing, name)
        for group in sorted(
            {member.group for member in memberships.all_memberships(writing, person=name)}
        ):
            memberships.remove(writing, name, group)
        for ticket in tickets.live(writing, person=name):
            tickets.cancel(writing, ticket.id, "Its owner was removed from the platform.")
        writing.run(limits.delete().where(limits.c.scope == "person", limits.c.subject == name))
        budgets.forget(writing, BudgetScope.PERSON, name)
        writing.run(servers.delete().where(servers.c.person == name))
        writing.run(reservations.delete().where(reservations.c.person == name))
        audiences.leave(writing, audiences.PERSON, name)
        owners.disown(writing, name)
        for account in service_accounts.all_accounts(writing, maker=name):
            service_accounts.revoke(writing, account.name)
        writing.run(
            identities.update().where(identities.c.person == name).values(ended=True, groups=[])
        )
        writing.run(people.delete().where(people.c.name == name))
        writing.event("person.deleted", name, person=name, before={"role": row.role})


def _running(reading: Reading, name: str) -> Reason | None:
    rows = reading.all(
        sa.select(allotments.c.server)
        .where(allotments.c.person == name, allotments.c.state != "released")
        .order_by(allotments.c.server)
    )
    if not rows:
        return None
    running = tuple(row.server or "default" for row in rows)
    return Reason(
        Rule.PERSON_IN_USE,
        f"{name} cannot be deleted: {', '.join(running[:12])} {'is' if len(running) == 1 else 'are'} running.",
        limit=0,
        used=len(running),
        remedy="Stop the server first." if len(running) == 1 else "Stop the servers first.",
        details=running,
    )


def operators(reading: Reading) -> frozenset[str]:
    """Who runs the platform, by name."""
    chosen = sa.select(people.c.name).where(people.c.role == BuiltInRole.OPERATOR)
    return frozenset(row.name for row in reading.all(chosen))


def keep_an_operator(reading: Reading, leaving: set[str], verb: str) -> None:
    """Refuse to lose the last operator.

    Raises:
        Refusal: everybody who is one is among those who are ``verb``.
    """
    known = operators(reading)
    if known & leaving and not known - leaving:
        names = ", ".join(sorted(known & leaving))
        reason = Reason(
            Rule.LAST_OPERATOR,
            f"{names} cannot be {verb}: there must always be at least one operator.",
            limit=1,
            used=len(known),
            asked=len(known & leaving),
            remedy="Make somebody else an operator first.",
        )
        raise Refusal(reason)
