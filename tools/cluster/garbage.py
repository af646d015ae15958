"""The garbage collector: what belongs to an object that is gone goes too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from . import kinds
from .registry import Registry
from .statuses import Document
from .store import Change

Place = tuple[str, str, str]


class Garbage:
    """Deletes the dependents (ownerReferences) of what was deleted, in the background."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._dependents: dict[str, set[Place]] = defaultdict(set)
        known = (*kinds.STORED, kinds.WORKLOADS)
        self._kinds = {kind.key: kind for kind in known if not kind.stored_as}

    def round(self, changes: Sequence[Change]) -> None:
        """Note who belongs to whom; let go what is left over."""
        for change in changes:
            metadata = change.document["metadata"]
            place = change.key, metadata.get("namespace", ""), metadata["name"]
            for owner in metadata.get("ownerReferences") or []:
                if change.type == "DELETED":
                    self._dependents[owner["uid"]].discard(place)
                else:
                    self._dependents[owner["uid"]].add(place)
            if change.type == "DELETED":
                for dependent in self._dependents.pop(metadata["uid"], set()):
                    self._let_go(dependent, metadata["uid"])

    def _let_go(self, place: Place, owner: str) -> None:
        key, namespace, name = place
        kind = self._kinds[key]
        found: Document | None = self._registry.store.find(kind, namespace, name)
        if found is None:
            return
        owners = [one["uid"] for one in found["metadata"].get("ownerReferences") or []]
        if owners == [owner]:
            self._registry.delete(kind, namespace, name)
