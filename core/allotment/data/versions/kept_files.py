"""Single files kept in a target: those of registered models."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import IO

from allotment.data.door import Door
from allotment.data.problems import SourceProblem
from allotment.data.versions.contents import open_contents
from allotment.data.versions.target import OpenedTarget
from allotment.model.names import check_name
from allotment.model.versions import ContentsKind

SPACE = "_models"
"""Where they lie in a target. No dataset's space begins with an underscore."""
_KEY_BYTES = 8


class Keeping:
    """A file on its way into a target: written piece by piece, then kept whole or not at all.

    It is on a disk once: in the target's own folder, or in ``work`` on its way to a bucket.
    """

    def __init__(self, opened: OpenedTarget, door: Door, work: Path) -> None:
        """Open the target.

        Raises:
            SourceProblem: it may not be opened.
        """
        self._stack = ExitStack()
        with ExitStack() as opening:
            self._contents = opening.enter_context(closing(open_contents(opened, door, SPACE)))
            incoming = (
                self._contents.incoming()
                if opened.target.contents_kind is ContentsKind.FOLDER
                else tempfile.TemporaryFile(dir=work)  # noqa: SIM115 - entered below, as the other
            )
            self._file: IO[bytes] = opening.enter_context(incoming)
            self._stack = opening.pop_all()
        self._digest, self.size = hashlib.sha256(), 0

    @property
    def descriptor(self) -> int:
        """The open file's, which tells on which disk it lies."""
        return self._file.fileno()

    @property
    def sha256(self) -> str:
        """Of what was written."""
        return self._digest.hexdigest()

    def write(self, piece: bytes) -> None:
        """Write some more.

        Raises:
            SourceProblem: the disk is full or broken.
        """
        self._digest.update(piece)
        with _told():
            self._file.write(piece)
        self.size += len(piece)

    def keep(self, key: str) -> None:
        """Keep it under a key of :func:`new_key`.

        Raises:
            SourceProblem: the target refused.
        """
        with _told():
            self._contents.keep(key, self._file)

    def close(self) -> None:
        """Let go of it; what was not kept is gone."""
        self._stack.close()


def new_key(name: str, version: str) -> str:
    """A key for a file of a version of a model, under which nothing else ever lies."""
    return f"{check_name(name)}/{check_name(version)}-{secrets.token_hex(_KEY_BYTES)}"


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceProblem(
            f"The file could not be written: {error.strerror or type(error).__name__}.",
            remedy="Nothing was kept. Ask an operator whether the disk is full.",
        ) from None


def open_file(opened: OpenedTarget, key: str, door: Door) -> Iterator[bytes]:
    """A kept file, in pieces.

    Raises:
        SourceProblem: it is not there, or the target refused.
    """
    with closing(open_contents(opened, door, SPACE)) as contents:
        yield from contents.get(key)


def drop_file(opened: OpenedTarget, key: str, door: Door) -> None:
    """Delete a kept file; one that is gone already is no problem."""
    with closing(open_contents(opened, door, SPACE)) as contents:
        contents.drop(key)
