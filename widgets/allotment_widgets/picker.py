"""Choosing several of many: a list that is narrowed by typing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import ipywidgets

from allotment_widgets.desk import Desk
from allotment_widgets.fields import put, stack, text_field, words

SHOWN = 200
"""Choices in the list at once; more are found by typing."""
_FEW = 12
"""Up to so many are seen at a glance and need no filter."""


class Picker:
    """Several of many names. What was chosen stays chosen while the list is narrowed."""

    def __init__(
        self, desk: Desk, label: str, names: Sequence[str], chosen: Iterable[str] = ()
    ) -> None:
        self._desk, self._names = desk, list(names)
        self._chosen = set(chosen)
        self._listeners: list[Callable[[], None]] = []
        self._quiet = False
        self._filter = text_field("Narrow the list", placeholder="part of a name")
        self._list = ipywidgets.SelectMultiple(
            description=label, rows=min(8, max(3, len(self._names)))
        )
        self._list.add_class("field")
        self._rest = words("", "hint")
        self._filter.observe(lambda _: desk.backend.soon(self._narrow), "value")
        self._list.observe(lambda _: desk.backend.soon(self._picked), "value")
        few = len(self._names) <= _FEW
        self.view: Any = stack(*([] if few else [self._filter]), self._list, self._rest)
        self._narrow()

    @property
    def values(self) -> tuple[str, ...]:
        """The chosen names, in their order."""
        return tuple(name for name in self._names if name in self._chosen)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call back, in the backend's thread, when something was chosen."""
        self._listeners.append(listener)

    def _narrow(self) -> None:
        text = self._filter.value.strip().lower()
        found = [name for name in self._names if text in name.lower()]
        shown = found[:SHOWN]
        self._quiet = True
        self._list.options = shown
        self._list.value = tuple(name for name in shown if name in self._chosen)
        self._quiet = False
        more = len(found) - len(shown)
        hint = "Hold Ctrl to choose several." if self._names else "There is nobody to choose."
        put(self._rest, f"{more} more: type to narrow the list." if more else hint)

    def _picked(self) -> None:
        if self._quiet:
            return
        self._chosen = (self._chosen - set(self._list.options)) | set(self._list.value)
        for listener in self._listeners:
            listener()
