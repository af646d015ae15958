"""The present policy of the platform, as a replay takes it: what a changed one starts from."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa

from allotment.model.budgets import BudgetScope
from allotment.model.money import Dimension
from allotment.model.simulation import (
    BudgetPlan,
    DepartmentInPlan,
    PoolPlan,
    ProfilePlan,
    ShareInPlan,
    SimulationPolicy,
)
from allotment.record import (
    Reading,
    budgets,
    departments,
    groups,
    platform,
    pools,
    profiles,
    usage,
)
from allotment.record.columns import from_stored, to_stored
from allotment.record.platform import zone_of
from allotment.record.schema import pool_nodes
from allotment.record.usage import Question
from allotment.rules.budget import bounds


def present_policy(reading: Reading) -> SimulationPolicy | None:
    """Pools that have devices, their shares, and the profiles that hold devices; None: no pool has any.

    Reservations are no part of it, and a pool of several models counts as one.
    """
    nodes = _nodes(reading)
    plans = tuple(
        _pool(reading, pool.name, nodes[pool.name])
        for pool in pools.all_pools(reading)
        if pool.name in nodes
    )
    if not plans:
        return None
    return SimulationPolicy(
        pools=plans,
        profiles=_profiles(reading),
        budgets=_budgets(reading),
        time_zone=str(platform.time_zone(reading)),
    )


def with_spent(
    reading: Reading, policy: SimulationPolicy, begin: datetime, now: datetime
) -> SimulationPolicy:
    """The policy with what its budgets had paid for in their period when a replay of the past begins."""
    zone = zone_of(policy.time_zone)
    given = {
        row.budget.subject: row.budget.begins_at
        for row in budgets.all_rows(reading)
        if row.budget.scope is BudgetScope.GROUP
    }
    plans = []
    for plan in policy.budgets:
        since, _ = bounds(
            plan.period, to_stored(given.get(plan.group, begin)), to_stored(begin), zone
        )
        question = Question(from_stored(since), begin, by=(Dimension.GROUP,), group=plan.group)
        used = usage.read(reading, question, now, zone)
        spent = sum((one.use.cost for one in used), Decimal())
        plans.append(plan.model_copy(update={"spent": spent}))
    return policy.model_copy(update={"budgets": tuple(plans)})


def _budgets(reading: Reading) -> tuple[BudgetPlan, ...]:
    """Those of groups: whose launch it was that a person's budget paid for, a replay does not know."""
    return tuple(
        BudgetPlan(
            group=row.budget.subject,
            **row.budget.terms.model_dump(include={"amount", "period", "at_limit"}),
            minimum_session=row.budget.terms.minimum_session,
        )
        for row in budgets.all_rows(reading)
        if row.budget.scope is BudgetScope.GROUP
    )


def _nodes(reading: Reading) -> dict[str, list[int]]:
    statement = (
        sa.select(pool_nodes.c.pool, sa.func.sum(pool_nodes.c.total).label("devices"))
        .group_by(pool_nodes.c.pool, pool_nodes.c.node)
        .order_by(pool_nodes.c.pool, pool_nodes.c.node)
    )
    found: dict[str, list[int]] = defaultdict(list)
    for row in reading.all(statement):
        if row.devices:
            found[row.pool].append(int(row.devices))
    return found


def _pool(reading: Reading, name: str, nodes: list[int]) -> PoolPlan:
    department = {group.name: group.department or "" for group in groups.all_groups(reading)}
    shares = tuple(
        ShareInPlan(
            group=share.group,
            guaranteed=share.guaranteed,
            ceiling=share.ceiling,
            weight=share.weight,
            department=department.get(share.group, ""),
        )
        for share in groups.all_shares(reading)
        if share.pool == name
    )
    ceilings = tuple(
        DepartmentInPlan(department=one.name, ceiling=one.ceilings[name])
        for one in departments.all_departments(reading)
        if name in one.ceilings
    )
    return PoolPlan(
        **pools.get(reading, name).policy.model_dump(),
        name=name,
        devices=sum(nodes),
        nodes=tuple(nodes),
        shares=shares,
        departments=ceilings,
    )


def _profiles(reading: Reading) -> tuple[ProfilePlan, ...]:
    known = (one.profile for one in profiles.all_profiles(reading))
    return tuple(
        ProfilePlan(
            name=one.name,
            idle=None if one.idle is None else one.idle.after,
            lifetime=one.lifetime,
            price=one.price,
        )
        for one in known
        if one is not None and one.devices
    )
