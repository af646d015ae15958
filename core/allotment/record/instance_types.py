"""Instance types, and what servers take of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from allotment.model.amounts import counted
from allotment.model.instance_types import InstanceType, TypeUse
from allotment.model.money import HOUR, money, price_in_millionths
from allotment.model.names import check_name
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import AlreadyExists, Refusal
from allotment.record import quotas
from allotment.record.engine import Reading, Writing
from allotment.record.rows import bump, for_change, named
from allotment.record.schema import allotments, instance_types, profiles

_LIVE = sa.and_(allotments.c.state != "released", allotments.c.instance_type.is_not(None))


def _from_row(row: sa.Row[Any]) -> InstanceType:
    return InstanceType(
        row.name,
        row.title,
        None if row.price is None else money(row.price * HOUR),
        row.most,
        row.vcpus,
        row.quota,
        row.enabled,
        row.revision,
    )


def all_types(reading: Reading) -> tuple[InstanceType, ...]:
    """Every instance type, by name."""
    statement = sa.select(instance_types).order_by(instance_types.c.name)
    return tuple(_from_row(row) for row in reading.all(statement))


def get(reading: Reading, name: str) -> InstanceType:
    """One instance type.

    Raises:
        NotFound: there is none of that name.
    """
    return _from_row(named(reading, instance_types, "instance type", name))


def held(reading: Reading, only: Collection[str] | None = None) -> dict[str, int]:
    """By type: instances that servers take now."""
    number = sa.func.count().label("number")
    statement = sa.select(allotments.c.instance_type, number).where(_LIVE)
    if only is not None:
        statement = statement.where(allotments.c.instance_type.in_(only))
    rows = reading.all(statement.group_by(allotments.c.instance_type))
    return {row.instance_type: row.number for row in rows}


def uses(reading: Reading) -> tuple[TypeUse, ...]:
    """Every instance type with what is used of its limits, by name."""
    return _uses(reading, all_types(reading), None)


def of_profile(reading: Reading, name: str) -> TypeUse | None:
    """What the rules ask about a claim for an instance of this type; None: there is no such type.

    On PostgreSQL a writer locks the type and those that share its quota, in order, so that launches
    at the same moment cannot pass a limit together.
    """
    quota = sa.select(instance_types.c.quota).where(instance_types.c.name == name)
    statement = (
        sa.select(instance_types)
        .where(
            sa.or_(instance_types.c.name == name, instance_types.c.quota == quota.scalar_subquery())
        )
        .order_by(instance_types.c.name)
    )
    if isinstance(reading, Writing):
        statement = statement.with_for_update()
    concerned = tuple(_from_row(row) for row in reading.all(statement))
    found = _uses(reading, concerned, [one.name for one in concerned])
    return next((use for use in found if use.type.name == name), None)


def _uses(
    reading: Reading, types: tuple[InstanceType, ...], only: Collection[str] | None
) -> tuple[TypeUse, ...]:
    taken = held(reading, only) if types else {}
    known = {one.code: one for one in quotas.all_quotas(reading)} if types else {}
    of_quota: dict[str, int] = {}
    for one in types:
        if one.quota is not None:
            vcpus = taken.get(one.name, 0) * (one.vcpus or 0)
            of_quota[one.quota] = of_quota.get(one.quota, 0) + vcpus
    return tuple(
        TypeUse(
            one,
            taken.get(one.name, 0),
            known.get(one.quota or ""),
            of_quota.get(one.quota or "", 0),
        )
        for one in types
    )


def create(writing: Writing, wanted: InstanceType) -> InstanceType:
    """Make an instance type; profiles name it.

    Raises:
        AlreadyExists: the name is taken.
    """
    check_name(wanted.name)
    taken = sa.select(instance_types.c.name).where(instance_types.c.name == wanted.name)
    if writing.first(taken) is not None:
        raise AlreadyExists("instance type", wanted.name)
    writing.run(instance_types.insert().values(name=wanted.name, **_values(wanted)))
    writing.event("instance-type.created", wanted.name, after=document(wanted))
    return get(writing, wanted.name)


def edit(writing: Writing, wanted: InstanceType, revision: int | None = None) -> InstanceType:
    """Change an instance type. A limit may go below what is taken: nothing new starts then.

    A price counts for servers that start from now on: those that run were promised theirs.

    Raises:
        NotFound, RevisionStale: as ever.
    """
    before = _from_row(for_change(writing, instance_types, "instance type", wanted.name, revision))
    if document(before) == document(wanted):
        return before
    bump(writing, instance_types, wanted.name, **_values(wanted))
    writing.event(
        "instance-type.changed", wanted.name, before=document(before), after=document(wanted)
    )
    return get(writing, wanted.name)


def delete(writing: Writing, name: str, revision: int | None = None) -> None:
    """Delete an instance type.

    Raises:
        Refusal: servers hold it, or profiles name it.
        NotFound, RevisionStale: as ever.
    """
    before = _from_row(for_change(writing, instance_types, "instance type", name, revision))
    reasons = _in_use(writing, name)
    if reasons:
        raise Refusal(*reasons)
    writing.run(instance_types.delete().where(instance_types.c.name == name))
    writing.event("instance-type.deleted", name, before=document(before))


def _in_use(reading: Reading, name: str) -> list[Reason]:
    reasons = []
    taken = held(reading, [name]).get(name, 0)
    if taken:
        message = f"{counted(taken, 'server')} of the type {name!r} run, so it cannot be deleted."
        remedy = "Disable it, and delete it once they have ended."
        reasons.append(Reason(Rule.TYPE_IN_USE, message, limit=0, used=taken, remedy=remedy))
    naming = tuple(profile for profile, each in named_by_profiles(reading) if each == name)
    if naming:
        message = f"{', '.join(naming[:12])} are launched on {name!r}, so it cannot be deleted."
        if len(naming) == 1:
            message = f"The profile {naming[0]} is launched on {name!r}, so it cannot be deleted."
        remedy = "Change their files first, or disable the type."
        reasons.append(
            Reason(
                Rule.TYPE_IN_USE,
                message,
                limit=0,
                used=len(naming),
                remedy=remedy,
                details=naming,
            )
        )
    return reasons


def named_by_profiles(reading: Reading) -> tuple[tuple[str, str], ...]:
    """Published profiles that name an instance type, each with it."""
    statement = (
        sa.select(profiles.c.name, profiles.c.document)
        .where(profiles.c.document.is_not(None), sa.not_(profiles.c.retired))
        .order_by(profiles.c.name)
    )
    return tuple(
        (row.name, row.document["instance_type"])
        for row in reading.all(statement)
        if row.document.get("instance_type")
    )


def learn(writing: Writing, name: str, vcpus: int | None, quota: str | None) -> bool:
    """Keep what the cloud says of a type where nobody has said it: what somebody typed in stays."""
    row = named(writing, instance_types, "instance type", name)
    values = {"vcpus": row.vcpus or vcpus, "quota": row.quota or quota}
    if (row.vcpus, row.quota) == (values["vcpus"], values["quota"]):
        return False
    bump(writing, instance_types, name, **values)
    before, after = document(_from_row(row)), document(get(writing, name))
    writing.event("instance-type.changed", name, before=before, after=after)
    return True


def _values(wanted: InstanceType) -> dict[str, Any]:
    return {
        "title": wanted.title,
        "price": None if wanted.price is None else price_in_millionths(wanted.price),
        "most": wanted.most,
        "vcpus": wanted.vcpus,
        "quota": wanted.quota,
        "enabled": wanted.enabled,
    }


def document(one: InstanceType) -> dict[str, Any]:
    """An instance type as plain values, as events and the settings say it."""
    return {
        "title": one.title,
        "price": None if one.price is None else f"{one.price.normalize():f}",
        "limit": one.most,
        "vcpus": one.vcpus,
        "quota": one.quota,
        "enabled": one.enabled,
    }
