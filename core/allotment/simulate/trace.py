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
"""What a trace must have, each under one of these names; see :func:`read_trace` for what it may have."""
_FIRST_YEAR, _LAST_YEAR = 1900, 9000
"""Of times that every zone can say."""
_OPTIONAL = ("pool", "priority", "profile", "price", "idle")


class TraceInvalid(AllotmentError):
    """A trace cannot be read. The message names the line and what was expected there."""


class Job(NamedTuple):
    """One launch: asked for at POSIX seconds, used for so many seconds. Pool ``""``: the first one.

    ``patience`` is for how many seconds its people wait before they give up; None: for ever. One that
    is ``running`` had begun before; its wait is not counted. ``idle`` are the times at which nothing
    was done: seconds after its beginning, and for how long. ``forgotten``: it ended since it was idle
    for too long, and would have gone on. ``price`` is what an hour costs.
    """

    at: float
    seconds: float
    devices: int
    group: str
    pool: str = ""
    priority: Priority = Priority.LOW
    profile: str = ""
    patience: float | None = None
    running: bool = False
    idle: tuple[tuple[float, float], ...] = ()
    forgotten: bool = False
    price: float = 0.0


def read_trace(path: Path) -> Sequence[Job]:
    """Read a trace (CSV, also as .gz), in the order in which its launches were asked for.

    Columns: ``submitted_at`` (or ``timestamp``; ISO 8601, UTC where no zone is written), ``duration``
    (seconds), ``devices`` (or ``num_gpus``), ``group`` (or ``cluster``), and where they are there
    ``pool``, ``priority`` (low, which is taken where nothing is written, or dedicated), ``profile``,
    ``price`` (an hour) and ``idle`` (seconds at the end in which nothing was done).

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
        self._may = {key: known[key] for key in _OPTIONAL if key in known}

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
        seconds = self._number(row[at["seconds"]], "seconds", 0)
        return Job(
            self._time(row[at["time"]]),
            seconds,
            int(devices),
            group,
            self._text(row, "pool"),
            self._read_priority(self._text(row, "priority")),
            profile=self._text(row, "profile"),
            idle=self._idle(row, seconds),
            price=self._number(self._text(row, "price") or "0", "a price", 0),
        )

    def _text(self, row: Sequence[str], key: str) -> str:
        """What may be written there, or nothing."""
        place = self._may.get(key)
        return "" if place is None else row[place].strip()

    def _idle(self, row: Sequence[str], seconds: float) -> tuple[tuple[float, float], ...]:
        idle = self._number(self._text(row, "idle") or "0", "idle seconds", 0)
        if idle > seconds:
            self._refuse(f"expected at most {seconds:g} idle seconds, as long as it lasted")
        return ((seconds - idle, idle),) if idle else ()

    def _time(self, text: str) -> float:
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            self._refuse(f"expected a time such as 2026-11-22T14:02:11Z, found {text[:40]!r}")
        if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            self._refuse(f"expected a time from {_FIRST_YEAR} to {_LAST_YEAR}, found {text[:40]!r}")
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
