"""Which files a dataset has, by its URIs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from allotment.data.datasets.patience import Patience
from allotment.data.datasets.stores.store import Store, StoredFile
from allotment.data.datasets.uris import DataUri, base_of, parse_all, path_within, written
from allotment.data.problems import SourceProblem
from allotment.model.datasets import FileProblem

MOST_FILES = 100_000


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of a dataset: ``path`` within it, and where it is stored."""

    path: str
    stored: StoredFile

    @property
    def uri(self) -> str:
        """Where it lies, as answers write it."""
        found = self.stored.uri
        return written(found.kind, found.place, found.path)

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.stored.size


@dataclass(frozen=True, slots=True)
class Listed:
    """A dataset's files, by path, and the URIs that name none."""

    files: tuple[ListedFile, ...]
    problems: tuple[FileProblem, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def list_files(texts: Iterable[str], store: Store, patience: Patience | None = None) -> Listed:
    """List the files that URIs name now.

    In folders and patterns, names that begin with ``_`` or ``.`` are passed over: Spark and others keep
    their own notes under such names.

    Raises:
        SourceProblem: a URI cannot be read or listed, the files are too many, or patience is at its end.
    """
    patience = patience or Patience()
    uris = parse_all(texts)
    base = base_of(uris)
    found: dict[str, ListedFile] = {}
    problems = []
    for uri in uris:
        before = len(found)
        named = False
        for stored in store.list(uri, patience):
            if _is_note(stored.uri, uri):
                continue
            named = True
            path = path_within(base, stored.uri.place, stored.uri.path)
            found[path] = ListedFile(path, stored)
            if len(found) > MOST_FILES:
                raise _too_many(uri)
        if not named and len(found) == before:
            problems.append(FileProblem(str(uri), _nothing(uri)))
    return Listed(tuple(found[path] for path in sorted(found)), tuple(problems))


def _is_note(file: DataUri, asked: DataUri) -> bool:
    """Whether a file is some program's note, and was not asked for by its own name."""
    if file.path == asked.path:
        return False
    steps = file.path.removeprefix(asked.folder).split("/")
    return any(step.startswith((".", "_")) for step in steps)


def _nothing(uri: DataUri) -> str:
    if uri.is_pattern:
        return "matches no file"
    return "holds no file" if uri.is_folder else "is not there"


def _too_many(uri: DataUri) -> SourceProblem:
    return SourceProblem(
        f"{uri} and those before it name more than {MOST_FILES:,} files.",
        remedy="Register a narrower folder or pattern, or write fewer, larger files.",
    )
