"""Groups, people, roles and limits as documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from allotment.api.views.capacity import group_shares
from allotment.model import documents
from allotment.model.groups import Group
from allotment.model.groups import Membership as Belonging
from allotment.model.limits import EffectiveLimit, LimitKind
from allotment.model.people import Person
from allotment.record import (
    Reading,
    counts,
    groups,
    limits,
    memberships,
    people,
    registered_models,
    roles,
    storage,
)
from allotment.rules.limiting import GIB
from allotment.rules.permission import Sight


def group_documents(reading: Reading, sight: Sight) -> list[documents.Group]:
    """Groups that the caller may see, by name, without their members."""
    shares = group_shares(reading)
    number = counts.people_by_group(reading)
    leads = defaultdict(set)
    for one in memberships.all_memberships(reading):
        if one.lead:
            leads[one.group].add(one.person)
    return [
        _group(group, shares.get(group.name, []), number.get(group.name, 0), leads[group.name])
        for group in groups.all_groups(reading)
        if sight.sees_group(group.name)
    ]


def group_document(reading: Reading, sight: Sight, name: str) -> documents.Group:
    """One group, with its members for those who may see them.

    Raises:
        NotFound: there is none of that name.
    """
    group = groups.get(reading, name)
    inside = memberships.all_memberships(reading, group=name)
    document = _group(
        group,
        group_shares(reading).get(name, []),
        len({one.person for one in inside}),
        {one.person for one in inside if one.lead},
    )
    if not sight.sees_members(name):
        return document
    return document.model_copy(update={"members": tuple(_member(one) for one in inside)})


def _group(
    group: Group,
    shares: Iterable[documents.GroupShare],
    number: int,
    leads: Iterable[str],
) -> documents.Group:
    return documents.Group(
        name=group.name,
        title=group.title,
        tags=group.tags,
        department=group.department,
        shares=tuple(shares),
        people=number,
        leads=tuple(sorted(leads)),
        revision=group.revision,
    )


def _member(one: Belonging) -> documents.Member:
    return documents.Member(person=one.person, origin=one.origin, lead=one.lead, until=one.until)


def user_documents(
    reading: Reading, sight: Sight, only: Collection[str] | None = None
) -> list[documents.User]:
    """People that the caller may see, by name."""
    held = counts.held_by_person(reading)
    existing = counts.existing_by_person(reading)
    belongings: dict[str, list[Belonging]] = defaultdict(list)
    for one in memberships.all_memberships(reading):
        belongings[one.person].append(one)
    return [
        _user(person, belongings[person.name], held, existing)
        for person in people.all_people(reading)
        if (only is None or person.name in only)
        and sight.sees(person.name, {one.group for one in belongings[person.name]})
    ]


def user_document(reading: Reading, name: str, now: datetime) -> documents.User:
    """One person, with the limits that bind.

    Raises:
        NotFound: the platform knows nobody of that name.
    """
    person = people.get(reading, name)
    belongings = memberships.all_memberships(reading, person=name)
    document = _user(
        person,
        list(belongings),
        counts.held_by_person(reading, name),
        counts.existing_by_person(reading, name),
    )
    return document.model_copy(update={"limits": tuple(limit_uses(reading, name, now))})


def _user(
    person: Person,
    belongings: Iterable[Belonging],
    held: dict[str, tuple[int, int]],
    existing: dict[str, int],
) -> documents.User:
    servers, devices = held.get(person.name, (0, 0))
    return documents.User(
        name=person.name,
        role=person.role,
        onboarded_at=person.onboarded_at,
        left_at=person.left_at,
        memberships=tuple(
            documents.Membership(group=one.group, origin=one.origin, lead=one.lead, until=one.until)
            for one in belongings
        ),
        devices=devices,
        servers=servers,
        servers_existing=existing.get(person.name, 0),
        revision=person.revision,
    )


def limit_uses(reading: Reading, name: str, now: datetime) -> list[documents.LimitUse]:
    """The limits that bind a person, for each group that could pay, and what is used of them."""
    servers, devices = counts.held_by_person(reading, name).get(name, (0, 0))
    used = {
        LimitKind.DEVICES: devices,
        LimitKind.SERVERS: servers,
        LimitKind.SERVERS_EXISTING: counts.existing_by_person(reading, name).get(name, 0),
        LimitKind.INSTANCES: counts.instances_of(reading, name),
        LimitKind.STORAGE: _gibibytes(reading, name),
        LimitKind.MODELS: registered_models.counts(reading).get(name, 0),
    }
    own = memberships.current_groups(reading, name, now) or (None,)
    return [
        _limit_use(limit, group, used[limit.kind])
        for group in own
        for limit in limits.effective(reading, name, group)
    ]


def _gibibytes(reading: Reading, name: str) -> int:
    """What a person's homes hold, in GiB, begun ones counted whole."""
    known = storage.of_everybody(reading, name).get(name)
    return 0 if known is None else -(-known.used // GIB)


def _limit_use(limit: EffectiveLimit, group: str | None, used: int) -> documents.LimitUse:
    return documents.LimitUse(
        kind=limit.kind,
        words=limit.kind.words,
        group=group,
        value=limit.value,
        used=used,
        scope=limit.scope,
        subject=limit.subject,
        source=limit.source,
    )


def role_documents(reading: Reading) -> list[documents.Role]:
    """Every role, built-in ones first."""
    number = counts.people_by_role(reading)
    return [
        documents.Role(
            name=role.name,
            permissions=tuple(sorted(role.permissions)),
            built_in=role.built_in,
            people=number.get(role.name, 0),
            revision=role.revision,
        )
        for role in roles.all_roles(reading)
    ]


def limit_documents(reading: Reading, sight: Sight) -> list[documents.LimitSetting]:
    """Limits that are set and that the caller may see, by scope, subject and kind."""
    led = {
        one.person
        for group in sight.leads
        for one in memberships.all_memberships(reading, group=group)
    }
    found = [
        documents.LimitSetting(
            scope=limit.scope,
            subject=limit.subject,
            kind=limit.kind,
            words=limit.kind.words,
            value=limit.value,
        )
        for limit in limits.all_limits(reading)
        if sight.everything
        or limit.scope == "platform"
        or (limit.scope == "group" and sight.sees_group(limit.subject))
        or (limit.scope == "person" and (limit.subject in led or limit.subject == sight.person))
    ]
    return sorted(found, key=lambda one: (one.scope, one.subject, one.kind))
