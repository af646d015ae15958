"""What etcd is to an API server: documents with versions from one counter, and what became of them."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar, cast

from .kinds import Kind
from .statuses import Document, already_exists, conflict, not_found

T = TypeVar("T")
FIRST_VERSION = 1000
KEPT_CHANGES = 5000
STALE = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


@dataclass(frozen=True)
class Change:
    """A document came, changed or went (ADDED, MODIFIED, DELETED); ``before`` is what it was."""

    version: int
    type: str
    key: str
    document: Document
    before: Document | None


class Store:
    """Documents by kind, namespace and name. Used from one event loop only.

    What is handed out is never to be written to: a change is a new document.
    """

    def __init__(self) -> None:
        self.version = FIRST_VERSION
        self.compacted = 0
        self._documents: dict[str, dict[tuple[str, str], Document]] = defaultdict(dict)
        self._changes: list[Change] = []
        self._waiting: set[asyncio.Event] = set()

    def get(self, kind: Kind, namespace: str, name: str) -> Document:
        """A document.

        Raises:
            ApiError: 404, it is not there.
        """
        found = self.find(kind, namespace, name)
        if found is None:
            raise not_found(kind.group, kind.plural, name)
        return found

    def find(self, kind: Kind, namespace: str, name: str) -> Document | None:
        """A document, or none."""
        return self._documents[kind.key].get((namespace if kind.namespaced else "", name))

    def all(self, kind: Kind, namespace: str = "") -> list[Document]:
        """The documents of a kind, of one namespace or of all, ordered by namespace and name."""
        kept = self._documents[kind.key]
        there = [at for at in kept if not namespace or at[0] == namespace]
        return [kept[at] for at in sorted(there)]

    def add(self, kind: Kind, document: Document) -> Document:
        """Keep a new document.

        Raises:
            ApiError: 409, the name is taken.
        """
        at = address(document)
        if at in self._documents[kind.key]:
            raise already_exists(kind.group, kind.plural, at[1])
        return self._note("ADDED", kind, document, None)

    def replace(self, kind: Kind, document: Document) -> Document:
        """Keep a document in the place of the one that it was made from. No change makes no version.

        Raises:
            ApiError: 404, it is gone; 409, it was changed meanwhile.
        """
        namespace, name = address(document)
        before = self.get(kind, namespace, name)
        if document["metadata"].get("resourceVersion") != before["metadata"]["resourceVersion"]:
            raise conflict(kind.group, kind.plural, name, STALE)
        if document == before:
            return before
        return self._note("MODIFIED", kind, document, before)

    def remove(self, kind: Kind, namespace: str, name: str) -> Document:
        """Forget a document, and return it with the version of its end.

        Raises:
            ApiError: 404, it is not there.
        """
        before = self.get(kind, namespace, name)
        return self._note("DELETED", kind, before, before)

    def since(self, version: int) -> Iterator[Change]:
        """What happened after a version, oldest first."""
        first = bisect_right(self._changes, version, key=lambda change: change.version)
        return iter(self._changes[first:])

    def compact(self) -> None:
        """Forget what happened until now; the cluster's own parts may still be reading the newest."""
        self.compacted = self.version
        del self._changes[:-KEPT_CHANGES]

    def note_nothing(self) -> None:
        """Let the counter go on, as it does in a cluster where something always happens."""
        self.version += 1

    def listen(self) -> asyncio.Event:
        """An event that is set by each change, until ``leave``."""
        event = asyncio.Event()
        self._waiting.add(event)
        return event

    def leave(self, event: asyncio.Event) -> None:
        """No longer listen."""
        self._waiting.discard(event)

    def wake(self) -> None:
        """Let everyone who listens look again."""
        for event in self._waiting:
            event.set()

    def _note(
        self, type_: str, kind: Kind, document: Document, before: Document | None
    ) -> Document:
        self.version += 1
        metadata = document["metadata"] | {"resourceVersion": str(self.version)}
        kept = {**document, "metadata": metadata}
        at = address(kept)
        if type_ == "DELETED":
            del self._documents[kind.key][at]
        else:
            self._documents[kind.key][at] = kept
        self._changes.append(Change(self.version, type_, kind.key, kept, before))
        self.wake()
        return kept


def clone(value: T) -> T:
    """A copy of a JSON document that shares nothing with it."""
    if isinstance(value, dict):
        return cast("T", {key: clone(one) for key, one in value.items()})
    if isinstance(value, list):
        return cast("T", [clone(one) for one in value])
    return value


def address(document: Document) -> tuple[str, str]:
    """Namespace and name."""
    metadata = document["metadata"]
    return metadata.get("namespace", ""), metadata["name"]
