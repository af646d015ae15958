"""Files of this machine, every one through the door."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from allotment.data.datasets.stores.store import FileChanged, FileUnreadable, StoredFile, span
from allotment.data.datasets.uris import DataUri, covers
from allotment.data.door import Door
from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule
from allotment.model.sources import SourceKind


class FolderStore:
    """Files below the door's roots, and below ``root`` where a source names one."""

    def __init__(self, door: Door, root: str | None = None) -> None:
        self._door = door
        self._root = str(door.path(root)) if root else None

    def list(self, uri: DataUri) -> Iterator[StoredFile]:
        """All files that a URI names, in order. What leads out of the roots is refused, not passed over."""
        if not uri.is_folder and not uri.is_pattern:
            place = self._open(uri.path)
            if place.is_dir():
                yield from self.list(replace(uri, path=f"{uri.path}/"))
            elif place.exists():
                yield self._stored(uri, place)
            return
        top = self._open(uri.folder)
        if not top.is_dir():
            return
        for folder, folders, names in os.walk(top, onerror=_raise):
            folders.sort()
            for name in sorted(names):
                path = f"{uri.folder}{Path(folder, name).relative_to(top)}"
                if uri.matches(path):
                    yield self._stored(replace(uri, path=path), self._open(path))

    def read(self, file: StoredFile, start: int, length: int) -> bytes:
        """Some bytes of a file that has not changed since it was listed."""
        first, end = span(file.size, start, length)
        with self.open(file) as opened:
            opened.seek(first)
            return opened.read(end - first)

    @contextmanager
    def open(self, file: StoredFile) -> Iterator[IO[bytes]]:
        """The whole file; at its end it must still be the one that was listed."""
        self._within(file.uri)
        try:
            with self._door.open(file.uri.path) as opened:
                if _etag(os.fstat(opened.fileno())) != file.etag:
                    raise FileChanged
                yield opened
                if _etag(os.fstat(opened.fileno())) != file.etag:
                    raise FileChanged
        except FileNotFoundError:
            raise FileUnreadable("is not there any more") from None
        except PermissionError:
            raise FileUnreadable("may not be read by the control plane") from None
        except SourceProblem as problem:
            raise FileUnreadable(str(problem)) from None

    def close(self) -> None:
        """Nothing is held."""

    def _open(self, path: str) -> Path:
        place = self._door.path(path)
        self._within(DataUri(SourceKind.FOLDER, "", str(place)))
        return place

    def _within(self, uri: DataUri) -> None:
        if self._root is None or uri.path.rstrip("/") == self._root:
            return
        if not covers(SourceKind.FOLDER, {"path": self._root}, uri):
            raise SourceProblem(
                f"{uri.path!r} lies outside the source's folder.",
                remedy="Name a file below it.",
                rule=Rule.DATA_PATH,
            )

    @staticmethod
    def _stored(uri: DataUri, place: Path) -> StoredFile:
        found = place.stat()
        return StoredFile(uri, found.st_size, _etag(found))


def _etag(found: os.stat_result) -> str:
    return f"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}"


def _raise(error: OSError) -> None:
    raise SourceProblem(
        f"{error.filename!r} cannot be listed: {error.strerror}.",
        remedy="Check that it is there and that the control plane may read it.",
        rule=Rule.DATA_PATH,
    ) from error
