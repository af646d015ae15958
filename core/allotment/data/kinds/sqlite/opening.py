"""Opening a SQLite file that nothing may be written to."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from allotment.data.door import Door
from allotment.data.kinds.connections import spoken
from allotment.data.problems import SourceProblem

MAGIC = b"SQLite format 3\0"
_WRITE_AHEAD = b"\2\2"
"""What the bytes 18 and 19 of a file say that is written ahead, as sqlite.org/fileformat.html tells."""
QUERY_SECONDS = 15
STEPS_BETWEEN_LOOKS = 100_000


@dataclass(frozen=True, slots=True)
class Database:
    """A file of SQLite: where it is, and the URI by which it is read."""

    place: Path
    uri: str


def found(text: str, door: Door) -> Database:
    """The file that a path names, seen to be one of SQLite that can be read.

    A database in write-ahead mode is read with its ``-wal`` and ``-shm`` files. Where they are not
    there and cannot be made, nobody writes to it now, and it is read as one that does not change.

    Raises:
        SourceProblem: there is no such file, or it cannot be read.
    """
    place, header = _header(text, door)
    if not header.startswith(MAGIC):
        raise SourceProblem(f"{place} is no SQLite database.", remedy="Check the path.")
    database = Database(place, _uri(place, "mode=ro"))
    if header[18:20] == _WRITE_AHEAD and _opens(database) is not None:
        database = Database(place, _uri(place, "mode=ro&immutable=1"))
        if _has_content(Path(f"{place}-wal")):
            raise SourceProblem(
                f"{place} is in write-ahead mode, and what was written last cannot be read.",
                remedy="Let its -shm and -wal files be read, or set PRAGMA journal_mode=DELETE.",
            )
    problem = _opens(database)
    if problem is not None:
        raise SourceProblem(f"{place}: {spoken(problem, ())}")
    # The file was looked at through the door, but SQLite opens by name: see that it is still the same.
    door.path(str(place))
    return database


def _header(text: str, door: Door) -> tuple[Path, bytes]:
    place = door.path(text)
    try:
        with door.open(str(place)) as file:
            return place, file.read(100)
    except OSError as error:
        raise SourceProblem(
            f"{place} cannot be read: {os.strerror(error.errno or 0)}.",
            remedy="Check the path, and that the platform's system account may read the file.",
        ) from None


def _uri(place: Path, options: str) -> str:
    return f"file:{quote(str(place))}?{options}"


def _opens(database: Database) -> sqlite3.Error | None:
    """What keeps it from being read, None if nothing does."""
    try:
        with contextlib.closing(_connect(database.uri)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        return error
    return None


def _has_content(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except OSError:
        return False


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=2, isolation_level=None)
    # What somebody else's file defines (views, defaults) calls no function that could do harm.
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA query_only = ON")
    until = time.monotonic() + QUERY_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > until, STEPS_BETWEEN_LOOKS)
    return connection


@contextlib.contextmanager
def connected(database: Database) -> Iterator[sa.Connection]:
    """A connection for the catalogue; what goes wrong in it is a SourceProblem."""
    engine = sa.create_engine(
        "sqlite://", creator=lambda: _connect(database.uri), poolclass=sa.NullPool
    )
    try:
        with engine.connect() as connection:
            yield connection
    except sa.exc.DBAPIError as error:
        cause = error.orig or error
        raise SourceProblem(f"{database.place}: {spoken(cause, ())}") from None
