"""Nodes, and what runs on them, as rows of grids."""

from __future__ import annotations

from collections.abc import Iterable

from allotment.model.documents import Node, Occupant
from allotment_widgets.columns import Column, State

NODE_STATES = {
    "ready": State("Ready", "ok"),
    "machine": State("Machine", "plain"),
    "cordoned": State("Cordoned", "warn"),
    "not ready": State("Not ready", "bad"),
    "gone": State("Gone", "bad"),
}
OCCUPANT_STATES = {
    "starting": State("Starting", "info"),
    "offered": State("Offered", "info"),
    "running": State("Running", "ok"),
    "stopping": State("Stopping", "plain"),
    "Running": State("Running", "ok"),
    "Pending": State("Pending", "info"),
    "Terminating": State("Terminating", "plain"),
    "Unknown": State("Unknown", "bad"),
}

NODE_COLUMNS = (
    Column("id", "Node", flex=1.2, width=100, hover="about"),
    Column("state", "State", kind="state", states=NODE_STATES, hover="why", width=124),
    Column("models", "Devices are", flex=1, width=112, hover="offers", hide_narrow=True),
    Column("held", "Held", kind="meter", width=84),
    Column("free", "Free", kind="number", width=62, hide_narrow=True),
    Column("taken", "Others", kind="number", width=76, hover="taken_words", hide_narrow=True),
    Column("out", "Out of use", kind="number", width=108, hide_narrow=True),
    Column("ailing", "Ailing", kind="number", width=74, hide_narrow=True),
    Column("use", "Use", kind="percent", width=70, hide_narrow=True),
    Column(
        "occupants", "Runs", kind="number", width=72, hover="pods", hide_narrow=True, extra=True
    ),
    Column("version", "Kubelet", width=92, hide_narrow=True, extra=True),
    Column("since", "Changed", kind="time", width=104, hide_narrow=True, extra=True),
)
OCCUPANT_COLUMNS = (
    Column("name", "Pod or process", flex=1.6, width=130, hover="whole"),
    Column("node", "Node", flex=1, width=100, hide_narrow=True),
    Column("state", "State", kind="state", states=OCCUPANT_STATES, width=132),
    Column("devices", "Devices", kind="number", width=84, hide_narrow=True),
    Column("whose", "Whose", flex=1.2, width=84, hover="whose_words"),
)


def node_row(node: Node) -> dict[str, object]:
    """One node as a row."""
    counted = node.devices
    return {
        "id": node.name,
        "state": node.state,
        "why": " ".join(part for part in (node.problem, node.cordon) if part),
        "about": _about(node),
        "models": ", ".join(node.models) or None,
        "offers": "; ".join(
            f"{each.allocatable} of {each.capacity} {each.resource} given out, {each.isolation_words}"
            for each in node.resources
        ),
        "held": (counted.held, counted.total),
        "free": counted.free,
        "taken": counted.taken,
        "taken_words": "Used by pods that are none of this platform's servers.",
        "out": counted.cordoned,
        "ailing": counted.unhealthy + counted.missing,
        "use": counted.utilisation,
        "occupants": len(node.occupants),
        "pods": ""
        if node.pods_known
        else "Pods are not known: the platform may not list them in this cluster.",
        "version": node.version or None,
        "since": node.since,
    }


def _about(node: Node) -> str:
    """Its whole name, which may be cut in the grid, and its labels."""
    labels = ", ".join(f"{key}={value}" for key, value in sorted(node.labels.items()))
    return f"{node.name}: {labels}" if labels else node.name


def occupant_rows(nodes: Iterable[Node]) -> list[dict[str, object]]:
    """What runs on nodes, as rows."""
    return [_occupant_row(node.name, each) for node in nodes for each in node.occupants]


def _occupant_row(node: str, each: Occupant) -> dict[str, object]:
    process = each.kind == "process"
    return {
        "id": f"{node}/{each.kind}/{each.name}",
        "name": f"process {each.name}" if process else each.name,
        "whole": each.name,
        "node": node,
        "state": each.state,
        "devices": each.devices,
        "whose": each.person or "others",
        "whose_words": f"Server {each.server}" if each.server else "No server of this platform.",
    }
