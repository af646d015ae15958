"""The controllers of a cluster: nodes, namespaces, claims of storage, what is left of pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import kinds
from .events import Recorder
from .kubelet import Kubelet
from .namespaces import Namespaces
from .pod_run import PodRun
from .registry import Registry, stamp
from .statuses import Document
from .storage import Storage
from .subresources import add_condition

if TYPE_CHECKING:
    from .subresources import Subresources

CORDON = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
HEALTHY = {
    "MemoryPressure": (
        "False",
        "KubeletHasSufficientMemory",
        "kubelet has sufficient memory available",
    ),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
}

UNHEARD = ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")


class Controllers:
    """What the controller manager does, as far as pods and their like depend on it."""

    def __init__(self, registry: Registry, kubelet: Kubelet) -> None:
        self._registry = registry
        self._kubelet = kubelet
        self._recorder = Recorder(registry, "node-controller")
        self._storage = Storage(registry)
        self._namespaces = Namespaces(registry)

    def begin(self) -> None:
        """What is in each cluster from the start."""

    def round(self) -> None:
        """Look after everything."""
        for node in self._registry.store.all(kinds.NODES):
            self._look_after(node)
        self._collect_pods()
        self._storage.round()
        self._namespaces.round()

    def set_condition(self, node: Document, type_: str, value: str) -> None:
        """Set a condition of a node, as its kubelet or a device health controller does."""
        at = stamp(self._registry.clock())
        status, reason, message = HEALTHY.get(type_, (value, type_, ""))
        if value != status:
            reason, message = f"{type_}{value}", f"{type_} is {value}"
        condition = {
            "type": type_,
            "status": value,
            "lastHeartbeatTime": at,
            "lastTransitionTime": at,
            "reason": reason,
            "message": message,
        }
        add_condition(node, condition)

    def set_ready(self, name: str, *, ready: bool) -> None:
        """A node's kubelet is heard of again, or no more."""
        if ready:
            self._kubelet.silent.discard(name)
        else:
            self._kubelet.silent.add(name)
        self._registry.change(
            kinds.NODES, "", name, lambda node: self._heard(node, ready=ready), "status"
        )

    def _heard(self, node: Document, *, ready: bool) -> None:
        at = stamp(self._registry.clock())
        for type_, healthy in HEALTHY.items():
            status, reason, message = healthy if ready else UNHEARD
            condition = {"type": type_, "status": status, "reason": reason, "message": message}
            add_condition(node, condition | {"lastHeartbeatTime": at, "lastTransitionTime": at})

    def _look_after(self, node: Document) -> None:
        name = node["metadata"]["name"]
        if not node["status"].get("conditions"):
            self._registry.change(
                kinds.NODES, "", name, lambda found: self._heard(found, ready=True), "status"
            )
        cordoned = bool(node["spec"].get("unschedulable"))
        marked = any(taint["key"] == CORDON["key"] for taint in node["spec"].get("taints") or [])
        if cordoned is not marked:
            self._registry.change(
                kinds.NODES, "", name, lambda found: taint(found, CORDON, wanted=cordoned)
            )

    def _collect_pods(self) -> None:
        """Pods of nodes that are gone go."""
        nodes = {node["metadata"]["name"] for node in self._registry.store.all(kinds.NODES)}
        for pod in self._registry.store.all(kinds.PODS):
            node, metadata = pod["spec"].get("nodeName"), pod["metadata"]
            if node and node not in nodes:
                why = {
                    "type": "DisruptionTarget",
                    "status": "True",
                    "reason": "DeletionByPodGC",
                    "message": "PodGC: node no longer exists",
                    "lastTransitionTime": stamp(self._registry.clock()),
                }

                def failed(found: Document, why: Document = why) -> None:
                    found["status"]["phase"] = "Failed"
                    add_condition(found, why)

                self._registry.change(
                    kinds.PODS, metadata["namespace"], metadata["name"], failed, "status"
                )
                self._registry.delete(
                    kinds.PODS, metadata["namespace"], metadata["name"], {"gracePeriodSeconds": 0}
                )

    def run_of(self, namespace: str, name: str) -> PodRun:
        """A pod as it runs."""
        pod = self._registry.store.get(kinds.PODS, namespace, name)
        return self._kubelet.runs[pod["metadata"]["uid"]]

    def evict(self, namespace: str, name: str, message: str) -> None:
        """End a pod by its node's word."""
        pod = self._registry.store.get(kinds.PODS, namespace, name)
        self._kubelet.recorder.note(pod, "Warning", "Evicted", message, pod["spec"]["nodeName"])
        why = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "TerminationByKubelet",
            "message": message,
            "lastTransitionTime": stamp(self._registry.clock()),
        }
        self._registry.change(
            kinds.PODS, namespace, name, lambda found: add_condition(found, why), "status"
        )
        self.run_of(namespace, name).end_as("Evicted", message)

    def drain(self, node: str, subresources: Subresources) -> None:
        """Evict every pod of a node.

        Raises:
            ApiError: 429, a disruption budget does not allow it.
        """
        for pod in self._registry.store.all(kinds.PODS):
            if pod["spec"].get("nodeName") == node:
                metadata = pod["metadata"]
                subresources.evict(metadata["namespace"], metadata["name"], {})


def taint(node: Document, one: Document, *, wanted: bool) -> None:
    """Put a taint on a node, or take it away."""
    kept = [old for old in node["spec"].get("taints") or [] if old["key"] != one["key"]]
    node["spec"]["taints"] = [*kept, one] if wanted else kept
    if not node["spec"]["taints"]:
        del node["spec"]["taints"]
