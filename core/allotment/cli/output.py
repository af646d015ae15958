"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 10_000
"""Characters in a line where nobody looks: tables that a program reads are never cut."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def plain(text: str) -> str:
    """Text that a terminal shows and does not obey: control characters become visible."""
    return "".join(
        sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in text
    )


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago something was, in one unit: ``3 min``."""
    if moment is None:
        return ""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    if seconds < _MINUTE:
        return f"{max(0, round(seconds))} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.0f} h" if seconds < 2 * _DAY else f"{seconds / _DAY:.0f} d"


class Output:
    """Where a command writes. With ``as_json`` only documents are written, in JSON."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        console = Console(highlight=False, soft_wrap=True)
        people_look = console.is_terminal
        self._console = console if people_look else Console(highlight=False, width=WIDE)

    def document(self, value: BaseModel | Iterable[BaseModel] | dict[str, Any]) -> None:
        """Write a document, or a list of documents, as JSON."""
        typer.echo(json.dumps(_plain_values(value), indent=2, ensure_ascii=False))

    def say(self, sentence: str, style: str = "") -> None:
        """Write a sentence; nothing where JSON was asked for."""
        if not self.as_json:
            self._console.print(Text(plain(sentence), style=style))

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        empty: str,
        title: str = "",
    ) -> None:
        """Write a table; a column whose name begins with ``#`` holds numbers. ``empty`` instead of no rows."""
        body = [tuple(plain("" if cell is None else str(cell)) for cell in row) for row in rows]
        if title:
            self.say(f"\n{title}", "bold")
        if not body:
            self.say(empty, "dim")
            return
        table = Table(box=None, pad_edge=False, header_style="dim")
        for column in columns:
            table.add_column(
                Text(column.removeprefix("#")),
                justify="right" if column.startswith("#") else "left",
                overflow="fold",
            )
        for row in body:
            table.add_row(*(Text(cell) for cell in row))
        with self._console.capture() as drawn:
            self._console.print(table, soft_wrap=False)
        # What a program reads ends where its words end.
        lines = drawn.get().splitlines()
        typer.echo("\n".join(lines if self._console.is_terminal else map(str.rstrip, lines)))


def _plain_values(value: BaseModel | Iterable[BaseModel] | dict[str, Any]) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return value if isinstance(value, dict) else [one.model_dump(mode="json") for one in value]
