"""Homes in the periodic work: what each holds is measured, a bounded part of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from allotment.inventory.homes import Held, measure
from allotment.model.amounts import counted
from allotment.model.limits import LimitKind
from allotment.record import Reading, Record, limits, memberships, people, storage
from allotment.rules.limiting import GIB

EVERY = 20.0
"""Seconds between two rounds."""
AGAIN_AFTER = timedelta(minutes=10)
OVER_AGAIN_AFTER = timedelta(seconds=60)
"""Who is over the limit is measured more often: deleting files should help soon."""
ENTRIES = 400_000
"""Files and folders that one round looks at, seconds of work; a home of more is not counted to its end."""
_ACTOR = "storage"


class Homes:
    """Measures the homes of one hub's people. ``folder_of`` says where a person's is; None: nowhere."""

    def __init__(
        self,
        record: Record,
        hub: str,
        folder_of: Callable[[str], Path | None],
        *,
        entries: int = ENTRIES,
    ) -> None:
        self._record, self._hub, self._folder_of = record, hub, folder_of
        self._entries = entries

    def round(self, now: datetime) -> str:
        """Measure those whose turn has come, the longest not measured first. Blocks for seconds.

        Raises:
            RecordUnavailable: the record did not answer.
        """
        with self._record.reading() as reading:
            last = storage.last_measured(reading, self._hub)
            due = self._due(reading, last, now)
        left, found = self._entries, dict[str, Held | None]()
        for person in due:
            if left <= 0:
                break
            folder = self._folder_of(person)
            if folder is None:
                continue  # it is nowhere here: whoever can look into it has measured it
            held = measure(folder, self._entries)
            left -= 1 + (held.entries if held else 0)
            if held is not None or person in last:
                found[person] = held
        if found:
            self._keep(found, now)
        number = sum(held is not None for held in found.values())
        return f"measured {counted(number, 'home')}" if number else ""

    def _due(self, reading: Reading, last: Mapping[str, datetime], now: datetime) -> list[str]:
        over = _over(reading, now)
        never = datetime.min.replace(tzinfo=now.tzinfo)

        def is_due(person: str) -> bool:
            wait = OVER_AGAIN_AFTER if person in over else AGAIN_AFTER
            return person not in last or now - last[person] >= wait

        known = [one.name for one in people.all_people(reading) if one.onboarded]
        return sorted(filter(is_due, known), key=lambda person: last.get(person, never))

    def _keep(self, found: dict[str, Held | None], now: datetime) -> None:
        with self._record.writing(_ACTOR, now, configuration=False) as writing:
            for person, held in found.items():
                if held is None:
                    storage.forget(writing, self._hub, person)
                else:
                    storage.measured(writing, self._hub, person, held.used, complete=held.complete)


def _over(reading: Reading, now: datetime) -> frozenset[str]:
    """People whose homes hold more than some limit that may bind them."""
    set_here = [one for one in limits.all_limits(reading) if one.kind is LimitKind.STORAGE]
    if not set_here:
        return frozenset()
    found = set()
    for person, held in storage.of_everybody(reading).items():
        for group in memberships.current_groups(reading, person, now) or (None,):
            effective = limits.effective(reading, person, group)
            value = next(one.value for one in effective if one.kind is LimitKind.STORAGE)
            if value is not None and held.used > value * GIB:
                found.add(person)
    return frozenset(found)
