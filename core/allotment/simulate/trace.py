"""Traces: who asked for how many devices when, and for how long they were used."""

from __future__ import annotations

import csv
import gzip
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, NoReturn

from allotment.model.profiles import Priority
from allotment.model.refusals import AllotmentError

MOST_JOBS = 5_000_000
_COLUMNS = {
    "time": ("submitted_at", "timestamp"),
    "seconds": ("duration",),
    "devices": ("devices", "num_gpus"),
    "group": ("group", "cluster"),
}
"""What a trace must have, each under one of these names; ``pool`` and ``priority`` may be there too."""


class TraceInvalid(AllotmentError):
    """A trace cannot be read. The message names the line and what was expected there."""


class Job(NamedTuple):
    """One launch: asked for at POSIX seconds, used for so many seconds. Pool ``""``: the first one."""

    at: float
    seconds: float
    devices: int
    group: str
    pool: str = ""
    priority: Priority = Priority.LOW


def read_trace(path: Path) -> Sequence[Job]:
    """Read a trace (CSV, also as .gz), in the order in which its launches were asked for.

    Columns: ``submitted_at`` (or ``timestamp``; ISO 8601, UTC where no zone is written), ``duration``
    (seconds), ``devices`` (or ``num_gpus``), ``group`` (or ``cluster``), and where they are there
    ``pool`` and ``priority`` (low, which is taken where nothing is written, or dedicated).

    Raises:
        TraceInvalid: a line cannot be read; it and what was expected are named.
    """
    if not path.is_file():
        raise TraceInvalid(f"{path}: there is no such file")
    opening = gzip.open if path.suffix == ".gz" else open
    try:
        with opening(path, "rt", encoding="utf-8-sig", newline="") as lines:
            return parse_trace(lines, str(path))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise TraceInvalid(f"{path}: cannot be read as text: {error}") from error


def parse_trace(lines: Iterable[str], name: str = "trace") -> Sequence[Job]:
    """Read a trace from its lines, as :func:`read_trace` does."""
    rows = csv.reader(lines)
    header = next(rows, [])
    parse = _Row(name, header)
    try:
        jobs = sorted(parse.jobs(rows), key=lambda job: job.at)
    except csv.Error as error:
        raise TraceInvalid(f"{name}:{rows.line_num}: expected CSV: {error}") from error
    if not jobs:
        raise TraceInvalid(f"{name}:2: expected at least one launch below the columns' names")
    return jobs


class _Row:
    """Reads rows by the names of their columns."""

    def __init__(self, name: str, header: Sequence[str]) -> None:
        self._name, self._line = name, 1
        self._width = len(header)
        known = {column.strip().lower(): number for number, column in enumerate(header)}
        self._at: dict[str, int] = {}
        for key, names in _COLUMNS.items():
            found = [known[one] for one in names if one in known]
            if not found:
                self._refuse(f"expected a column {' or '.join(names)}; found {', '.join(known)}")
            self._at[key] = found[0]
        self._pool, self._priority = known.get("pool"), known.get("priority")

    def jobs(self, rows: Iterable[Sequence[str]]) -> Iterator[Job]:
        """Every row as a launch; empty rows are passed over."""
        for self._line, row in enumerate(rows, 2):
            if not row:
                continue
            if len(row) != self._width:
                self._refuse(f"expected {self._width} values, found {len(row)}")
            if self._line > MOST_JOBS:
                self._refuse(f"expected at most {MOST_JOBS:,} launches")
            yield self._job(row)

    def _job(self, row: Sequence[str]) -> Job:
        at = self._at
        devices = self._number(row[at["devices"]], "a number of devices", 1)
        if not devices.is_integer():
            self._refuse(f"expected a whole number of devices, found {row[at['devices']][:40]!r}")
        group = row[at["group"]].strip()
        if not group:
            self._refuse("expected the name of a group, found nothing")
        return Job(
            self._time(row[at["time"]]),
            self._number(row[at["seconds"]], "seconds", 0),
            int(devices),
            group,
            row[self._pool].strip() if self._pool is not None else "",
            self._read_priority(row[self._priority] if self._priority is not None else ""),
        )

    def _time(self, text: str) -> float:
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            self._refuse(f"expected a time such as 2026-11-22T14:02:11Z, found {text[:40]!r}")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

    def _number(self, text: str, what: str, least: float) -> float:
        try:
            number = float(text)
        except ValueError:
            self._refuse(f"expected {what}, found {text[:40]!r}")
        if not least <= number < math.inf:
            self._refuse(f"expected {what} of at least {least}, found {text[:40]!r}")
        return number

    def _read_priority(self, text: str) -> Priority:
        word = text.strip().lower() or Priority.LOW.value
        if word not in {one.value for one in Priority}:
            self._refuse(f"expected the priority low or dedicated, found {text[:40]!r}")
        return Priority(word)

    def _refuse(self, message: str) -> NoReturn:
        raise TraceInvalid(f"{self._name}:{self._line}: {message}")
