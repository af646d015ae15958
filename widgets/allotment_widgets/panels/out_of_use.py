"""The table of what is out of use, below pools and devices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from allotment.model.documents import Cordon, Device
from allotment_widgets.asking import Slot
from allotment_widgets.columns import Action
from allotment_widgets.desk import Desk
from allotment_widgets.grid import Grid
from allotment_widgets.panels.cordon_forms import (
    CORDON_COLUMNS,
    cordon_row,
    cordoning,
    giving_back,
)
from allotment_widgets.panels.reservation_forms import zone_of


class OutOfUse:
    """What is out of use now or will be, with what operators do about it. ``chosen``: the selected devices."""

    def __init__(self, desk: Desk, *, may: bool, chosen: Callable[[], list[Device]]) -> None:
        self._desk, self._chosen = desk, chosen
        self._slot = Slot(desk)
        actions = [
            Action("take", "Take out of use…", needs="none"),
            Action("back", "Give back…", tone="main", needs="one"),
        ]
        self._grid = Grid(
            CORDON_COLUMNS,
            title="Out of use",
            noun=("entry", "entries"),
            filter_hint="Filter what is out of use: name, reason",
            empty="Nothing is out of use. Nodes, pools or devices can be taken out for maintenance.",
            selection="one",
            actions=actions if may else [],
            max_height=330,
        )
        self._grid.on_action(lambda key, ids: desk.backend.soon(lambda: self._ask(key, ids)))

    @property
    def views(self) -> tuple[Any, ...]:
        """The form that is open, and the table."""
        return self._slot.view, self._grid

    def show(self) -> None:
        """Show what the picture says now."""
        zone = zone_of(self._desk.picture)
        self._grid.replace(cordon_row(each, zone) for each in self._known())

    def take(self) -> None:
        """Open the form, for the selected devices where there are any."""
        cordoning(self._desk, self._slot, self._chosen()).open()

    def _known(self) -> tuple[Cordon, ...]:
        overview = self._desk.picture.overview
        return overview.cordons if overview else ()

    def _ask(self, key: str, ids: Sequence[str]) -> None:
        one = next((each for each in self._known() if each.id in ids), None)
        if key == "take":
            self.take()
        elif one is not None:
            giving_back(self._desk, self._slot, one).open()
