"""Targets: where versions of datasets, and models' files, are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from allotment.model.documents import Dataset, VersionTarget
from allotment.model.people import Permission
from allotment.model.refusals import AllotmentError
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.columns import Action, Column, State
from allotment_widgets.desk import Desk
from allotment_widgets.grid import Grid
from allotment_widgets.panels.panel import Panel
from allotment_widgets.panels.target_forms import (
    CONTENTS,
    HISTORY,
    changing,
    cleaning,
    deleting,
    enabling,
    setting_up,
)
from allotment_widgets.picture import Changed, Topic
from allotment_widgets.sentences import problem_lines

STATES = {
    "works": State("Works", "ok"),
    "fails": State("Last test failed", "bad"),
    "untested": State("Not tested", "warn"),
    "disabled": State("Disabled", "quiet"),
}
COLUMNS = (
    Column("id", "Target", flex=1, width=110, hover="title"),
    Column("history", "History in", flex=1.2, width=120),
    Column("contents", "Files in", flex=1.6, width=130),
    Column("datasets", "Datasets", kind="number", width=98),
    Column("tested_at", "Tested", kind="time", width=112, hide_narrow=True),
    Column("state", "State", kind="state", states=STATES, hover="problem", width=132),
)
_EMPTY = "No target is set up, so no versions of datasets can be kept."
_NEXT = "Press Set up: a folder, a bucket, or a git repository beside one of them."


class TargetsPanel(Panel):
    """Forms, and all targets."""

    key = "targets"
    title = "Version targets"
    section = "Data"
    whole_platform = False
    topics = frozenset({Topic.TARGETS, Topic.DATASETS})

    def build(self) -> tuple[Any, ...]:
        """A form's place, and the grid."""
        self._slot = Slot(self.desk)
        may_change = self.desk.may(Permission.MANAGE_SOURCES)
        self._grid = Grid(
            COLUMNS,
            title="Targets",
            noun=("target", "targets"),
            filter_hint="Filter targets",
            empty=f"{_EMPTY} {_NEXT}" if may_change else _EMPTY,
            actions=_actions() if may_change else (),
            sort=[("id", "ascending")],
            selection="one",
            row_tone="state",
        )
        self._grid.on_select(lambda _: self.desk.backend.soon(self._withhold))
        self._grid.on_action(lambda key, ids: self.desk.begin(self._ask(key, ids)))
        return (self._slot.view, self._grid)

    def show(self, changed: Changed) -> None:
        """Show what is new."""
        if changed.touches(*self.topics) and Topic.TARGETS in self.picture.known:
            found = self.picture.targets
            self._grid.replace(target_row(each, self.picture.datasets) for each in found)
            self.choose(self._grid, {each.name for each in found})
            self._withhold()

    def _target(self, ids: Sequence[str]) -> VersionTarget | None:
        return next((each for each in self.picture.targets if each.name in ids), None)

    def _withhold(self) -> None:
        target = self._target(self._grid.selected)
        self._grid.withhold({"enable" if target is None or target.enabled else "disable"})

    def about(self, what: str) -> None:
        """Choose the target of this name."""
        self._grid.filter_text = ""
        self.choose(self._grid, {each.name for each in self.picture.targets}, what)

    async def _ask(self, key: str, ids: Sequence[str]) -> None:
        desk, slot = self.desk, self._slot
        target = self._target(ids)
        try:
            if key in {"add", "change"}:
                forms = (await desk.call(desk.client.targets.forms)).items
                if target is None or key == "add":
                    setting_up(desk, slot, forms).open()
                else:
                    changing(desk, slot, forms, target).open()
            elif key == "test" and target is not None:
                await self._test(target)
            elif key == "clean" and target is not None:
                desk.say(f"Looking for what nothing needs in {target.name}…")
                found = await desk.call(desk.client.targets.leftovers, target.name)
                desk.say("")
                cleaning(desk, slot, found).open()
            elif target is not None:
                _FORMS[key](desk, slot, target).open()
        except AllotmentError as error:
            desk.say(" ".join(problem_lines(error)), "bad")

    async def _test(self, target: VersionTarget) -> None:
        self.desk.say(f"Writing something to {target.name}, and taking it away again…")
        found = await self.desk.call(self.desk.client.targets.check, target.name)
        self.desk.say(f"{target.name}: {found.words}", "ok" if found.reached else "bad")
        self.desk.again(Topic.TARGETS)


_FORMS: dict[str, Callable[[Desk, Slot, VersionTarget], Asking]] = {
    "enable": partial(enabling, enabled=True),
    "disable": partial(enabling, enabled=False),
    "delete": deleting,
}


def _actions() -> list[Action]:
    return [
        Action("add", "Set up…", tone="main", needs="none"),
        Action("change", "Change…", needs="one"),
        Action("test", "Test", needs="one"),
        Action("clean", "Clean…", needs="one"),
        Action("enable", "Enable…", needs="one"),
        Action("disable", "Disable…", needs="one"),
        Action("delete", "Delete…", tone="risk", needs="one"),
    ]


def target_row(target: VersionTarget, datasets: Sequence[Dataset]) -> dict[str, object]:
    """One target as a row."""
    if not target.enabled:
        state = "disabled"
    elif target.tested_at is None:
        state = "untested"
    else:
        state = "fails" if target.problem else "works"
    return {
        "id": target.name,
        "title": target.title,
        "history": HISTORY[target.metadata_kind],
        "contents": CONTENTS[target.contents_kind],
        "datasets": sum(1 for each in datasets if each.target == target.name),
        "tested_at": target.tested_at,
        "state": state,
        "problem": target.problem,
    }
