"""The fields that a kind of source or target asks for, as its form declares them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets

from allotment.model.documents import SourceField
from allotment_widgets.desk import Desk
from allotment_widgets.fields import (
    area_field,
    choice_field,
    helped,
    secret_field,
    show,
    stack,
    text_field,
    tick_field,
)

_KEPT = "kept; leave empty to keep it"


@dataclass(frozen=True, slots=True)
class _Asked:
    """One field of the form: the control that is typed into, and the piece with its help around it."""

    declared: SourceField
    control: Any
    piece: ipywidgets.DOMWidget


class FormFields:
    """Controls for declared fields, each with its help below. Secrets can be written, never read.

    ``values`` are what was entered before, ``secrets`` the names of those that are kept.
    """

    def __init__(
        self,
        desk: Desk,
        fields: Iterable[SourceField],
        values: Mapping[str, Any] | None = None,
        secrets: Iterable[str] = (),
    ) -> None:
        self._desk = desk
        self._before, self._kept = values, frozenset(secrets)
        self._listeners: list[Callable[[], None]] = []
        self._fields = {one.name: self._made(one) for one in fields}
        self.view = stack(*(one.piece for one in self._fields.values()), kind="fields wide")
        for one in self._fields.values():
            one.control.observe(lambda _: desk.backend.soon(self._changed), "value")
        self._arrange()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call back, in the backend's thread, when something was written."""
        self._listeners.append(listener)

    @property
    def given(self) -> dict[str, Any]:
        """What is sent: of a new form all that is asked, of a changed one what differs."""
        written = {
            name: one.control.value for name, one in self._fields.items() if self._is_asked(one)
        }
        return {name: value for name, value in written.items() if self._differs(name, value)}

    @property
    def missing(self) -> tuple[str, ...]:
        """Labels of what must be written and is not."""
        return tuple(
            one.declared.label
            for name, one in self._fields.items()
            if one.declared.required
            and self._is_asked(one)
            and name not in self._kept
            and one.control.value == ""
        )

    def forget_secrets(self) -> None:
        """Empty what nobody may read later: neither a page that is loaded again, nor a saved notebook."""
        for one in self._fields.values():
            if one.declared.type == "secret":
                one.control.value = ""

    def _made(self, field: SourceField) -> _Asked:
        control = _control(field, self._value(field), kept=field.name in self._kept)
        text = field.help if field.required else f"{field.help} Optional."
        said = field.help if field.type in {"choice", "switch"} else text
        return _Asked(field, control, helped(control, said, wide=field.type == "long"))

    def _value(self, field: SourceField) -> Any:
        known = None if self._before is None else self._before.get(field.name)
        value = field.default if known is None else known
        if field.type == "switch":
            return bool(value)
        return "" if value is None else value if field.type == "choice" else str(value)

    def _differs(self, name: str, value: Any) -> bool:
        declared = self._fields[name].declared
        if declared.type == "secret":
            return bool(value)
        return self._before is None or value != self._value(declared)

    def _is_asked(self, one: _Asked) -> bool:
        when = one.declared.when
        if when is None or when[0] not in self._fields:
            return True
        other = self._fields[when[0]]
        return self._is_asked(other) and _said(other.control.value) == _said(when[1])

    def _changed(self) -> None:
        self._arrange()
        for listener in self._listeners:
            listener()

    def _arrange(self) -> None:
        for one in self._fields.values():
            show(one.piece, shown=self._is_asked(one))


def _said(value: object) -> str:
    """A value as a condition names it: what is switched is ``true`` or ``false``."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _control(field: SourceField, value: Any, *, kept: bool) -> Any:
    if field.type == "secret":
        return secret_field(field.label, placeholder=_KEPT if kept else field.placeholder)
    if field.type == "choice":
        return choice_field(field.label, [(said, key) for key, said in field.choices], value)
    if field.type == "switch":
        return tick_field(field.label, value=value)
    if field.type == "long":
        return area_field(field.label, value, placeholder=field.placeholder)
    return text_field(field.label, value, placeholder=field.placeholder)
