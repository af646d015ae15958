"""Metrics for Prometheus: counted while running, and read from the record when asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from allotment.api.measured_record import MeasuredRecord
from allotment.record import Record
from allotment.work.loop import Loop
from allotment.work.measures import WorkMeasures

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Followed:
    """How far those who follow the record's events have come: the last sequence each has dealt with.

    Who follows nothing now lags behind nothing, and is not named.
    """

    by: Mapping[str, int] = field(default_factory=dict)


class Measures:
    """What the control plane counts of itself; ``work`` is what its periodic work counts."""

    def __init__(self, work: WorkMeasures | None = None) -> None:
        self._registry = CollectorRegistry()
        self.work = work or WorkMeasures()
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
        built = Gauge(
            "allotment_build_info",
            "The version that runs; always 1",
            ["version"],
            registry=self._registry,
        )
        built.labels(version("allotment")).set(1)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request. ``route`` is the path's template, never what was asked for."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def report(self) -> None:
        """Count a report."""
        self._reports.inc()

    def text(
        self,
        record: Record,
        loop: Loop,
        now: datetime,
        followed: Followed | None = None,
    ) -> bytes:
        """Everything, as Prometheus reads it. Blocks: the record is read; where it is away, that is said."""
        state = CollectorRegistry()
        state.register(MeasuredRecord(record, loop, (followed or Followed()).by, now))
        return b"".join(
            generate_latest(each) for each in (self._registry, self.work.registry, state)
        )
