"""The console without a browser: a real control plane over a day's record, and a page that is played.

The page is a comm that records; :class:`Page` finds what a person would see in it and says what a
browser would. It waits for messages, never for a time.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import comm
import ipywidgets
import pytest

import control_planes
import example_platform
from allotment.record import open_record
from allotment_widgets.console import Console
from allotment_widgets.grid import Grid
from allotment_widgets.plots import PlotGrid
from control_planes import Platform

WAIT_SECONDS = 30.0
Condition = Callable[[], object]


class Arrivals:
    """Counts messages to the page, and lets a test wait for the next one."""

    def __init__(self) -> None:
        self._told = threading.Condition()
        self._number = 0

    def one_more(self) -> None:
        with self._told:
            self._number += 1
            self._told.notify_all()

    def until(self, condition: Condition) -> bool:
        """Look at a condition now and after each message; False where it was not met in time.

        The condition is looked at without a lock: it asks widgets, which have locks of their own.
        """
        ends = time.monotonic() + WAIT_SECONDS
        while True:
            with self._told:
                seen = self._number
            if condition():
                return True
            with self._told:
                left = ends - time.monotonic()
                if not self._told.wait_for(lambda: self._number != seen, left):  # noqa: B023 - used at once
                    return bool(condition())


@pytest.fixture
def arrived(wire: Any, monkeypatch: pytest.MonkeyPatch) -> Arrivals:  # noqa: ARG001 - the wire's comms are watched
    """Is told whenever a widget tells the page something."""
    arrivals = Arrivals()
    create = comm.create_comm

    def create_and_tell(*given: Any, **named: Any) -> Any:
        made = create(*given, **named)
        publish = made.publish_msg

        def publish_and_tell(*args: Any, **keys: Any) -> None:
            publish(*args, **keys)
            arrivals.one_more()

        made.publish_msg = publish_and_tell
        return made

    monkeypatch.setattr(comm, "create_comm", create_and_tell)
    return arrivals


class Page:
    """What a person sees of a console, or of another view, and does."""

    def __init__(self, wire: Any, arrived: Arrivals, console: Any) -> None:
        self._wire, self._arrived = wire, arrived
        self.console = console
        self._asked: set[str] = set()

    def until(self, condition: Condition, what: str = "") -> None:
        """Wait until something is so, looking whenever a message was sent."""
        seen = self._arrived.until(condition)
        assert seen, f"{what or condition} was not seen; the page says:\n{self.text()}"

    def open(self, panel: str) -> None:
        """Follow the rail to a panel."""
        self._wire.say(self.console._rail, kind="go", panel=panel, about="")
        self.until(lambda: self.console._rail.current == panel, panel)

    def shown(self) -> Iterator[Any]:
        """Every widget that is on the page, from top to bottom."""
        yield from _inside(self.console.view)

    def text(self) -> str:
        """All words of the page outside grids and charts."""
        head = getattr(self.console, "_head", None)
        said = [head.title, head.said, head.trouble] if head else []
        pieces = [each.value for each in self.shown() if isinstance(each, ipywidgets.HTML)]
        return "\n".join([*said, *pieces])

    def sees(self, words: str) -> None:
        """Wait for these words."""
        self.until(lambda: words in self.text(), words)

    def buttons(self) -> list[str]:
        """What can be pressed, grids' buttons included."""
        labels = []
        for each in self.shown():
            if isinstance(each, ipywidgets.Button):
                labels.append(each.description)
            elif isinstance(each, Grid):
                labels += [str(action["label"]) for action in each.actions]
        return labels

    def button(self, label: str, *, disabled: bool = False) -> ipywidgets.Button | None:
        """The button of this label, if it is there and can be pressed, or cannot."""
        found = (each for each in self.shown() if isinstance(each, ipywidgets.Button))
        return next(
            (each for each in found if (each.description, each.disabled) == (label, disabled)), None
        )

    def press(self, label: str) -> None:
        """Press a button as soon as it can be."""
        self.until(lambda: self.button(label), f"the button {label}")
        self._wire.say(self.button(label), event="click")

    def field(self, label: str) -> Any:
        return next(each for each in self.shown() if getattr(each, "description", "") == label)

    def fill(self, label: str, value: Any) -> None:
        """Write into a field, or choose in it, as the page tells the kernel."""
        self.until(
            lambda: any(getattr(each, "description", "") == label for each in self.shown()), label
        )
        self.write(self.field(label), value)

    def write(self, field: Any, value: Any) -> None:
        """Write into a field that is on the page."""
        key, told = _told(field, value)
        data = {"method": "update", "state": {key: told}, "buffer_paths": []}
        self._wire.of(field).handle_msg({"content": {"data": data}, "buffers": []})

    def grids(self) -> set[str]:
        """Titles of the grids on the page."""
        return {each.title for each in self.shown() if isinstance(each, Grid)}

    def grid(self, title: str) -> Grid:
        found = [each for each in self.shown() if isinstance(each, Grid)]
        return self._ask(next(each for each in found if each.title == title))

    def plots(self, title: str) -> PlotGrid:
        found = [each for each in self.shown() if isinstance(each, PlotGrid)]
        return self._ask(next(each for each in found if each.title == title))

    def _ask(self, widget: Any) -> Any:
        """Say that the page is there, as it does once: only then is it told anything."""
        if widget.model_id not in self._asked:
            self._asked.add(widget.model_id)
            self._wire.say(widget, kind="ready")
        return widget

    def rows(self, title: str) -> dict[str, dict[str, Any]]:
        """The rows of a grid, put together from what was sent to the page."""
        return self.told(self.grid(title))

    def told(self, widget: Any) -> dict[str, dict[str, Any]]:
        """What a widget has told the page of its rows."""
        self._ask(widget)
        rows: dict[str, dict[str, Any]] = {}
        for message in list(self._wire.sent(widget)):
            if message.kind == "snapshot":
                rows = message.rows()
            elif message.kind == "delta":
                for name, cells in message.rows().items():
                    rows.setdefault(name, {}).update(cells)
                for name in message.content["removed"]:
                    rows.pop(name, None)
        return rows

    def has_row(self, title: str, name: str, **cells: Any) -> None:
        """Wait for a row with these cells."""

        def there() -> bool:
            found = [
                each for each in self.shown() if isinstance(each, Grid) and each.title == title
            ]
            row = self.told(found[0]).get(name) if found else None
            return row is not None and all(row.get(key) == cell for key, cell in cells.items())

        self.until(there, f"{name} with {cells} in {title}")

    def lacks_row(self, title: str, name: str) -> None:
        """Wait until a row is gone."""
        self.until(lambda: name not in self.rows(title), f"{name} gone from {title}")

    def select(self, title: str, *ids: str) -> None:
        """Select rows of a grid."""
        self.has_row(title, ids[0])
        self._wire.say(self.grid(title), kind="selection", ids=list(ids))

    def activate(self, title: str, name: str) -> None:
        """Open a row of a grid: Enter, or a double click."""
        self.has_row(title, name)
        self._wire.say(self.grid(title), kind="activate", id=name)

    def choose(self, title: str, *ids: str) -> None:
        """Select plots."""
        plots = self.plots(title)
        self.until(lambda: set(ids) <= set(self.told(plots)), f"plots {ids}")
        self._wire.say(plots, kind="selection", ids=list(ids))

    def act(self, title: str, action: str) -> None:
        """Press a button of a grid, as soon as it is there."""
        self.until(lambda: title in self.grids(), title)
        self._wire.say(self.grid(title), kind="action", action=action, ids=[])


