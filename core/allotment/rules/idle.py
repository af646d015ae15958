"""Idleness: what a server's reports say of it. Pure; time comes with each report.

Only what was seen counts. A server is idle *since* a moment: the latest of its last activity, the
last use of its devices, and the moment from which its reports are unbroken. While the control plane
was away nothing was seen, so that time is never idleness.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from allotment.model.amounts import format_memory
from allotment.model.endings import Cause
from allotment.model.idleness import IdleRule

GAP = timedelta(minutes=6)
"""Two reports further apart than this leave a time of which nothing is known.

A server whose report fails tries again after 30 s, and then ever more rarely, up to every 5.5 minutes.
"""
FRESH = timedelta(seconds=100)
"""How old the last report may be for the server to be judged by it."""


@dataclass(frozen=True, slots=True)
class DeviceSample:
    """One device in one report. ``utilisation`` in percent; None: it should be measurable and was not.

    Devices that nobody can measure (simulated ones, MIG slices, time slices of a cluster, other
    vendors') are left out of reports' samples.
    """

    id: str
    utilisation: float | None
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """One report. ``busy``: a cell runs, or a program in a terminal. ``active_at``: the last activity told."""

    at: datetime
    busy: bool
    active_at: datetime
    devices: tuple[DeviceSample, ...] = ()


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen of one server so far.

    ``since`` begins its unbroken reports; ``window`` are the samples of the rule's window, oldest
    first. ``devices_idle_since``: the devices were used less than the rule says in every full
    window that began then or later; None: they are used, or it is not known yet.
    """

    since: datetime
    seen_at: datetime
    busy: bool
    active_at: datetime
    window: tuple[Sample, ...]
    devices_idle_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Idle:
    """A server is idle since a moment. ``message`` says how that is known."""

    cause: Cause
    since: datetime
    message: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing recent is known of the server: neither idle nor active."""


@dataclass(frozen=True, slots=True)
class Active:
    """The server is used, or not idle for long enough to speak of."""


def watch(known: Watched | None, sample: Sample, rule: IdleRule) -> Watched:
    """Take one report in; ``known`` is what was seen before it, None at first."""
    if known is None or sample.at - known.seen_at > GAP:
        return Watched(sample.at, sample.at, sample.busy, sample.at, (sample,))
    active_at = sample.at if sample.busy else min(sample.active_at, sample.at)
    seen = replace(
        known,
        seen_at=sample.at,
        busy=sample.busy,
        active_at=max(known.active_at, active_at),
        window=(*_since(known.window, sample.at - rule.window), sample),
    )
    return replace(seen, devices_idle_since=_devices_idle_since(seen, rule))


def _since(samples: tuple[Sample, ...], start: datetime) -> tuple[Sample, ...]:
    return tuple(sample for sample in samples if sample.at > start)


def _devices_idle_since(seen: Watched, rule: IdleRule) -> datetime | None:
    """Since when every full window says that the devices are not used: not before the use that ended."""
    begins = seen.seen_at - rule.window
    if begins < seen.since or _used(seen.window, rule):
        return None
    if seen.devices_idle_since is not None:
        return seen.devices_idle_since
    used = [sample.at for sample in seen.window if _used([sample], rule)]
    return max([begins, *used])


def _used(window: Iterable[Sample], rule: IdleRule) -> bool:
    """Whether a device was used as much as counts, or may have been: what was not measured may."""
    return any(
        None in told or sum(one or 0.0 for one in told) / len(told) >= rule.devices_below
        for told in _utilisation(window).values()
    )


def _utilisation(window: Iterable[Sample]) -> Mapping[str, list[float | None]]:
    told: dict[str, list[float | None]] = {}
    for sample in window:
        for device in sample.devices:
            told.setdefault(device.id, []).append(device.utilisation)
    return told


def judge(rule: IdleRule, seen: Watched | None, now: datetime) -> Idle | Active | Unknown:
    """Say whether a server has been idle for so long that its people are to be told."""
    if seen is None or now - seen.seen_at > FRESH:
        return Unknown()
    measured = any(sample.devices for sample in seen.window)
    devices_since = seen.devices_idle_since
    if rule.devices_alone and measured:
        found = None if devices_since is None else Idle(Cause.IDLE_DEVICES, devices_since, "")
    elif seen.busy or (measured and devices_since is None):
        found = None
    else:
        since = max(seen.since, seen.active_at)
        found = Idle(Cause.IDLE, max(since, devices_since) if devices_since else since, "")
    if found is None or now - found.since < rule.warned_after:
        return Active()
    return replace(found, message=_words(found, rule, seen))


def stop_at(rule: IdleRule, idle: Idle, now: datetime) -> datetime:
    """When a server that is found idle now is stopped: its people have the whole notice, however late it is said."""
    return max(idle.since + rule.after, now + rule.notice)


def _words(idle: Idle, rule: IdleRule, seen: Watched) -> str:
    since = f"{idle.since:%H:%M} UTC"
    if idle.cause is Cause.IDLE_DEVICES:
        what = (
            f"Its devices were used less than {rule.devices_below:g} % of the time since {since}."
        )
    else:
        what = f"Idle since {since}: no cell or program ran, and nobody worked in it."
    return " ".join([what, *_held(seen)])


def _held(seen: Watched) -> list[str]:
    """A device that holds memory looks used and is not: the page says so."""
    last = seen.window[-1]
    means = {
        device: sum(one or 0.0 for one in told) / len(told)
        for device, told in _utilisation(seen.window).items()
    }
    return [
        f"{device.id} holds {format_memory(device.memory)} at {means[device.id]:.0f} %, "
        "which counts as idle."
        for device in last.devices
        if device.memory and device.id in means
    ]
