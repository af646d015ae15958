"""Fields of forms: ipywidgets' controls with their names above them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets

Options = Sequence[str | tuple[str, Any]]


def _dressed(control: Any, *, wide: bool = False) -> Any:
    control.add_class("field")
    if wide:
        control.add_class("wide")
    return control


def text_field(
    label: str, value: str = "", *, placeholder: str = "", wide: bool = False
) -> ipywidgets.Text:
    """One line of text. A placeholder is an example, never the only place where something is said."""
    control = ipywidgets.Text(
        value=value, description=label, placeholder=placeholder, description_allow_html=False
    )
    return _dressed(control, wide=wide)


def area_field(
    label: str, value: str = "", *, placeholder: str = "", rows: int = 4
) -> ipywidgets.Textarea:
    """Several lines of text."""
    control = ipywidgets.Textarea(
        value=value, description=label, placeholder=placeholder, rows=rows
    )
    return _dressed(control, wide=True)


def secret_field(label: str, *, placeholder: str = "") -> ipywidgets.Password:
    """One line that nobody reads over a shoulder, always empty at first: what is kept is never shown."""
    control = ipywidgets.Password(
        value="", description=label, placeholder=placeholder, description_allow_html=False
    )
    return _dressed(control)


def choice_field(label: str, options: Options, value: Any = None) -> ipywidgets.Dropdown:
    """One of several; the first where no value is given."""
    control = ipywidgets.Dropdown(options=list(options), description=label)
    known = [option[1] if isinstance(option, tuple) else option for option in options]
    if value in known:
        control.value = value
    return _dressed(control)


def day_field(label: str) -> ipywidgets.DatePicker:
    """A day, or none."""
    return _dressed(ipywidgets.DatePicker(description=label))


def number_field(label: str, value: int = 0, *, least: int = 0) -> ipywidgets.BoundedIntText:
    """A whole number."""
    control = ipywidgets.BoundedIntText(value=value, min=least, max=100_000, description=label)
    return _dressed(control)


def fraction_field(label: str, value: float) -> ipywidgets.BoundedFloatText:
    """A number above nothing."""
    control = ipywidgets.BoundedFloatText(
        value=value, min=0.01, max=1000, step=0.5, description=label
    )
    return _dressed(control)


def tick_field(label: str, *, value: bool = False) -> ipywidgets.Checkbox:
    """Yes or no."""
    return ipywidgets.Checkbox(value=value, description=label, indent=False)


def helped(control: Any, text: str, *, wide: bool = False) -> ipywidgets.VBox:
    """A field with a sentence below that says what belongs into it; read out with its name."""
    control.tooltip = text
    return stack(control, words(escape(text), "hint"), kind="helped wide" if wide else "helped")


def button(label: str, tone: str = "", *, kind: str = "") -> ipywidgets.Button:
    """A button; ``tone`` is main or risk, ``kind`` a further class."""
    made = ipywidgets.Button(description=label)
    for name in (tone, kind):
        if name:
            made.add_class(name)
    return made


def words(html: str = "", *classes: str) -> ipywidgets.HTML:
    """A piece of a page. What comes from the record must have been escaped."""
    piece = ipywidgets.HTML(html)
    piece.layout.display = "" if html else "none"
    for name in classes:
        piece.add_class(name)
    return piece


def put(piece: ipywidgets.HTML, html: str) -> None:
    """Change a piece of a page: only what differs travels, so that what somebody has selected in it stays."""
    if piece.value != html:
        piece.value = html
        show(piece, shown=bool(html))


def show(piece: ipywidgets.DOMWidget, *, shown: bool) -> None:
    """Show a piece, or take it off the page."""
    display = "" if shown else "none"
    if piece.layout.display != display:
        piece.layout.display = display


def heading(title: str, level: int = 2) -> ipywidgets.HTML:
    """A heading."""
    return words(f"<h{level}>{escape(title)}</h{level}>")


def row(*children: Any, kind: str = "acts-row") -> ipywidgets.Box:
    """Things beside each other, below each other where it is narrow."""
    made = ipywidgets.Box(list(children))
    for name in kind.split():
        made.add_class(name)
    return made


def stack(*children: Any, kind: str = "stack") -> ipywidgets.VBox:
    """Things below each other."""
    made = ipywidgets.VBox(list(children))
    for name in kind.split():
        made.add_class(name)
    return made
