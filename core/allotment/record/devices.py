"""Devices: what is there, in which pool, how it is, and who holds it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from allotment.model.devices import Device, DeviceOrigin, DeviceSpec, Isolation
from allotment.model.names import DEFAULT_POOL
from allotment.model.refusals import NotFound
from allotment.record import cordons
from allotment.record.counting import recount_pools
from allotment.record.engine import Reading, Writing
from allotment.record.schema import devices, holdings


def _from_row(row: sa.Row[Any]) -> Device:
    return Device(
        id=row.id,
        node=row.node,
        model=row.model,
        memory=row.memory,
        uuid=row.uuid,
        origin=DeviceOrigin(row.origin),
        isolation=Isolation(row.isolation),
        pool=row.pool,
        healthy=row.healthy,
        present=row.present,
        health_note=row.health_note,
        resource=row.resource,
        taken_by=row.taken_by,
        cordon=row.cordon,
        node_cordon=row.node_cordon,
        holder=row.allotment,
        revision=row.revision,
    )


def _select() -> sa.Select[Any]:
    return sa.select(devices, holdings.c.allotment).outerjoin(
        holdings, holdings.c.device == devices.c.id
    )


def all_devices(reading: Reading, pool: str | None = None) -> tuple[Device, ...]:
    """Every device that the record knows, or those of a pool, by node and id."""
    statement = _select().order_by(devices.c.node, devices.c.id)
    if pool is not None:
        statement = statement.where(devices.c.pool == pool)
    return tuple(_from_row(row) for row in reading.all(statement))


def get(reading: Reading, device_id: str) -> Device:
    """One device.

    Raises:
        NotFound: the record knows none of that id.
    """
    row = reading.first(_select().where(devices.c.id == device_id))
    if row is None:
        raise NotFound("device", device_id)
    return _from_row(row)


def observe(writing: Writing, found: Sequence[DeviceSpec], origin: DeviceOrigin) -> bool:
    """Take in what one origin sees now. Returns whether anything changed.

    A new device goes to the default pool. What is missing is *not present*: it cannot be allotted,
    and its server keeps running. It comes back by itself. Each change is an event.
    """
    known = all_devices(writing)
    changed = _take_in_all(writing, known, found)
    seen = {spec.id for spec in found}
    missed = {
        device.pool
        for device in known
        if device.origin is origin and device.id not in seen and _miss(writing, device)
    }
    if missed:
        recount_pools(writing, missed)
    return changed or bool(missed)


def take_in(writing: Writing, found: Iterable[DeviceSpec]) -> bool:
    """Take in these devices, and say nothing of others. Returns whether anything changed."""
    return _take_in_all(writing, all_devices(writing), found)


def _take_in_all(
    writing: Writing, devices_known: Iterable[Device], found: Iterable[DeviceSpec]
) -> bool:
    known = {device.id: device for device in devices_known}
    changed = {
        pool for spec in found for pool in [_take_in(writing, known.get(spec.id), spec)] if pool
    }
    if changed:
        recount_pools(writing, changed)
        cordons.apply(writing)
    return bool(changed)


def _miss(writing: Writing, device: Device) -> bool:
    """Note that a device is not there. Returns whether that is news.

    A simulated one that nobody holds is forgotten, and so is one of an elastic pool: it was never
    there, and does not come back.
    """
    made_up = device.origin is DeviceOrigin.SIMULATED or not device.node
    if made_up and device.holder is None:
        writing.run(devices.delete().where(devices.c.id == device.id))
        writing.event("device.forgotten", device.id, before={"pool": device.pool})
        return True
    if device.present:
        _update(writing, device, "device.vanished", present=False)
    return device.present


def _take_in(writing: Writing, known: Device | None, spec: DeviceSpec) -> str | None:
    """Insert or update one device; returns the pool that it changed, if any."""
    values: dict[str, Any] = {
        "node": spec.node,
        "model": spec.model,
        "memory": spec.memory,
        "uuid": spec.uuid,
        "origin": str(spec.origin),
        "isolation": str(spec.isolation),
        "healthy": spec.healthy,
        "present": True,
        "health_note": spec.health_note,
        "resource": spec.resource,
        "node_cordon": spec.node_cordon,
        "taken_by": spec.taken_by,
    }
    if known is None:
        pool = spec.pool or DEFAULT_POOL
        writing.run(devices.insert().values(id=spec.id, pool=pool, free=True, **values))
        writing.event("device.found", spec.id, after=values | {"pool": pool})
        return pool
    changes = {key: value for key, value in values.items() if getattr(known, key) != value}
    if not changes:
        return None
    kind = _change_kind(known, spec)
    _update(writing, known, kind, **changes)
    return known.pool


def _change_kind(known: Device, spec: DeviceSpec) -> str:
    if not known.present:
        return "device.returned"
    if known.healthy != spec.healthy:
        return "device.recovered" if spec.healthy else "device.unhealthy"
    if known.taken_by != spec.taken_by:
        return "device.taken" if spec.taken_by else "device.given_back"
    return "device.changed"


def _update(writing: Writing, known: Device, kind: str, **changes: Any) -> None:
    writing.run(
        devices.update()
        .where(devices.c.id == known.id)
        .values(revision=devices.c.revision + 1, **changes)
    )
    before = {
        key: str(value)
        if isinstance(value := getattr(known, key), DeviceOrigin | Isolation)
        else value
        for key in changes
    }
    writing.event(kind, known.id, before=before, after=changes | {"holder": known.holder})


def forget(writing: Writing, gone: Sequence[str]) -> None:
    """Forget the devices of nodes that do not come back; those that a server holds stay."""
    if not gone:
        return
    for device in all_devices(writing):
        if (
            device.origin is DeviceOrigin.KUBERNETES
            and device.node in gone
            and not device.present
            and device.holder is None
        ):
            writing.run(devices.delete().where(devices.c.id == device.id))
            writing.event("device.forgotten", device.id, before={"pool": device.pool})


def set_health(writing: Writing, device_id: str, *, healthy: bool, note: str = "") -> None:
    """Take a device out of what can be allotted, or back into it, by word of an operator or a probe.

    Raises:
        NotFound: the record knows none of that id.
    """
    device = get(writing, device_id)
    if (device.healthy, device.health_note) == (healthy, note):
        return
    kind = (
        "device.changed"
        if device.healthy == healthy
        else ("device.recovered" if healthy else "device.unhealthy")
    )
    _update(writing, device, kind, healthy=healthy, health_note=note)
    recount_pools(writing, [device.pool])