def _inside(widget: Any) -> Iterator[Any]:
    if widget.layout is not None and widget.layout.display == "none":
        return
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _inside(child)


def _told(field: Any, value: Any) -> tuple[str, Any]:
    """How a page says a value: lists say positions."""
    if isinstance(field, ipywidgets.SelectMultiple):
        return "index", [field._options_labels.index(each) for each in value]
    if isinstance(field, ipywidgets.Dropdown):
        return "index", list(field._options_values).index(value)
    return "value", value


@pytest.fixture
def page_of(wire: Any, arrived: Arrivals) -> Callable[[Any], Page]:
    """The page of something that has a ``view``."""
    return lambda shown: Page(wire, arrived, shown)


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record in the middle of a day, made once; each test has a copy."""
    path = tmp_path_factory.mktemp("day") / "record.sqlite"
    record = open_record(f"sqlite:///{path}", migrate=True)
    example_platform.make(record)
    record.close()
    return path


@pytest.fixture
def platform(day: Path, tmp_path: Path) -> Iterator[Platform]:
    """A control plane over a record of one's own; its servers have reported."""
    for path in day.parent.iterdir():
        shutil.copy(path, tmp_path)
    with control_planes.platform(tmp_path) as running:
        running.start()
        example_platform.report(running.record, running.plane.use)
        yield running


@pytest.fixture
def open_console(wire: Any, arrived: Arrivals, platform: Platform) -> Iterator[Callable[..., Page]]:
    """Open a console as a person, at a panel."""
    opened: list[Console] = []

    def open_one(person: str = "operator", panel: str = "overview") -> Page:
        console = Console(platform.client(person))
        opened.append(console)
        page = Page(wire, arrived, console)
        page.until(lambda: console._rail.current, "the first panel")
        if panel != console._rail.current:
            page.open(panel)
        return page

    yield open_one
    for console in opened:
        console.close()
