"""Files of this machine, every one through the door."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from allotment.data.datasets.patience import Patience
from allotment.data.datasets.stores.store import FileChanged, FileUnreadable, StoredFile, span
from allotment.data.datasets.uris import DataUri, covers
from allotment.data.door import Door
from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule
from allotment.model.sources import SourceKind


class FolderStore:
    """Files below the door's roots, and below ``root`` where a source names one."""

    def __init__(self, door: Door, root: str | None = None) -> None:
        self._door = self._narrow = door
        self._root = None
        if root:
            place = door.path(root)
            self._root = str(place)
            # What is opened may have been exchanged for a link since it was looked at.
            self._narrow = replace(door, roots=(place,))

    def list(self, uri: DataUri, patience: Patience | None = None) -> Iterator[StoredFile]:
        """All files that a URI names. What leads out of the roots is refused, not passed over."""
        if not uri.is_folder and not uri.is_pattern:
            place = self._open(uri.path)
            if place.is_dir():
                yield from self.list(replace(uri, path=f"{uri.path}/"), patience)
            elif place.exists():
                yield _stored(uri, place.stat())
            return
        top = self._open(uri.folder)
        if not top.is_dir():
            return
        folders = [uri.folder]
        while folders:
            folder = folders.pop()
            for entry in _entries(self._open(folder), patience):
                path = f"{folder}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{path}/")
                elif uri.matches(path) and not entry.is_dir():
                    yield self._found(uri.file(path), entry)

    def read(self, file: StoredFile, start: int, length: int) -> bytes:
        """Some bytes of a file that has not changed since it was listed."""
        first, end = span(file.size, start, length)
        with self.open(file) as opened:
            opened.seek(first)
            return opened.read(end - first)

    @contextmanager
    def open(self, file: StoredFile) -> Iterator[IO[bytes]]:
        """The whole file; at its end it must still be the one that was listed."""
        try:
            with self._narrow.open(file.uri.path) as opened:
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
        if self._root is None or str(place) == self._root:
            return place
        if not covers(
            SourceKind.FOLDER, {"path": self._root}, DataUri(SourceKind.FOLDER, "", str(place))
        ):
            raise SourceProblem(
                f"{path!r} lies outside the source's folder.",
                remedy="Name a file below it.",
                rule=Rule.DATA_PATH,
            )
        return place

    def _found(self, uri: DataUri, entry: os.DirEntry[str]) -> StoredFile:
        try:
            uri.path.encode()
            # A folder that was opened leads nowhere else but by links.
            if entry.is_symlink():
                return _stored(uri, self._open(uri.path).stat())
            return _stored(uri, entry.stat(follow_symlinks=False))
        except UnicodeEncodeError:
            raise _unlisted(ascii(uri.path), "its name is no UTF-8") from None
        except OSError as error:
            raise _unlisted(repr(uri.path), str(error.strerror)) from None


def _entries(folder: Path, patience: Patience | None) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            for entry in found:
                if patience is not None:
                    patience.seen(1)
                yield entry
    except OSError as error:
        raise _unlisted(repr(str(folder)), str(error.strerror)) from None


def _unlisted(path: str, why: str) -> SourceProblem:
    return SourceProblem(
        f"{path} cannot be listed: {why}.",
        remedy="Check that it is there and that the control plane may read it.",
        rule=Rule.DATA_PATH,
    )


def _stored(uri: DataUri, found: os.stat_result) -> StoredFile:
    return StoredFile(uri, found.st_size, _etag(found))


def _etag(found: os.stat_result) -> str:
    return f"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}"
