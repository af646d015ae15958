"""What a directory keeps here: its people and groups under ids of ours that never come back."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from allotment.model.refusals import AlreadyExists, NotFound
from allotment.record.engine import Reading, Writing
from allotment.record.schema import directory_groups, directory_members, directory_people, people

T = TypeVar("T")
_BATCH = 400


@dataclass(frozen=True, slots=True)
class Entry:
    """A person as the directory knows them. ``document`` is what it said of them, as it said it."""

    id: str
    person: str
    external_id: str | None
    document: Mapping[str, Any]
    email: str
    active: bool
    brought: bool
    """Whether the directory on-boarded them itself, and nobody else did before."""
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class DirectoryGroup:
    """A group of the directory. ``members`` are ids of entries, by the person's name."""

    id: str
    name: str
    external_id: str | None
    members: tuple[tuple[str, str], ...]
    created_at: datetime
    changed_at: datetime


_PEOPLE = sa.select(directory_people, people.c.email, people.c.onboarded_at).join(
    people, people.c.name == directory_people.c.person
)


def _entry(row: sa.Row[Any]) -> Entry:
    return Entry(
        row.id,
        row.person,
        row.external_id,
        row.document,
        row.email,
        row.onboarded_at is not None,
        row.brought,
        row.created_at,
        row.changed_at,
    )


def ensure(writing: Writing) -> None:
    """Give an id to everybody on-boarded otherwise, so that the directory finds them and makes nobody twice."""
    known = sa.select(directory_people.c.person)
    missing = writing.all(
        sa.select(people.c.name).where(
            people.c.onboarded_at.is_not(None), people.c.name.not_in(known)
        )
    )
    for row in missing:
        add(writing, row.name, None, {}, brought=False)


def lacking(reading: Reading) -> bool:
    """Whether somebody on-boarded has no id yet."""
    known = sa.select(directory_people.c.person)
    statement = sa.select(people.c.name).where(
        people.c.onboarded_at.is_not(None), people.c.name.not_in(known)
    )
    return reading.first(statement.limit(1)) is not None


def entries(reading: Reading) -> tuple[Entry, ...]:
    """Everybody whom the directory may see, by name."""
    return tuple(_entry(row) for row in reading.all(_PEOPLE.order_by(directory_people.c.person)))


def entry(reading: Reading, key: str) -> Entry:
    """One person.

    Raises:
        NotFound: there is none of that id.
    """
    row = reading.first(_PEOPLE.where(directory_people.c.id == key))
    if row is None:
        raise NotFound("user", key)
    return _entry(row)


def of_person(reading: Reading, name: str) -> Entry | None:
    """The entry of a person; None: the directory does not know them."""
    row = reading.first(_PEOPLE.where(directory_people.c.person == name))
    return None if row is None else _entry(row)


def add(
    writing: Writing,
    person: str,
    external_id: str | None,
    document: Mapping[str, Any],
    *,
    brought: bool,
) -> str:
    """Give a person an id. ``brought``: the directory on-boards them, and nobody did before."""
    key = uuid.uuid4().hex
    row = {"id": key, "person": person, "external_id": external_id, "document": dict(document)}
    times = {"brought": brought, "created_at": writing.now, "changed_at": writing.now}
    writing.run(directory_people.insert().values(**row, **times))
    return key


def put(writing: Writing, key: str, external_id: str | None, document: Mapping[str, Any]) -> None:
    """Keep what the directory says of a person now."""
    writing.run(
        directory_people.update()
        .where(directory_people.c.id == key)
        .values(
            external_id=external_id,
            document=dict(document),
            changed_at=writing.now,
            revision=directory_people.c.revision + 1,
        )
    )


def touch(writing: Writing, person: str) -> None:
    """Note that something of a person changed that the directory shows."""
    writing.run(
        directory_people.update()
        .where(directory_people.c.person == person)
        .values(changed_at=writing.now)
    )


def remove(writing: Writing, key: str) -> None:
    """Forget an id. It never comes back."""
    writing.run(directory_people.delete().where(directory_people.c.id == key))


