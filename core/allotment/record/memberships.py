"""Memberships: a person in a group, by one origin."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from allotment.model.groups import Membership, Mode, Origin
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotFound, Refusal
from allotment.record import platform
from allotment.record.engine import Reading, Writing
from allotment.record.rows import named
from allotment.record.schema import groups, links, memberships, people


def all_memberships(
    reading: Reading, group: str | None = None, person: str | None = None
) -> tuple[Membership, ...]:
    """Memberships, ended ones too, of a group or a person where asked."""
    statement = sa.select(memberships).order_by(
        memberships.c.group_name, memberships.c.person, memberships.c.origin
    )
    if group is not None:
        statement = statement.where(memberships.c.group_name == group)
    if person is not None:
        statement = statement.where(memberships.c.person == person)
    return tuple(
        Membership(row.person, row.group_name, Origin(row.origin), row.lead, row.until)
        for row in reading.all(statement)
    )


def current_groups(reading: Reading, person: str, now: datetime) -> tuple[str, ...]:
    """The groups that a person is in now."""
    rows = all_memberships(reading, person=person)
    return tuple(sorted({row.group for row in rows if row.until is None or row.until > now}))


def members(reading: Reading, groups: Collection[str], now: datetime) -> frozenset[str]:
    """Everybody who is in one of these groups now."""
    rows = reading.all(
        sa.select(memberships.c.person).where(
            memberships.c.group_name.in_(groups),
            sa.or_(memberships.c.until.is_(None), memberships.c.until > now),
        )
    )
    return frozenset(row.person for row in rows)


def add(
    writing: Writing,
    person: str,
    group: str,
    origin: Origin,
    *,
    lead: bool = False,
    until: datetime | None = None,
) -> None:
    """Put a person into a group.

    In strict mode the console and the settings refuse somebody who is in another group; what the
    identity provider says is kept, and refused at launch.

    Raises:
        NotFound: there is no such person or group.
        Refusal: strict mode, and the person is in another group.
    """
    named(writing, people, "person", person)
    named(writing, groups, "group", group)
    others = [other for other in current_groups(writing, person, writing.now) if other != group]
    if others and origin is not Origin.PROVIDER and platform.mode(writing) is Mode.STRICT:
        raise Refusal(_one_group(person, others, group))
    match = (
        memberships.c.person == person,
        memberships.c.group_name == group,
        memberships.c.origin == str(origin),
    )
    changed = writing.run(
        memberships.update().where(*match).values(lead=lead, until=until)
    ).rowcount
    if not changed:
        writing.run(
            memberships.insert().values(
                person=person, group_name=group, origin=str(origin), lead=lead, until=until
            )
        )
    if lead:
        _forget_links(writing, person)
    after = {"origin": str(origin), "lead": lead, "until": until.isoformat() if until else None}
    writing.event(
        "membership.changed" if changed else "membership.added",
        f"{group}/{person}",
        person=person,
        group=group,
        after=after,
    )


def _one_group(person: str, others: list[str], group: str) -> Reason:
    return Reason(
        Rule.GROUP_STRICT,
        f"{person} is in {', '.join(others)}, and here a person is in one group at a time.",
        limit=1,
        used=len(others),
        asked=1,
        remedy=f"Move {person} to {group}: that leaves {', '.join(others)}.",
        details=tuple(others),
    )


def remove(writing: Writing, person: str, group: str, origin: Origin | None = None) -> None:
    """Take a person out of a group, by one origin or by all.

    Raises:
        NotFound: the person is not in the group (by that origin).
    """
    match = [memberships.c.person == person, memberships.c.group_name == group]
    if origin is not None:
        match.append(memberships.c.origin == str(origin))
    before = [
        row for row in all_memberships(writing, group, person) if origin in {None, row.origin}
    ]
    if not before:
        raise NotFound("member", f"{group}/{person}")
    writing.run(memberships.delete().where(*match))
    writing.event(
        "membership.removed",
        f"{group}/{person}",
        person=person,
        group=group,
        before={
            "origins": [str(row.origin) for row in before],
            "lead": any(row.lead for row in before),
        },
    )


def move(writing: Writing, person: str, group: str) -> None:
    """Leave every other group and join this one, in one step. Running servers stay charged to who paid for them.

    Raises:
        NotFound: there is no such person or group.
    """
    named(writing, groups, "group", group)
    named(writing, people, "person", person)
    for other in sorted({row.group for row in all_memberships(writing, person=person)} - {group}):
        remove(writing, person, other)
    if group not in current_groups(writing, person, writing.now):
        add(writing, person, group, Origin.CONSOLE)


def set_lead(writing: Writing, person: str, group: str, *, lead: bool) -> None:
    """Make a member a lead of the group, or a plain member again.

    Raises:
        NotFound: the person is not in the group.
    """
    match = (memberships.c.person == person, memberships.c.group_name == group)
    before = all_memberships(writing, group, person)
    if not before:
        raise NotFound("member", f"{group}/{person}")
    writing.run(memberships.update().where(*match).values(lead=lead))
    if lead:
        _forget_links(writing, person)
    if any(row.lead for row in before) != lead:
        writing.event(
            "membership.changed",
            f"{group}/{person}",
            person=person,
            group=group,
            before={"lead": not lead},
            after={"lead": lead},
        )


def _forget_links(writing: Writing, person: str) -> None:
    # A link was a word about what the person had then, and leading is more.
    writing.run(links.delete().where(links.c.person == person))


def end_expired(writing: Writing) -> tuple[Membership, ...]:
    """Remove memberships whose time is over, and say which."""
    ended = tuple(
        row
        for row in all_memberships(writing)
        if row.until is not None and row.until <= writing.now
    )
    for row in ended:
        remove(writing, row.person, row.group, row.origin)
    return ended
