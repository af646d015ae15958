"""What a cluster said of its nodes when it was seen last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from allotment.model.devices import Isolation
from allotment.model.nodes import Accelerator, ClusterSight, NodeSight, PodUse
from allotment.record.engine import Reading, Writing
from allotment.record.schema import nodes

GONE_LASTS = timedelta(days=7)
"""How long a node that is gone is remembered: clusters give new nodes new names."""


@dataclass(frozen=True, slots=True)
class KnownNode:
    """A node of the record. ``since`` is when what is said of it changed last; ``pods`` None: nobody may know."""

    sight: NodeSight
    pods: tuple[PodUse, ...] | None
    present: bool
    since: datetime


def all_nodes(reading: Reading) -> tuple[KnownNode, ...]:
    """Every node that is known, by name."""
    return tuple(_from_row(row) for row in reading.all(sa.select(nodes).order_by(nodes.c.name)))


def _from_row(row: sa.Row[Any]) -> KnownNode:
    said = row.document
    accelerators = tuple(
        Accelerator(**{**each, "isolation": Isolation(each["isolation"])})
        for each in said["accelerators"]
    )
    values = {key: said[key] for key in ("labels", "problem", "cordon", "version", "cpu", "memory")}
    pods = said["pods"]
    return KnownNode(
        NodeSight(name=row.name, accelerators=accelerators, **values),
        None if pods is None else tuple(PodUse(**each) for each in pods),
        said["present"],
        row.seen_at,
    )


def observe(writing: Writing, sight: ClusterSight) -> tuple[str, ...]:
    """Take in what a cluster says now. Returns the nodes that are forgotten: gone for :data:`GONE_LASTS`."""
    known = {node.sight.name: node for node in all_nodes(writing)}
    by_node: dict[str, list[PodUse]] = defaultdict(list)
    for pod in sight.pods or ():
        by_node[pod.node].append(pod)
    for node in sight.nodes:
        pods = None if sight.pods is None else by_node[node.name]
        before = known.pop(node.name, None)
        if pods is None and before is not None:
            pods = None if before.pods is None else list(before.pods)
        _keep(writing, node, pods, before, present=True)
    forgotten = []
    for name, gone in known.items():
        if gone.present:
            _keep(writing, gone.sight, [], gone, present=False)
        elif writing.now - gone.since >= GONE_LASTS:
            writing.run(nodes.delete().where(nodes.c.name == name))
            writing.event("node.forgotten", name)
            forgotten.append(name)
    return tuple(forgotten)


def _keep(
    writing: Writing,
    node: NodeSight,
    pods: Sequence[PodUse] | None,
    before: KnownNode | None,
    *,
    present: bool,
) -> None:
    """Write a node where it changed; an event where its state did."""
    document = _document(node, pods, present=present)
    if before is not None and document == _document(
        before.sight, before.pods, present=before.present
    ):
        return
    values = {"document": document, "seen_at": writing.now}
    if before is None:
        writing.run(nodes.insert().values(name=node.name, **values))
    else:
        writing.run(nodes.update().where(nodes.c.name == node.name).values(**values))
    after = {"problem": node.problem, "cordon": node.cordon, "present": present}
    was = None if before is None else _state(before)
    if after != was:
        writing.event(_kind(before, present=present), node.name, before=was, after=after)


def _state(node: KnownNode) -> dict[str, Any]:
    """What an event says of a node."""
    return {
        "problem": node.sight.problem,
        "cordon": node.sight.cordon,
        "present": node.present,
    }


def _kind(before: KnownNode | None, *, present: bool) -> str:
    if before is None:
        return "node.found"
    if before.present != present:
        return "node.returned" if present else "node.vanished"
    return "node.changed"


def _document(node: NodeSight, pods: Sequence[PodUse] | None, *, present: bool) -> dict[str, Any]:
    ordered = None if pods is None else sorted(pods, key=lambda pod: (pod.namespace, pod.name))
    return {
        "labels": dict(node.labels),
        "accelerators": [
            {
                "resource": each.resource,
                "capacity": each.capacity,
                "allocatable": each.allocatable,
                "model": each.model,
                "memory": each.memory,
                "isolation": str(each.isolation),
            }
            for each in node.accelerators
        ],
        "problem": node.problem,
        "cordon": node.cordon,
        "version": node.version,
        "cpu": node.cpu,
        "memory": node.memory,
        "pods": None
        if ordered is None
        else [
            {
                "namespace": pod.namespace,
                "name": pod.name,
                "node": pod.node,
                "state": pod.state,
                "asks": dict(pod.asks),
                "allotment": pod.allotment,
            }
            for pod in ordered
        ],
        "present": present,
    }
