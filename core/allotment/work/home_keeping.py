"""The step ``homes``: homes that nobody uses are warned of, then removed or packed away, and what operators ask is done.

A home goes in a transaction that keeps admissions out, and only if nobody came back meanwhile; an archive
is read back before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa

from allotment.inventory.packing import NotPacked
from allotment.model.homes import (
    Archive,
    ArchiveAsk,
    FoundHome,
    Home,
    HomeEnd,
    HomeTerms,
    Packed,
)
from allotment.record import Reading, Record, Writing, home_archives, homes
from allotment.record.ids import new_id
from allotment.record.schema import allotments
from allotment.rules.keeping import Keeping, Turn, keeping

EVERY = 20.0
"""Seconds between two rounds."""
AT_ONCE = 3
"""Homes that one round removes or packs at most: each may take minutes."""
_ACTOR = "homes"


class Place(Protocol):
    """Where a hub's homes are, and its archives. Every method blocks; what fails raises NotPacked."""

    def homes(self) -> Sequence[FoundHome]:
        """Every home that there is."""

    def archive(self, home: FoundHome, file: str) -> Packed:
        """Pack a home into a file of that name, and read it back."""

    def aside(self, home: FoundHome) -> None:
        """Take a home out of the way, at once: whoever launches from then on finds it gone."""

    def back(self, home: FoundHome) -> None:
        """Put it back."""

    def finish(self, home: FoundHome) -> None:
        """Remove for good what is out of the way."""

    def tidy(self, known: Collection[str]) -> None:
        """Finish what a process left that died: homes that are known come back, others go."""

    def restore(self, file: str, place: str) -> None:
        """Unpack an archive into a home that is empty, or not there."""

    def forget(self, file: str) -> None:
        """Remove an archive."""


