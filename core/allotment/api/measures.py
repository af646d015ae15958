"""Metrics for Prometheus: counted while running, and read from the record when asked."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

from allotment.record import Record, allotments, devices, drift, events, groups
from allotment.work.loop import Progress

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Measures:
    """What the control plane counts of itself."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "allotment_api_requests",
            "Requests to the control plane's API",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "allotment_api_request_seconds",
            "How long requests took, streams left out",
            ["route"],
            registry=self._registry,
        )
        self._reports = Counter(
            "allotment_api_reports", "Reports of servers taken in", registry=self._registry
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request. ``route`` is the path's template, never what was asked for."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def report(self) -> None:
        """Count a report."""
        self._reports.inc()

    def text(self, record: Record, steps: tuple[Progress, ...]) -> bytes:
        """Everything, as Prometheus reads it. Blocks: the record is read."""
        state = CollectorRegistry()
        state.register(_State(record, steps))
        return generate_latest(self._registry) + generate_latest(state)


class _State:
    """What the record says at the moment of asking."""

    def __init__(self, record: Record, steps: tuple[Progress, ...]) -> None:
        self._record, self._steps = record, steps

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read the record once."""
        with self._record.reading() as reading:
            known = devices.all_devices(reading)
            active = allotments.active(reading)
            shares = groups.all_shares(reading)
            held = groups.held(reading)
            sequence = events.latest_sequence(reading)
            open_drift = len(drift.open_entries(reading))
        yield _gauge(
            "allotment_devices",
            "Devices by pool and state",
            ("pool", "state"),
            Tally((one.pool, one.state) for one in known),
        )
        yield _gauge(
            "allotment_servers",
            "Servers that count, by state",
            ("state",),
            Tally((str(one.state),) for one in active),
        )
        yield _gauge(
            "allotment_group_devices_held",
            "Devices that groups hold of their shares",
            ("group", "pool"),
            held,
        )
        yield _gauge(
            "allotment_group_devices_guaranteed",
            "Devices that groups are guaranteed",
            ("group", "pool"),
            {(one.group, one.pool): one.guaranteed for one in shares},
        )
        yield _gauge("allotment_events", "Sequence of the newest event", (), {(): sequence})
        yield _gauge("allotment_drift", "Servers that are not accounted for", (), {(): open_drift})
        yield _gauge(
            "allotment_work_failures",
            "Failures in a row of each piece of periodic work",
            ("step",),
            {(one.name,): one.failures for one in self._steps},
        )


def _gauge(
    name: str, words: str, labels: tuple[str, ...], values: Mapping[Any, int]
) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, words, labels=labels)
    for key, value in sorted(values.items()):
        gauge.add_metric(key, value)
    return gauge
