"""Single files kept in a target: those of registered models."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import closing

from allotment.data.door import Door
from allotment.data.problems import SourceProblem
from allotment.data.versions.contents import open_contents
from allotment.data.versions.target import OpenedTarget
from allotment.model.names import check_name

_SPACE = "_models"
"""No dataset's name begins with an underscore."""


def keep_file(
    opened: OpenedTarget, name: str, version: str, pieces: Iterable[bytes], most: int, door: Door
) -> tuple[int, str]:
    """Keep the file of a model's version; answers its bytes and its SHA-256.

    Args:
        opened: the target.
        name: the model's name.
        version: its version.
        pieces: the file.
        most: bytes after which it is refused.
        door: what may be opened.

    Raises:
        SourceProblem: it is longer, or the target refused. Nothing is kept then.
    """
    digest, size = hashlib.sha256(), 0
    with (
        closing(open_contents(opened, door, _SPACE)) as contents,
        contents.incoming() as incoming,
    ):
        for piece in pieces:
            size += len(piece)
            if size > most:
                raise SourceProblem(
                    f"The file is larger than {most:,} bytes.",
                    remedy="Put it into a bucket and register its URI.",
                )
            digest.update(piece)
            incoming.write(piece)
        contents.keep(_key(name, version), incoming)
    return size, digest.hexdigest()


def open_file(opened: OpenedTarget, name: str, version: str, door: Door) -> Iterator[bytes]:
    """The file of a model's version, in pieces.

    Raises:
        SourceProblem: it is not there, or the target refused.
    """
    with closing(open_contents(opened, door, _SPACE)) as contents:
        yield from contents.get(_key(name, version))


def drop_file(opened: OpenedTarget, name: str, version: str, door: Door) -> None:
    """Delete the file of a model's version; one that is gone already is no problem."""
    with closing(open_contents(opened, door, _SPACE)) as contents:
        contents.drop(_key(name, version))


def _key(name: str, version: str) -> str:
    return f"{check_name(name)}/{check_name(version)}"
