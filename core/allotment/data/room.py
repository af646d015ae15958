"""Room on a disk: whoever copies onto it leaves some of it free."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from allotment.data.problems import SourceProblem
from allotment.model.amounts import format_size

SPARE = 5 * 2**30
"""Bytes of a disk that are left free, whoever copies something: the record may lie on the same disk."""
_STEP = 64 * 2**20
"""Bytes after which it is looked again whether others have filled the disk."""


def free_below(place: Path) -> int:
    """Free bytes of the disk on which a folder lies, or will when it is made."""
    there = next(one for one in (place, *place.parents) if one.exists())
    found = os.statvfs(there)
    return found.f_bavail * found.f_frsize


class Room:
    """What one task copies onto the disk of a folder, by several threads.

    ``whose`` begins a sentence and says what the disk is. What other processes copy is seen as soon as
    it is on the disk, and looked for again while files are copied.
    """

    def __init__(
        self, place: Path, whose: str, free: Callable[[Path], int] | None = None, spare: int = SPARE
    ) -> None:
        self._place, self._whose = place, whose
        self._free, self._spare = free or free_below, spare
        self._changed = threading.Condition()
        self._coming: dict[object, int] = {}

    def left(self) -> int:
        """Bytes that may be taken now, beside those of files that are being copied."""
        return self._free(self._place) - self._spare - sum(self._coming.values())

    def ask(self, size: int) -> None:
        """Ask whether so many bytes can be taken, before any is.

        Raises:
            SourceProblem: they cannot.
        """
        with self._changed:
            if size > self.left():
                raise self._full(size)

    @contextmanager
    def file(self, size: int) -> Iterator[Callable[[int], None]]:
        """Room for one file of this many bytes; tell it how many more were written.

        Where there is none it waits for the other files of this task, whose room may be given back.

        Raises:
            SourceProblem: there is none, or it is gone while the file is copied.
        """
        this = object()
        with self._changed:
            while size > self.left():
                if not self._coming:
                    raise self._full(size)
                self._changed.wait()
            if size:
                self._coming[this] = size
        written = 0

        def wrote(more: int) -> None:
            nonlocal written
            steps, written = written // _STEP, written + more
            with self._changed:
                if this in self._coming:
                    self._coming[this] = max(0, size - written)
                if size and written // _STEP > steps and self.left() < 0:
                    raise self._full(size)

        try:
            yield wrote
        finally:
            with self._changed:
                self._coming.pop(this, None)
                self._changed.notify_all()

    def _full(self, size: int) -> SourceProblem:
        return SourceProblem(
            f"{self._whose} has no room for {format_size(size)}: "
            f"{format_size(max(0, self.left()))} can be taken now, "
            f"for {format_size(self._spare)} of it stay free.",
            remedy="Ask an operator for room.",
        )