@dataclass(frozen=True, slots=True)
class HomeKeeping:
    """Keeps the homes of one hub. ``place`` and ``terms`` follow the settings; a place of None has no homes that are kept here."""

    record: Record
    hub: str
    place: Callable[[], Place | None]
    terms: Callable[[], HomeTerms]

    def round(self, now: datetime) -> str:
        """Look which homes there are, announce what ends, end what was announced, do what was asked.

        Raises:
            RecordUnavailable: the record did not answer.
            OSError: homes cannot be looked at.
            NotPacked: what a process left that died is still there. The other homes were minded.
        """
        place = self.place()
        if place is None:
            return ""
        with self.record.reading() as reading:
            known = homes.all_homes(reading, hub=self.hub)
        left: NotPacked | None = None
        try:
            place.tidy({one.place for one in known})
        except NotPacked as problem:
            left = problem  # told when the others are done: one home in the way of none else
        found = {one.place: one for one in place.homes()}
        due = self._look(known, tuple(found.values()), self.terms(), now)
        there = [(one, found[one.place], then) for one, then in due if one.place in found]
        done = [self._end(place, one, what, then, now) for one, what, then in there[:AT_ONCE]]
        done += [self._answer(place, one, now) for one in self._asked()[:AT_ONCE]]
        if left is not None:
            raise left
        return " ".join(one for one in done if one)

    def _look(
        self,
        known: Sequence[Home],
        found: Sequence[FoundHome],
        terms: HomeTerms,
        now: datetime,
    ) -> list[tuple[Home, HomeEnd]]:
        """Take in what is there, announce ends, and say what is to end now, and how.

        Mostly nothing has changed: then the record is only read.
        """
        with self.record.reading() as reading:
            differs = homes.differs(reading, self.hub, known, found, now)
        if differs:
            with self.record.writing(_ACTOR, now, configuration=False) as writing:
                homes.seen(writing, self.hub, found)
                known = homes.all_homes(writing, hub=self.hub)
        looked = [(one, keeping(one, terms, now)) for one in known]
        self._announce(looked, terms, now)
        asked = [(one, one.asked) for one in known if one.asked is not None]
        over = [
            (one, terms.then)
            for one, wanted in looked
            if wanted.turn is Turn.END and one.asked is None and not one.problem
        ]
        return asked + over

    def _announce(
        self, looked: Sequence[tuple[Home, Keeping]], terms: HomeTerms, now: datetime
    ) -> None:
        """Write down when homes end that nobody was told of, and tell of those whose time it is, or whose heir waits."""
        due = [one for one, wanted in looked if wanted.turn is Turn.HAND_OVER]
        told = [(one, wanted.ends_at) for one, wanted in looked if wanted.turn is Turn.WARN]
        moved: dict[datetime | None, list[str]] = {}
        for one, wanted in looked:
            if wanted.turn is not Turn.WARN and wanted.ends_at != one.ends_at:
                moved.setdefault(wanted.ends_at, []).append(one.place)
        if not told and not moved and not due:
            return
        with self.record.writing(_ACTOR, now, configuration=False) as writing:
            for at, places in moved.items():
                homes.ends(writing, self.hub, places, at)
            for one in due:
                homes.due(writing, one)
            used = homes.uses(writing, self.hub) if told else {}
            for one, at in told:
                if at is not None and not homes.is_used(one, used):
                    homes.warned(writing, one, at, terms.then)

    def _end(self, place: Place, home: Home, found: FoundHome, then: HomeEnd, now: datetime) -> str:
        """Remove a home, or pack it away first. What cannot be done is noted, and the home stays."""
        key, file, packed = new_id(now), "", None
        with self.record.reading() as reading:
            before = self._latest(reading, home)
        try:
            if then is HomeEnd.ARCHIVE:
                file = f"{home.place}-{now:%Y%m%d-%H%M%S}-{key[-6:]}.tar.gz"
                packed = place.archive(found, file)
            if not self._go(place, home, found, before, (key, file, packed), now):
                if packed is not None:
                    place.forget(file)
                return ""
        except NotPacked as problem:
            with self.record.writing(_ACTOR, now, configuration=False) as writing:
                homes.failed(writing, home, str(problem))
            return f"{home.place}: {problem}"
        return f"{then} {home.place}."

    def _go(
        self,
        place: Place,
        home: Home,
        found: FoundHome,
        before: str,
        archived: tuple[str, str, Packed | None],
        now: datetime,
    ) -> bool:
        """Let a home go, unless it is used again. No launch is admitted meanwhile."""
        key, file, packed = archived
        by = home.asked_by or _ACTOR
        try:
            with self.record.writing(by, now) as writing:
                if not self._unused_still(writing, home, before):
                    return False
                if packed is not None:
                    home_archives.made(writing, key, home, file, packed, by)
                homes.gone(writing, home, by, file or None)
                place.aside(found)
        except BaseException:
            # Where nobody knows whether it was written, the home is the safer thing to have.
            place.back(found)
            raise
        place.finish(found)
        return True

    def _unused_still(self, reading: Reading, home: Home, before: str) -> bool:
        rows = homes.all_homes(reading, hub=self.hub, person=home.person)
        same = any(one == home for one in rows)
        used = homes.is_used(home, homes.uses(reading, self.hub))
        return same and not used and self._latest(reading, home) == before

    def _latest(self, reading: Reading, home: Home) -> str:
        """The person's newest allotment: whoever had a server in between has another."""
        of_person = sa.and_(allotments.c.hub == self.hub, allotments.c.person == home.person)
        row = reading.first(sa.select(sa.func.max(allotments.c.id).label("id")).where(of_person))
        return "" if row is None or row.id is None else str(row.id)

    def _asked(self) -> list[Archive]:
        with self.record.reading() as reading:
            archives = home_archives.all_archives(reading, hub=self.hub)
        return [one for one in archives if one.asked is not None]

    def _answer(self, place: Place, archive: Archive, now: datetime) -> str:
        """Restore or remove an archive, as was asked."""

        def done(writing: Writing) -> None:
            if archive.asked is ArchiveAsk.RESTORE:
                home_archives.restored(writing, archive)
            else:
                home_archives.gone(writing, archive)

        try:
            if archive.asked is ArchiveAsk.RESTORE:
                place.restore(archive.file, archive.place)
            else:
                place.forget(archive.file)
        except NotPacked as problem:
            with self.record.writing(_ACTOR, now, configuration=False) as writing:
                home_archives.failed(writing, archive, str(problem))
            return f"{archive.file}: {problem}"
        with self.record.writing(archive.asked_by or _ACTOR, now) as writing:
            done(writing)
        return f"{archive.asked} {archive.file}."
