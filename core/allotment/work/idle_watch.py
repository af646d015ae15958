"""What servers' reports say of their idleness: in memory, and from the record's minutes after a restart."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from allotment.model.idleness import IdleRule
from allotment.model.reports import DeviceUse, Measured, ServerReport
from allotment.record import Record, allotments, reports
from allotment.record.reports import DeviceMinute, ServerMinute
from allotment.rules.idle import DeviceSample, Sample, Watched, watch
from allotment.work.live_use import LiveUse, Reported

MOST_WAITING = 100_000
"""Reports that wait to be looked at; more come only where nobody looks any more, and the oldest go."""
MOST_PAST = timedelta(hours=6)
"""How far back the record's minutes are read after a restart."""
_MINUTE = timedelta(minutes=1)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class IdleWatch:
    """Follows the reports of all servers, and looks at those whose profile has a rule."""

    def __init__(self, use: LiveUse) -> None:
        self._waiting: deque[Reported] = deque(maxlen=MOST_WAITING)
        self._seen: dict[str, Watched] = {}
        self._live: set[str] = set()
        """Servers of which a report came: minutes alone do not tell when somebody last worked."""
        # In the event loop that takes reports: appending is all that may be done there.
        use.listen(self._waiting.append)

    def look(self, rules: Mapping[str, IdleRule]) -> None:
        """Take in the reports that came; ``rules`` are those of all servers that run, by allotment."""
        for _ in range(len(self._waiting)):
            reported = self._waiting.popleft()
            rule = rules.get(reported.allotment)
            if rule is not None:
                self._live.add(reported.allotment)
                self._take(reported.allotment, sample_of(reported.report, reported.at), rule)
        for gone in self._seen.keys() - rules.keys():
            del self._seen[gone]
        self._live &= rules.keys()

    def seen(self, allotment: str) -> Watched | None:
        """What was seen of a server; None: nothing since this process began."""
        return self._seen.get(allotment) if allotment in self._live else None

    def _take(self, allotment: str, sample: Sample, rule: IdleRule) -> None:
        known = self._seen.get(allotment)
        # Reports that came while the record's minutes were read are among them.
        if known is None or sample.at > known.seen_at:
            self._seen[allotment] = watch(known, sample, rule)

    def remember(self, record: Record, rules: Mapping[str, IdleRule], now: datetime) -> None:
        """Read what the record knows of the past of these servers: once, after a restart."""
        if not rules:
            return
        past = max(rule.after + rule.window for rule in rules.values())
        since = now - min(past + 2 * _MINUTE, MOST_PAST)
        with record.reading() as reading:
            of_servers = reports.read_server_minutes(reading, since)
            of_devices = reports.read_device_minutes(reading, since)
            held = allotments.some(reading, {one.allotment for one in of_servers} & rules.keys())
        devices = {(one.device, one.minute): one for one in of_devices}
        watched = {one.id: one for one in held}
        for minute in of_servers:
            allotment = watched.get(minute.allotment)
            if allotment is not None:
                held_then = [devices.get((d.id, minute.minute)) for d in allotment.devices]
                sample = _of_minute(minute, [one for one in held_then if one is not None])
                self._take(minute.allotment, sample, rules[minute.allotment])


def sample_of(report: ServerReport, at: datetime) -> Sample:
    """What a report says, as the rule about idleness wants to know it."""
    devices = tuple(_device(use) for use in report.devices if _tells(use))
    return Sample(at, report.busy, report.worked_at or report.last_activity, devices)


def _tells(use: DeviceUse) -> bool:
    """Whether the device was measured, or should have been and may be in use therefore.

    Simulated ones, MIG slices, time slices and other vendors' devices are neither: of them nobody
    will ever tell, and a server that waited for it would hold them for ever.
    """
    unknown = use.measured is Measured.UNAVAILABLE and use.measurable
    return unknown or use.utilisation is not None


def _device(use: DeviceUse) -> DeviceSample:
    return DeviceSample(use.id, use.utilisation, use.memory_used or 0)


def _of_minute(minute: ServerMinute, devices: Iterable[DeviceMinute]) -> Sample:
    """A minute as a report at its end. What was busy in any part of it was busy.

    When somebody last worked the minute does not say; the next report does.
    """
    told = tuple(DeviceSample(one.device, one.utilisation, one.memory_most) for one in devices)
    return Sample(minute.minute + _MINUTE, minute.busy_samples > 0, _LONG_AGO, told)
