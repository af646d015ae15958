"""The command for nodes: how each is, and what runs on it."""

from __future__ import annotations

from typing import Annotated

import typer

from allotment.cli.options import Json, Url, control_plane
from allotment.cli.output import Output
from allotment.model.documents import Node

Name = Annotated[str | None, typer.Argument(help="Only this one, with what runs on it.")]


def add_to(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command()(nodes)


def nodes(name: Name = None, url: Url = None, as_json: Json = False) -> None:
    """List nodes: their devices, how they are, and with a name the pods and processes there."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = (client.nodes.get(name),) if name else client.nodes.all().items
    if as_json:
        out.document(found[0] if name else found)
        return
    out.table(
        ("Node", "State", "#Devices", "#Held", "#Free", "#Others use", "#Out of use", "#Ailing"),
        (_row(node) for node in found),
        empty="No node is known.",
    )
    if name:
        _details(out, found[0])


def _row(node: Node) -> tuple[object, ...]:
    counted = node.devices
    return (
        node.name,
        node.state,
        counted.total,
        counted.held,
        counted.free,
        counted.taken,
        counted.cordoned,
        counted.unhealthy + counted.missing,
    )


def _details(out: Output, node: Node) -> None:
    for words in (node.problem, node.cordon):
        if words:
            out.say(words)
    out.table(
        ("Resource", "Model", "#Has", "#Gives out", "Isolation"),
        (
            (each.resource, each.model, each.capacity, each.allocatable, each.isolation_words)
            for each in node.resources
        ),
        empty="No cluster says what it offers.",
        title="Devices",
    )
    out.table(
        ("Pod or process", "State", "#Devices", "Person"),
        ((one.name, one.state, one.devices, one.person or "") for one in node.occupants),
        empty="Nothing that holds a device, and no server, runs there.",
        title="What runs there",
    )
    if not node.pods_known:
        out.say("Pods are not known: the platform may not list them in this cluster.")
