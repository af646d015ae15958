"""What a launch does in a replay: how long each of its servers lives, and when its people come back.

A launch has so much to do, in seconds, with times in it at which it is idle. Its server ends when all
is done, or before: at the end of its profile's lifetime, or when it has been idle for too long. Work is
never lost that way: whoever was at work afterwards launches again at that time.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from allotment.model.money import MILLION, price_in_millionths
from allotment.model.simulation import ProfilePlan
from allotment.simulate.trace import Job

FORGOTTEN = 86_400.0
"""Seconds for which a server that was stopped for idleness would have gone on, had nobody stopped it."""
MOMENT = 1e-3
"""Seconds that count as nothing: times of day as floats are no finer than this."""


class Stop(StrEnum):
    """Why a server ends in a replay."""

    DONE = "done"
    IDLE = "idle"
    LIFETIME = "lifetime"
    RECLAIM = "reclaim"


class End(NamedTuple):
    """When a server ends, in seconds after it began, and why."""

    after: float
    why: Stop


class Sessions:
    """The rules of some profiles. Positions are seconds of what a launch has to do."""

    def __init__(self, profiles: Sequence[ProfilePlan]) -> None:
        self._profiles = {profile.name: profile for profile in profiles}

    def adapted(self, job: Job) -> Job:
        """A launch as it would be, had nobody stopped it for idleness."""
        if not job.forgotten or job.profile not in self._profiles:
            return job
        begins = job.idle[-1][0] if job.idle else job.seconds
        return job._replace(
            seconds=begins + FORGOTTEN, idle=(*job.idle[:-1], (begins, FORGOTTEN)), forgotten=False
        )

    def end(self, job: Job, position: float) -> End:
        """When a server that begins at a position ends by itself or by its profile's rules."""
        found = End(job.seconds - position, Stop.DONE)
        profile = self._profiles.get(job.profile)
        if profile is None:
            return found
        if profile.lifetime is not None:
            life = profile.lifetime.total_seconds()
            if life < found.after:
                found = End(life, Stop.LIFETIME)
        if profile.idle is not None:
            limit = profile.idle.total_seconds()
            for offset, seconds in job.idle:
                begins = max(offset, position)
                if offset + seconds - begins >= limit:
                    idle = begins + limit - position
                    return End(idle, Stop.IDLE) if idle <= found.after else found
        return found

    def price(self, job: Job) -> float:
        """What an hour of its server costs."""
        profile = self._profiles.get(job.profile)
        if profile is None or profile.price is None:
            return job.price
        return price_in_millionths(profile.price) / MILLION


def resumed(job: Job, position: float) -> tuple[float, float] | None:
    """After a stop at a position: in how many seconds its people are at work again, and where.

    None: they were not, or all is done.
    """
    for offset, seconds in job.idle:
        if offset <= position < offset + seconds:
            position, pause = offset + seconds, offset + seconds - position
            return None if position >= job.seconds - MOMENT else (pause, position)
    return None if position >= job.seconds - MOMENT else (0.0, position)


def idle_within(job: Job, begin: float, end: float) -> float:
    """Seconds between two positions in which nothing was done."""
    return sum(
        max(0.0, min(end, offset + seconds) - max(begin, offset)) for offset, seconds in job.idle
    )
