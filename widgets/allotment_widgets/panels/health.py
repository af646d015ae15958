"""Health: each part of the platform in words, which version it is, and what is new in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from allotment_widgets.fields import put, show, stack, words
from allotment_widgets.grid import Grid
from allotment_widgets.panels.panel import Panel
from allotment_widgets.part_rows import PART_COLUMNS, about_html, news_html, part_html, part_row
from allotment_widgets.picture import Changed, Topic

AGAIN = timedelta(seconds=10)
"""How old what is shown may be: nothing says by itself that a part is away."""


class HealthPanel(Panel):
    """The parts as rows, the chosen one in full, and which platform this is."""

    key = "health"
    title = "Health"
    section = "Platform"
    topics = frozenset({Topic.ABOUT, Topic.PARTS, Topic.NEWS})

    def build(self) -> tuple[Any, ...]:
        """The grid, the chosen part, the version and what it brought."""
        self._grid = Grid(
            PART_COLUMNS,
            title="Parts of the platform",
            noun=("part", "parts"),
            filter_hint="Filter parts: name, state, words",
            empty="Each part is asked how it is.",
            selection="one",
            row_tone="state",
            max_height=560,
        )
        self._grid.on_select(lambda _: self.desk.backend.soon(self._show_chosen))
        self._chosen = words("")
        self._sheet = stack(self._chosen, kind="sheet pad")
        show(self._sheet, shown=False)
        self._about, self._news = words(""), words("")
        return (
            self._grid,
            self._sheet,
            stack(self._about, kind="sheet pad"),
            stack(self._news, kind="sheet pad"),
        )

    def show(self, changed: Changed) -> None:
        """Show what is new; while the panel is open the parts are asked again now and then."""
        report = self.picture.parts
        if report is not None and changed.touches(Topic.PARTS):
            self._grid.replace(part_row(each) for each in report.items)
            self.choose(self._grid, {each.name for each in report.items})
            self._show_chosen()
        if changed.touches(Topic.CLOCK) and (
            report is None or datetime.now(UTC) - report.at > AGAIN
        ):
            self.desk.again(Topic.PARTS)
        about = self.picture.about
        if about is not None and changed.touches(Topic.ABOUT):
            put(self._about, about_html(about))
        if Topic.NEWS in self.picture.known and changed.touches(Topic.NEWS):
            put(self._news, news_html(self.picture.news))

    def about(self, what: str) -> None:
        """Choose the part of this name."""
        self._grid.filter_text = ""
        report = self.picture.parts
        self.choose(self._grid, {each.name for each in report.items} if report else (), what)

    def _show_chosen(self) -> None:
        """The chosen part in full; while none is, those that want an eye."""
        items = self.picture.parts.items if self.picture.parts else ()
        chosen = [each for each in items if each.name in self._grid.selected]
        shown = chosen or [each for each in items if each.state in {"failing", "warning"}]
        show(self._sheet, shown=bool(shown))
        if shown:
            put(self._chosen, "".join(part_html(each) for each in shown))
