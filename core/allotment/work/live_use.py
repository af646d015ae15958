"""What servers reported: the last value of each in memory, and sums of each minute for the record."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from allotment.model.allotments import Allotment
from allotment.model.reports import DeviceUse, Measured, ServerReport
from allotment.record.reports import DeviceMinute, ServerMinute
from allotment.work.listeners import Listeners

STALE_AFTER = timedelta(seconds=100)
"""A server that has not reported for three reports and a little is said to report nothing."""


@dataclass(frozen=True, slots=True)
class Reported:
    """One report, with whose it is and when it came in. ``server`` is the server's id in the API."""

    at: datetime
    allotment: str
    server: str
    person: str
    group: str | None
    report: ServerReport


@dataclass(frozen=True, slots=True)
class Observed:
    """How a device was used when this machine looked, by whomever."""

    at: datetime
    use: DeviceUse


@dataclass(frozen=True, slots=True)
class Minutes:
    """Minutes that are over, for the record."""

    devices: tuple[DeviceMinute, ...]
    servers: tuple[ServerMinute, ...]


class LiveUse:
    """Takes reports in. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, Reported] = {}
        self._observed: dict[str, Observed] = {}
        self._devices: dict[tuple[str, datetime], DeviceMinute] = {}
        self._servers: dict[tuple[str, datetime], ServerMinute] = {}
        self._listeners: Listeners[Reported] = Listeners()

    def listen(self, listener: Callable[[Reported], None]) -> Callable[[], None]:
        """Tell every report to ``listener``, in the thread that takes it in; returns how to stop."""
        return self._listeners.add(listener)

    def take(
        self, allotment: Allotment, server: str, report: ServerReport, now: datetime
    ) -> Reported:
        """Take a report of an allotment's server in. Devices that it does not hold are left aside."""
        held = {device.id for device in allotment.devices}
        own = tuple(device for device in report.devices if device.id in held)
        report = report.model_copy(update={"devices": own})
        reported = Reported(now, allotment.id, server, allotment.person, allotment.group, report)
        minute = now.replace(second=0, microsecond=0)
        with self._lock:
            self._last[allotment.id] = reported
            self._count(allotment.id, minute, report)
        self._listeners.tell([reported])
        return reported

    def observe(self, uses: Iterable[DeviceUse], now: datetime) -> None:
        """Take in what this machine itself measured on its devices; what it did not, it does not know."""
        observed = {use.id: Observed(now, use) for use in uses}
        with self._lock:
            self._observed = observed

    def observed(self, now: datetime) -> dict[str, Observed]:
        """What this machine measured last, by device, where that is not long ago."""
        with self._lock:
            return {
                device: one for device, one in self._observed.items() if now - one.at <= STALE_AFTER
            }

    def _count(self, allotment: str, minute: datetime, report: ServerReport) -> None:
        memory = sum(device.memory_used or 0 for device in report.devices)
        new = ServerMinute(allotment, minute, 1, int(report.busy), report.kernels, memory)
        key = (allotment, minute)
        known = self._servers.get(key)
        self._servers[key] = new if known is None else _add_server(known, new)
        for device in report.devices:
            if device.measured is Measured.NVML and device.utilisation is not None:
                self._count_device(device, minute)

    def _count_device(self, device: DeviceUse, minute: datetime) -> None:
        new = DeviceMinute(device.id, minute, 1, device.utilisation or 0.0, device.memory_used or 0)
        key = (device.id, minute)
        known = self._devices.get(key)
        self._devices[key] = new if known is None else _add_device(known, new)

    def latest(self, now: datetime) -> dict[str, Reported]:
        """The last report of each allotment that still reports."""
        with self._lock:
            return {
                allotment: reported
                for allotment, reported in self._last.items()
                if now - reported.at <= STALE_AFTER
            }

    def over(self, now: datetime) -> Minutes:
        """Minutes that are over; they stay until :meth:`written` says that the record has them."""
        with self._lock:
            return Minutes(
                tuple(one for (_, minute), one in self._devices.items() if _is_over(minute, now)),
                tuple(one for (_, minute), one in self._servers.items() if _is_over(minute, now)),
            )

    def written(self, minutes: Minutes, now: datetime) -> None:
        """Forget minutes that the record has, and servers that reported nothing for an hour."""
        with self._lock:
            for device in minutes.devices:
                self._devices.pop((device.device, device.minute), None)
            for server in minutes.servers:
                self._servers.pop((server.allotment, server.minute), None)
            for allotment, reported in list(self._last.items()):
                if now - reported.at > timedelta(hours=1):
                    del self._last[allotment]


def _is_over(minute: datetime, now: datetime) -> bool:
    # A report that came in as the minute ended may still be on its way to the lock.
    return minute + timedelta(minutes=1, seconds=5) <= now


def _add_server(known: ServerMinute, new: ServerMinute) -> ServerMinute:
    return replace(
        known,
        samples=known.samples + 1,
        busy_samples=known.busy_samples + new.busy_samples,
        kernels_most=max(known.kernels_most, new.kernels_most),
        memory_most=max(known.memory_most, new.memory_most),
    )


def _add_device(known: DeviceMinute, new: DeviceMinute) -> DeviceMinute:
    return replace(
        known,
        samples=known.samples + 1,
        utilisation_sum=known.utilisation_sum + new.utilisation_sum,
        memory_most=max(known.memory_most, new.memory_most),
    )
