"""Files on their way into a target: each is read once, hashed on its way, and kept under its hash."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable

from allotment.data.datasets.listing import ListedFile
from allotment.data.datasets.stores.store import PIECE, FileUnreadable, Store
from allotment.data.problems import SourceProblem
from allotment.data.room import Room
from allotment.data.versions import layout
from allotment.data.versions.contents import Contents
from allotment.data.versions.known import Known

Progress = Callable[[int, int], None]
"""Bytes that are done, and all of them."""


class Coming:
    """Files on their way from where they lie into a target, by several threads."""

    def __init__(
        self,
        store: Store,
        contents: Contents,
        known: Known,
        progress: Progress,
        total: int,
        room: Room,
    ) -> None:
        self._store, self._contents, self._room = store, contents, room
        self._kept = known.kept()
        self._progress, self._total = progress, total
        self._done = 0
        self._lock = threading.Lock()

    def done(self, count: int) -> None:
        """Tell of some more bytes."""
        with self._lock:
            self._done += count
            self._progress(self._done, self._total)

    def bring(self, file: ListedFile) -> str:
        """Read a file once: hash it on its way, and keep it under its hash.

        Raises:
            SourceProblem: it cannot be read, is not the one that was listed, the target refused, or
                there is no room.
        """
        digest = hashlib.md5(usedforsecurity=False)
        try:
            with (
                self._room.file(self._contents.on_disk(file.size)) as wrote,
                self._store.open(file.stored) as source,
                self._contents.incoming() as incoming,
            ):
                size = 0
                while size <= file.size and (piece := source.read(PIECE)):
                    wrote(len(piece))
                    digest.update(piece)
                    incoming.write(piece)
                    size += len(piece)
                    self.done(len(piece))
                if size != file.size:
                    raise _changed(file, "is shorter or longer than it was when it was listed")
                md5 = digest.hexdigest()
                # Two files of the same contents at once put them twice, which is as good.
                if md5 not in self._kept:
                    self._contents.keep(layout.object_key(md5), incoming)
                    self._kept.add(md5)
        except FileUnreadable as problem:
            raise _changed(file, str(problem)) from None
        return md5


def room_for(contents: Contents) -> Room:
    """Where files lie on their way into a target, or to stay."""
    return Room(
        contents.place, f"The {'target' if contents.keeps_there else 'control plane'}'s disk"
    )


def _changed(file: ListedFile, why: str) -> SourceProblem:
    return SourceProblem(
        f"{file.uri} {why}.", remedy="Nothing was committed. Commit again when it is whole."
    )
