"""Kueue, as far as a pod of its queues can see: gated when made, let in by its turn.

Kueue's webhook gates a pod that names a queue; its controller makes a workload for it, on which it says why
the pod waits, takes the gate away when its turn has come, and lets go of pods that have ended. Its quotas are
not here: a test says whose turn it is, and why not.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from . import kinds
from .registry import Registry, stamp
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
        self._say(namespace, name, "QuotaReserved", "True", "Quota reserved in ClusterQueue tests")
        self._say(namespace, name, "Admitted", "True", "The workload is admitted")

    def refuse(self, namespace: str, name: str, words: str) -> None:
        """It is not a pod's turn: why.

        Raises:
            ApiError: 404, there is no such pod, or Kueue has not seen it yet.
        """
        self._say(namespace, name, "QuotaReserved", "False", words)

    def _say(self, namespace: str, pod: str, type_: str, status: str, message: str) -> None:
        """Write a condition of the workload of a pod."""
        reason = type_ if status == "True" else "Pending"
        condition = {"type": type_, "status": status, "reason": reason, "message": message}
        condition["lastTransitionTime"] = stamp(self._registry.clock())

        def said(workload: Document) -> None:
            status = workload.setdefault("status", {})
            others = [one for one in status.get("conditions") or [] if one["type"] != type_]
            status["conditions"] = [*others, condition]

        self._registry.change(kinds.WORKLOADS, namespace, workload_name(pod), said, "status")

    def round(self, changes: Sequence[Change]) -> None:
        """Let go of pods that have ended, or were deleted and have no process left."""
        for change in changes:
            if change.key == kinds.PODS.key and change.type != "DELETED":
                if change.type == "ADDED" and MANAGED in (
                    change.document["metadata"].get("labels") or {}
                ):
                    self._take_in(change.document)
                self._let_go(change.document)

    def _take_in(self, pod: Document) -> None:
        """Make the workload of a pod; it goes with the pod."""
        metadata = pod["metadata"]
        owner = {"apiVersion": "v1", "kind": "Pod", "controller": True}
        document = {
            "metadata": {
                "name": workload_name(metadata["name"]),
                "labels": {"kueue.x-k8s.io/job-uid": metadata["uid"]},
                "ownerReferences": [owner | {"name": metadata["name"], "uid": metadata["uid"]}],
            },
            "spec": {"queueName": metadata["labels"][QUEUE], "active": True},
        }
        self._registry.create(kinds.WORKLOADS, document, metadata["namespace"])

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


def workload_name(pod: str) -> str:
    """The name of a pod's workload: Kueue's ends with five characters of a hash."""
    return f"pod-{pod}-{sha256(pod.encode()).hexdigest()[:5]}"


def gate(kind: kinds.Kind, document: Document) -> None:
    """What Kueue's webhook does to a new pod."""
    if kind is not kinds.PODS or QUEUE not in (document["metadata"].get("labels") or {}):
        return
    document["metadata"]["labels"][MANAGED] = "true"
    document["metadata"].setdefault("finalizers", []).append(MANAGED)
    document["spec"].setdefault("schedulingGates", []).append({"name": GATE})
