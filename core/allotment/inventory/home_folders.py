"""Homes as folders of this machine, and archives as files beside each other in another folder."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from allotment.inventory import packing
from allotment.inventory.packing import NotPacked
from allotment.model.homes import FoundHome, Packed

_GOING = ".going-"
"""What the name of a home begins with that is being removed: no person's name begins so."""


@dataclass(frozen=True, slots=True)
class HomeFolders:
    """The homes below one folder, each with its person's name. ``archives`` None: nothing can be archived."""

    folder: Path
    archives: Path | None = None

    def homes(self) -> tuple[FoundHome, ...]:
        """Every home that there is; blocks for as long as the disk takes.

        Raises:
            OSError: the folder cannot be read, so it is not known which homes there are.
        """
        if not self.folder.exists():
            return ()
        with os.scandir(self.folder) as entries:
            names = [
                one.name
                for one in entries
                if not one.name.startswith(".") and one.is_dir(follow_symlinks=False)
            ]
        return tuple(FoundHome(name, name) for name in sorted(names))

    def archive(self, home: FoundHome, file: str) -> Packed:
        """Pack a home into a file of that name, which is read back.

        Raises:
            NotPacked: see :func:`packing.pack`, or no folder of archives is named.
        """
        return packing.pack(self.folder / home.place, self._archives / file)

    def aside(self, home: FoundHome) -> None:
        """Take a home out of the way, at once, and never over what is out of the way already.

        Raises:
            NotPacked: it cannot be moved.
        """
        if os.path.lexists(self._aside(home.place)):
            raise self._twice(home.place)
        try:
            (self.folder / home.place).rename(self._aside(home.place))
        except OSError as error:
            raise _not_removed(home.place, error) from error

    def back(self, home: FoundHome) -> None:
        """Put a home back that was taken out of the way."""
        if self._aside(home.place).is_dir() and not (self.folder / home.place).exists():
            self._aside(home.place).rename(self.folder / home.place)

    def finish(self, home: FoundHome) -> None:
        """Remove a home that is out of the way, for good. Blocks for as long as the disk takes.

        Raises:
            NotPacked: it cannot be removed.
        """
        try:
            packing.discard(self._aside(home.place))
        except OSError as error:
            raise _not_removed(home.place, error) from error

    def tidy(self, known: Collection[str]) -> None:
        """Finish what a process left that died: homes that the record knows come back, others go.

        Where its person has made another home meanwhile, both stay: only people know what is wanted.

        Raises:
            NotPacked: what is left can neither come back nor be removed. The others are finished.
        """
        problems = []
        for left in sorted(self.folder.glob(f"{_GOING}*")):
            place = left.name.removeprefix(_GOING)
            try:
                self._tidy(FoundHome(place, place), known=place in known)
            except NotPacked as problem:
                problems.append(str(problem))
        if problems:
            raise NotPacked(" ".join(problems))

    def _tidy(self, home: FoundHome, *, known: bool) -> None:
        if not known:
            self.finish(home)
        elif os.path.lexists(self.folder / home.place):
            raise self._twice(home.place)
        else:
            self.back(home)

    def _twice(self, place: str) -> NotPacked:
        return NotPacked(
            f"{place} has two homes: {self.folder / place}, and {self._aside(place)}, which was on its way out when the "
            f"control plane died. Nothing of either is removed: move what is wanted into the first, and the second away."
        )

    def _aside(self, place: str) -> Path:
        return self.folder / f"{_GOING}{place}"

    def restore(self, file: str, place: str) -> None:
        """Unpack an archive where a home is empty, or not there.

        Raises:
            NotPacked: see :func:`packing.unpack`.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        packing.unpack(self._archives / file, self.folder / place)

    def forget(self, file: str) -> None:
        """Remove an archive; one that is gone already is no problem.

        Raises:
            NotPacked: it cannot be removed.
        """
        try:
            (self._archives / file).unlink(missing_ok=True)
        except OSError as error:
            raise _not_removed(file, error) from error

    @property
    def _archives(self) -> Path:
        if self.archives is None:
            message = "The settings name no place for archives: homes: {archives: …}"
            raise NotPacked(message)
        return self.archives


def _not_removed(name: str, error: OSError) -> NotPacked:
    return NotPacked(f"{name} could not be removed: {error.strerror or error}")
