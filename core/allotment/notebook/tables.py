"""Lists of things, shown as a table: in a cell as HTML with everything escaped, elsewhere as text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from html import escape
from typing import Generic, TypeVar, overload

from allotment.notebook.problems import DataProblem

T = TypeVar("T")

_SHOWN = 200
"""Rows that a table shows; all are in the list."""
_CELL = (
    "text-align:left;vertical-align:top;white-space:normal;max-width:32em;overflow-wrap:break-word"
)
_NUMBER = "text-align:right;vertical-align:top;white-space:nowrap;font-variant-numeric:tabular-nums"


class Table(Sequence[T], Generic[T]):
    """A list that shows itself, and finds its things by number or by name.

    ``numbers`` and ``code`` name columns: amounts stand right-aligned, lines of code in code's own type.
    """

    def __init__(
        self,
        title: str,
        items: Sequence[T],
        columns: Sequence[tuple[str, Callable[[T], str]]],
        *,
        name: Callable[[T], str],
        nothing: str,
        numbers: Collection[str] = (),
        code: Collection[str] = ("use it",),
    ) -> None:
        self._title, self._items, self._columns = title, tuple(items), tuple(columns)
        self._name, self._nothing = name, nothing
        self._numbers, self._code = frozenset(numbers), frozenset(code)

    @overload
    def __getitem__(self, key: int | str) -> T: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[T]: ...
    def __getitem__(self, key: int | str | slice) -> T | Sequence[T]:
        """A thing by its place or its name, or some by their places.

        Raises:
            DataProblem: no thing has this name.
        """
        if not isinstance(key, str):
            return self._items[key]
        for item in self._items:
            if self._name(item) == key:
                return item
        message = f"{self._title} has no {key!r}. It has: {', '.join(self._ipython_key_completions_()) or 'nothing'}."
        raise DataProblem(message)

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def _ipython_key_completions_(self) -> list[str]:
        """Names, for the Tab key."""
        return [self._name(item) for item in self._items]

    def _rows(self) -> list[list[str]]:
        return [[tell(item) for _, tell in self._columns] for item in self._items[:_SHOWN]]

    def _foot(self) -> str:
        hidden = len(self._items) - _SHOWN
        return f"… and {hidden} more" if hidden > 0 else ""

    def _repr_html_(self) -> str:
        """The table, for a cell."""
        if not self._items:
            return f"<p><b>{escape(self._title)}</b>: {escape(self._nothing)}</p>"
        head = "".join(
            f'<th scope="col" style="{self._style(name)}">{escape(name)}</th>'
            for name, _ in self._columns
        )
        body = "".join(f"<tr>{self._cells(row)}</tr>" for row in self._rows())
        caption = f"<caption style='text-align:left'><b>{escape(self._title)}</b> {escape(self._foot())}</caption>"
        table = f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f'<div style="overflow-x:auto;max-width:100%" tabindex="0">{table}</div>'

    def _style(self, column: str) -> str:
        return _NUMBER if column in self._numbers else _CELL

    def _cells(self, row: Sequence[str]) -> str:
        """A row's cells as HTML."""
        cells = []
        for (name, _), said in zip(self._columns, row, strict=True):
            text = escape(said)
            shown = (
                f'<code style="white-space:nowrap">{text}</code>'
                if name in self._code and "(" in said
                else text
            )
            cells.append(f'<td style="{self._style(name)}">{shown}</td>')
        return "".join(cells)

    def __repr__(self) -> str:
        if not self._items:
            return f"{self._title}: {self._nothing}"
        rows = [[name for name, _ in self._columns], *self._rows()]
        widths = [max(len(row[place]) for row in rows) for place in range(len(self._columns))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        return "\n".join([self._title, *lines, *filter(None, [self._foot()])])
