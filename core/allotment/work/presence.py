"""The step ``presence``: each control plane says that it is there, and how the periodic work goes that it does."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from importlib.metadata import version

from allotment.model.documents import Step
from allotment.model.refusals import RecordUnavailable
from allotment.record import Reading, Record, leases, presence
from allotment.record.presence import Presence
from allotment.work.loop import Loop, Progress
from allotment.work.tenure import lease_name

log = logging.getLogger(__name__)

EVERY = 30.0
"""Seconds between two words."""
SILENT = timedelta(seconds=3 * EVERY)
"""Who has said nothing for so long is probably gone: two words may be late."""
_REMEMBERED = timedelta(hours=6)
_ACTOR = "work"


class Attendance:
    """What one control plane says of itself. Blocks; ``holder`` is what leases call this process."""

    def __init__(self, record: Record, hub: str, holder: str, started_at: datetime) -> None:
        self._record, self.hub, self.holder = record, hub, holder
        self._started_at = started_at
        self._loop: Loop | None = None

    def tells_of(self, loop: Loop) -> None:
        """From now on, how the work of this loop goes is told, too."""
        self._loop = loop

    def say(self, now: datetime) -> str:
        """Say it now."""
        mine = self._loop is not None and self._loop.on_duty
        steps = self._loop.progress() if mine and self._loop is not None else ()
        said = Presence(
            hub=self.hub,
            holder=self.holder,
            version=version("allotment"),
            started_at=self._started_at,
            said_at=now,
            steps=[step_document(one).model_dump(mode="json") for one in steps],
        )
        with self._record.writing(_ACTOR, now, configuration=False) as writing:
            presence.say(writing, said)
            presence.forget_before(writing, now - _REMEMBERED)
        return ""

    def leave(self, now: datetime) -> None:
        """It ends in good order, and is not missed."""
        try:
            with self._record.writing(_ACTOR, now, configuration=False) as writing:
                presence.leave(writing, self.hub, self.holder)
        except RecordUnavailable as error:
            log.warning("that this control plane ends could not be said: %s", error)


def step_document(one: Progress) -> Step:
    """How a piece of periodic work goes, as people are told."""
    return Step(
        name=one.name,
        every=one.every,
        runs=one.runs,
        failures=one.failures,
        last_started_at=one.started_at,
        last_succeeded_at=one.succeeded_at,
        last_seconds=one.seconds,
        problem=one.problem,
        note=one.note,
    )


def steps_on_duty(reading: Reading, loop: Loop, hub: str) -> tuple[Step, ...]:
    """How a hub's periodic work goes, whichever of its control planes does it; of what nobody does, nothing."""
    if loop.on_duty:
        return tuple(step_document(one) for one in loop.progress())
    holder = leases.holder_of(reading, lease_name(hub))
    for one in presence.all_said(reading):
        if (one.hub, one.holder) == (hub, holder):
            return tuple(Step.model_validate(step) for step in one.steps)
    return ()
