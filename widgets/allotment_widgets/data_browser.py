"""``allotment.browse()``: what a person may use, looked through in a notebook, with the line that loads it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets
from IPython.display import display

from allotment.model.amounts import format_size
from allotment.model.documents import Attachment, Dataset, Source, SourceContents, SourceEntry
from allotment.model.refusals import AllotmentError
from allotment.notebook import previewing
from allotment.notebook.sessions import Session
from allotment_widgets.backend import Backend
from allotment_widgets.columns import Action
from allotment_widgets.data_rows import (
    COLUMNS,
    data_row,
    rows_html,
    used_dataset_html,
    used_source_html,
)
from allotment_widgets.dataset_rows import columns_html
from allotment_widgets.fields import button, put, row, show, stack, words
from allotment_widgets.grid import Grid
from allotment_widgets.lines import code_html, dataset_line, place_line, register_line, table_of
from allotment_widgets.look import Look
from allotment_widgets.own_registering import OwnRegistering, Place
from allotment_widgets.place_browser import Path, PlaceBrowser
from allotment_widgets.saving import link_html
from allotment_widgets.sentences import problem_html

if TYPE_CHECKING:
    import polars as pl

_NOTHING = (
    "Nothing is shared with you yet. Ask your team lead or an operator for a source, "
    "or register files of your own."
)


class DataBrowser:
    """One browser: its page, and a thread that reads for it until :meth:`close`."""

    def __init__(self, session: Session, name: str = "") -> None:
        self._session, self._backend = session, Backend()
        self._things: dict[str, Source | Dataset] = {}
        self._chosen: Source | Dataset | None = None
        self._table: Callable[[], pl.DataFrame] | None = None
        self._asked = 0
        self._grid = Grid(
            COLUMNS,
            title="Data",
            noun=("source or dataset", "sources and datasets"),
            filter_hint="Filter: name, kind, column",
            empty="Reading…",
            selection="one",
            actions=[
                Action("register", "Register files…", needs="none", tone="main"),
                Action("again", "Read again", needs="none"),
            ],
            max_height=320,
        )
        self._grid.on_select(lambda _: self._backend.soon(self._show_chosen))
        self._grid.on_action(lambda key, _ids: self._backend.start(self._act(key)))
        self._place: Place | None = None
        self._registering = OwnRegistering(
            session, self._backend, lambda: self._backend.start(self._read_new())
        )
        self._places = PlaceBrowser(self._backend, self._read_place, self._place_chosen)
        self._preview = button(f"Show the first {previewing.ROWS} rows", "main")
        self._preview.on_click(lambda _: self._backend.start(self._show_rows()))
        self._about, self._line, self._second = words(), words(), words()
        self._rows, self._documents = words(), stack()
        self._sheet = stack(
            self._about,
            self._documents,
            self._places.view,
            row(self._preview),
            self._rows,
            self._line,
            self._second,
            kind="sheet pad stack",
        )
        show(self._sheet, shown=False)
        self._problem = words()
        parts = (self._problem, self._registering.view, self._grid, self._sheet)
        body = stack(*parts, kind="stack browser")
        self.view = ipywidgets.Box([Look(), body])
        for kind in ("allotment", "console"):
            self.view.add_class(kind)
        self._backend.start(self._read(name))

    def close(self) -> None:
        """End the thread; the page stays as it is."""
        self._backend.close()

    async def _read(self, name: str = "") -> None:
        """Read what may be used."""
        client = self._session.client
        try:
            sources = (await self._backend.call(client.sources.all)).items
            datasets = (await self._backend.call(client.datasets.all)).items
        except AllotmentError as error:
            put(self._problem, problem_html(error))
            self._grid.empty = "It could not be read."
            return
        put(self._problem, "")
        self._grid.empty = _NOTHING
        self._things = {f"dataset {one.name}": one for one in datasets}
        self._things |= {f"source {one.name}": one for one in sources}
        self._grid.replace(data_row(key, one) for key, one in self._things.items())
        if name:
            self._begin_with(name)

    async def _act(self, key: str) -> None:
        if key == "register":
            await self._registering.open(self._place)
        else:
            await self._read()

    async def _read_new(self) -> None:
        """Read again, and choose what has come."""
        known = set(self._things)
        await self._read()
        new = [key for key in self._things if key not in known]
        if len(new) == 1:
            self._grid.select(new)

    def _begin_with(self, name: str) -> None:
        found = [key for key, one in self._things.items() if one.name == name]
        if found:
            self._grid.select(found[:1])
        else:
            error = AllotmentError(f"Nothing is called {name!r} that is shared with you.")
            put(self._problem, problem_html(error))

    def _show_chosen(self) -> None:
        key = next(iter(self._grid.selected), "")
        self._chosen, self._place = self._things.get(key), None
        show(self._sheet, shown=self._chosen is not None)
        self._forget_rows()
        if isinstance(self._chosen, Dataset):
            self._show_dataset(self._chosen)
        elif self._chosen is not None:
            self._documents.children = ()
            put(self._about, used_source_html(self._chosen))
            show(self._places.view, shown=self._chosen.usable)
            self._places.begin(self._chosen.name)

    def _show_dataset(self, dataset: Dataset) -> None:
        put(self._about, f"{used_dataset_html(dataset)}{columns_html(dataset.reading)}")
        self._documents.children = tuple(
            self._document(dataset, each) for each in dataset.attachments
        )
        show(self._places.view, shown=False)
        put(self._line, code_html(dataset_line(dataset.name)) if dataset.usable else "")
        versions = dataset_line(dataset.name, dataset.version) if dataset.version else ""
        put(
            self._second,
            code_html(versions, "Its newest version, unchanged for ever") if versions else "",
        )
        usable = dataset.usable
        self._offer(
            partial(previewing.preview_dataset, self._session, dataset.name) if usable else None
        )

    def _document(self, dataset: Dataset, one: Attachment) -> Any:
        """A document beside a dataset: fetched when it is asked for, and saved as a file."""
        size = f"<span class=quiet>{format_size(one.size)}</span>"
        said, link = words(f"<b>{escape(one.name)}</b> {size}"), words()
        fetch = button("Fetch")
        fetch.tooltip = f"Fetch {one.name}"

        async def get() -> None:
            call = self._session.client.datasets.attachment
            try:
                content = await self._backend.call(call, dataset.name, one.name)
            except AllotmentError as error:
                put(link, problem_html(error))
            else:
                put(link, link_html(one.name, content))

        fetch.on_click(lambda _: self._backend.start(get()))
        return row(said, fetch, link)

    async def _read_place(self, path: Path, after: str | None) -> SourceContents:
        name = "" if self._chosen is None else self._chosen.name
        return await self._backend.call(
            partial(self._session.client.sources.browse, name, *path, after=after)
        )

    def _place_chosen(self, path: Path, entry: SourceEntry | None) -> None:
        source = self._chosen
        if not isinstance(source, Source):
            return
        self._place = (source, path, True) if entry is None else (source, entry.path, entry.holds)
        put(self._line, code_html(place_line(source, path, entry)) if source.usable else "")
        registers = register_line(source, path, entry) if source.usable else ""
        put(
            self._second,
            code_html(registers, "Registered as a dataset, it is loaded by its name")
            if registers
            else "",
        )
        place = self._place_of_rows(source, path, entry)
        self._forget_rows()
        self._offer(
            None
            if place is None
            else partial(previewing.preview_source, self._session, source.name, source.kind, place)
        )

    def _place_of_rows(
        self, source: Source, path: Path, entry: SourceEntry | None
    ) -> tuple[str, ...] | None:
        """Where the rows are that can be shown; None where there are none."""
        table = table_of(path, entry)
        if table is not None:
            return table
        is_file = entry is not None and entry.kind == "file"
        if entry is None or not is_file or not previewing.can_preview(source.kind, entry.name):
            return None
        return entry.path

    def _offer(self, read: Callable[[], pl.DataFrame] | None) -> None:
        self._table = read
        show(self._preview, shown=read is not None)

    def _forget_rows(self) -> None:
        self._asked += 1
        put(self._rows, "")
        self._preview.disabled = False

    async def _show_rows(self) -> None:
        """Read the first rows; they are shown where nothing else was chosen meanwhile."""
        read = self._table
        if read is None:
            return
        self._asked += 1
        mine = self._asked
        self._preview.disabled = True
        put(self._rows, "<p class=quiet role=status>Reading the first rows…</p>")
        try:
            frame = await self._backend.call(read)
            said = rows_html(frame)
        except AllotmentError as error:
            said = problem_html(error)
        if mine == self._asked:
            put(self._rows, said)
            self._preview.disabled = False


_open: list[DataBrowser] = []


def browse(session: Session, name: str = "") -> None:
    """Show the browser here. A cell that is run again gets a new one, and the old one ends."""
    while _open:
        _open.pop().close()
    browser = DataBrowser(session, name)
    _open.append(browser)
    display(browser.view)
