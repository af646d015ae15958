"""How single things look in a cell: a dataset, a source, a version, a model that a call answered with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from html import escape
from typing import Any

from allotment.model.documents import Dataset, RegisteredModel, Source, Version
from allotment.notebook.listings import (
    datasets_table,
    models_table,
    sources_table,
    versions_table,
)
from allotment.notebook.tables import Table

_COLUMNS = 50
"""Columns of a dataset that are shown."""


def show_in_cells() -> None:
    """Have IPython show the documents of this package as tables; without it nothing is done."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None:
        return
    formatters = shell.display_formatter.formatters
    for kind, told in _TOLD.items():
        formatters["text/html"].for_type(kind, lambda item, told=told: told(item).html)
        formatters["text/plain"].for_type(
            kind, lambda item, printer, _cycle, told=told: printer.text(told(item).text)
        )


class Shown:
    """One thing as HTML with everything escaped, and as text."""

    def __init__(self, table: Table[Any], more: tuple[tuple[str, str], ...] = ()) -> None:
        self._table, self._more = table, more

    @property
    def html(self) -> str:
        """For a cell."""
        more = "".join(
            f"<p><b>{escape(name)}</b> {escape(words)}</p>" for name, words in self._more
        )
        return self._table._repr_html_() + more

    @property
    def text(self) -> str:
        """For a console."""
        return "\n".join([repr(self._table), *(f"{name} {words}" for name, words in self._more)])


def _dataset(item: Dataset) -> Shown:
    if item.reading is None:
        return Shown(datasets_table([item]))
    columns = [f"{one.name} ({one.type})" for one in item.reading.columns]
    hidden = len(columns) - _COLUMNS
    words = ", ".join(columns[:_COLUMNS]) + (f" and {hidden} more" if hidden > 0 else "")
    return Shown(datasets_table([item]), (("Columns", words),))


_TOLD: dict[type, Callable[[Any], Shown]] = {
    Dataset: _dataset,
    Source: lambda item: Shown(sources_table([item])),
    Version: lambda item: Shown(versions_table(item.dataset, [item])),
    RegisteredModel: lambda item: Shown(models_table([item])),
}
