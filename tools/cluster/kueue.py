"""Kueue, as far as a pod of its queues can see: gated when made, let in by its turn.

Kueue's webhook gates a pod that names a queue; its controller takes the gate away when the pod's turn has
come, and lets go of pods that have ended. Its quotas are not here: a test says whose turn it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import kinds
from .registry import Registry
from .statuses import ApiError, Document
from .store import Change

QUEUE = "kueue.x-k8s.io/queue-name"
MANAGED = "kueue.x-k8s.io/managed"
GATE = "kueue.x-k8s.io/admission"


class Kueue:
    """Gates pods of queues once it is installed."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def install(self) -> None:
        """From now on pods that name a queue wait."""
        self._registry.admission.webhooks.append(gate)

    def admit(self, namespace: str, name: str) -> None:
        """It is a pod's turn.

        Raises:
            ApiError: 404, there is no such pod.
        """

        def admitted(pod: Document) -> None:
            gates = pod["spec"].get("schedulingGates") or []
            pod["spec"]["schedulingGates"] = [one for one in gates if one["name"] != GATE]
            if not pod["spec"]["schedulingGates"]:
                del pod["spec"]["schedulingGates"]

        self._registry.change(kinds.PODS, namespace, name, admitted)

    def round(self, changes: Sequence[Change]) -> None:
        """Let go of pods that have ended, or were deleted and have no process left."""
        for change in changes:
            if change.key == kinds.PODS.key and change.type != "DELETED":
                self._let_go(change.document)

    def _let_go(self, pod: Document) -> None:
        metadata = pod["metadata"]
        if MANAGED not in (metadata.get("finalizers") or []):
            return
        deleted = "deletionTimestamp" in metadata and not metadata["deletionGracePeriodSeconds"]
        if not deleted and pod["status"].get("phase") not in ("Succeeded", "Failed"):
            return

        def released(found: Document) -> None:
            kept = [one for one in found["metadata"].get("finalizers") or [] if one != MANAGED]
            found["metadata"]["finalizers"] = kept
            if not kept:
                del found["metadata"]["finalizers"]

        try:
            self._registry.change(kinds.PODS, metadata["namespace"], metadata["name"], released)
        except ApiError as refusal:
            if refusal.code != 404:  # noqa: PLR2004 - gone meanwhile
                raise


def gate(kind: kinds.Kind, document: Document) -> None:
    """What Kueue's webhook does to a new pod."""
    if kind is not kinds.PODS or QUEUE not in (document["metadata"].get("labels") or {}):
        return
    document["metadata"]["labels"][MANAGED] = "true"
    document["metadata"].setdefault("finalizers", []).append(MANAGED)
    document["spec"].setdefault("schedulingGates", []).append({"name": GATE})
