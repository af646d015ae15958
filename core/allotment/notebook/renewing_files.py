"""An object store as an fsspec filesystem that goes on reading when what it was lent ends: with what is lent anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

from allotment.notebook.lending import Lend, Lent
from allotment.notebook.problems import DataProblem


class RenewingFiles(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Reads by the filesystem of a credential, and by that of the next one once there is one. Nothing is written.

    Args:
        lend: answers with a good credential.
        made: makes the filesystem of one.
    """

    cachable: ClassVar[bool] = False

    def __init__(self, lend: Lend, made: Callable[[Lent], Any]) -> None:
        super().__init__()
        self._lend, self._made = lend, made
        self._known: tuple[Lent, Any] | None = None
        # Libraries find a filesystem by how its URIs begin.
        self.protocol = self.current.protocol

    @property
    def current(self) -> Any:
        """The filesystem of the credential that is good now."""
        lent = self._lend()
        known = self._known
        if known is None or known[0] is not lent:
            known = self._known = (lent, self._made(lent))
        return known[1]

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        """Paths are handed on as they are."""
        return path

    def ls(self, path: str, detail: bool = True, **options: Any) -> Any:  # noqa: FBT001, FBT002 - fsspec's order
        """What lies at a place."""
        return self.current.ls(path, detail=detail, **options)

    def info(self, path: str, **options: Any) -> Any:
        """What is known of a file or place."""
        return self.current.info(path, **options)

    def find(self, path: str, *arguments: Any, **options: Any) -> Any:
        """All files below a place."""
        return self.current.find(path, *arguments, **options)

    def glob(self, path: str, *arguments: Any, **options: Any) -> Any:
        """What matches a pattern."""
        return self.current.glob(path, *arguments, **options)

    def exists(self, path: str, **options: Any) -> bool:
        """Whether anything is there."""
        return bool(self.current.exists(path, **options))

    def modified(self, path: str) -> Any:
        """When a file was changed."""
        return self.current.modified(path)

    def cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **options: Any
    ) -> bytes:
        """A file, or a part of it."""
        return bytes(self.current.cat_file(path, start=start, end=end, **options))

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        **options: Any,
    ) -> RenewingFile:
        if mode != "rb":
            message = f"What is lent only reads: {path} cannot be opened as {mode!r}."
            raise DataProblem(message)
        options.pop("autocommit", None)
        options.pop("cache_options", None)
        return RenewingFile(self, path, block_size)


class RenewingFile(AbstractBufferedFile):  # type: ignore[misc]  # fsspec has no types
    """A file that is read in blocks, each with the credential that is good then."""

    def __init__(self, files: RenewingFiles, path: str, block_size: int | None) -> None:
        self._by, self._opened = files.current, None
        first = self._open_by(path)
        self._mark = _mark_of(first)
        super().__init__(files, path, "rb", block_size or first.blocksize, size=first.size)

    def _fetch_range(self, start: int, end: int) -> bytes:
        """Some bytes of the file that was opened, and of no other that has taken its place.

        Raises:
            DataProblem: it was changed meanwhile.
            Refusal: it may not be read any longer.
        """
        files = self.fs.current
        if files is not self._by:
            self._by = files
            if _mark_of(self._open_by(self.path)) != self._mark:
                message = f"{self.path} was changed while it was being read. Begin anew."
                raise DataProblem(message)
        opened: Any = self._opened
        return bytes(opened._fetch_range(start, end))  # noqa: SLF001 - what a buffered file is made of

    def _open_by(self, path: str) -> Any:
        self._opened = self._by.open(path, "rb", cache_type="none")
        return self._opened


def _mark_of(opened: Any) -> tuple[Any, Any]:
    """What tells a file from another of its name."""
    details = opened.details
    return opened.size, details.get("ETag") or details.get("etag")
