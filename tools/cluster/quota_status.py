"""The controller of quotas: what is used stands in their status."""

from __future__ import annotations

from collections.abc import Sequence

from . import kinds
from .admission import COUNTED
from .quantities import alike
from .registry import Registry
from .statuses import Document
from .store import Change


class QuotaStatus:
    """Keeps the status of quotas true."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._counted = {kind.key for kind in COUNTED}

    def round(self, changes: Sequence[Change]) -> None:
        """Count again where something that counts has changed."""
        changed = {
            change.document["metadata"].get("namespace", "")
            for change in changes
            if change.key in self._counted
        }
        for namespace in changed:
            for quota in self._registry.store.all(kinds.QUOTAS, namespace):
                self._count(quota)

    def _count(self, quota: Document) -> None:
        metadata, hard = quota["metadata"], quota["spec"].get("hard", {})
        used = self._registry.admission.usage(quota)
        status = {
            "hard": dict(hard),
            "used": {key: alike(amount, hard[key]) for key, amount in used.items()},
        }
        self._registry.change(
            kinds.QUOTAS,
            metadata["namespace"],
            metadata["name"],
            lambda found: found.update(status=status),
            "status",
        )
