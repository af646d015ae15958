"""Pools: devices of one model, given out under the shares of groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from allotment.model.amounts import counted
from allotment.model.devices import Device
from allotment.model.names import DEFAULT_POOL, check_name
from allotment.model.nodes import NodeRule
from allotment.model.pools import Pool, PoolUse
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import AlreadyExists, NotFound, Refusal
from allotment.model.sharing import PoolPolicy
from allotment.record import cordons, node_pools
from allotment.record import devices as device_rows
from allotment.record.counting import recount_pools
from allotment.record.engine import Reading, Writing
from allotment.record.rows import bump, for_change, named
from allotment.record.schema import (
    allotments,
    department_ceilings,
    devices,
    pools,
    reservations,
    shares,
)
from allotment.rules.pooling import check_pool_model


def _from_row(row: sa.Row[Any]) -> Pool:
    nodes = NodeRule.model_validate(row.nodes) if row.nodes else None
    return Pool(row.name, row.model, row.revision, PoolPolicy.model_validate(row.policy), nodes)


def all_pools(reading: Reading) -> tuple[Pool, ...]:
    """Every pool, the default pool first."""
    order = sa.case((pools.c.name == DEFAULT_POOL, 0), else_=1)
    return tuple(
        _from_row(row) for row in reading.all(sa.select(pools).order_by(order, pools.c.name))
    )


def get(reading: Reading, name: str) -> Pool:
    """One pool.

    Raises:
        NotFound: there is none of that name.
    """
    return _from_row(named(reading, pools, "pool", name))


_USE = """
SELECT p.name AS pool, p.model AS model,
    COALESCE(d.total, 0) AS total, COALESCE(d.healthy, 0) AS healthy, COALESCE(d.available, 0) AS available, COALESCE(d.held, 0) AS held, COALESCE(d.free, 0) AS free,
    COALESCE(s.guaranteed, 0) AS guaranteed, COALESCE(s.unused, 0) AS unused_guarantee
FROM pools p
LEFT JOIN (SELECT pool, COUNT(*) AS total,
        SUM(CASE WHEN healthy AND present THEN 1 ELSE 0 END) AS healthy,
        SUM(CASE WHEN healthy AND present AND usable THEN 1 ELSE 0 END) AS available,
        SUM(CASE WHEN free THEN 0 ELSE 1 END) AS held,
        SUM(CASE WHEN free AND healthy AND present AND usable THEN 1 ELSE 0 END) AS free
    FROM devices GROUP BY pool) d ON d.pool = p.name
LEFT JOIN (SELECT pool, SUM(guaranteed) AS guaranteed,
        SUM(CASE WHEN guaranteed > held THEN guaranteed - held ELSE 0 END) AS unused
    FROM shares GROUP BY pool) s ON s.pool = p.name
