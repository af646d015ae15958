"""What the periodic work counts of itself, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram

from allotment.model.claims import Granted, Refused
from allotment.record.offers import Offered
from allotment.work.reconciling import Reconciled

DECISION_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Bounds of a decision's duration: it takes milliseconds, and more than a second is worth an alert."""
WAIT_SECONDS = (10, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400, 259200)
"""Bounds of a wait, from seconds to three days."""


class WorkMeasures:
    """Counters of one control plane. No label names a person, a server or a device."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._findings = Counter(
            "allotment_reconcile_findings",
            "Servers that reconciling found out of step, by what it did about them",
            ["kind"],
            registry=self.registry,
        )
        self._decision = Histogram(
            "allotment_queue_decision_seconds",
            "How long it took to decide whose turn it is, with what was read and written for it",
            buckets=DECISION_SECONDS,
            registry=self.registry,
        )
        self._offers = Counter(
            "allotment_queue_offers",
            "Tickets whose turn had come, by what came of the offer",
            ["outcome"],
            registry=self.registry,
        )
        self._waited = Histogram(
            "allotment_queue_wait_seconds",
            "How long tickets had waited when their turn came",
            ["pool"],
            buckets=WAIT_SECONDS,
            registry=self.registry,
        )
        for kind in Reconciled().by_kind:
            self._findings.labels(kind)
        for outcome in ("offered", "waits", "refused"):
            self._offers.labels(outcome)

    def reconciled(self, done: Reconciled) -> None:
        """Count what a round of reconciling did."""
        for kind, names in done.by_kind.items():
            self._findings.labels(kind).inc(len(names))

    def decided(self, seconds: float) -> None:
        """Note how long a decision of the queue took."""
        self._decision.observe(seconds)

    def offered(self, outcomes: Iterable[Offered]) -> None:
        """Count what came of offers; one that went to nobody, for its ticket was gone, counts nowhere."""
        for outcome in outcomes:
            if outcome is None:
                continue
            name = "refused" if isinstance(outcome, Refused) else "waits"
            name = "offered" if isinstance(outcome, Granted) else name
            self._offers.labels(name).inc()

    def waited(self, pool: str, seconds: float) -> None:
        """Note how long a ticket had waited when its turn came."""
        self._waited.labels(pool).observe(max(0.0, seconds))
