"""The controller of namespaces: one that is deleted is emptied first."""

from __future__ import annotations

from . import kinds
from .registry import Registry
from .statuses import Document


class Namespaces:
    """Furnishes new namespaces, and empties those that end."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def round(self) -> None:
        """Look at every namespace."""
        for namespace in self._registry.store.all(kinds.NAMESPACES):
            if "deletionTimestamp" in namespace["metadata"]:
                self._empty(namespace)
            else:
                furnish(self._registry, namespace["metadata"]["name"])

    def _empty(self, namespace: Document) -> None:
        name = namespace["metadata"]["name"]
        left = 0
        for kind in kinds.STORED:
            if not kind.namespaced:
                continue
            for document in self._registry.store.all(kind, name):
                if "deletionTimestamp" not in document["metadata"]:
                    self._registry.delete(kind, name, document["metadata"]["name"])
            left += len(self._registry.store.all(kind, name))
        if not left:
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
    authority: Document = {"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": "none\n"}}
    for kind, document in ((kinds.SERVICE_ACCOUNTS, account), (kinds.CONFIG_MAPS, authority)):
        if registry.store.find(kind, name, document["metadata"]["name"]) is None:
            registry.create(kind, document, name)
