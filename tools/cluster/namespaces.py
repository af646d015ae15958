"""The controller of namespaces: one that is deleted is emptied first."""

from __future__ import annotations

from collections.abc import Sequence

from . import kinds
from .registry import Registry
from .statuses import Document
from .store import Change


class Namespaces:
    """Furnishes new namespaces, and empties those that end."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._ending: set[str] = set()

    def round(self, changes: Sequence[Change]) -> None:
        """Look at the namespaces that have changed, and at those that end."""
        for change in changes:
            if change.key == kinds.NAMESPACES.key:
                self._look_at(change)
        for name in list(self._ending):
            self._empty(name)

    def _look_at(self, change: Change) -> None:
        metadata = change.document["metadata"]
        if change.type == "DELETED":
            self._ending.discard(metadata["name"])
        elif "deletionTimestamp" in metadata:
            self._ending.add(metadata["name"])
        else:
            furnish(self._registry, metadata["name"])

    def _empty(self, name: str) -> None:
        left = 0
        for kind in kinds.STORED:
            if not kind.namespaced:
                continue
            for document in self._registry.store.all(kind, name):
                if "deletionTimestamp" not in document["metadata"]:
                    self._registry.delete(kind, name, document["metadata"]["name"])
            left += len(self._registry.store.all(kind, name))
        if not left:
            self._ending.discard(name)
            self._registry.change(
                kinds.NAMESPACES,
                "",
                name,
                lambda found: found["spec"].pop("finalizers"),
                "finalize",
            )


def add_namespace(registry: Registry, name: str) -> None:
    """A namespace with what the controllers put into each."""
    document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    registry.create(kinds.NAMESPACES, document)
    furnish(registry, name)


def furnish(registry: Registry, name: str) -> None:
    """The default service account and the cluster's authority of a namespace."""
    account: Document = {"metadata": {"name": "default"}}
    authority: Document = {
        "metadata": {"name": "kube-root-ca.crt"},
        "data": {"ca.crt": registry.authority},
    }
    if registry.store.find(kinds.NAMESPACES, "", name) is None:
        return
    for kind, document in ((kinds.SERVICE_ACCOUNTS, account), (kinds.CONFIG_MAPS, authority)):
        if registry.store.find(kind, name, document["metadata"]["name"]) is None:
            registry.create(kind, document, name)
