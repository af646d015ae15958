"""The controllers of a cluster: nodes, namespaces, claims of storage, what is left of pods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import kinds
from .events import Recorder
from .garbage import Garbage
from .kubelet import Kubelet
from .kueue import Kueue
from .namespaces import Namespaces
from .pod_run import PodRun
from .quota_status import QuotaStatus
from .registry import Registry, stamp
from .statuses import Document
from .storage import Storage
from .store import Change
from .subresources import add_condition
from .taints import Taints

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

UNREACHABLE = (
    {"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"},
)
UNHEARD = ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")


class Controllers:
    """What the controller manager does, as far as pods and their like depend on it."""

    def __init__(self, registry: Registry, kubelet: Kubelet) -> None:
        self._registry = registry
        self._kubelet = kubelet
        self._recorder = Recorder(registry, "node-controller")
        self._storage = Storage(registry)
        self._namespaces = Namespaces(registry)
        self._garbage = Garbage(registry)
        self._quotas = QuotaStatus(registry)
        self.taints = Taints(registry)
        self.kueue = Kueue(registry)

    def round(self, changes: Sequence[Change]) -> None:
        """Look after what has changed."""
        for change in changes:
            if change.key == kinds.NODES.key:
                self._look_at_node(change)
            elif change.key == kinds.PODS.key and change.type != "DELETED":
                self._look_at_pod(change.document)
        self._storage.round(changes)
        self._namespaces.round(changes)
        self._garbage.round(changes)
        self._quotas.round(changes)
        self.kueue.round(changes)

    def _look_at_node(self, change: Change) -> None:
        name = change.document["metadata"]["name"]
        node = self._registry.store.find(kinds.NODES, "", name)
        if node is None:
            for pod in self._registry.store.all(kinds.PODS):
                if pod["spec"].get("nodeName") == name:
                    self._collect(pod)
            return
        self._look_after(node)
        if node_taints(change.before) != node_taints(node):
            self.taints.look(node)

    def _look_at_pod(self, pod: Document) -> None:
        name = pod["spec"].get("nodeName")
        if not name:
            return
        node = self._registry.store.find(kinds.NODES, "", name)
        if node is None:
            self._collect(pod)
        elif node_taints(node):
            self.taints.look_at(pod, node_taints(node))

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

        def heard(node: Document) -> None:
            self._heard(node, ready=ready)

        def tainted(node: Document) -> None:
            for one in UNREACHABLE:
                taint(node, one, wanted=not ready)

        if not ready:
            self._kubelet.silent.add(name)
        node = self._registry.change(kinds.NODES, "", name, heard, "status")
        self._registry.change(kinds.NODES, "", name, tainted)
        if ready:
            self._kubelet.hear_again(name)
        else:
            self._recorder.note(
                node, "Normal", "NodeNotReady", f"Node {name} status is now: NodeNotReady"
            )
            self._doubt_pods(name)

    def _doubt_pods(self, node: str) -> None:
        """The pods of a node that is not heard of are not ready."""
        at = stamp(self._registry.clock())

        def doubted(pod: Document) -> None:
            for one in pod["status"].get("conditions") or []:
                if one["type"] == "Ready" and one["status"] == "True":
                    one |= {"status": "False", "lastTransitionTime": at}

        for pod in self._registry.store.all(kinds.PODS):
            if pod["spec"].get("nodeName") == node:
                metadata = pod["metadata"]
                namespace, name = metadata["namespace"], metadata["name"]
                self._registry.change(kinds.PODS, namespace, name, doubted, "status")
                message = "Node is not ready"
                self._recorder.note(pod, "Warning", "NodeNotReady", message)

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
        cordoned = bool((node.get("spec") or {}).get("unschedulable"))
        marked = any(taint["key"] == CORDON["key"] for taint in node["spec"].get("taints") or [])
        if cordoned is not marked:
            self._registry.change(
                kinds.NODES, "", name, lambda found: taint(found, CORDON, wanted=cordoned)
            )

    def _collect(self, pod: Document) -> None:
        """A pod whose node is gone goes (the garbage collector of pods)."""
        metadata = pod["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        found = self._registry.store.find(kinds.PODS, namespace, name)
        if found is None or found["metadata"]["uid"] != metadata["uid"]:
            return
        why = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByPodGC",
            "message": "PodGC: node no longer exists",
            "lastTransitionTime": stamp(self._registry.clock()),
        }

        def failed(found: Document) -> None:
            if found["status"].get("phase") not in ("Succeeded", "Failed"):
                found["status"]["phase"] = "Failed"
                add_condition(found, why)

        self._registry.change(kinds.PODS, namespace, name, failed, "status")
        self._registry.delete(kinds.PODS, namespace, name, {"gracePeriodSeconds": 0})

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


def node_taints(node: Document | None) -> list[Document]:
    """The taints of a node that make pods leave."""
    given = (node or {}).get("spec", {}).get("taints") or []
    return [one for one in given if one["effect"] == "NoExecute"]


def taint(node: Document, one: Document, *, wanted: bool) -> None:
    """Put a taint on a node, or take it away."""
    spec = node.setdefault("spec", {})
    same = one["key"], one["effect"]
    kept = [old for old in spec.get("taints") or [] if (old["key"], old["effect"]) != same]
    spec["taints"] = [*kept, one] if wanted else kept
    if not spec["taints"]:
        del spec["taints"]
