"""Cleaning targets: what no version, no commit under way and no model needs is found, and taken away.

The record knows what may be touched: the spaces of its datasets, those of deleted ones, and files of
models that nothing names. Whatever else lies in a target is somebody else's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex

from allotment.data.opening import Opening
from allotment.data.problems import SourceProblem
from allotment.data.versions.contents import KeptObject
from allotment.data.versions.kept_files import drop_file
from allotment.data.versions.sweeping import needed_by, not_needed, remove
from allotment.data.versions.target import OpenedTarget
from allotment.model.versions import Version, VersionState
from allotment.record import Reading, Record, leases, leftovers, spaces
from allotment.record.leftovers import Leftover, LeftoverKind
from allotment.work.committing import Committing

SECONDS = 20.0
"""For which one call looks and removes; whoever wants more asks again."""
_LEASE = timedelta(minutes=5)
"""For which no commit begins: much longer than removing takes, and over by itself should we die."""
_UNDER_WAY = "a commit of it is under way"
_ENDING = "it was deleted a moment ago"
_COMING = "it may be on its way still"


@dataclass(frozen=True, slots=True)
class Unneeded:
    """What of one dataset or model is needed by nothing: objects and their bytes.

    ``problem`` says why nothing was told or removed of it; ``removed`` how many objects are gone.
    """

    label: str
    files: int = 0
    size: int = 0
    removed: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Space:
    """One dataset's space in a target, as the record knows it at a moment."""

    name: str
    label: str
    versions: tuple[Version, ...]
    busy: str = ""

    @property
    def committed(self) -> tuple[Version, ...]:
        return tuple(one for one in self.versions if one.state is VersionState.COMMITTED)

    @property
    def commits(self) -> frozenset[str]:
        return frozenset(one.commit for one in self.committed)


class Cleaning:
    """Finds what is not needed, and removes it for ``seconds`` at a time."""

    def __init__(
        self,
        record: Record,
        opening: Opening,
        committing: Committing,
        clock: Callable[[], datetime],
        folder: Path,
        seconds: float = SECONDS,
    ) -> None:
        self._record, self._opening, self._committing = record, opening, committing
        self._clock, self._folder, self._seconds = clock, folder, seconds

    def look(self, target: str) -> tuple[Unneeded, ...]:
        """What could be removed from a target now, and of what that cannot be told.

        Raises:
            NotFound: there is no such target.
        """
        opened = self._committing.opened(target)
        spaces_, files = self._known(target)
        found = [self._found(opened, one)[1] for one in spaces_]
        found += [_of_file(one, self._clock()) for one in files]
        return tuple(one for one in found if one.files or one.problem)

    def clean(self, target: str, actor: str) -> tuple[tuple[Unneeded, ...], bool]:
        """Remove it. Answers what was found and removed, and whether all was looked at.

        Raises:
            NotFound: there is no such target.
        """
        opened = self._committing.opened(target)
        ends = time.monotonic() + self._seconds
        told: list[Unneeded] = []
        spaces_, files = self._known(target)
        for space in spaces_:
            if time.monotonic() > ends:
                return tuple(told), False
            told.append(self._clean_space(opened, space, actor, ends))
        for file in files:
            if time.monotonic() > ends:
                return tuple(told), False
            told.append(self._clean_file(opened, file, actor))
        kept = tuple(one for one in told if one.files or one.problem)
        return kept, all(one.problem or one.removed == one.files for one in kept)

    def _known(self, target: str) -> tuple[tuple[_Space, ...], tuple[Leftover, ...]]:
        """Spaces and files of a target of which the record knows."""
        with self._record.reading() as reading:
            left = leftovers.of(reading, target)
            named = {
                space: f"dataset {name}" for name, space in spaces.of_datasets(reading, target)
            }
            gone = {one.name: one for one in left if one.kind is LeftoverKind.SPACE}
            labels = {name: one.label for name, one in gone.items()} | named
            found = tuple(
                self._space(reading, name, label, gone.get(name))
                for name, label in sorted(labels.items())
            )
        return found, tuple(one for one in left if one.kind is LeftoverKind.FILE)

    def _space(self, reading: Reading, name: str, label: str, left: Leftover | None) -> _Space:
        versions = spaces.versions_in(reading, name)
        if any(one.state is VersionState.COMMITTING for one in versions):
            return _Space(name, label, versions, _UNDER_WAY)
        if left is not None and left.free_at > self._clock():
            return _Space(name, label, versions, _ENDING)
        return _Space(name, label, versions)

    def _found(
        self, opened: OpenedTarget, space: _Space
    ) -> tuple[tuple[KeptObject, ...], Unneeded]:
        """What a space keeps that is not needed."""
        if space.busy:
            return (), Unneeded(space.label, problem=_later(space.busy))
        door = self._opening.door
        try:
            committing = self._committing
            needed = needed_by(
                space.committed, committing.opened, committing.files, door, self._folder
            )
            objects = not_needed(opened, space.name, needed, door)
        except SourceProblem as problem:
            return (), Unneeded(space.label, problem=str(problem))
        return objects, Unneeded(space.label, len(objects), sum(one.size for one in objects))

    def _clean_space(
        self, opened: OpenedTarget, space: _Space, actor: str, ends: float
    ) -> Unneeded:
        objects, told = self._found(opened, space)
        if told.problem:
            return told
        if not objects:
            self._forget(opened.name, space, actor)
            return told
        holder = token_hex(8)
        if not self._begin(space, actor, holder):
            return replace(told, problem=_later(_UNDER_WAY))
        seconds = max(0.0, ends - time.monotonic())
        try:
            gone = remove(opened, space.name, objects, self._opening.door, seconds)
        except SourceProblem as problem:
            return replace(told, problem=str(problem))
        finally:
            with self._record.writing(actor, self._clock(), configuration=False) as writing:
                leases.give_up(writing, leftovers.cleaning_lease(space.name), holder)
        if len(gone) == len(objects):
            self._forget(opened.name, space, actor)
        return replace(told, removed=len(gone))

    def _begin(self, space: _Space, actor: str, holder: str) -> bool:
        """Keep commits from beginning, if none did since the space was looked at."""
        with self._record.writing(actor, self._clock()) as writing:
            lease = leftovers.cleaning_lease(space.name)
            if not leases.take(writing, lease, holder, _LEASE):
                return False
            now = self._space(writing, space.name, space.label, None)
            if now.busy or now.commits != space.commits:
                leases.give_up(writing, lease, holder)
                return False
            spaces.cleaned(writing, space.name)
            return True

    def _forget(self, target: str, space: _Space, actor: str) -> None:
        """What is kept of a deleted dataset is gone."""
        with self._record.writing(actor, self._clock(), configuration=False) as writing:
            leftovers.forget(writing, target, LeftoverKind.SPACE, space.name)

    def _clean_file(self, opened: OpenedTarget, file: Leftover, actor: str) -> Unneeded:
        told = _of_file(file, self._clock())
        if told.problem:
            return told
        try:
            drop_file(opened, file.name, self._opening.door)
        except SourceProblem as problem:
            return replace(told, problem=str(problem))
        with self._record.writing(actor, self._clock(), configuration=False) as writing:
            leftovers.forget(writing, opened.name, LeftoverKind.FILE, file.name)
        return replace(told, removed=1)


def _of_file(file: Leftover, now: datetime) -> Unneeded:
    problem = _later(_COMING) if file.free_at > now else ""
    return Unneeded(file.label, 0 if problem else 1, 0 if problem else file.size, problem=problem)


def _later(why: str) -> str:
    return f"Nothing is removed, for {why}."
