"""Stores of contents: objects that are put once under their name and never change."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import IO, Any, Protocol

from allotment.data.door import Door
from allotment.data.problems import SourceProblem
from allotment.data.versions.target import OpenedTarget
from allotment.model.versions import ContentsKind

PIECE = 1 << 20
_OTHERS = 0o077
_LEFT = 24 * 3600
"""Seconds after which a file that was not written to any more was left by a process that died."""
_IN_MEMORY = 8 << 20
"""Bytes of a file on its way to a bucket that stay in memory; longer ones go by a temporary file."""


@dataclass(frozen=True, slots=True)
class KeptObject:
    """One object as a listing tells it; ``size`` in bytes."""

    key: str
    size: int


class Contents(Protocol):
    """One store, used by several threads at once. Keys have steps separated by ``/``.

    Files on their way lie below ``place``; on its disk they stay where the store ``keeps_there``.
    """

    place: Path
    keeps_there: bool

    def on_disk(self, size: int) -> int:
        """How many bytes of the disk a file of this size takes while it comes in."""

    def incoming(self) -> Any:
        """A context that gives a file to write into, from which :meth:`keep` takes what was written."""

    def keep(self, key: str, incoming: IO[bytes]) -> None:
        """Put what was written under a key: whole, or not at all.

        Raises:
            SourceProblem: the store refused it.
        """

    def get(self, key: str) -> Iterator[bytes]:
        """An object in pieces.

        Raises:
            SourceProblem: there is none, or the store refused.
        """

    def drop(self, key: str) -> None:
        """Delete an object; one that is gone already is no problem.

        Raises:
            SourceProblem: the store refused.
        """

    def all(self) -> Iterator[KeptObject]:
        """Every object, what was left on its way too; while it is read others may come and go.

        Raises:
            SourceProblem: the store refused.
        """

    def emptied(self) -> None:
        """Take away what is left of a store without objects."""

    def close(self) -> None:
        """Let go of connections."""


def put(contents: Contents, key: str, data: bytes) -> None:
    """Put some bytes under a key."""
    with contents.incoming() as incoming:
        incoming.write(data)
        contents.keep(key, incoming)


def get(contents: Contents, key: str) -> bytes:
    """A whole object."""
    return b"".join(contents.get(key))


def open_contents(
    opened: OpenedTarget, door: Door, space: str = "", work: Path | None = None
) -> Contents:
    """Open a target's store with its registered account: all of it, or one space.

    ``work`` is where long files lie on their way to a bucket; who sends none need not name it.

    Raises:
        SourceProblem: it may not be opened.
    """
    source = opened.contents_source(space)
    if opened.target.contents_kind is ContentsKind.FOLDER:
        return FolderContents(door.path(str(source.fields["path"])), own=bool(space))
    # The providers' libraries take a second to import: only who opens such a store waits for it.
    if opened.target.contents_kind is ContentsKind.S3:
        from allotment.data.versions.s3_contents import S3Contents  # noqa: PLC0415 - see above

        return S3Contents(source, door, work)
    from allotment.data.versions.gcs_contents import GcsContents  # noqa: PLC0415 - see above

    return GcsContents(source, door, work)


class FolderContents:
    """A folder: objects come to be by a rename, so that none is ever half there.

    Folders and files are for the control plane's own account alone: who may read one dataset could
    otherwise read all of them. ``own`` is whether the folder is one that this platform has made.
    """

    keeps_there = True

    def __init__(self, root: Path, *, own: bool = False) -> None:
        self._root = self.place = root
        self._new = root / ".incoming"
        if own and root.is_dir() and root.stat().st_mode & _OTHERS:
            # Made by a version that let others in; what lies within is out of their reach then.
            with suppress(PermissionError):
                root.chmod(0o700)
        self._sweep()

    def _sweep(self) -> None:
        """Take away what commits that were killed have left."""
        if not self._new.is_dir():
            return
        for file in self._new.iterdir():
            with suppress(FileNotFoundError):
                if time.time() - file.stat().st_mtime > _LEFT:
                    file.unlink()

    def on_disk(self, size: int) -> int:
        """All of it."""
        return size

    @contextmanager
    def incoming(self) -> Iterator[IO[bytes]]:
        """A file beside the others, which is gone again unless it was kept."""
        try:
            _make(self._new)
            file = tempfile.NamedTemporaryFile(dir=self._new, delete=False)  # noqa: SIM115 - kept by a rename
        except OSError as error:
            raise _folder_problem(self._root, error) from None
        try:
            with file:
                yield file
        except OSError as error:
            raise _folder_problem(self._root, error) from None
        finally:
            with suppress(FileNotFoundError):
                Path(file.name).unlink()

    def keep(self, key: str, incoming: IO[bytes]) -> None:
        """Rename it into its place, on the disk before that."""
        incoming.flush()
        os.fsync(incoming.fileno())
        place = self._root / key
        _make(place.parent)
        Path(incoming.name).replace(place)

    def get(self, key: str) -> Iterator[bytes]:
        """An object in pieces."""
        try:
            with (self._root / key).open("rb") as file:
                while piece := file.read(PIECE):
                    yield piece
        except OSError as error:
            raise _folder_problem(self._root / key, error) from None

    def drop(self, key: str) -> None:
        """Delete an object."""
        try:
            with suppress(FileNotFoundError):
                (self._root / key).unlink()
        except OSError as error:
            raise _folder_problem(self._root / key, error) from None

    def all(self) -> Iterator[KeptObject]:
        """Every file below it; links are not followed."""

        def broken(error: OSError) -> None:
            if not isinstance(error, FileNotFoundError):
                raise _folder_problem(self._root, error) from None

        for folder, _, names in os.walk(self._root, onerror=broken):
            for name in names:
                place = Path(folder, name)
                with suppress(FileNotFoundError):
                    yield KeptObject(str(place.relative_to(self._root)), place.lstat().st_size)

    def emptied(self) -> None:
        """Take away folders in which nothing is."""
        for folder, _, _ in os.walk(self._root, topdown=False):
            with suppress(OSError):
                Path(folder).rmdir()

    def close(self) -> None:
        """Nothing is held."""


def _make(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this account alone."""
    missing = [folder, *takewhile(lambda one: not one.exists(), folder.parents)]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)


class OnTheWay:
    """Where files lie on their way to a bucket: in memory, or in ``work`` where they are long."""

    keeps_there = False

    def __init__(self, work: Path | None) -> None:
        self.place = work or Path(tempfile.gettempdir())

    def on_disk(self, size: int) -> int:
        """Short ones take none."""
        return size if size > _IN_MEMORY else 0

    @contextmanager
    def incoming(self) -> Iterator[IO[bytes]]:
        """A file in memory, or a temporary one where it is long."""
        with tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(self.place)) as file:
            yield file


def refused_by_bucket(done: str, key: str, code: str) -> SourceProblem:
    """What happened, in the provider's word and without its message: that may repeat a signed address."""
    return SourceProblem(
        f"An object could not be {done} in the target's bucket ({code}): {key}.",
        remedy="Test the target: its account needs to read, write and delete objects there.",
    )


def _folder_problem(place: Path, error: OSError) -> SourceProblem:
    return SourceProblem(
        f"The target's folder {place} cannot be used: {error.strerror or error}.",
        remedy="Check that it is there, has room, and that the control plane may write into it.",
    )
