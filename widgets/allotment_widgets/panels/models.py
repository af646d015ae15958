"""Models: what people registered, from which dataset versions, where it is kept, who may load it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from allotment.model.documents import LimitUse, RegisteredModel
from allotment.model.people import Permission
from allotment.model.refusals import AllotmentError
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.columns import Action
from allotment_widgets.desk import Desk
from allotment_widgets.fields import put, show, stack, words
from allotment_widgets.grid import Grid
from allotment_widgets.lines import code_html
from allotment_widgets.model_rows import (
    MODEL_COLUMNS,
    binding_limit,
    model_html,
    model_id,
    model_line,
    model_row,
    register_line,
)
from allotment_widgets.panels import model_acts
from allotment_widgets.panels.panel import Panel
from allotment_widgets.picture import Changed, Topic

_EMPTY = "No model is registered. People register theirs in a notebook, by the line below."
_ACTIONS = (
    Action("share", "Share…", needs="one"),
    Action("delete", "Delete…", tone="risk", needs="one"),
)
_FORMS: dict[str, Callable[[Desk, Slot, RegisteredModel], Asking]] = {
    "share": model_acts.sharing,
    "delete": model_acts.deleting,
}


class ModelsPanel(Panel):
    """Forms, all models, the chosen one with the limit of its owner."""

    key = "models"
    title = "Models"
    section = "Data"
    whole_platform = False
    topics = frozenset({Topic.MODELS})

    def build(self) -> tuple[Any, ...]:
        """Forms, the grid, how a first model is registered, the chosen one."""
        self._slot = Slot(self.desk)
        self._grid = Grid(
            MODEL_COLUMNS,
            title="Models",
            noun=("version of a model", "versions of models"),
            filter_hint="Filter models: name, owner, dataset",
            empty=_EMPTY,
            actions=_ACTIONS if self.desk.manages_data else (),
            sort=[("name", "ascending")],
            selection="one",
            row_tone="state",
        )
        self._grid.on_action(lambda key, ids: self.desk.begin(self._ask(key, ids)))
        self._grid.on_select(lambda _: self.desk.begin(self._look()))
        self._first, self._details, self._line = words(), words(), words()
        put(self._first, code_html(register_line(), "In a notebook: register a model"))
        self._sheet = stack(self._details, self._line, kind="sheet pad stack")
        self._limits: dict[str, LimitUse | None] = {}
        for part in (self._first, self._sheet):
            show(part, shown=False)
        return (self._slot.view, self._grid, self._first, self._sheet)

    def show(self, changed: Changed) -> None:
        """Show what is new."""
        if changed.touches(Topic.MODELS) and Topic.MODELS in self.picture.known:
            found = self.picture.models
            self._grid.replace(model_row(each) for each in found)
            self.choose(self._grid, {model_id(each) for each in found})
            show(self._first, shown=not found)
            self._limits.clear()
            self.desk.begin(self._look())
        if changed.touches(Topic.CLOCK):
            self._show_details()

    def about(self, what: str) -> None:
        """Choose the model of this id, or filter by a name."""
        self._grid.filter_text = "" if "/" in what else what
        self.choose(self._grid, {model_id(each) for each in self.picture.models}, what)

    def _model(self, ids: Sequence[str]) -> RegisteredModel | None:
        return next((each for each in self.picture.models if model_id(each) in ids), None)

    def _show_details(self) -> None:
        model = self._model(self._grid.selected)
        mine = model is None or model.manages
        self._grid.withhold(frozenset() if mine else frozenset(_FORMS))
        show(self._sheet, shown=model is not None)
        if model is None:
            return
        limit, people = self._limits.get(model.person), self.desk.may(Permission.SEE_ALL)
        put(self._details, model_html(model, limit, datetime.now(UTC), people=people))
        line = model_line(model)
        put(self._line, code_html(line) if line else "")

    async def _look(self) -> None:
        """Show what is chosen, and as soon as it is known how many models its owner has and may have."""
        self._show_details()
        model = self._model(self._grid.selected)
        if model is None or not model.person or model.person in self._limits:
            return
        limits = await self._limits_of(model.person)
        self._limits[model.person] = binding_limit(limits)
        self._show_details()

    async def _limits_of(self, person: str) -> tuple[LimitUse, ...]:
        me = self.picture.me
        if me is not None and me.person == person:
            return me.limits
        if not self.desk.may(Permission.SEE_ALL):
            return ()
        try:
            found = await self.desk.call(self.desk.client.users.get, person)
        except AllotmentError:
            return ()  # Somebody who left: their models stay, their limit is gone.
        return found.limits or ()

    async def _ask(self, key: str, ids: Sequence[str]) -> None:
        model = self._model(ids)
        if model is not None:
            _FORMS[key](self.desk, self._slot, model).open()
