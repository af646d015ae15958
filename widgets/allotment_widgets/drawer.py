"""What opens below a table: a title, a way to close it, and what is looked at."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets

from allotment_widgets.backend import Backend
from allotment_widgets.fields import button, put, row, show, stack, words
from allotment_widgets.frame import Arrival


class Drawer:
    """A sheet that is shut at first. Opened it comes into view with the focus; Escape closes it.

    Used in the backend's thread only.
    """

    def __init__(self, backend: Backend, *body: Any) -> None:
        self.closed: Callable[[], None] = _nothing
        """Called when it is shut."""
        self._heading = words()
        self._arrival = ipywidgets.Box([])
        show(self._arrival, shown=False)
        close = button("Close", kind="cancel")
        close.on_click(lambda _: backend.soon(self.close))
        top = row(self._heading, close, kind="acts-row spread")
        self.view: Any = stack(self._arrival, top, *body, kind="sheet pad stack drawer")
        show(self.view, shown=False)

    def open(self, title: str) -> None:
        """Show it, and bring whoever asked there."""
        put(self._heading, f"<h2>{escape(title)}</h2>")
        show(self.view, shown=True)
        self._arrival.children = (Arrival(title, fields=False),)

    def close(self) -> None:
        """Shut it; the focus goes back to where it was asked for."""
        show(self.view, shown=False)
        self._arrival.children = ()
        self.closed()


def _nothing() -> None:
    """There is nothing to forget then."""