ORDER BY CASE WHEN p.name = 'default' THEN 0 ELSE 1 END, p.name
"""


def use(reading: Reading) -> tuple[PoolUse, ...]:
    """What every pool has and what of it is held, in devices."""
    return tuple(PoolUse(**row) for row in reading.driver(_USE, {}).mappings())


def create(
    writing: Writing,
    name: str,
    device_ids: Sequence[str],
    model: str = "",
    policy: PoolPolicy | None = None,
    nodes: NodeRule | None = None,
) -> Pool:
    """Make a pool of devices, which leave the pool they were in; or of nodes, whose devices it gets.

    ``model`` is needed only for a pool without devices; else it is the devices' own. Without a
    policy nothing is lent in it.

    Raises:
        AlreadyExists: the name is taken.
        Refusal: devices of several models, held devices, or devices that others' guarantees need.
    """
    check_name(name)
    if writing.first(sa.select(pools.c.name).where(pools.c.name == name)) is not None:
        raise AlreadyExists("pool", name)
    if nodes is not None:
        node_pools.check(name, nodes, model)
        if device_ids:
            node_pools.refuse_devices(name)
    chosen = _chosen(writing, device_ids)
    model = check_pool_model(name, model, chosen)
    words = _policy_words(policy or PoolPolicy())
    rule = _rule_words(nodes)
    writing.run(pools.insert().values(name=name, model=model, policy=words, nodes=rule))
    _move(writing, name, chosen)
    devices_said = sorted(device.id for device in chosen)
    said = {"model": model, "devices": devices_said} | _if_any(words)
    writing.event("pool.created", name, after=said | ({"nodes": rule} if rule else {}))
    if nodes is not None:
        node_pools.apply(writing)
    return get(writing, name)


def _policy_words(policy: PoolPolicy) -> dict[str, Any]:
    """A policy as the record keeps it: what is not the default."""
    return policy.model_dump(mode="json", exclude_defaults=True)


def _rule_words(nodes: NodeRule | None) -> dict[str, Any]:
    """Which nodes a pool is made of, as the record keeps it."""
    return {} if nodes is None else nodes.model_dump(mode="json", exclude_defaults=True)


def set_nodes(
    writing: Writing, name: str, nodes: NodeRule | None, revision: int | None = None
) -> Pool:
    """Say which nodes a pool is made of; None: of what it has now, from now on.

    What a server holds stays in the pool until it is given back.

    Raises:
        NotFound: there is no such pool.
        RevisionStale: somebody changed it meanwhile.
        Refusal: it is the default pool, or would be elastic without a model.
    """
    if name == DEFAULT_POOL:
        raise Refusal(_default_pool("edited"))
    row = for_change(writing, pools, "pool", name, revision)
    if nodes is not None:
        node_pools.check(name, nodes, row.model)
    bump(writing, pools, name, nodes=_rule_words(nodes))
    writing.event(
        "pool.changed", name, before={"nodes": row.nodes}, after={"nodes": _rule_words(nodes)}
    )
    node_pools.apply(writing)
    return get(writing, name)


def _if_any(words: dict[str, Any]) -> dict[str, Any]:
    return {"policy": words} if words else {}


def set_policy(
    writing: Writing, name: str, policy: PoolPolicy, revision: int | None = None
) -> Pool:
    """Say how a pool is shared. What runs goes on; from now on the new policy decides.

    Raises:
        NotFound: there is no such pool.
        RevisionStale: somebody changed it meanwhile.
    """
    row = for_change(writing, pools, "pool", name, revision)
    before = PoolPolicy.model_validate(row.policy)
    bump(writing, pools, name, policy=_policy_words(policy))
    writing.event(
        "pool.changed",
        name,
        before={"policy": before.model_dump(mode="json")},
        after={"policy": policy.model_dump(mode="json")},
    )
    return get(writing, name)


def edit(
    writing: Writing, name: str, device_ids: Sequence[str], revision: int | None = None
) -> Pool:
    """Give a pool exactly these devices; those left out go to the default pool.

    Raises:
        NotFound, RevisionStale, Refusal: as for :func:`create`, or the default pool was named.
    """
    if name == DEFAULT_POOL:
        raise Refusal(_default_pool("edited"))
    row = for_change(writing, pools, "pool", name, revision)
    if row.nodes:
        node_pools.refuse_devices(name)
    before = {device.id: device for device in device_rows.all_devices(writing, name)}
    chosen = _chosen(writing, device_ids)
    model = check_pool_model(
        name,
        row.model if any(device.pool == name for device in chosen) or not chosen else "",
        chosen,
    )
    wanted = {device.id for device in chosen}
    leaving = [device for key, device in before.items() if key not in wanted]
    _move(writing, name, [device for device in chosen if device.id not in before])
    _move(writing, DEFAULT_POOL, leaving)
    bump(writing, pools, name, model=model)
    writing.event(
        "pool.changed",
        name,
        before={"model": row.model, "devices": sorted(before)},
        after={"model": model, "devices": sorted(wanted)},
    )
    return get(writing, name)


def delete(writing: Writing, name: str, revision: int | None = None) -> None:
    """Delete a pool: its devices are free for others, in the default pool.

    Raises:
        Refusal: a running server holds one of its devices, or a group has a share in it.
    """
    if name == DEFAULT_POOL:
        raise Refusal(_default_pool("deleted"))
    row = for_change(writing, pools, "pool", name, revision)
    sharing = [
        share.group_name
        for share in writing.all(
            sa.select(shares).where(shares.c.pool == name).order_by(shares.c.group_name)
        )
    ]
    members = list(device_rows.all_devices(writing, name))
    reasons = _held_reasons(writing, members, f"Pool {name!r} cannot be deleted")
    if sharing:
        reasons.append(
            Reason(
                Rule.POOL_SHARED,
                f"Pool {name!r} cannot be deleted: {counted(len(sharing), 'group')} {'has' if len(sharing) == 1 else 'have'} a share in it: {', '.join(sharing[:12])}.",
                used=len(sharing),
                remedy="Take the shares away first.",
                details=tuple(sharing),
            )
        )
    kept = _kept_reason(writing, name)
    if kept is not None:
        reasons.append(kept)
    if reasons:
        raise Refusal(*reasons)
    _move(writing, DEFAULT_POOL, [device for device in members if device.node])
    node_pools.drop(writing, [device for device in members if not device.node])
    writing.run(department_ceilings.delete().where(department_ceilings.c.pool == name))
    writing.run(reservations.delete().where(reservations.c.pool == name))
    writing.run(pools.delete().where(pools.c.name == name))
    writing.event(
        "pool.deleted",
        name,
        before={"model": row.model, "devices": sorted(device.id for device in members)},
    )


def _kept_reason(writing: Writing, name: str) -> Reason | None:
    rows = writing.all(
        sa.select(reservations.c.id).where(
            reservations.c.pool == name, reservations.c.ends_at > writing.now
        )
    )
    if not rows:
        return None
    return Reason(
        Rule.POOL_SHARED,
        f"Pool {name!r} cannot be deleted: {counted(len(rows), 'reservation')} {'keeps' if len(rows) == 1 else 'keep'} devices of it.",
        used=len(rows),
        remedy="Cancel them first.",
        details=tuple(row.id for row in rows),
    )


def _chosen(reading: Reading, device_ids: Sequence[str]) -> list[Device]:
    known = {device.id: device for device in device_rows.all_devices(reading)}
    missing = [device_id for device_id in device_ids if device_id not in known]
    if missing:
        raise NotFound("device", missing[0])
    return [known[device_id] for device_id in sorted(set(device_ids))]


def _move(writing: Writing, pool: str, moving: Sequence[Device]) -> None:
    """Move devices, unless a server holds one, or a guarantee where they come from needs them."""
    if not moving:
        return
    reasons = _held_reasons(writing, moving, "Devices in use cannot be moved")
    reasons += _elastic_reasons(moving)
    reasons += _guarantee_reasons(writing, moving)
    if reasons:
        raise Refusal(*reasons)
    writing.run(
        devices.update().where(devices.c.id.in_([device.id for device in moving])).values(pool=pool)
    )
    recount_pools(writing, {pool} | {device.pool for device in moving})
    cordons.apply(writing)


def _held_reasons(reading: Reading, members: Sequence[Device], refused: str) -> list[Reason]:
    holders = sorted({device.holder for device in members if device.holder})
    if not holders:
        return []
    rows = reading.all(
        sa.select(allotments.c.person, allotments.c.server)
        .where(allotments.c.id.in_(holders))
        .order_by(allotments.c.person, allotments.c.server)
    )
    servers = tuple(f"{row.person}/{row.server or 'default'}" for row in rows)
    held = sorted(device.id for device in members if device.holder)
    return [
        Reason(
            Rule.POOL_IN_USE,
            f"{refused}: {', '.join(held[:12])} {'is' if len(held) == 1 else 'are'} held by {', '.join(servers[:12])}.",
            limit=0,
            used=len(held),
            remedy="Stop these servers first." if len(servers) > 1 else "Stop this server first.",
            details=servers,
        )
    ]


def _elastic_reasons(moving: Sequence[Device]) -> list[Reason]:
    elastic = sorted({device.pool for device in moving if not device.node})
    if not elastic:
        return []
    message = f"The devices of {', '.join(elastic)} are counted, and on no node: they belong to no other pool."
    return [Reason(Rule.POOL_NODES, message, remedy="Change how many it may have at most.")]


def _guarantee_reasons(reading: Reading, moving: Sequence[Device]) -> list[Reason]:
    reasons = []
    by_name = {pool.pool: pool for pool in use(reading)}
    for name in sorted({device.pool for device in moving}):
        pool, taken = by_name[name], sum(device.pool == name for device in moving)
        if pool.total - taken < pool.guaranteed:
            reasons.append(
                Reason(
                    Rule.POOL_CAPACITY,
                    f"Groups are guaranteed {counted(pool.guaranteed, 'device')} of {name}, which has {pool.total}; {pool.total - taken} would be left.",
                    limit=pool.total,
                    used=pool.guaranteed,
                    asked=taken,
                    remedy="Lower the guarantees first, or take fewer devices.",
                )
            )
    return reasons


def _default_pool(verb: str) -> Reason:
    return Reason(
        Rule.POOL_IN_USE,
        f"The default pool cannot be {verb}: it holds every device that no other pool holds.",
        remedy="Create a pool, or edit another one: devices come and go from here by themselves.",
    )
