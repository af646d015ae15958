"""The step ``draining``: what a time puts out of use or back, and the servers that are stopped for it.

Servers are told through the same announcements as of any other end, as soon as an operator has said
when, and the step ``endings`` stops them then. Every round compares what is announced with what should
be, so that a cordon that was changed or lifted, and a server that moved, are followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from allotment.model.cordons import Cordon
from allotment.model.endings import Cause, Ending
from allotment.model.refusals import NotFound
from allotment.record import Record, cordons, endings
from allotment.rules.cordoning import message, stops

EVERY = 5.0
"""Seconds between two rounds: a new server is told at most so much later."""
_ACTOR = "draining"
_BACK = "What it runs on stays in use."


@dataclass(frozen=True, slots=True)
class _Announced:
    """What should be announced to a server, and what is."""

    wanted: Mapping[str, Cordon]
    told: Mapping[str, Ending]

    def changes(self) -> list[str]:
        """The servers of which the two differ, by allotment."""
        return sorted(one for one in {*self.wanted, *self.told} if not self._agrees(one))

    def _agrees(self, allotment: str) -> bool:
        wanted, told = self.wanted.get(allotment), self.told.get(allotment)
        if wanted is None or told is None:
            return wanted is None and told is None
        return (wanted.drain_at, message(wanted)) == (told.stop_at, told.message)


class Draining:
    """Follows the cordons for the servers of one hub. Blocks."""

    def __init__(self, record: Record, hub: str) -> None:
        self._record, self._hub = record, hub

    def round(self, now: datetime) -> str:
        """Put in force what has begun, end what is over, tell whom it concerns. Returns what was done, in words."""
        done = self._apply(now)
        announced = self._announced()
        for allotment in announced.changes():
            done += self._tell(allotment, announced.wanted.get(allotment), now)
        return "; ".join(done)

    def _apply(self, now: datetime) -> list[str]:
        with self._record.reading() as reading:
            if not cordons.outdated(reading, now):
                return []
        with self._record.writing(_ACTOR, now) as writing:
            changed = cordons.apply(writing)
        return [f"in or out of use: {', '.join(changed)}"] if changed else []

    def _announced(self) -> _Announced:
        with self._record.reading() as reading:
            known = [one for one in cordons.open_cordons(reading) if one.drain_at is not None]
            told = {
                allotment: ending
                for allotment, those in endings.open_endings(reading, hub=self._hub).items()
                for ending in those
                if ending.cause is Cause.DRAIN
            }
            if not known:
                return _Announced({}, told)
            covered = cordons.covered(reading, known)
            on = cordons.servers_on(reading, covered, hub=self._hub)
        found = {allotment: stops(known, spots) for allotment, spots in on.items()}
        return _Announced({key: one for key, one in found.items() if one is not None}, told)

    def _tell(self, allotment: str, wanted: Cordon | None, now: datetime) -> list[str]:
        """Announce what should be, in place of what is."""
        try:
            with self._record.writing(_ACTOR, now, configuration=False) as writing:
                endings.withdraw(writing, allotment, Cause.DRAIN, "" if wanted else _BACK)
                if wanted is None or wanted.drain_at is None:
                    return [f"{allotment} goes on"]
                endings.say(writing, allotment, Cause.DRAIN, wanted.drain_at, message(wanted))
        except NotFound:  # it ended since it was read
            return []
        return [f"{allotment} is stopped at {wanted.drain_at:%Y-%m-%d %H:%M}"]
