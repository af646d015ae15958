"""What the provider's groups give a person: memberships of origin *provider*, and a role."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from allotment.model.groups import Membership, Origin
from allotment.model.people import BuiltInRole
from allotment.model.refusals import Refusal
from allotment.model.sign_on import Given, GroupMapping
from allotment.record import memberships, people
from allotment.record.engine import Reading, Writing
from allotment.record.rows import bump, named
from allotment.record.schema import (
    directory_groups,
    directory_members,
    directory_people,
    groups,
    identities,
    roles,
)
from allotment.record.schema import people as people_table


@dataclass(frozen=True, slots=True)
class Change:
    """What a mapping would change for one person. ``kind`` is ``group``, ``lead`` or ``role``."""

    person: str
    kind: str
    name: str
    gains: bool


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a mapping would change, and what it names that is not there: it gives nothing."""

    changes: tuple[Change, ...]
    unknown_groups: tuple[str, ...]
    unknown_roles: tuple[str, ...]
    several: tuple[tuple[str, tuple[str, ...]], ...]
    """People who would be in several groups: in strict mode they could not launch."""


def provider_groups(reading: Reading, person: str) -> frozenset[str]:
    """The provider's groups of a person: those of the last sign-in, and those of the directory."""
    said = reading.all(sa.select(identities.c.groups).where(identities.c.person == person))
    pushed = reading.all(
        sa.select(directory_groups.c.name)
        .join(directory_members, directory_members.c.directory_group == directory_groups.c.id)
        .join(directory_people, directory_people.c.id == directory_members.c.member)
        .where(directory_people.c.person == person)
    )
    return frozenset(name for row in said for name in row.groups) | {row.name for row in pushed}


def apply(writing: Writing, person: str, mapping: GroupMapping) -> None:
    """Give a person what their provider's groups mean now, and take what they do not mean any more.

    Memberships of other origins stay. The role changes only where it is a data scientist's or was
    the provider's to give; the last operator keeps it. Writes nothing where nothing changes.
    """
    given = _that_exists(writing, mapping.of(provider_groups(writing, person)))
    _sync_memberships(writing, person, given)
    _sync_role(writing, person, given.role)


def take_back(writing: Writing, person: str) -> None:
    """Take everything that the provider gave."""
    _sync_memberships(writing, person, Given())
    _sync_role(writing, person, None)


def foresee(reading: Reading, mapping: GroupMapping) -> Foreseen:
    """Who would gain and lose what under a mapping, by what the provider said of everybody last."""
    known_groups = {row.name for row in reading.all(sa.select(groups.c.name))}
    known_roles = {row.name for row in reading.all(sa.select(roles.c.name))}
    changes: list[Change] = []
    several = []
    for name in _people_of_a_provider(reading):
        given = _that_exists(reading, mapping.of(provider_groups(reading, name)))
        rows = memberships.all_memberships(reading, person=name)
        changes += _membership_changes(name, rows, given)
        changes += _role_changes(reading, name, given.role)
        inside = {row.group for row in rows if row.origin is not Origin.PROVIDER} | set(
            given.groups
        )
        if len(inside) > 1:
            several.append((name, tuple(sorted(inside))))
    named_groups = {one.group for one in mapping.groups if one.group is not None}
    named_roles = {one.role for one in mapping.groups if one.role is not None}
    return Foreseen(
        tuple(changes),
        tuple(sorted(named_groups - known_groups)),
        tuple(sorted(named_roles - known_roles)),
        tuple(several),
    )


def _people_of_a_provider(reading: Reading) -> list[str]:
    """Everybody here of whom a provider or its directory has said something."""
    said = sa.select(identities.c.person).union(sa.select(directory_people.c.person))
    statement = sa.select(people_table.c.name).where(
        people_table.c.name.in_(said), people_table.c.left_at.is_(None)
    )
    return [row.name for row in reading.all(statement.order_by(people_table.c.name))]


def _membership_changes(person: str, rows: Collection[Membership], given: Given) -> list[Change]:
    mine = {row.group: row.lead for row in rows if row.origin is Origin.PROVIDER}
    others = {row.group for row in rows if row.origin is not Origin.PROVIDER}
    leads_otherwise = {row.group for row in rows if row.lead and row.origin is not Origin.PROVIDER}
    changes = [
        Change(person, "group", group, group in given.groups)
        for group in sorted(set(mine) ^ set(given.groups))
        if group not in others
    ]
    led_now = {group for group, lead in mine.items() if lead}
    led_then = {group for group, lead in given.groups.items() if lead}
    changes += [
        Change(person, "lead", group, group in led_then)
        for group in sorted((led_now ^ led_then) - leads_otherwise)
    ]
    return changes


def _role_changes(reading: Reading, person: str, role: str | None) -> list[Change]:
    before, after, _ = _roles(reading, person, role)
    if before == after:
        return []
    plain = str(BuiltInRole.DATA_SCIENTIST)
    changes = [Change(person, "role", before, gains=False)] if before != plain else []
    return changes + ([Change(person, "role", after, gains=True)] if after != plain else [])


def _that_exists(reading: Reading, given: Given) -> Given:
    """What is given, without groups and a role that the platform does not have."""
    known = {row.name for row in reading.all(sa.select(groups.c.name))}
    kept = {group: lead for group, lead in given.groups.items() if group in known}
    if given.role is None:
        return Given(kept)
    found = reading.first(sa.select(roles.c.name).where(roles.c.name == given.role))
    return Given(kept, None if found is None else given.role)


def _sync_memberships(writing: Writing, person: str, given: Given) -> None:
    mine = {
        row.group: row
        for row in memberships.all_memberships(writing, person=person)
        if row.origin is Origin.PROVIDER
    }
    for group in sorted(set(mine) - set(given.groups)):
        memberships.remove(writing, person, group, Origin.PROVIDER)
    for group, lead in sorted(given.groups.items()):
        known = mine.get(group)
        if known is None or known.lead != lead or known.until is not None:
            memberships.add(writing, person, group, Origin.PROVIDER, lead=lead)


def _roles(reading: Reading, person: str, role: str | None) -> tuple[str, str, str | None]:
    """A person's role now, the one that follows from the provider's, and what it gave last."""
    row = named(reading, people_table, "person", person)
    plain = str(BuiltInRole.DATA_SCIENTIST)
    governed = row.role == (row.provider_role or plain)
    return row.role, (role or plain) if governed else row.role, row.provider_role


def _sync_role(writing: Writing, person: str, role: str | None) -> None:
    before, after, given = _roles(writing, person, role)
    if after != before:
        try:
            people.set_role(writing, person, after)
        except Refusal:  # the last operator: nobody could undo it, so the role stays the provider's
            return
    if given != role:
        bump(writing, people_table, person, provider_role=role)