def groups_of(reading: Reading, key: str | None = None) -> dict[str, list[tuple[str, str]]]:
    """The directory's groups of each entry, or of one, as ids and names."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    statement = (
        sa.select(directory_members.c.member, directory_groups.c.id, directory_groups.c.name)
        .join(directory_groups, directory_groups.c.id == directory_members.c.directory_group)
        .order_by(directory_groups.c.name)
    )
    if key is not None:
        statement = statement.where(directory_members.c.member == key)
    for row in reading.all(statement):
        found[row.member].append((row.id, row.name))
    return found


def groups(reading: Reading, key: str | None = None) -> tuple[DirectoryGroup, ...]:
    """The directory's groups, by name; one where asked."""
    statement = sa.select(directory_groups).order_by(directory_groups.c.name)
    if key is not None:
        statement = statement.where(directory_groups.c.id == key)
    members: dict[str, list[tuple[str, str]]] = defaultdict(list)
    inside = (
        sa.select(directory_members, directory_people.c.person)
        .join(directory_people, directory_people.c.id == directory_members.c.member)
        .order_by(directory_people.c.person)
    )
    if key is not None:
        inside = inside.where(directory_members.c.directory_group == key)
    for row in reading.all(inside):
        members[row.directory_group].append((row.member, row.person))
    return tuple(
        DirectoryGroup(
            row.id,
            row.name,
            row.external_id,
            tuple(members[row.id]),
            row.created_at,
            row.changed_at,
        )
        for row in reading.all(statement)
    )


def group(reading: Reading, key: str) -> DirectoryGroup:
    """One group of the directory.

    Raises:
        NotFound: there is none of that id.
    """
    found = groups(reading, key)
    if not found:
        raise NotFound("group", key)
    return found[0]


def create_group(writing: Writing, name: str, external_id: str | None) -> str:
    """Keep a group of the directory.

    Raises:
        AlreadyExists: there is one of that name.
    """
    _refuse_taken(writing, name, "")
    key = uuid.uuid4().hex
    times = {"created_at": writing.now, "changed_at": writing.now}
    row = {"id": key, "name": name, "external_id": external_id}
    writing.run(directory_groups.insert().values(**row, **times))
    writing.event("directory_group.created", name)
    return key


def put_group(
    writing: Writing, key: str, name: str, external_id: str | None, members: Collection[str]
) -> frozenset[str]:
    """Keep what the directory says of a group now. Returns the people whom that concerns.

    Raises:
        NotFound: there is no such group, or no such member.
        AlreadyExists: another group has that name.
    """
    before = group(writing, key)
    _refuse_taken(writing, name, key)
    wanted = frozenset(members)
    had = {member for member, _ in before.members}
    known = dict(before.members) | _people_of(writing, wanted - had)
    unknown = sorted(wanted - known.keys())
    if unknown:
        raise NotFound("user", unknown[0])
    new = [{"directory_group": key, "member": member} for member in sorted(wanted - had)]
    for some in batched(new):
        writing.run(directory_members.insert().values(some))
    for gone in batched(sorted(had - wanted)):
        of_group = directory_members.c.directory_group == key
        writing.run(
            directory_members.delete().where(of_group, directory_members.c.member.in_(gone))
        )
    changed = wanted ^ had
    if not changed and (name, external_id) == (before.name, before.external_id):
        return frozenset()
    writing.run(
        directory_groups.update()
        .where(directory_groups.c.id == key)
        .values(
            name=name,
            external_id=external_id,
            changed_at=writing.now,
            revision=directory_groups.c.revision + 1,
        )
    )
    said = {"joined": len(wanted - had), "left": len(had - wanted)}
    writing.event("directory_group.changed", name, before={"name": before.name}, after=said)
    concerned = changed if name == before.name else wanted | had
    return frozenset(known[member] for member in concerned if member in known)


def _people_of(reading: Reading, keys: Collection[str]) -> dict[str, str]:
    """The people with these ids, as far as there are any."""
    found: dict[str, str] = {}
    for some in batched(sorted(keys)):
        statement = sa.select(directory_people.c.id, directory_people.c.person)
        rows = reading.all(statement.where(directory_people.c.id.in_(some)))
        found |= {row.id: row.person for row in rows}
    return found


def batched(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Values in parts that one statement takes."""
    return (values[start : start + _BATCH] for start in range(0, len(values), _BATCH))


def delete_group(writing: Writing, key: str) -> frozenset[str]:
    """Forget a group of the directory. Returns the people who were in it.

    Raises:
        NotFound: there is none of that id.
    """
    before = group(writing, key)
    writing.run(directory_groups.delete().where(directory_groups.c.id == key))
    writing.event("directory_group.deleted", before.name)
    return frozenset(person for _, person in before.members)


def _refuse_taken(reading: Reading, name: str, own: str) -> None:
    match = (directory_groups.c.name == name, directory_groups.c.id != own)
    if reading.first(sa.select(directory_groups.c.id).where(*match)) is not None:
        raise AlreadyExists("group", name)
