"""Devices as squares that can be chosen: the motif of the product as a widget."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TypedDict, Unpack

import traitlets

from allotment_widgets.chosen import Selectable
from allotment_widgets.columns import number_cell, text_cell
from allotment_widgets.keyed_rows import KeyedRows
from allotment_widgets.plot import Plot
from allotment_widgets.transport import Field

_FIELDS = (
    Field("title", "text", text_cell),
    Field("state", "text", text_cell),
    Field("section", "text", text_cell),
    Field("group", "text", text_cell),
    Field("colour", "number", number_cell),
    Field("holder", "text", text_cell),
    Field("borrowed", "number", number_cell),
)


class PlotGridOptions(TypedDict, total=False):
    """What a group of plots may be told."""

    title: str
    empty: str
    selectable: bool
    legend: bool


class PlotGrid(Selectable):
    """One square for each device, a line for each section, a legend in words.

    Past 64 devices a section is one bar in the same colours, until somebody asks for its squares.
    """

    selectable = traitlets.Bool(default_value=True).tag(sync=True)
    legend = traitlets.Bool(default_value=True).tag(sync=True)

    def __init__(self, **options: Unpack[PlotGridOptions]) -> None:
        super().__init__("plots", KeyedRows(_FIELDS, "id"), **options)

    def replace(self, plots: Iterable[Plot]) -> None:
        """Shows exactly these devices; sends only what differs where that is less."""
        self._replace(asdict(plot) for plot in plots)

    def update(self, changed: Iterable[Plot], removed_ids: Iterable[str] = ()) -> None:
        """Changes or adds some devices and takes some away."""
        self._update((asdict(plot) for plot in changed), removed_ids)
