"""Roles: named sets of permissions, built-in ones and an operator's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from allotment.model.names import check_name
from allotment.model.people import BUILT_IN_ROLES, Permission, Role
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.record.engine import Reading, Writing
from allotment.record.rows import bump, for_change
from allotment.record.schema import people, roles


def _from_row(row: sa.Row[Any]) -> Role:
    return Role(
        row.name,
        frozenset(Permission(name) for name in row.permissions),
        row.built_in,
        row.revision,
    )


def all_roles(reading: Reading) -> tuple[Role, ...]:
    """Every role, built-in ones first."""
    return tuple(
        _from_row(row)
        for row in reading.all(sa.select(roles).order_by(roles.c.built_in.desc(), roles.c.name))
    )


def put(
    writing: Writing, name: str, permissions: Iterable[Permission], revision: int | None = None
) -> Role:
    """Make a role, or change what an own one permits.

    Raises:
        Refusal: the role is built in.
    """
    check_name(name)
    wanted = sorted(str(permission) for permission in set(permissions))
    row = writing.first(sa.select(roles).where(roles.c.name == name))
    if row is None:
        writing.run(roles.insert().values(name=name, permissions=wanted, built_in=False))
        writing.event("role.created", name, after={"permissions": wanted})
    else:
        _refuse_built_in(name, "changed")
        for_change(writing, roles, "role", name, revision)
        bump(writing, roles, name, permissions=wanted)
        writing.event(
            "role.changed",
            name,
            before={"permissions": sorted(row.permissions)},
            after={"permissions": wanted},
        )
    return next(role for role in all_roles(writing) if role.name == name)


def delete(writing: Writing, name: str, revision: int | None = None) -> None:
    """Delete an own role.

    Raises:
        Refusal: it is built in, or somebody has it.
    """
    _refuse_built_in(name, "deleted")
    row = for_change(writing, roles, "role", name, revision)
    holders = tuple(
        person.name
        for person in writing.all(
            sa.select(people.c.name).where(people.c.role == name).order_by(people.c.name)
        )
    )
    if holders:
        message = f"Role {name!r} cannot be deleted: {', '.join(holders[:12])} {'has' if len(holders) == 1 else 'have'} it."
        raise Refusal(
            Reason(
                Rule.PERSON_IN_USE,
                message,
                limit=0,
                used=len(holders),
                remedy="Give them another role first.",
                details=holders,
            )
        )
    writing.run(roles.delete().where(roles.c.name == name))
    writing.event("role.deleted", name, before={"permissions": sorted(row.permissions)})


def _refuse_built_in(name: str, verb: str) -> None:
    if name in BUILT_IN_ROLES:
        raise Refusal(
            Reason(
                Rule.PERMISSION,
                f"Role {name!r} is built in and cannot be {verb}.",
                remedy="Make a role of your own.",
            )
        )
