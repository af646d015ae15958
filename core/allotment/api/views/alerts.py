"""Alerts: what an operator should look at, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from allotment.model.amounts import counted
from allotment.model.documents import Alert
from allotment.record import Reading, devices, drift, groups, profiles
from allotment.work.loop import Progress


def alerts(reading: Reading, steps: Iterable[Progress]) -> Iterator[Alert]:
    """Everything that asks for an eye now, gravest first."""
    for entry in drift.open_entries(reading):
        subject = f"{entry.person}/{entry.server or 'default'}"
        yield Alert(kind="drift", message=f"{subject}: {entry.note}", subject=subject)
    yield from _devices(reading)
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
    yield from _shares(reading)


def _devices(reading: Reading) -> Iterator[Alert]:
    for device in devices.all_devices(reading):
        if device.state in {"unhealthy", "missing"} and (device.present or device.holder):
            state = "is not healthy" if device.state == "unhealthy" else "is gone"
            note = f": {device.health_note}" if device.health_note else ""
            held = " A server holds it and keeps running." if device.holder else ""
            message = f"{device.id} on {device.node} {state}{note}.{held}"
            yield Alert(kind="device", message=message, subject=device.id)


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
