"""What the hub counts of admissions, for Prometheus: on the hub's own page of metrics.

A launch is decided in the hub, so these are the figures of decisions; those of the queue, which the
control plane decides, are told by the control plane. No label names a person or a server.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable
from typing import TypeVar

from prometheus_client import Counter, Gauge, Histogram

from allotment.model.claims import Granted, Outcome, Queued, Refused, Waits
from allotment.model.refusals import RecordUnavailable
from allotment.model.tickets import Ticket

ADMISSIONS = Counter(
    "allotment_admissions", "Launches that were decided, by the outcome", ["outcome"]
)
REASONS = Counter(
    "allotment_refusals",
    "Rules that stood in the way of launches, each time they did",
    ["rule", "outcome"],
)
SECONDS = Histogram(
    "allotment_admission_seconds",
    "Seconds until a launch was decided and its outcome written, with the time it waited for its turn",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
)
ENDS = Counter(
    "allotment_ends",
    "Ends of servers, by whether they were proven gone at once; else reconciling tries again",
    ["proven"],
)
RECORD_UP = Gauge(
    "allotment_record_up", "Whether the record answered the hub's last question; 1 before the first"
)
UNANSWERED = Counter(
    "allotment_record_unanswered", "Questions of the hub that the record did not answer"
)

Decision = TypeVar("Decision", Outcome, tuple[Granted | Refused, Ticket | None])
"""An outcome, or what came of an offer with the ticket that it was for."""
_OUTCOMES = {Granted: "granted", Queued: "queued", Refused: "refused"}
AWAY = "record_away"

RECORD_UP.set(1)
for _outcome in (*_OUTCOMES.values(), "waits", AWAY):
    ADMISSIONS.labels(_outcome)
for _proven in ("yes", "no"):
    ENDS.labels(_proven)


async def decided(decision: Awaitable[Decision]) -> Decision:
    """Wait for a decision; count it with the rules that it names, and measure how long it took."""
    began = time.monotonic()
    try:
        answer = await decision
    except RecordUnavailable:
        ADMISSIONS.labels(AWAY).inc()
        raise
    finally:
        SECONDS.observe(time.monotonic() - began)
    _count(answer)
    return answer


def _count(answer: object) -> None:
    outcome = answer[0] if isinstance(answer, tuple) else answer
    name = _OUTCOMES.get(type(outcome), "waits")
    ADMISSIONS.labels(name).inc()
    if isinstance(outcome, Waits | Refused):
        for reason in outcome.reasons:
            REASONS.labels(str(reason.rule), name).inc()


def ended(proof: str | None) -> str | None:
    """Count an end of a server by its proof, and return it."""
    ENDS.labels("no" if proof is None else "yes").inc()
    return proof


def answered(*, up: bool) -> None:
    """Note whether the record answered a question."""
    RECORD_UP.set(1 if up else 0)
    if not up:
        UNANSWERED.inc()
