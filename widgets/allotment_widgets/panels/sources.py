"""Sources: what there is, who may use it, what was proven of it, and what lies in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from allotment.model.documents import Source, SourceContents, SourceEntry
from allotment.model.people import Permission
from allotment.model.refusals import AllotmentError
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.columns import Action
from allotment_widgets.desk import Desk
from allotment_widgets.drawer import Drawer
from allotment_widgets.fields import put, show, stack, words
from allotment_widgets.grid import Grid
from allotment_widgets.lines import code_html, place_line
from allotment_widgets.panels import source_acts
from allotment_widgets.panels.panel import Panel
from allotment_widgets.panels.source_forms import adding, changing
from allotment_widgets.picture import Changed, Topic
from allotment_widgets.place_browser import Path, PlaceBrowser
from allotment_widgets.sentences import bullets, listed
from allotment_widgets.source_rows import SOURCE_COLUMNS, source_html, source_row, tried_html

_EMPTY = "No source is registered."
_NEXT = "Press Add: databases and object stores are asked for in a form that explains each field."


SHORT = 3
"""Sources that are each told of in a sentence of their own; more are told of together."""


class SourcesPanel(Panel):
    """What needs an eye, all sources, the chosen one, and what lies in it."""

    key = "sources"
    title = "Sources"
    section = "Data"
    whole_platform = False
    topics = frozenset({Topic.SOURCES, Topic.SOURCE_FORMS, Topic.DATASETS})

    def build(self) -> tuple[Any, ...]:
        """What is wrong, forms, the grid, the chosen one, the drawer."""
        may_change = self.desk.manages_data
        self._slot, self._warnings = Slot(self.desk), words()
        self._grid = Grid(
            SOURCE_COLUMNS,
            title="Sources",
            noun=("source", "sources"),
            filter_hint="Filter sources: name, kind, who may use it, state",
            empty=f"{_EMPTY} {_NEXT}" if may_change else _EMPTY,
            actions=self._actions() if may_change else (),
            sort=[("id", "ascending")],
            selection="one",
            row_tone="proof",
        )
        self._grid.on_action(lambda key, ids: self.desk.begin(self._ask(key, ids)))
        self._grid.on_select(lambda _: self.desk.begin(self._look()))
        self._details, self._tried, self._use = words(), words(), words()
        self._held: tuple[str, tuple[str, ...]] = ("", ())
        self._sheet = stack(self._details, self._tried, self._use, kind="sheet pad stack")
        show(self._sheet, shown=False)
        return (self._warnings, self._slot.view, self._grid, self._sheet, self._built_drawer())

    def _built_drawer(self) -> Any:
        self._opened: Source | None = None
        self._line = words()
        self._places = PlaceBrowser(self.desk.backend, self._read_place, self._place_chosen)
        self._drawer = Drawer(self.desk.backend, self._places.view, self._line)
        self._drawer.closed = self._forget_opened
        return self._drawer.view

    def _actions(self) -> list[Action]:
        accepts = [Action("accept", "Accept…", needs="one", tone="risk")]
        return [
            Action("add", "Add…", tone="main", needs="none"),
            Action("browse", "Browse", needs="one"),
            Action("change", "Change…", needs="one"),
            Action("test", "Test", needs="one"),
            Action("prove", "Prove", needs="one"),
            *(accepts if self.desk.may(Permission.MANAGE_SOURCES) else []),
            Action("enable", "Enable…", needs="one"),
            Action("disable", "Disable…", needs="one"),
            Action("revoke", "Revoke…", tone="risk", needs="one"),
            Action("delete", "Delete…", tone="risk", needs="one"),
        ]

    def show(self, changed: Changed) -> None:
        """Show what is new."""
        if changed.touches(Topic.SOURCES, Topic.DATASETS) and Topic.SOURCES in self.picture.known:
            found = self.picture.sources
            self._grid.replace(source_row(each, self.picture.datasets) for each in found)
            self.choose(self._grid, {each.name for each in found})
            self.desk.begin(self._look())
            put(self._warnings, warnings_html(found))
        if changed.touches(Topic.SOURCES, Topic.SOURCE_FORMS, Topic.DATASETS, Topic.CLOCK):
            self._show_details()

    def about(self, what: str) -> None:
        """Choose the source of this name."""
        self._grid.filter_text = ""
        self.choose(self._grid, {each.name for each in self.picture.sources}, what)

    def _source(self, ids: Sequence[str]) -> Source | None:
        return next((each for each in self.picture.sources if each.name in ids), None)

    def _show_details(self) -> None:
        source = self._source(self._grid.selected)
        self._grid.withhold(source_acts.senseless(source))
        show(self._sheet, shown=source is not None)
        if self._opened is not None and (source is None or source.name != self._opened.name):
            self._drawer.close()
        if source is None:
            return
        form = next((each for each in self.picture.source_forms if each.kind == source.kind), None)
        now = datetime.now(UTC)
        holder, held = self._held
        held_by = held if holder == source.name else None
        put(self._details, source_html(source, form, self.picture.datasets, now, held_by))
        put(self._tried, tried_html(source.proof))
        in_use = source.enabled and (source.proven or source.accepted)
        put(self._use, code_html(place_line(source, ())) if in_use else "")

    async def _look(self) -> None:
        """Show what is chosen, and as soon as it is known which servers hold it."""
        self._show_details()
        source = self._source(self._grid.selected)
        if source is None or not source.manages:
            return
        try:
            found = await self.desk.call(self.desk.client.sources.get, source.name)
        except AllotmentError:
            return  # What is known already stays; the picture tells whether the control plane is away.
        self._held = (found.name, found.held_by)
        self._show_details()

    async def _ask(self, key: str, ids: Sequence[str]) -> None:
        if key == "add":
            adding(self.desk, self._slot).open()
            return
        source = self._source(ids)
        if source is None:
            return
        try:
            # Read anew, and alone: that says too which servers hold it.
            source = await self.desk.call(self.desk.client.sources.get, source.name)
        except AllotmentError as error:
            self.desk.say(str(error), "bad")
            return
        if key != "browse" and not source.manages:
            said = f"{source.name} is shared with you; only those who manage it change it."
            self.desk.say(said, "warn")
            return
        await self._do(key, source)

    async def _do(self, key: str, source: Source) -> None:
        desk, slot = self.desk, self._slot
        if key == "browse":
            self._open_drawer(source)
        elif key == "test":
            await source_acts.testing(desk, source)
        elif key == "prove":
            await source_acts.proving(desk, source)
        else:
            forms: dict[str, Callable[[Desk, Slot, Source], Asking]] = {
                "change": changing,
                "accept": source_acts.accepting,
                "enable": partial(source_acts.enabling, enabled=True),
                "disable": partial(source_acts.enabling, enabled=False),
                "revoke": source_acts.revoking,
                "delete": source_acts.deleting,
            }
            forms[key](desk, slot, source).open()

    def _open_drawer(self, source: Source) -> None:
        self._opened = source
        self._drawer.open(f"In {source.name}")
        self._places.begin(source.name)

    def _forget_opened(self) -> None:
        self._opened = None

    async def _read_place(self, path: Path, after: str | None) -> SourceContents:
        name = self._opened.name if self._opened else ""
        return await self.desk.call(
            partial(self.desk.client.sources.browse, name, *path, after=after)
        )

    def _place_chosen(self, path: Path, entry: SourceEntry | None) -> None:
        if self._opened is not None:
            put(self._line, code_html(place_line(self._opened, path, entry)))


def warnings_html(sources: Sequence[Source]) -> str:
    """What nobody can use though it is meant to be used, and what is used though users could write."""
    enabled = [each for each in sources if each.enabled and not each.proven]
    waiting = [each.name for each in enabled if not each.accepted]
    accepted = [each for each in enabled if each.accepted]
    lines = [f"{listed(waiting)}: nobody can use {_them(waiting)} proven read-only."]
    lines = lines if waiting else []
    if len(accepted) > SHORT:
        lines.append(
            f"{len(accepted)} sources are used though they are not proven read-only: "
            f"{listed(each.name for each in accepted)}."
        )
    else:
        lines += [
            f"{each.name} is used though it is not proven read-only: "
            f"{each.accepted_by or 'somebody who may'} accepted that."
            for each in accepted
        ]
    return f'<div class="note warn" role="status">{bullets(lines)}</div>' if lines else ""


def _them(names: Sequence[str]) -> str:
    return "it before it is" if len(names) == 1 else "them before they are"
