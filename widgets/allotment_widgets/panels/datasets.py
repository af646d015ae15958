"""Datasets: what is registered, what was read of it, who may use it, its documents and versions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from allotment.model.documents import Dataset, Source
from allotment.model.refusals import AllotmentError
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.columns import Action
from allotment_widgets.dataset_rows import (
    DATASET_COLUMNS,
    columns_html,
    dataset_html,
    dataset_row,
    problems_html,
)
from allotment_widgets.desk import Desk
from allotment_widgets.fields import put, show, stack, words
from allotment_widgets.grid import Grid
from allotment_widgets.lines import code_html, dataset_line
from allotment_widgets.panels import dataset_acts
from allotment_widgets.panels.dataset_documents import documents
from allotment_widgets.panels.dataset_forms import changing, registering
from allotment_widgets.panels.dataset_versions import VersionsDrawer
from allotment_widgets.panels.panel import Panel
from allotment_widgets.picture import Changed, Topic

_EMPTY = "No dataset is registered."
_NEXT = (
    "Press Register: a name for files in a source or a folder, that one line in a notebook loads."
)
_LOOKING = (
    Action("versions", "Versions", needs="one"),
    Action("documents", "Documents…", needs="one"),
)
_LOOKS = frozenset(each.key for each in _LOOKING)


class DatasetsPanel(Panel):
    """Forms, all datasets, the chosen one, its versions."""

    key = "datasets"
    title = "Datasets"
    section = "Data"
    whole_platform = False
    topics = frozenset({Topic.DATASETS, Topic.VERSIONS, Topic.SOURCES, Topic.TARGETS})

    def build(self) -> tuple[Any, ...]:
        """Forms, the grid, the chosen one, the drawer."""
        may_change = self.desk.manages_data
        self._slot = Slot(self.desk)
        self._grid = Grid(
            DATASET_COLUMNS,
            title="Datasets",
            noun=("dataset", "datasets"),
            filter_hint="Filter datasets: name, column, source, label",
            empty=f"{_EMPTY} {_NEXT}" if may_change else _EMPTY,
            actions=self._actions() if may_change else _LOOKING,
            sort=[("id", "ascending")],
            selection="one",
            row_tone="state",
        )
        self._grid.on_action(lambda key, ids: self.desk.begin(self._ask(key, ids)))
        self._grid.on_select(lambda _: self.desk.backend.soon(self._show_details))
        self._details, self._problems, self._columns = words(), words(), words()
        self._line = words()
        self._sheet = stack(
            self._details, self._problems, self._columns, self._line, kind="sheet pad stack"
        )
        show(self._sheet, shown=False)
        self._versions = VersionsDrawer(self.desk, self._slot)
        return (self._slot.view, self._grid, self._sheet, self._versions.view)

    def _actions(self) -> list[Action]:
        return [
            Action("register", "Register…", tone="main", needs="none"),
            *_LOOKING,
            Action("change", "Change…", needs="one"),
            Action("read", "Read again", needs="one"),
            Action("enable", "Enable…", needs="one"),
            Action("disable", "Disable…", needs="one"),
            Action("revoke", "Revoke…", tone="risk", needs="one"),
            Action("delete", "Delete…", tone="risk", needs="one"),
        ]

    def show(self, changed: Changed) -> None:
        """Show what is new."""
        if changed.touches(Topic.DATASETS, Topic.SOURCES) and Topic.DATASETS in self.picture.known:
            found = self.picture.datasets
            self._grid.replace(dataset_row(each, self._through(each)) for each in found)
            self.choose(self._grid, {each.name for each in found})
        if changed.touches(Topic.DATASETS, Topic.SOURCES, Topic.CLOCK):
            self._show_details()
        if changed.touches(Topic.VERSIONS) or self._versions.under_way:
            self._versions.again()

    def about(self, what: str) -> None:
        """Choose the dataset of this name."""
        self._grid.filter_text = ""
        self.choose(self._grid, {each.name for each in self.picture.datasets}, what)

    def _dataset(self, ids: Sequence[str]) -> Dataset | None:
        return next((each for each in self.picture.datasets if each.name in ids), None)

    def _through(self, dataset: Dataset) -> Source | None:
        return next((one for one in self.picture.sources if one.name == dataset.source), None)

    def _show_details(self) -> None:
        dataset = self._dataset(self._grid.selected)
        self._grid.withhold(dataset_acts.senseless(dataset))
        show(self._sheet, shown=dataset is not None)
        if dataset is None or self._versions.dataset not in ("", dataset.name):
            self._versions.close()
        if dataset is None:
            return
        put(self._details, dataset_html(dataset, self._through(dataset), datetime.now(UTC)))
        put(self._problems, problems_html(dataset.reading))
        put(self._columns, columns_html(dataset.reading))
        put(self._line, code_html(dataset_line(dataset.name)))

    async def _ask(self, key: str, ids: Sequence[str]) -> None:
        if key == "register":
            registering(self.desk, self._slot).open()
            return
        dataset = self._dataset(ids)
        if dataset is None:
            return
        try:
            # Read anew, and alone: that says too which servers hold it.
            dataset = await self.desk.call(self.desk.client.datasets.get, dataset.name)
        except AllotmentError as error:
            self.desk.say(str(error), "bad")
            return
        if key not in _LOOKS and not dataset.manages:
            said = f"{dataset.name} is not yours to change; {dataset.created_by or 'its owner'} manages it."
            self.desk.say(said, "warn")
            return
        await self._do(key, dataset)

    async def _do(self, key: str, dataset: Dataset) -> None:
        if key == "versions":
            self._versions.open(dataset)
        elif key == "read":
            await dataset_acts.reading_again(self.desk, dataset)
        else:
            forms: dict[str, Callable[[Desk, Slot, Dataset], Asking]] = {
                "documents": documents,
                "change": changing,
                "enable": partial(dataset_acts.enabling, enabled=True),
                "disable": partial(dataset_acts.enabling, enabled=False),
                "revoke": dataset_acts.revoking,
                "delete": dataset_acts.deleting,
            }
            forms[key](self.desk, self._slot, dataset).open()
