"""Backups: a record in one packed file.

Its first line says of which schema the rows are, each following is a row, and the last says how many
there were and what they add up to: a file that was cut off or changed is not restored.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy.engine import Connection

from allotment.record.copying import (
    CopyRefused,
    Layout,
    Row,
    Shape,
    Sum,
    check_known,
    fill,
    line,
    rows_of,
)
from allotment.record.engine import Record
from allotment.record.schema import home_archives, homes

FORMAT = 1
_WORD = re.compile(r"[a-z][a-z0-9_]{0,59}")


def backup(record: Record, file: Path) -> Sum:
    """Write a record to a new file, as one moment saw it; it may be in use. Returns what it holds.

    The file holds everything that the record does, password hashes and encrypted secrets too: only its
    owner may read it.

    Raises:
        CopyRefused: there is such a file, or it cannot be read back as it was written.
    """
    layout, found = Layout.now(), Sum()
    try:
        with _written(file) as lines, record.reading() as reading:
            lines.write(line({"allotment": FORMAT, **asdict(layout)}) + "\n")
            for row in found.through(rows_of(reading.connection, layout)):
                lines.write(line(list(row)) + "\n")
            lines.write(line(found.document()) + "\n")
        _check(file, found)
    except FileExistsError as error:
        message = f"There is a file {file} already. Nothing was changed.\nName one that is not."
        raise CopyRefused(message) from error
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    return found


def _check(file: Path, found: Sum) -> None:
    if content(file) != found:
        message = f"{file} cannot be read back as it was written. It was removed."
        raise CopyRefused(message)


@contextmanager
def _written(file: Path) -> Iterator[TextIO]:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as raw:
        with gzip.open(raw, "wt", encoding="utf-8", compresslevel=6) as lines:
            yield lines
        raw.flush()
        os.fsync(raw.fileno())


def content(file: Path) -> Sum:
    """What a backup holds; its last line is checked.

    Raises:
        RecordTooNew, CopyRefused: as :func:`restore`.
    """
    with _opened(file) as (_, rows):
        return Sum().of(rows)


def restore(file: Path, url: str) -> Sum:
    """Make a record of a backup in an empty database, and bring it to this version's schema.

    No home ends by what was said before: see :func:`_announced_anew`.

    Raises:
        RecordTooNew: a newer version wrote it; nothing was changed.
        CopyRefused: it is no whole backup, or the database is not empty; nothing was changed.
        RecordUnavailable: the database is away.
    """
    with _opened(file) as (layout, rows):
        return fill(url, layout, rows, _announced_anew)


def _announced_anew(connection: Connection) -> None:
    """Forget which ends of homes were announced, and what was asked of them.

    Whoever came back since the backup, and what an operator took back, is not in it: a home that ended
    by it would take with it what somebody has made since. Ends are announced anew, with the whole time.
    """
    nothing = {"asked": None, "asked_by": ""}
    connection.execute(homes.update().values(ends_at=None, warned_at=None, **nothing))
    connection.execute(home_archives.update().values(**nothing))


@contextmanager
def _opened(file: Path) -> Iterator[tuple[Layout, Iterator[Row]]]:
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            layout = _layout(json.loads(next(lines, "null")))
            check_known(layout)
            yield layout, _rows(lines, layout)
    except FileNotFoundError as error:
        message = f"There is no file {file}."
        raise CopyRefused(message) from error
    except (OSError, EOFError, zlib.error, ValueError, TypeError, LookupError) as error:
        message = f"{file} is no whole backup of a record. Nothing was changed."
        raise CopyRefused(message) from error


def _layout(said: dict[str, Any]) -> Layout:
    """The first line, with names that are words: they become part of statements."""
    if said["allotment"] != FORMAT:
        raise ValueError(said["allotment"])
    tables = tuple(
        Shape(one["name"], tuple(one["columns"]), tuple(one["flags"])) for one in said["tables"]
    )
    for name in (name for one in tables for name in (one.name, *one.columns, *one.flags)):
        if not _WORD.fullmatch(name):
            raise ValueError(name)
    return Layout(str(said["schema"]), tables)


def _rows(lines: TextIO, layout: Layout) -> Iterator[Row]:
    width, found = {one.name: len(one.columns) for one in layout.tables}, Sum()

    def rows() -> Iterator[Row]:
        for text in lines:
            said = json.loads(text)
            if isinstance(said, dict):
                if said != found.document() or next(lines, None) is not None:
                    raise ValueError(said)
                return
            name, values = said
            if len(values) != width[name]:
                raise ValueError(name)
            yield name, values
        raise EOFError

    yield from found.through(rows())
