"""What every store of files can do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Any, Protocol

from allotment.data.datasets.patience import Patience
from allotment.data.datasets.uris import DataUri, covers, is_account, written
from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule
from allotment.model.sources import SourceKind

PIECE = 1 << 20
"""Bytes that are read at a time where a whole file is read."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as a listing names it: where it lies, its size in bytes, and what changes when it does.

    ``store`` tells two of one kind apart, which may have buckets, keys and ETags in common.
    """

    uri: DataUri
    size: int
    etag: str
    store: str = ""


class FileUnreadable(Exception):
    """A file could not be read; the text says why in words, and is shown to people."""


class FileChanged(FileUnreadable):
    """The file is not the one that was listed."""

    def __init__(self) -> None:
        super().__init__("was changed while it was being read; try again")


class Store(Protocol):
    """Files that can be listed and read, by several threads at once."""

    def list(self, uri: DataUri, patience: Patience | None = None) -> Iterator[StoredFile]:
        """All files that a URI names, in any order; none where there are none.

        Raises:
            SourceProblem: the place does not answer, is not there, or may not be listed, or
                patience is at its end.
        """

    def read(self, file: StoredFile, start: int, length: int) -> bytes:
        """So many bytes from there on, fewer at the file's end; a negative ``start`` counts from the end.

        Raises:
            FileUnreadable: it is gone, was changed since it was listed, or may not be read.
        """

    def open(self, file: StoredFile) -> AbstractContextManager[IO[bytes]]:
        """The whole file, read once from its beginning.

        Raises:
            FileUnreadable: as for :meth:`read`.
        """

    def close(self) -> None:
        """Let go of connections."""


def check_within(kind: SourceKind, fields: Mapping[str, Any], uri: DataUri) -> None:
    """Refuse a URI that is not below what a credential opens: its bucket must not be taken for another.

    Raises:
        SourceProblem: it lies elsewhere.
    """
    if covers(kind, fields, uri):
        return
    place = fields.get("container") or fields.get("bucket")
    if uri.account and not is_account(uri.account, fields):
        raise SourceProblem(
            f"{uri.account} is another storage account than the source's, {fields.get('account')}.",
            remedy="Leave it out of the URI, or choose another source.",
            rule=Rule.DATA_PATH,
        )
    opened = written(kind, str(place), str(fields.get("prefix") or ""))
    raise SourceProblem(
        f"{uri} lies outside what the source opens, {opened}.",
        remedy="Name files below it, or choose another source.",
        rule=Rule.DATA_PATH,
    )


def span(size: int, start: int, length: int) -> tuple[int, int]:
    """The first byte and the one after the last that :meth:`Store.read` means in a file of this size."""
    first = max(0, size + start) if start < 0 else min(start, size)
    return first, min(size, first + length)
