"""``allotment.path``: an object store or a folder, walked and read as paths are. Nothing can be written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import IO, Any

from allotment.model.sources import SourceKind
from allotment.notebook.explaining import CredentialRefused, explained, in_words
from allotment.notebook.lending import Lender, Lent
from allotment.notebook.problems import DataProblem
from allotment.notebook.progress import size_words
from allotment.notebook.stores import STORES, renewing_filesystem

_SHOWN = 100
"""Entries that a cell shows of a place."""
_SCHEMES = {SourceKind.S3: "s3://", SourceKind.AZURE: "azure://", SourceKind.GCS: "gs://"}


class OpenedStore:
    """One store with a credential that is good whenever it is needed."""

    def __init__(self, source: str, lender: Lender) -> None:
        self.source = source
        self._lender, self._lend = lender, lender.lend(source)
        self._files: Any = None
        lent = self._lend()
        if lent.kind not in STORES:
            message = f'{source} is a database. Ask it with allotment.sql({source!r}, "select …").'
            raise DataProblem(message)
        self.kind = lent.kind

    @property
    def files(self) -> Any:
        """The fsspec filesystem, which renews its credential by itself."""
        if self._files is None:
            self._files = renewing_filesystem(self._lend)
        return self._files

    @property
    def credential(self) -> Lent:
        """What it is read with now."""
        return self._lend()

    def renew(self, refused: Lent) -> None:
        """Go on with another credential than the one that was refused."""
        self._lender.renewed(self.source, refused)

    @property
    def root(self) -> str:
        """Where the source begins, in fsspec's words."""
        lent = self._lend()
        if lent.kind is SourceKind.FOLDER:
            return lent.text("path").rstrip("/")
        bucket = lent.text("bucket") or lent.text("container")
        return f"{bucket}/{lent.text('prefix')}".rstrip("/")

    @property
    def fields(self) -> Any:
        """The fields of the credential, to keep its secrets out of what is said."""
        return self.credential.fields


@dataclass(frozen=True, slots=True)
class SourcePath:
    """A place in a source: ``path / "2026" / "sales.csv"``."""

    store: OpenedStore
    parts: tuple[str, ...] = ()

    def __truediv__(self, name: str) -> SourcePath:
        added = tuple(part for part in str(name).split("/") if part not in ("", "."))
        if ".." in added:
            message = "A path leads down only: it has no '..'. Begin anew at allotment.path(…)."
            raise DataProblem(message)
        return SourcePath(self.store, self.parts + added)

    @property
    def name(self) -> str:
        """The last part; of the source itself its name."""
        return self.parts[-1] if self.parts else self.store.source

    @property
    def suffix(self) -> str:
        """The name's ending, with its dot."""
        stem, dot, ending = self.name.rpartition(".")
        return dot + ending if stem else ""

    @property
    def parent(self) -> SourcePath:
        """The place above; of the source itself the source."""
        return SourcePath(self.store, self.parts[:-1])

    @property
    def location(self) -> str:
        """Where it lies, in fsspec's words: ``bucket/prefix/key``."""
        return "/".join((self.store.root, *self.parts))

    @property
    def uri(self) -> str:
        """Where it lies, as a dataset is registered by it."""
        return _SCHEMES.get(self.store.kind, "") + self.location

    @property
    def filesystem(self) -> Any:
        """The fsspec filesystem, for libraries that take one (with ``location``)."""
        return self.store.files

    def iterdir(self) -> Iterator[SourcePath]:
        """What lies here, by name."""
        for entry in self._entries():
            yield self / _last(entry["name"])

    def glob(self, pattern: str) -> Iterator[SourcePath]:
        """What matches a pattern below here: ``**/*.parquet``."""
        below = f"{self.location.rstrip('/')}/"
        for found in sorted(self._asked("glob", below + pattern)):
            yield self / str(found).lstrip("/").removeprefix(below.lstrip("/"))

    def exists(self) -> bool:
        """Whether anything is here."""
        return bool(self._asked("exists", self.location))

    def is_dir(self) -> bool:
        """Whether others lie below it."""
        return bool(self._asked("isdir", self.location))

    def is_file(self) -> bool:
        """Whether it can be opened."""
        return bool(self._asked("isfile", self.location))

    def size(self) -> int:
        """Bytes of a file."""
        return int(self._asked("size", self.location))

    def open(self, mode: str = "rb", **options: Any) -> IO[Any]:
        """Open a file for reading.

        Raises:
            DataProblem: it is not there, may not be read, or was to be written.
        """
        if set(mode) - set("rbt"):
            message = f"{self.store.source} is for reading: mode {mode!r} is refused. Write into your own files."
            raise DataProblem(message)
        opened: IO[Any] = self._asked("open", self.location, mode, **options)
        return opened

    def read_bytes(self) -> bytes:
        """The whole file."""
        return bytes(self._asked("cat_file", self.location))

    def read_text(self, encoding: str = "utf-8") -> str:
        """The whole file as text."""
        return self.read_bytes().decode(encoding)

    def _entries(self) -> list[dict[str, Any]]:
        found = self._asked("ls", self.location, detail=True)
        own = self.location.strip("/")
        others = [entry for entry in found if str(entry["name"]).strip("/") != own]
        return sorted(others, key=lambda entry: str(entry["name"]))

    def _asked(self, call: str, *arguments: Any, **options: Any) -> Any:
        lent = self.store.credential
        try:
            return self._ask(call, *arguments, **options)
        except CredentialRefused:
            # It may have ended on the way: between being looked at here and there.
            self.store.renew(lent)
            return self._ask(call, *arguments, **options)

    def _ask(self, call: str, *arguments: Any, **options: Any) -> Any:
        place = "/".join((self.store.source, *self.parts))
        with in_words(lambda error: explained(place, error, self.store.fields)):
            return getattr(self.store.files, call)(*arguments, **options)

    def __str__(self) -> str:
        return self.uri

    def __repr__(self) -> str:
        return f"allotment.path({self.store.source!r})" + "".join(f" / {p!r}" for p in self.parts)

    def _repr_html_(self) -> str:
        """What lies here, for a cell."""
        if self.is_file():
            return f"<p><code>{escape(self.uri)}</code> {escape(size_words(self.size()))}</p>"
        entries = self._entries()
        rows = "".join(
            f'<tr><td style="text-align:left">{escape(_shown(entry))}</td><td>{escape(_size(entry))}</td></tr>'
            for entry in entries[:_SHOWN]
        )
        more = f"<p>… and {len(entries) - _SHOWN} more</p>" if len(entries) > _SHOWN else ""
        return f"<table><caption style='text-align:left'><code>{escape(self.uri)}</code></caption><tbody>{rows}</tbody></table>{more}"


def _last(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2]


def _shown(entry: dict[str, Any]) -> str:
    return _last(entry["name"]) + ("/" if entry.get("type") == "directory" else "")


def _size(entry: dict[str, Any]) -> str:
    return "" if entry.get("type") == "directory" else size_words(int(entry.get("size") or 0))
