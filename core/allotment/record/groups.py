"""Groups and their shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from allotment.model.budgets import BudgetScope
from allotment.model.groups import Group, Mode, Share
from allotment.model.names import check_name
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import AlreadyExists, NotFound, Refusal
from allotment.record import audiences, budgets, platform
from allotment.record.counting import held as held_now
from allotment.record.engine import Reading, Writing
from allotment.record.pools import use as pool_use
from allotment.record.rows import bump, for_change, named
from allotment.record.schema import (
    allotments,
    datasets,
    departments,
    groups,
    limits,
    memberships,
    reservations,
    shares,
    sources,
)
from allotment.rules.pooling import check_guarantees, check_share


def _from_row(row: sa.Row[Any]) -> Group:
    return Group(row.name, row.title, dict(row.tags), row.revision, row.department)


def all_groups(reading: Reading) -> tuple[Group, ...]:
    """Every group, by name."""
    return tuple(_from_row(row) for row in reading.all(sa.select(groups).order_by(groups.c.name)))


def get(reading: Reading, name: str) -> Group:
    """One group.

    Raises:
        NotFound: there is none of that name.
    """
    return _from_row(named(reading, groups, "group", name))


def all_shares(
    reading: Reading, group: str | None = None, pool: str | None = None
) -> tuple[Share, ...]:
    """Shares, of one group or in one pool where asked."""
    statement = sa.select(shares).order_by(shares.c.group_name, shares.c.pool)
    if group is not None:
        statement = statement.where(shares.c.group_name == group)
    if pool is not None:
        statement = statement.where(shares.c.pool == pool)
    return tuple(
        Share(row.group_name, row.pool, row.guaranteed, row.ceiling, row.weight)
        for row in reading.all(statement)
    )


def held(reading: Reading) -> dict[tuple[str, str], int]:
    """Devices that each group holds now, by group and pool of its shares."""
    return {(row.group_name, row.pool): row.held for row in reading.all(sa.select(shares))}


def create(
    writing: Writing,
    name: str,
    title: str = "",
    tags: Mapping[str, str] | None = None,
    wanted: Sequence[Share] = (),
    department: str | None = None,
) -> Group:
    """Make a group with its shares, in a department or none.

    Raises:
        AlreadyExists: the name is taken.
        NotFound: there is no such department.
        Refusal: the shares promise more than a pool has, or break strict mode.
    """
    check_name(name)
    if writing.first(sa.select(groups.c.name).where(groups.c.name == name)) is not None:
        raise AlreadyExists("group", name)
    if department:
        named(writing, departments, "department", department)
    writing.run(
        groups.insert().values(
            name=name, title=title, tags=dict(tags or {}), department=department or None
        )
    )
    _put_shares(writing, name, wanted)
    writing.event(
        "group.created",
        name,
        group=name,
        after=_document(title, dict(tags or {}), wanted) | _in(department),
    )
    return get(writing, name)


def edit(
    writing: Writing,
    name: str,
    title: str | None = None,
    tags: Mapping[str, str] | None = None,
    wanted: Sequence[Share] | None = None,
    revision: int | None = None,
    department: str | None = None,
) -> Group:
    """Change a group; what is None stays. An empty ``department`` takes it out of its own. Lowering a share below what is in use is allowed.

    Raises:
        NotFound, RevisionStale, Refusal: as for :func:`create`.
    """
    row = for_change(writing, groups, "group", name, revision)
    before = all_shares(writing, name)
    new_title: str = row.title if title is None else title
    new_tags: dict[str, str] = dict(row.tags if tags is None else tags)
    if wanted is not None:
        _put_shares(writing, name, wanted)
    if department:
        named(writing, departments, "department", department)
    inside: str | None = row.department if department is None else department or None
    if inside != row.department:
        budgets.unsettle_departments(writing, row.department, inside)
    bump(writing, groups, name, title=new_title, tags=new_tags, department=inside)
    writing.event(
        "group.changed",
        name,
        group=name,
        before=_document(row.title, dict(row.tags), before) | _in(row.department),
        after=_document(new_title, new_tags, before if wanted is None else wanted) | _in(inside),
    )
    return get(writing, name)


def delete(writing: Writing, name: str, revision: int | None = None) -> None:
    """Delete a group.

    Raises:
        Refusal: people or a pool are still assigned, or its servers run.
    """
    row = for_change(writing, groups, "group", name, revision)
    reasons = [
        reason
        for reason in (
            _still_people(writing, name),
            _still_pools(writing, name),
            _still_servers(writing, name),
        )
        if reason
    ]
    if reasons:
        raise Refusal(*reasons)
    if platform.default_group(writing) == name:
        platform.set_default_group(writing, None)
    writing.run(limits.delete().where(limits.c.scope == "group", limits.c.subject == name))
    budgets.forget(writing, BudgetScope.GROUP, name)
    writing.run(reservations.delete().where(reservations.c.group_name == name))
    audiences.leave(writing, audiences.GROUP, name)
    for thing in (sources, datasets):
        # Custodians and operators manage them from now on.
        writing.run(thing.update().where(thing.c.group_name == name).values(group_name=None))
    writing.run(groups.delete().where(groups.c.name == name))
    writing.event(
        "group.deleted", name, group=name, before=_document(row.title, dict(row.tags), ())
    )


def _put_shares(writing: Writing, group: str, wanted: Sequence[Share]) -> None:
    wanted = [
        Share(group, share.pool, share.guaranteed, share.ceiling, share.weight) for share in wanted
    ]
    reasons = [reason for share in wanted for reason in [check_share(share)] if reason]
    names = [share.pool for share in wanted]
    if len(set(names)) < len(names) or (len(names) > 1 and platform.mode(writing) is Mode.STRICT):
        reasons.append(_one_pool(group, names))
    if reasons:
        raise Refusal(*reasons)
    writing.run(shares.delete().where(shares.c.group_name == group))
    for share in wanted:
        capacity = _capacity(writing, share.pool)
        reason = check_guarantees(
            share.pool, capacity, (*all_shares(writing, pool=share.pool), share)
        )
        if reason:
            raise Refusal(reason)
        writing.run(
            shares.insert().values(
                group_name=group,
                pool=share.pool,
                guaranteed=share.guaranteed,
                ceiling=share.ceiling,
                weight=share.weight,
                held=held_now(writing, group, share.pool),
            )
        )


def _capacity(reading: Reading, pool: str) -> int:
    capacity = next((row.total for row in pool_use(reading) if row.pool == pool), None)
    if capacity is None:
        raise NotFound("pool", pool)
    return capacity


def _one_pool(group: str, names: Sequence[str]) -> Reason:
    return Reason(
        Rule.GROUP_STRICT,
        f"A group has one share in one pool here; {group} would have {len(names)}: {', '.join(names)}.",
        limit=1,
        asked=len(names),
        remedy="Choose one pool.",
        details=tuple(names),
    )


def _still_people(reading: Reading, name: str) -> Reason | None:
    rows = reading.all(
        sa.select(memberships.c.person)
        .where(memberships.c.group_name == name)
        .distinct()
        .order_by(memberships.c.person)
    )
    return _in_use(
        name,
        tuple(row.person for row in rows),
        "person",
        "people",
        "Take them out of the group first.",
    )


def _still_pools(reading: Reading, name: str) -> Reason | None:
    return _in_use(
        name,
        tuple(share.pool for share in all_shares(reading, name)),
        "pool",
        "pools",
        "Take its share away first.",
    )


def _still_servers(reading: Reading, name: str) -> Reason | None:
    rows = reading.all(
        sa.select(allotments.c.person, allotments.c.server).where(
            allotments.c.group_name == name, allotments.c.state != "released"
        )
    )
    return _in_use(
        name,
        tuple(f"{row.person}/{row.server or 'default'}" for row in rows),
        "running server",
        "running servers",
        "Stop them first.",
    )


def _in_use(name: str, still: tuple[str, ...], one: str, many: str, remedy: str) -> Reason | None:
    if not still:
        return None
    noun = one if len(still) == 1 else many
    return Reason(
        Rule.GROUP_IN_USE,
        f"Group {name!r} cannot be deleted: it still has {len(still)} {noun}: {', '.join(still[:12])}.",
        limit=0,
        used=len(still),
        remedy=remedy,
        details=still,
    )


def _in(department: str | None) -> dict[str, Any]:
    return {"department": department} if department else {}


def _document(title: str, tags: dict[str, str], wanted: Sequence[Share]) -> dict[str, Any]:
    return {
        "title": title,
        "tags": tags,
        "shares": [
            {"pool": s.pool, "guaranteed": s.guaranteed, "ceiling": s.ceiling, "weight": s.weight}
            for s in wanted
        ],
    }
