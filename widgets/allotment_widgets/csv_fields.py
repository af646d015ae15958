"""How a CSV is read, where it is not as found out: the fields of a form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from allotment_widgets.desk import Desk
from allotment_widgets.fields import choice_field, helped, stack, text_field

_FOUND = ""
_DELIMITERS = [
    ("found out", _FOUND),
    *(("comma", ","), ("semicolon", ";"), ("tab", "\t"), ("bar", "|"), ("colon", ":")),
    ("space", " "),
]
_DECIMALS = [("found out", _FOUND), ("point: 3.14", "."), ("comma: 3,14", ",")]
_HEADERS = [("found out", _FOUND), ("yes", True), ("no", False)]


class CsvFields:
    """The fields. What is left as it is found out is not sent; other options stay as they are."""

    def __init__(self, desk: Desk, before: Mapping[str, Any]) -> None:
        self._before = dict(before)
        self._controls = {
            "delimiter": choice_field("Values apart by", _DELIMITERS, before.get("delimiter")),
            "header": choice_field("First line names columns", _HEADERS, before.get("header")),
            "decimal": choice_field("Decimal sign", _DECIMALS, before.get("decimal")),
            "encoding": text_field(
                "Encoding", str(before.get("encoding", "")), placeholder="found out"
            ),
            "skip_rows": text_field(
                "Lines to skip", str(before.get("skip_rows", "")), placeholder="none"
            ),
        }
        said = {
            "encoding": "As Python calls it: utf-8, cp1252, utf-16.",
            "skip_rows": "Lines above the first one that counts.",
        }
        pieces = (
            helped(control, said[name]) if name in said else control
            for name, control in self._controls.items()
        )
        self.view = stack(*pieces, kind="fields wide")
        self._listeners: list[Callable[[], None]] = []
        for control in self._controls.values():
            control.observe(lambda _: desk.backend.soon(self._changed), "value")

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call back, in the backend's thread, when something was chosen."""
        self._listeners.append(listener)

    @property
    def options(self) -> dict[str, Any]:
        """What is not left to be found out."""
        others = {key: one for key, one in self._before.items() if key not in self._controls}
        written = {key: control.value for key, control in self._controls.items()}
        chosen = {
            key: _number(value) if key == "skip_rows" else value
            for key, value in written.items()
            if value != _FOUND
        }
        return others | chosen

    def _changed(self) -> None:
        for listener in self._listeners:
            listener()


def _number(text: str) -> int | str:
    """A whole number; what is none is sent as it is, and refused in words."""
    return int(text) if text.strip().isascii() and text.strip().isdigit() else text
