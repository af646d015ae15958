"""Alerts: what an operator should look at, in sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from allotment.api.views.cordons import short_alerts
from allotment.api.views.data_notices import data_alerts
from allotment.api.views.software_notices import software_alerts
from allotment.api.views.types import all_warnings
from allotment.model.amounts import counted
from allotment.model.devices import Device, DeviceOrigin
from allotment.model.documents import Alert, Step
from allotment.model.releases import Release
from allotment.model.reports import DeviceUse
from allotment.record import Reading, devices, drift, groups, profiles
from allotment.work.live_use import Observed

USED = 0.1
"""From this part of its time or memory on, a device counts as used: the driver itself takes a little."""


def alerts(
    reading: Reading,
    steps: Iterable[Step],
    observed: Mapping[str, Observed],
    behind: Iterable[tuple[Release, int]],
    now: datetime,
) -> Iterator[Alert]:
    """Everything that asks for an eye now, gravest first."""
    for entry in drift.open_entries(reading):
        subject = f"{entry.person}/{entry.server or 'default'}"
        yield Alert(kind="drift", message=f"{subject}: {entry.note}", subject=subject)
    yield from short_alerts(reading, now)
    yield from _devices(reading)
    yield from _used_by_nobody(reading, observed)
    for step in steps:
        if step.failures:
            message = (
                f"{step.name} fails ({counted(step.failures, 'time')} in a row): {step.problem}"
            )
            yield Alert(kind="work", message=message, subject=step.name)
    for profile in profiles.all_profiles(reading):
        if profile.problem:
            message = f"Profile {profile.name}: {profile.problem}"
            yield Alert(kind="profile", message=message, subject=profile.name)
    for subject, message in all_warnings(reading):
        yield Alert(kind="type", message=message, subject=subject)
    yield from data_alerts(reading, now)
    yield from software_alerts(behind)
    yield from _shares(reading)


def _devices(reading: Reading) -> Iterator[Alert]:
    ailing: dict[tuple[str, str, str], list[Device]] = defaultdict(list)
    for device in devices.all_devices(reading):
        # What the settings no longer declare, its operator has taken away. What NVML no longer sees, nobody has.
        lost = not device.present and (device.holder or device.origin is DeviceOrigin.NVML)
        if device.state == "unhealthy" or lost:
            # What ails a node of a cluster ails all of its devices: that is told once.
            of_node = device.node if device.origin is DeviceOrigin.KUBERNETES else device.id
            ailing[of_node, device.state, device.health_note].append(device)
        yield from _shared(device)
    for (_, state, note), some in ailing.items():
        yield _ailing(state, note, some)


def _ailing(state: str, note: str, some: Sequence[Device]) -> Alert:
    """What is wrong with one device, or with several of one node for the same reason."""
    first, held = some[0], sum(device.holder is not None for device in some)
    many = len(some) > 1
    subject = f"{len(some)} devices" if many else first.id
    verb = ("are" if many else "is") + (" not healthy" if state == "unhealthy" else " gone")
    because = f": {note.rstrip('.')}" if note else ""
    keeps = (
        "Servers hold them and keep running."
        if held > 1
        else "A server holds it and keeps running."
    )
    if many and held == 1:
        keeps = "A server holds one of them and keeps running."
    message = f"{subject} on {first.node} {verb}{because}. {keeps if held else ''}".strip()
    return Alert(kind="device", message=message, subject=first.node if many else first.id)


def _shared(device: Device) -> Iterator[Alert]:
    """A device that others were given though a server holds it."""
    if device.holder and device.taken_by:
        message = (
            f"{device.id} on {device.node or 'no node yet'} is held by a server, and {device.taken_by} "
            "was given one of its node's devices too: more are in use there than the node has left."
        )
        yield Alert(kind="drift", message=message, subject=device.id)


def _used_by_nobody(reading: Reading, observed: Mapping[str, Observed]) -> Iterator[Alert]:
    """Devices that are free and used all the same: local processes are told, not forced, which are theirs."""
    for device in devices.all_devices(reading):
        last = observed.get(device.id)
        if device.state == "free" and last is not None and _is_used(last.use):
            message = (
                f"{device.id} on {device.node} is free, and something uses it: "
                "a program outside the platform, or one that outlived its server. "
                "nvidia-smi names it."
            )
            yield Alert(kind="device", message=message, subject=device.id)


def _is_used(use: DeviceUse) -> bool:
    memory = (use.memory_used or 0) / use.memory_total if use.memory_total else 0.0
    return (use.utilisation or 0.0) >= USED * 100 or memory >= USED


def _shares(reading: Reading) -> Iterator[Alert]:
    held = groups.held(reading)
    for share in groups.all_shares(reading):
        number = held.get((share.group, share.pool), 0)
        if number > share.guaranteed:
            message = (
                f"{share.group} holds {counted(number, 'device')} in {share.pool} "
                f"and is guaranteed {share.guaranteed}."
            )
            yield Alert(kind="share", message=message, subject=share.group)
