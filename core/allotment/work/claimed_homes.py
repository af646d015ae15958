"""The step ``claimed storage``: what servers measured in homes that only they can see is kept in the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from allotment.model.homes import Home
from allotment.record import Record, homes, storage
from allotment.work.live_use import LiveUse

EVERY = 20.0
"""Seconds between two rounds."""
_ACTOR = "storage"


@dataclass(frozen=True, slots=True)
class ClaimedHomes:
    """Of one hub. Each control plane keeps what was reported to it: several writing the same is writing it once."""

    record: Record
    use: LiveUse
    hub: str

    def round(self, now: datetime) -> str:
        """Write what changed since.

        Raises:
            RecordUnavailable: the record did not answer.
        """
        told = self._told(now)
        if not told:
            return ""
        with self.record.reading() as reading:
            known = storage.of_homes(reading)
            found = {
                one: used
                for one in homes.all_homes(reading, hub=self.hub)
                if (used := _used(one, told)) is not None
                and known.get((one.hub, one.place)) != used
            }
        if found:
            with self.record.writing(_ACTOR, now, configuration=False) as writing:
                for one, used in found.items():
                    homes.measured(writing, one, used)
                for person in {one.person for one in found}:
                    used_now = homes.used_in(writing, self.hub, person) or 0
                    storage.measured(writing, self.hub, person, used_now, complete=True)
        return ""

    def _told(self, now: datetime) -> Mapping[tuple[str, str], int]:
        """By person and server: what its home holds, as it reported."""
        found = {}
        for one in self.use.latest(now).values():
            hub, _, rest = one.server.partition("~")
            if one.report.home_used is not None and hub == self.hub:
                found[one.person, rest.removeprefix(f"{one.person}~")] = one.report.home_used
        return found


def _used(home: Home, told: Mapping[tuple[str, str], int]) -> int | None:
    if home.server is not None:
        return told.get((home.person, home.server))
    return next((used for (person, _), used in told.items() if person == home.person), None)
