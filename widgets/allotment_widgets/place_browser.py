"""Walking through a source: schemas, tables and columns, or prefixes and files, a page at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import ipywidgets

from allotment.model.documents import SourceContents, SourceEntry
from allotment.model.refusals import AllotmentError
from allotment_widgets.backend import Backend
from allotment_widgets.columns import Action, Column, State
from allotment_widgets.fields import button, put, row, show, stack, words
from allotment_widgets.grid import Grid
from allotment_widgets.sentences import problem_html

Path = tuple[str, ...]
Read = Callable[[Path, str | None], Awaitable[SourceContents]]
Chosen = Callable[[Path, SourceEntry | None], None]

KINDS = {
    "schema": State("Schema"),
    "table": State("Table", "info"),
    "view": State("View", "info"),
    "column": State("Column"),
    "prefix": State("Folder"),
    "folder": State("Folder"),
    "link": State("Link, not followed", "quiet"),
    "other": State("No file", "quiet"),
    "file": State("File", "info"),
}
COLUMNS = (
    Column("name", "Name", flex=2, width=140),
    Column("kind", "What", kind="state", states=KINDS, width=104),
    Column("type", "Type", flex=1, width=110),
    Column("rows", "Rows, estimated", kind="number", width=140, hide_narrow=True),
    Column("size", "Size", kind="bytes", width=100, hide_narrow=True),
    Column("changed_at", "Changed", kind="time", width=112, hide_narrow=True),
)


class PlaceBrowser:
    """A way down, what lies there, and what is chosen of it. Used in the backend's thread only.

    ``read`` asks for a page of a place. ``chosen`` is told the place that is shown, and what is
    chosen there: where nothing is, the place itself, None for the root.
    """

    def __init__(self, backend: Backend, read: Read, chosen: Chosen) -> None:
        self._backend, self._read, self._chosen = backend, read, chosen
        self._name = ""
        self._path: Path = ()
        self._entries: dict[str, SourceEntry] = {}
        self._opened: dict[Path, SourceEntry] = {}
        self._next: str | None = None
        self._asked = 0
        self._crumbs = row(kind="acts-row crumbs")
        self._problem = words()
        self._more = button("Show more")
        self._more.on_click(lambda _: backend.start(self._ask(self._path, self._next)))
        self._grid = Grid(
            COLUMNS,
            title="Contents",
            noun=("entry", "entries"),
            filter_hint="Filter what is shown",
            empty="Nothing lies here that may be read.",
            selection="one",
            actions=[Action("open", "Open", needs="one", tone="main")],
            max_height=380,
        )
        self._grid.on_select(lambda _: backend.soon(self._tell))
        self._grid.on_activate(lambda name: backend.soon(lambda: self._open(name)))
        self._grid.on_action(lambda _, ids: backend.soon(lambda: self._open(*ids)))
        self.view: Any = stack(self._crumbs, self._problem, self._grid, row(self._more))
        show(self._more, shown=False)

    def begin(self, name: str) -> None:
        """Show the root of another source."""
        self._name, self._opened = name, {}
        self._go(())

    @property
    def path(self) -> Path:
        """The place that is shown."""
        return self._path

    def _open(self, name: str) -> None:
        entry = self._entries.get(name)
        if entry is not None and entry.holds:
            self._opened[entry.path] = entry
            self._go(entry.path)

    def _go(self, path: Path) -> None:
        self._path, self._entries, self._next = path, {}, None
        self._grid.filter_text = ""
        self._grid.select(())
        self._grid.replace(())
        self._grid.empty = "Reading…"
        show(self._more, shown=False)
        self._show_way()
        self._tell()
        self._backend.start(self._ask(path, None))

    def _show_way(self) -> None:
        steps = [self._step(self._path[:depth]) for depth in range(len(self._path) + 1)]
        for before in self._crumbs.children:
            before.close()
        self._crumbs.children = tuple(steps)

    def _step(self, path: Path) -> ipywidgets.Button:
        made = button(path[-1] if path else self._name, kind="crumb")
        made.disabled = path == self._path
        made.on_click(lambda _: self._backend.soon(lambda: self._go(path)))
        return made

    async def _ask(self, path: Path, after: str | None) -> None:
        """Ask for a page, and show it where nobody has gone on meanwhile."""
        self._asked += 1
        mine = self._asked
        self._more.disabled = True
        try:
            found = await self._read(path, after)
        except AllotmentError as error:
            if mine == self._asked:
                put(self._problem, problem_html(error))
                self._grid.empty = "It could not be read."
        else:
            if mine == self._asked:
                self._show(found.entries, found.next)
        finally:
            self._more.disabled = False

    def _show(self, entries: Sequence[SourceEntry], following: str | None) -> None:
        put(self._problem, "")
        self._grid.empty = "Nothing lies here that may be read."
        for entry in entries:
            self._entries["/".join((entry.kind, *entry.path))] = entry
        self._next = following
        self._grid.replace(_entry_row(name, entry) for name, entry in self._entries.items())
        show(self._more, shown=following is not None)

    def _tell(self) -> None:
        chosen = self._grid.selected
        entry = self._entries.get(chosen[0]) if chosen else None
        self._grid.withhold(() if entry is None or entry.holds else {"open"})
        self._chosen(self._path, entry or self._opened.get(self._path))


def _entry_row(name: str, entry: SourceEntry) -> dict[str, object]:
    return {
        "id": name,
        "name": entry.name + ("/" if entry.kind in {"prefix", "folder"} else ""),
        "kind": entry.kind,
        "type": entry.type or None,
        "rows": entry.rows,
        "size": entry.size,
        "changed_at": entry.changed_at,
    }
