"""Taking a server that runs into the record, when the record does not know that it does.

It happens after a record was restored from a backup, or a release was wrong. The server keeps its
id, for its processes, or its pod, carry it: an allotment that the record believes released is opened again, and
an event says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from allotment.model.allotments import ServerPlace
from allotment.model.devices import Device
from allotment.model.profiles import Priority
from allotment.model.refusals import AllotmentError
from allotment.record import budgets, counting
from allotment.record import devices as device_rows
from allotment.record.allotments import place_columns
from allotment.record.columns import Moment
from allotment.record.engine import Reading, Writing
from allotment.record.schema import allotments, devices, holdings, profiles, servers, shares


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server as its processes or its pod tell it: which allotment it was started with, and on what."""

    allotment: str
    hub: str
    person: str
    server: str
    profile: str
    group: str | None
    devices: tuple[str, ...]
    place: ServerPlace
    token_hash: str


class NotAdoptable(AllotmentError):
    """A running server cannot be given an allotment; its text says why."""


def accounted_for(reading: Reading, hub: str, person: str, server: str) -> bool:
    """Whether an allotment that counts is this server's."""
    matches = (
        allotments.c.hub == hub,
        allotments.c.person == person,
        allotments.c.server == server,
        allotments.c.state != "released",
    )
    return reading.first(sa.select(allotments.c.id).where(*matches)) is not None


def adopt(writing: Writing, running: RunningServer) -> bool:
    """Give a running server its allotment back. Returns False where it has one.

    It is adopted with all of its devices or not at all: what another holds stays the other's.

    Raises:
        NotAdoptable: one of its devices is another's, or unknown.
    """
    if accounted_for(writing, running.hub, running.person, running.server):
        return False
    held = _devices(writing, running)
    _write_allotment(writing, running, held)
    _hold(writing, running, held)
    _count(writing, running, held)
    budgets.unsettle(writing, running.person, running.group)
    writing.event(
        "allotment.adopted",
        running.allotment,
        person=running.person,
        group=running.group,
        after={"server": running.server, "hub": running.hub, "devices": list(running.devices)},
    )
    return True


def _devices(writing: Writing, running: RunningServer) -> list[Device]:
    known = {device.id: device for device in device_rows.all_devices(writing)}
    unknown = [device for device in running.devices if device not in known]
    if unknown:
        raise NotAdoptable(f"It runs on {', '.join(unknown)}, which the record does not know.")
    found = [known[device] for device in running.devices]
    held = [device for device in found if device.holder is not None]
    if held:
        words = ", ".join(f"{device.id} (held by {device.holder})" for device in held)
        raise NotAdoptable(f"It runs on what others hold: {words}.")
    return found


def _write_allotment(writing: Writing, running: RunningServer, held: Sequence[Device]) -> None:
    began = datetime.fromtimestamp(running.place.started, UTC)
    values: dict[str, Any] = {
        "hub": running.hub,
        "person": running.person,
        "server": running.server,
        "group_name": running.group,
        "pool": held[0].pool if held else None,
        "profile": running.profile,
        "state": "running",
        "device_count": len(held),
        "devices": [_held_device(device) for device in held],
        "token_hash": running.token_hash,
        "running_at": sa.func.coalesce(allotments.c.running_at, sa.literal(began, Moment)),
        "stopping_at": None,
        "released_at": None,
        "reclaim_deadline": None,
        "charged_until": None,
        **place_columns(running.place),
        "stop_reason": "",
        "stopped_by": "",
        "stop_cause": "",
        "proof": "",
    }
    same = allotments.c.id == running.allotment
    if not writing.run(allotments.update().where(same).values(**values)).rowcount:
        profile = _profile(writing, running)
        identity = {"id": running.allotment, "admitted_at": began, "terms": {"profile": profile}}
        identity["priority"] = profile.get("priority", Priority.DEDICATED)
        identity["instance_type"] = profile.get("instance_type")
        writing.run(allotments.insert().values(values | identity | {"running_at": began}))
    _write_server(writing, running)


def _held_device(device: Device) -> list[Any]:
    return [
        device.id,
        device.uuid,
        device.node,
        device.model,
        device.memory,
        str(device.isolation),
        device.resource,
    ]


def _profile(writing: Writing, running: RunningServer) -> dict[str, Any]:
    """The profile as it is now: what it was at admission went with the allotment."""
    row = writing.first(sa.select(profiles.c.document).where(profiles.c.name == running.profile))
    if row is not None and row.document is not None:
        return dict(row.document)
    return {"name": running.profile, "title": running.profile, "devices": len(running.devices)}


def _write_server(writing: Writing, running: RunningServer) -> None:
    key = {"person": running.person, "hub": running.hub, "name": running.server}
    match = [servers.c[column] == value for column, value in key.items()]
    values = {"profile": running.profile, "allotment": running.allotment}
    if not writing.run(servers.update().where(*match).values(**values)).rowcount:
        writing.run(servers.insert().values(**key, **values, created_at=writing.now))


def _hold(writing: Writing, running: RunningServer, held: Sequence[Device]) -> None:
    for device in held:
        writing.run(holdings.insert().values(device=device.id, allotment=running.allotment))
        writing.run(devices.update().where(devices.c.id == device.id).values(free=False))


def _count(writing: Writing, running: RunningServer, held: Sequence[Device]) -> None:
    counting.recount_pools(writing, {device.pool for device in held})
    if held and running.group is not None:
        pool = held[0].pool
        share = (shares.c.group_name == running.group, shares.c.pool == pool)
        number = counting.held(writing, running.group, pool)
        writing.run(shares.update().where(*share).values(held=number))
