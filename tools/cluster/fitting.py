"""Whether a pod fits on a node, in the scheduler's own words where it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from .admission import pod_requests
from .quantities import quantity
from .selectors import expression
from .statuses import Document

UNSCHEDULABLE: Document = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
MOST_PODS = Decimal(110)


@dataclass(frozen=True)
class Misfit:
    """Why a node will not do; ``helpless`` where ending other pods would not change it."""

    reason: str
    helpless: bool = True


@dataclass
class Room:
    """A node with what is used of it."""

    node: Document
    pods: list[Document] = field(default_factory=list)
    used: dict[str, Decimal] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The node's name."""
        return str(self.node["metadata"]["name"])

    def allocatable(self, resource: str) -> Decimal:
        """What pods can have of a resource."""
        return quantity((self.node["status"].get("allocatable") or {}).get(resource, "0"))

    def take(self, pod: Document) -> None:
        """Count a pod."""
        self.pods.append(pod)
        for resource, amount in pod_requests(pod["spec"]).items():
            self.used[resource] = self.used.get(resource, Decimal(0)) + amount

    def without(self, pods: Sequence[Document]) -> Room:
        """The node as it would be without some of its pods."""
        gone = {pod["metadata"]["uid"] for pod in pods}
        room = Room(self.node)
        for pod in self.pods:
            if pod["metadata"]["uid"] not in gone:
                room.take(pod)
        return room


def misfits(pod: Document, room: Room) -> list[Misfit]:
    """Why a pod cannot run on a node; the first thing that says no has the word."""
    checks: tuple[Callable[[Document, Room], list[Misfit]], ...] = (
        cordoned,
        other_name,
        tainted,
        not_meant,
        ports_taken,
        too_little,
    )
    for check in checks:
        if found := check(pod, room):
            return found
    return []


def cordoned(pod: Document, room: Room) -> list[Misfit]:
    """NodeUnschedulable."""
    told = any(tolerates(one, UNSCHEDULABLE) for one in pod["spec"].get("tolerations") or [])
    if room.node.get("spec", {}).get("unschedulable") and not told:
        return [Misfit("node(s) were unschedulable")]
    return []


def other_name(pod: Document, room: Room) -> list[Misfit]:
    """NodeName."""
    wanted = pod["spec"].get("nodeName")
    if wanted and wanted != room.name:
        return [Misfit("node(s) didn't match the requested node name")]
    return []


def tainted(pod: Document, room: Room) -> list[Misfit]:
    """TaintToleration."""
    tolerations = pod["spec"].get("tolerations") or []
    for taint in room.node.get("spec", {}).get("taints") or []:
        if taint["effect"] == "PreferNoSchedule":
            continue
        if not any(tolerates(one, taint) for one in tolerations):
            return [Misfit("node(s) had untolerated taint(s)")]
    return []


def tolerates(toleration: Document, taint: Document) -> bool:
    """Whether a toleration is for a taint."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("value", "") == taint.get("value", ""))


def not_meant(pod: Document, room: Room) -> list[Misfit]:
    """NodeAffinity: node selector and required affinity."""
    labels: Mapping[str, str] = room.node["metadata"].get("labels") or {}
    selector = pod["spec"].get("nodeSelector") or {}
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    meant = all(labels.get(key) == value for key, value in selector.items())
    if meant and required is not None:
        meant = any(term_meant(term, labels, room.name) for term in required["nodeSelectorTerms"])
    return [] if meant else [Misfit("node(s) didn't match Pod's node affinity/selector")]


def term_meant(term: Document, labels: Mapping[str, str], name: str) -> bool:
    """Whether a term of a node selector means a node; an empty term means none."""
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    known = {"metadata.name": name}
    return all(expression(labels, one) for one in expressions) and all(
        expression(known, one) for one in fields
    )


def ports_taken(pod: Document, room: Room) -> list[Misfit]:
    """NodePorts."""
    if host_ports(pod) & {port for other in room.pods for port in host_ports(other)}:
        return [
            Misfit("node(s) didn't have free ports for the requested pod ports", helpless=False)
        ]
    return []


def host_ports(pod: Document) -> set[tuple[str, int]]:
    """The ports of the node that a pod wants."""
    return {
        (port.get("protocol", "TCP"), port["hostPort"])
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or []
        if port.get("hostPort")
    }


def too_little(pod: Document, room: Room) -> list[Misfit]:
    """NodeResourcesFit."""
    found = []
    most = room.allocatable("pods") or MOST_PODS
    if len(room.pods) + 1 > most:
        found.append(Misfit("Too many pods", helpless=False))
    for resource, amount in pod_requests(pod["spec"]).items():
        total = room.allocatable(resource)
        if amount and amount > total - room.used.get(resource, Decimal(0)):
            found.append(Misfit(f"Insufficient {resource}", helpless=amount > total))
    return found


def least_used(rooms: Sequence[Room]) -> Room:
    """Of the nodes that fit the one with most left, as the default scheduler spreads pods."""

    def share(room: Room) -> tuple[Decimal, int, str]:
        parts = [
            room.used.get(resource, Decimal(0)) / total
            for resource in ("cpu", "memory")
            if (total := room.allocatable(resource))
        ]
        return sum(parts, Decimal(0)), len(room.pods), room.name

    return min(rooms, key=share)


def no_fit(found: Mapping[str, list[Misfit]], after: str = "") -> str:
    """The message of a pod that no node can take; ``after`` is what preemption has to say."""
    if not found:
        return "no nodes available to schedule pods"
    total = len(found)
    reasons = counted([one.reason for misfits_ in found.values() for one in misfits_])
    return f"0/{total} nodes are available: {reasons}. {after or no_preemption(found)}".rstrip()


def no_preemption(found: Mapping[str, list[Misfit]]) -> str:
    """What the scheduler says about ending other pods, where that does not help."""
    helpless = [any(one.helpless for one in misfits_) for misfits_ in found.values()]
    words = [
        "Preemption is not helpful for scheduling"
        if one
        else "No preemption victims found for incoming pod"
        for one in helpless
    ]
    # Since resource claims are looked at first, they have a word in each message.
    said = f"0/{len(found)} nodes are available: {counted(words)}."
    return f"no new claims to deallocate, preemption: {said}"


def counted(words: Sequence[str]) -> str:
    """``1 Insufficient cpu, 2 Too many pods``."""
    return ", ".join(sorted(f"{words.count(word)} {word}" for word in set(words)))
