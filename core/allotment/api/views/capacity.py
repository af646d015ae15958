"""Devices and pools as documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from allotment.api.views.names import server_id
from allotment.model import documents
from allotment.model.allotments import Allotment
from allotment.model.devices import Device, DeviceOrigin
from allotment.model.names import DEFAULT_POOL
from allotment.model.pools import Pool, PoolUse
from allotment.record import Reading, devices, groups, pools, servers
from allotment.rules.permission import Sight
from allotment.work.live_use import Observed, Reported

Holding = tuple[Allotment, str]
"""An active allotment, with what its server is called."""


def device_documents(
    reading: Reading,
    sight: Sight,
    reported: Mapping[str, Reported],
    observed: Mapping[str, Observed],
    *,
    pool: str | None = None,
    only: Collection[str] | None = None,
) -> list[documents.Device]:
    """Devices that the caller may see, by id: all, or those that own servers and led groups' hold."""
    known = sorted(devices.all_devices(reading, pool), key=lambda device: device.id)
    held_by = servers.holding_devices(reading)
    return [
        device_document(device, held_by.get(device.holder or ""), _use(device, reported, observed))
        for device in known
        if (only is None or device.id in only)
        and _visible(device, held_by.get(device.holder or ""), sight)
    ]


def _visible(device: Device, holding: Holding | None, sight: Sight) -> bool:
    if sight.everything:
        return True
    if holding is None or device.holder is None:
        return False
    held, _ = holding
    return sight.sees(held.person, (held.group,))


def _use(
    device: Device, reported: Mapping[str, Reported], observed: Mapping[str, Observed]
) -> Observed | None:
    """How a device is used: as this machine measured it, else by the word of the server that holds it."""
    if device.id in observed:
        return observed[device.id]
    last = reported.get(device.holder or "")
    uses = last.report.devices if last else ()
    return next((Observed(last.at, use) for use in uses if last and use.id == device.id), None)


def device_document(
    device: Device, holding: Holding | None, last: Observed | None
) -> documents.Device:
    """One device as a document."""
    return documents.Device(
        id=device.id,
        node=device.node,
        model=device.model,
        memory=device.memory,
        uuid=device.uuid,
        origin=device.origin,
        simulated=device.origin is DeviceOrigin.SIMULATED,
        isolation=device.isolation,
        isolation_words=device.isolation.words,
        pool=device.pool,
        state=device.state,
        healthy=device.healthy,
        present=device.present,
        health_note=device.health_note,
        resource=device.resource,
        taken_by=device.taken_by,
        cordon=device.cordon,
        node_cordon=device.node_cordon,
        holder=None if holding is None else _holder(holding),
        use=last.use if last else None,
        used_at=last.at if last else None,
        revision=device.revision,
    )


def _holder(holding: Holding) -> documents.Holder:
    held, display_name = holding
    return documents.Holder(
        allotment=held.id,
        server=server_id(held.hub, held.person, held.server),
        person=held.person,
        name=held.server,
        display_name=display_name,
        group=held.group,
        since=held.admitted_at,
    )


def pool_documents(reading: Reading, sight: Sight) -> list[documents.Pool]:
    """Pools that the caller may see, by name: all, or those of own groups and the default pool."""
    configured = {pool.name: pool for pool in pools.all_pools(reading)}
    members: dict[str, list[str]] = defaultdict(list)
    for device in devices.all_devices(reading):
        members[device.pool].append(device.id)
    shares = share_documents(reading)
    return [
        _pool_document(
            use, members[use.pool], shares.get(use.pool, []), configured[use.pool], sight
        )
        for use in sorted(pools.use(reading), key=lambda use: use.pool)
        if _pool_visible(use.pool, shares.get(use.pool, []), sight)
    ]


def _pool_visible(pool: str, shares: Iterable[documents.PoolShare], sight: Sight) -> bool:
    return (
        sight.everything
        or pool == DEFAULT_POOL
        or any(sight.sees_group(share.group) for share in shares)
    )


def _pool_document(
    use: PoolUse,
    members: list[str],
    shares: list[documents.PoolShare],
    pool: Pool,
    sight: Sight,
) -> documents.Pool:
    return documents.Pool(
        name=use.pool,
        model=use.model,
        devices=tuple(sorted(members)) if sight.everything else (),
        total=use.total,
        healthy=use.healthy,
        available=use.available,
        held=use.held,
        free=use.free,
        guaranteed=use.guaranteed,
        unused_guarantee=use.unused_guarantee,
        spare=use.spare,
        shares=tuple(share for share in shares if sight.sees_group(share.group)),
        policy=pool.policy,
        nodes=pool.nodes if sight.everything else None,
        revision=pool.revision,
    )


def share_documents(reading: Reading) -> dict[str, list[documents.PoolShare]]:
    """Every share, by pool."""
    held = groups.held(reading)
    by_pool: dict[str, list[documents.PoolShare]] = defaultdict(list)
    for share in groups.all_shares(reading):
        by_pool[share.pool].append(
            documents.PoolShare(
                group=share.group,
                guaranteed=share.guaranteed,
                ceiling=share.ceiling,
                weight=share.weight,
                held=held.get((share.group, share.pool), 0),
            )
        )
    return by_pool


def group_shares(reading: Reading) -> dict[str, list[documents.GroupShare]]:
    """Every share, by group, with what its pool has left."""
    held = groups.held(reading)
    free = {use.pool: use.free for use in pools.use(reading)}
    by_group: dict[str, list[documents.GroupShare]] = defaultdict(list)
    for share in groups.all_shares(reading):
        by_group[share.group].append(
            documents.GroupShare(
                pool=share.pool,
                guaranteed=share.guaranteed,
                ceiling=share.ceiling,
                weight=share.weight,
                held=held.get((share.group, share.pool), 0),
                free=free.get(share.pool, 0),
            )
        )
    return by_group


def capacity_document(known: Iterable[Device]) -> documents.Capacity:
    """Devices, counted."""
    states = [(device.state, device.origin, device.holder) for device in known]
    return documents.Capacity(
        total=len(states),
        held=sum(holder is not None for _, _, holder in states),
        free=sum(state == "free" for state, _, _ in states),
        unhealthy=sum(state == "unhealthy" for state, _, _ in states),
        missing=sum(state == "missing" for state, _, _ in states),
        taken=sum(state == "taken" for state, _, _ in states),
        cordoned=sum(state == "cordoned" for state, _, _ in states),
        simulated=sum(origin is DeviceOrigin.SIMULATED for _, origin, _ in states),
    )


def moments(
    history: Iterable[Allotment], idle: Mapping[datetime, int], times: list[datetime], total: int
) -> list[documents.Moment]:
    """Devices held at each of these times, from the record of allotments."""
    spans = [(one.admitted_at, one.released_at, len(one.devices)) for one in history if one.devices]
    return [
        documents.Moment(
            at=moment,
            capacity=total,
            held=sum(
                number
                for begin, end, number in spans
                if begin <= moment and (end is None or end > moment)
            ),
            idle=idle.get(moment),
        )
        for moment in times
    ]
