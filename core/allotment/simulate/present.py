"""The present policy of the platform, as a replay takes it: what a changed one starts from."""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa

from allotment.model.simulation import (
    DepartmentInPlan,
    PoolPlan,
    ProfilePlan,
    ShareInPlan,
    SimulationPolicy,
)
from allotment.record import Reading, departments, groups, pools, profiles
from allotment.record.schema import pool_nodes


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
    return SimulationPolicy(pools=plans, profiles=_profiles(reading)) if plans else None


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
