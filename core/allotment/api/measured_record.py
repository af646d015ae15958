"""What the record says at the moment of asking, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from allotment.model.pools import PoolUse
from allotment.model.refusals import RecordUnavailable
from allotment.record import Record
from allotment.record.measured import Measured, lag, measured
from allotment.work.loop import Loop


class MeasuredRecord(Collector):
    """Reads the record once, when it is collected."""

    def __init__(
        self,
        record: Record,
        loop: Loop,
        followed: Mapping[str, int],
        now: datetime,
    ) -> None:
        self._record, self._loop = record, loop
        self._followed, self._now = followed, now

    def collect(self) -> Iterator[Metric]:
        """What the periodic work and the record say; of a record that is away, that it is."""
        yield from _work(self._loop)
        try:
            with self._record.reading() as reading:
                found = measured(reading, self._now)
                lags = {
                    (name,): lag(reading, sequence, self._now)
                    for name, sequence in self._followed.items()
                }
        except RecordUnavailable:
            yield _up(0)
            return
        yield _up(1)
        yield from _capacity(found)
        yield from _pools(found.pools)
        yield from _happenings(found, lags)


def _up(value: int) -> Metric:
    return _gauge("allotment_record_up", "Whether the record answers", (), {(): value})


def _capacity(found: Measured) -> Iterator[Metric]:
    yield _gauge("allotment_devices", "Devices by pool and state", ("pool", "state"), found.devices)
    servers = {(state,): number for state, number in found.servers.items()}
    yield _gauge("allotment_servers", "Servers that exist, by state", ("state",), servers)
    yield _gauge(
        "allotment_group_devices_held",
        "Devices that groups hold of their shares",
        ("group", "pool"),
        found.held,
    )
    yield _gauge(
        "allotment_group_devices_guaranteed",
        "Devices that groups are guaranteed",
        ("group", "pool"),
        found.guaranteed,
    )


def _pools(pools: tuple[PoolUse, ...]) -> Iterator[Metric]:
    kinds = (
        ("", "Devices that a pool has", "total"),
        ("_available", "Those of them that can be given out, or are", "available"),
        ("_held", "Those of them that servers hold", "held"),
        ("_free", "Those of them that could be given out now", "free"),
        ("_guaranteed", "Devices that groups are guaranteed there", "guaranteed"),
    )
    for suffix, words, attribute in kinds:
        values = {(one.pool,): getattr(one, attribute) for one in pools}
        yield _gauge(f"allotment_pool_devices{suffix}", words, ("pool",), values)


def _happenings(found: Measured, lags: Mapping[tuple[str], float]) -> Iterator[Metric]:
    tickets = {(state,): number for state, number in found.tickets.items()}
    yield _gauge("allotment_tickets", "Who waits, by where they stand", ("state",), tickets)
    yield _gauge(
        "allotment_longest_wait_seconds",
        "For how long the first in line has waited",
        (),
        {(): found.longest_wait},
    )
    events = CounterMetricFamily("allotment_events", "Events that the record has")
    events.add_metric((), found.sequence)
    yield events
    yield _gauge(
        "allotment_event_lag_seconds",
        "For how long the oldest event has waited that a follower has not dealt with",
        ("follower",),
        lags,
    )
    drift = {(hub,): number for hub, number in found.drift.items()}
    yield _gauge("allotment_drift", "Servers that are not accounted for", ("hub",), drift)
    leases = {(name,): seconds for name, seconds in found.leases.items()}
    yield _gauge(
        "allotment_lease_seconds_left",
        "For how long each lease still keeps others away; 0: it has run out",
        ("lease",),
        leases,
    )


def _work(loop: Loop) -> Iterator[Metric]:
    steps = loop.progress()
    yield _gauge(
        "allotment_work_on_duty",
        "Whether the hub's periodic work is done by this control plane, or by another of the hub",
        (),
        {(): int(loop.on_duty)},
    )
    yield _gauge(
        "allotment_work_failures",
        "Failures in a row of each piece of periodic work",
        ("step",),
        {(one.name,): one.failures for one in steps},
    )
    yield _gauge(
        "allotment_work_last_success_timestamp_seconds",
        "When each piece of periodic work last went well",
        ("step",),
        {(one.name,): one.succeeded_at.timestamp() for one in steps if one.succeeded_at},
    )
    yield _gauge(
        "allotment_work_run_seconds",
        "How long each piece of periodic work took when it ran last",
        ("step",),
        {(one.name,): one.seconds for one in steps if one.seconds is not None},
    )


def _gauge(
    name: str, words: str, labels: tuple[str, ...], values: Mapping[Any, float]
) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, words, labels=labels)
    for key, value in sorted(values.items()):
        gauge.add_metric(key, value)
    return gauge
