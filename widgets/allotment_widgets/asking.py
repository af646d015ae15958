"""Forms that say what will happen, ask for what is needed, do it, and say why not where it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import ipywidgets

from allotment.model.refusals import AllotmentError
from allotment_widgets.fields import button, heading, put, row, show, stack, words
from allotment_widgets.frame import Arrival
from allotment_widgets.sentences import problem_html, will_happen

if TYPE_CHECKING:
    from allotment_widgets.desk import Desk

SETTLE = 0.2
"""Seconds: a page holds back what was typed last until the kernel has answered for what came before,
but sends a click at once. Without this wait a fast typist's last letters were lost."""

Act = Callable[[], Awaitable[str]]


class Slot:
    """Where the forms of one part of a panel open. One form at a time in the whole console."""

    def __init__(self, desk: Desk) -> None:
        self.view = ipywidgets.Box([])
        self.view.add_class("slot")
        show(self.view, shown=False)
        self._desk = desk
        self.open: Asking | None = None

    def show(self, asking: Asking) -> None:
        """Open a form, instead of whichever is open anywhere."""
        self._desk.only(self)
        self.clear()
        self.open = asking
        self.view.children = (asking.view,)
        show(self.view, shown=True)

    def refresh(self) -> None:
        """Let the form that is open look again at what it speaks of."""
        if self.open is not None:
            self.open.refresh()

    def clear(self) -> None:
        """Close the form that is open."""
        if self.open is not None:
            closing, self.open = self.open, None
            closing.closed()
            show(self.view, shown=False)
            self.view.children = ()


class Asking:
    """One form. ``act`` does what the button says and returns what to say about it.

    When ``act`` raises a refusal, its reasons are shown in the form, which stays open.
    """

    def __init__(
        self,
        desk: Desk,
        slot: Slot,
        title: str,
        *,
        confirm: str,
        act: Act | None,
        fields: Sequence[Any] = (),
        tone: Literal["main", "risk"] = "main",
    ) -> None:
        self._desk, self._slot, self._act = desk, slot, act
        self._label = confirm
        self.refresh: Callable[[], None] = _nothing
        """Called when what is selected, or the picture, has changed."""
        self.closed: Callable[[], None] = _nothing
        """Called when the form is gone from the page: what was typed into it may be forgotten."""
        self._will, self._table, self._problem = words(), words(), words()
        self._possible, self._waiting = True, False
        self._confirm = button(confirm, tone, kind="confirm")
        self._cancel = button("Cancel" if act else "Close", kind="cancel")
        self._confirm.on_click(lambda _: desk.begin(self.confirmed()))
        self._cancel.on_click(lambda _: desk.backend.soon(self.close))
        acts = [self._confirm, self._cancel] if act else [self._cancel]
        self.fields = stack(*fields, kind="fields")
        body = [self.fields] if fields else []
        self.view = stack(
            *(
                Arrival(title, fields=_has_field(fields)),
                heading(title),
                *body,
                self._will,
                self._table,
                self._problem,
                row(*acts),
            ),
            kind="sheet asking" + (" warns" if tone == "risk" else ""),
        )

    def will(self, *lines: str) -> None:
        """Say what pressing the button will do."""
        put(self._will, will_happen(lines))

    def show_table(self, html: str) -> None:
        """Show whom it concerns, below what it will do."""
        put(self._table, html)

    def show_problem(self, error: AllotmentError | None) -> None:
        """Say why it was not done; None takes that away."""
        put(self._problem, "" if error is None else problem_html(error))

    def relabel(self, confirm: str) -> None:
        """Let the button say what it will do now."""
        self._label = confirm
        self._confirm.description = confirm

    def enable(self, *, possible: bool) -> None:
        """Whether the button can be pressed."""
        self._possible = possible
        self._confirm.disabled = not possible or self._waiting

    def needs(self, field: ipywidgets.Text | ipywidgets.Textarea) -> None:
        """Let the button be pressed while something is written in this field."""

        def written(change: Any) -> None:
            self._desk.backend.soon(lambda: self.enable(possible=bool(change["new"].strip())))

        self.enable(possible=bool(field.value.strip()))
        field.observe(written, "value")

    def hold(self, *, waiting: bool) -> None:
        """Let the button wait until it is known what pressing it will do."""
        self._waiting = waiting
        self.enable(possible=self._possible)

    def open(self) -> None:
        """Show the form."""
        self._slot.show(self)

    def close(self) -> None:
        """Close the form, if it is still the one that is open."""
        if self._slot.open is self:
            self._slot.clear()

    async def confirmed(self) -> None:
        """Do it, once however often the button is pressed meanwhile."""
        if self._act is None or self._confirm.disabled:
            return
        self._confirm.disabled = True
        await asyncio.sleep(SETTLE)
        self.show_problem(None)
        self._confirm.description = "Working…"
        try:
            said = await self._act()
        except AllotmentError as error:
            self.show_problem(error)
        else:
            if said:
                self._desk.say(said)
            self.close()
        finally:
            self._confirm.description = self._label
            self.enable(possible=self._possible)


_FIELDS = (ipywidgets.Text, ipywidgets.Textarea, ipywidgets.Dropdown, ipywidgets.SelectMultiple)


def _has_field(widgets: Iterable[Any]) -> bool:
    """Whether there is a field for the focus to begin in."""
    return any(
        isinstance(each, _FIELDS) or _has_field(getattr(each, "children", ())) for each in widgets
    )


def _nothing() -> None:
    """There is nothing to do then."""
