"""Nodes: the machines that devices are in, how they are, and the pods and processes on them."""

from __future__ import annotations

from html import escape
from typing import Any

from allotment.model.documents import Node
from allotment_widgets.fields import put, words
from allotment_widgets.grid import Grid
from allotment_widgets.node_rows import NODE_COLUMNS, OCCUPANT_COLUMNS, node_row, occupant_rows
from allotment_widgets.panels.panel import Panel
from allotment_widgets.picture import Changed, Topic
from allotment_widgets.sentences import listed


class NodesPanel(Panel):
    """Nodes as rows; of those that are chosen, else of all, what runs there."""

    key = "nodes"
    title = "Nodes"
    section = "Compute"
    topics = frozenset({Topic.NODES})

    def build(self) -> tuple[Any, ...]:
        """Nodes, and what runs on them."""
        self._nodes = Grid(
            NODE_COLUMNS,
            title="Nodes",
            noun=("node", "nodes"),
            filter_hint="Filter nodes: name, model, state",
            empty="No node is known yet. On Kubernetes the panel Health says why.",
            row_tone="state",
            max_height=420,
        )
        self._said = words("", "quiet")
        self._occupants = Grid(
            OCCUPANT_COLUMNS,
            title="Pods and processes",
            noun=("pod or process", "pods and processes"),
            filter_hint="Filter: name, node, state, person",
            empty="Nothing that holds a device, and no server, runs there.",
            selection="none",
            max_height=420,
        )
        self._nodes.on_select(lambda _: self.desk.backend.soon(self._show_occupants))
        return (self._nodes, self._said, self._occupants)

    def show(self, changed: Changed) -> None:
        """Show what is new."""
        if Topic.NODES in self.picture.known and changed.touches(Topic.NODES):
            self._nodes.replace(node_row(each) for each in self.picture.nodes)
            self.choose(self._nodes, {each.name for each in self.picture.nodes})
            self._show_occupants()

    def about(self, what: str) -> None:
        """Show the node of this name."""
        self._nodes.filter_text = what
        self.choose(self._nodes, {each.name for each in self.picture.nodes}, what)

    def _show_occupants(self) -> None:
        shown = self._chosen()
        self._occupants.replace(occupant_rows(shown))
        whose = listed(each.name for each in shown) if shown else ""
        some = len(shown) < len(self.picture.nodes)
        put(
            self._said,
            f"What runs on {escape(whose)}."
            if some
            else "What runs on all nodes. Select some to see what runs there alone."
            if shown
            else "",
        )

    def _chosen(self) -> tuple[Node, ...]:
        chosen = set(self._nodes.selected)
        found = tuple(each for each in self.picture.nodes if each.name in chosen)
        return found or self.picture.nodes
