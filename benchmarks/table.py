"""One row for each figure, and one way to print them: alone, or all in one table."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One figure. ``met`` says whether the aim was reached; None where there is none."""

    what: str
    ours: str
    beside: str = ""
    """The same of what it is compared with, in the same run."""
    ratio: str = ""
    aim: str = ""
    met: bool | None = None


def print_table(rows: Sequence[Row], title: str) -> None:
    """Print rows; what missed its aim says so in a word."""
    table = Table("what", "ours", "beside", "ratio", "aim", "", title=title, title_justify="left")
    words = {True: "reached", False: "MISSED", None: ""}
    for row in rows:
        table.add_row(row.what, row.ours, row.beside, row.ratio, row.aim, words[row.met])
    Console(width=130).print(table)


def main(title: str, measure: Callable[[bool], list[Row]]) -> None:
    """Run one benchmark from the command line: ``--quick`` for its shape, ``--json`` for programs."""
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument(
        "--quick", action="store_true", help="fewer rounds: the shape, not the figures"
    )
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    chosen = parser.parse_args()
    rows = measure(chosen.quick)
    if chosen.json:
        json.dump([asdict(row) for row in rows], sys.stdout)
    else:
        print_table(rows, title)
