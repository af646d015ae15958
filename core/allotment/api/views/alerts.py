"""Alerts: what an operator should look at, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from allotment.api.views.cordons import short_alerts
from allotment.api.views.data_notices import data_alerts
from allotment.api.views.types import all_warnings
from allotment.model.amounts import counted
from allotment.model.devices import DeviceOrigin
from allotment.model.documents import Alert
from allotment.model.reports import DeviceUse
from allotment.record import Reading, devices, drift, groups, profiles
from allotment.work.live_use import Observed
from allotment.work.loop import Progress

USED = 0.1
"""From this part of its time or memory on, a device counts as used: the driver itself takes a little."""


def alerts(
    reading: Reading, steps: Iterable[Progress], observed: Mapping[str, Observed], now: datetime
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
    yield from _shares(reading)


def _devices(reading: Reading) -> Iterator[Alert]:
    for device in devices.all_devices(reading):
        # What the settings no longer declare, its operator has taken away. What NVML no longer sees, nobody has.
        lost = not device.present and (device.holder or device.origin is DeviceOrigin.NVML)
        if device.state == "unhealthy" or lost:
            state = "is not healthy" if device.state == "unhealthy" else "is gone"
            note = f": {device.health_note.rstrip('.')}" if device.health_note else ""
            held = " A server holds it and keeps running." if device.holder else ""
            message = f"{device.id} on {device.node} {state}{note}.{held}"
            yield Alert(kind="device", message=message, subject=device.id)
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
