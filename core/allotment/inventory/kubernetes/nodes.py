"""Documents of nodes and pods, as a cluster's API gives them, as values. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from allotment.inventory.kubernetes.accelerators import Reading, accelerators, is_accelerator
from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.model.nodes import Accelerator, NodeSight, PodUse
from allotment.model.pods import LABEL_ALLOTMENT

LONGEST_ID = 128
_ENDED = frozenset({"Succeeded", "Failed"})
_LEAVING = {
    "node.kubernetes.io/unschedulable": "The node is cordoned in its cluster.",
    "node.kubernetes.io/memory-pressure": "The node is short of memory.",
    "node.kubernetes.io/disk-pressure": "The node is short of disk space.",
    "node.kubernetes.io/pid-pressure": "The node is short of process ids.",
    "node.kubernetes.io/network-unavailable": "The node's network is not set up.",
    "node.kubernetes.io/out-of-service": "The node is marked as out of service.",
    "node.cloudprovider.kubernetes.io/shutdown": "The node is shut down.",
    "node.cloudprovider.kubernetes.io/uninitialized": "The node is being set up by its cloud.",
    "ToBeDeletedByClusterAutoscaler": "The cluster's autoscaler is taking the node away.",
    "karpenter.sh/disrupted": "Karpenter is taking the node away.",
}
"""Taints that say that a node is given to nobody now. Others are for pods to tolerate, or not."""
_DEVICE_CONDITION = re.compile(
    r"gpu|accelerat|xid|nvlink|gaudi|\bnpu|(?-i:(?<![A-Z])NPU|Npu)", re.IGNORECASE
)
_GOOD_CONDITION = re.compile(r"(?<!un)(?<!not)(ready|healthy|ok)$", re.IGNORECASE)


def read_node(document: Mapping[str, Any], others: Mapping[str, Reading]) -> NodeSight:
    """A node, from its document."""
    metadata = document.get("metadata") or {}
    spec, status = document.get("spec") or {}, document.get("status") or {}
    labels = dict(metadata.get("labels") or {})
    capacity = _counts(status.get("capacity"))
    found = accelerators(capacity, _counts(status.get("allocatable")), labels, others)
    return NodeSight(
        name=str(metadata.get("name", "")),
        labels=labels,
        accelerators=found,
        problem=_problem(status.get("conditions") or ()),
        cordon=_cordon(spec),
        version=str((status.get("nodeInfo") or {}).get("kubeletVersion", "")),
        cpu=str((status.get("allocatable") or {}).get("cpu", "")),
        memory=str((status.get("allocatable") or {}).get("memory", "")),
    )


def _counts(amounts: Mapping[str, Any] | None) -> dict[str, int]:
    """Resources that are counted in whole things: accelerators always are."""
    counted = {name: str(amount) for name, amount in (amounts or {}).items() if "/" in name}
    return {name: _count(text) for name, text in counted.items()}


def _count(text: str) -> int:
    """A quantity of an extended resource; it is whole, and may be written with a decimal suffix (``1k``)."""
    found = re.fullmatch(r"([0-9]+)(k?)", text, re.ASCII)
    return int(found.group(1)) * (1000 if found.group(2) else 1) if found else 0


def _problem(conditions: Iterable[Mapping[str, Any]]) -> str:
    """Why nothing on a node can be relied on: it is not ready, or something watches its devices and complains.

    ``Ready`` is Kubernetes' own. Other conditions about devices come from detectors that a cluster
    may have; one whose name ends in Ready, Healthy or OK (and not in Unhealthy, NotReady …) is good when true,
    others when false.
    """
    said = {str(each.get("type", "")): each for each in conditions}
    ready = said.pop("Ready", {})
    if ready.get("status") != "True":
        return f"The node is not ready{_because(ready)}."
    for kind, each in sorted(said.items()):
        if _DEVICE_CONDITION.search(kind):
            bad = "False" if _GOOD_CONDITION.search(kind) else "True"
            if each.get("status") == bad:
                return f"The node reports {kind}={bad}{_because(each)}."
    return ""


def _because(condition: Mapping[str, Any]) -> str:
    reason, message = str(condition.get("reason") or ""), str(condition.get("message") or "")
    words = ": ".join(part for part in (reason, message.rstrip(".")) if part)
    return f" ({words[:300]})" if words else ""


def _cordon(spec: Mapping[str, Any]) -> str:
    if spec.get("unschedulable"):
        return _LEAVING["node.kubernetes.io/unschedulable"]
    for taint in spec.get("taints") or ():
        words = _LEAVING.get(str(taint.get("key", "")), "")
        if words and taint.get("effect") in {"NoSchedule", "NoExecute"}:
            return words
    return ""


def read_pod(document: Mapping[str, Any], others: Mapping[str, Reading]) -> PodUse | None:
    """A pod that is on a node and uses an accelerator there, or says that it is ours; None for others."""
    metadata, spec = document.get("metadata") or {}, document.get("spec") or {}
    status = document.get("status") or {}
    node, phase = str(spec.get("nodeName") or ""), str(status.get("phase") or "")
    allotment = str((metadata.get("labels") or {}).get(LABEL_ALLOTMENT, ""))
    asks = _asks(spec, others)
    if not node or phase in _ENDED or not (asks or allotment):
        return None
    return PodUse(
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata.get("name", "")),
        node=node,
        state="Terminating" if metadata.get("deletionTimestamp") else phase,
        asks=asks,
        allotment=allotment,
    )


def _asks(spec: Mapping[str, Any], others: Mapping[str, Reading]) -> dict[str, int]:
    """What a pod asks of accelerators, as the scheduler counts it.

    The sum of its containers and of those that start before and stay (``restartPolicy: Always``), or
    what one that runs before them needs beside those that stay by then, whichever is more.
    """
    stay: dict[str, int] = {}
    most: dict[str, int] = {}
    for each in spec.get("initContainers") or ():
        mine = _of_container(each, others)
        if each.get("restartPolicy") == "Always":
            stay = _sum(stay, mine)
            most = _larger(most, stay)
        else:
            most = _larger(most, _sum(stay, mine))
    total = stay
    for each in spec.get("containers") or ():
        total = _sum(total, _of_container(each, others))
    return {name: number for name, number in _larger(most, total).items() if number}


def _of_container(container: Mapping[str, Any], others: Mapping[str, Reading]) -> dict[str, int]:
    said = container.get("resources") or {}
    amounts = {**(said.get("limits") or {}), **(said.get("requests") or {})}
    return {name: n for name, n in _counts(amounts).items() if is_accelerator(name, others)}


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {*one, *other}}


def _larger(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in {*one, *other}}


def slots(node: NodeSight) -> tuple[DeviceSpec, ...]:
    """A device for each accelerator of a node. They are counted, not named: a cluster chooses by itself which is given."""
    return tuple(
        DeviceSpec(
            id=slot_id(node.name, each, index),
            node=node.name,
            model=each.model[:200],
            memory=each.memory,
            uuid="",
            origin=DeviceOrigin.KUBERNETES,
            isolation=each.isolation,
            healthy=not node.problem,
            health_note=node.problem,
            resource=each.resource,
            node_cordon=node.cordon,
        )
        for each in node.accelerators
        for index in range(each.capacity)
    )


def slot_id(node: str, accelerator: Accelerator, index: int) -> str:
    """``gpu-node-1-gpu-0``; resources of other vendors than NVIDIA keep their domain, so that no two are alike."""
    domain, _, kind = accelerator.resource.partition("/")
    short = kind if domain == "nvidia.com" else f"{domain}-{kind}"
    return f"{node}-{short}-{index}".lower()


def fits_record(spec: DeviceSpec) -> bool:
    """Whether the record can hold a device: names of nodes may be longer than the record's."""
    return len(spec.id) <= LONGEST_ID and len(spec.node) <= LONGEST_ID
