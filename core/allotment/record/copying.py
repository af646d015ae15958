"""A record as rows, and a database filled with them: for backups, and for moving to another database.

Times, numbers and documents are written as the databases keep them, so that the same record makes the same
rows wherever it lies. Leases and signs of life of hubs are left out: who gave them does not come along.
A database is filled in one transaction: the schema that the rows were of, the rows, a look whether they are
all there as they were, and what newer versions changed since.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError

from allotment.model.refusals import AllotmentError, RecordTooNew
from allotment.record import migrating
from allotment.record.engine import Record, said_in_words, writer_of
from allotment.record.schema import hubs, leases, metadata

_BATCH = 500
_PATIENCE = 30.0

Row = tuple[str, list[Any]]
"""A table's name, and what stands in one of its rows, in the order of its columns."""


class CopyRefused(AllotmentError):
    """A record cannot be copied, from here or to there. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A table: its columns, and which of them say yes or no."""

    name: str
    columns: tuple[str, ...]
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """The schema that rows are of, and its tables, those first that others point to."""

    schema: str
    tables: tuple[Shape, ...]

    @classmethod
    def now(cls) -> Layout:
        """That of this version."""
        copied = (one for one in metadata.sorted_tables if one.name not in {leases.name, hubs.name})
        return cls(str(migrating.scripts().get_current_head()), tuple(map(_shape, copied)))


def _shape(table: sa.Table) -> Shape:
    stored = [column for column in table.columns if column.computed is None]
    flags = [column.name for column in stored if isinstance(column.type, sa.Boolean)]
    return Shape(table.name, tuple(column.name for column in stored), tuple(flags))


@dataclass
class Sum:
    """How many rows each table has, and what all of them add up to, in whatever order they come."""

    rows: dict[str, int] = field(default_factory=dict)
    total: int = 0

    def through(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Count rows in as they go by."""
        for row in rows:
            self.rows[row[0]] = self.rows.get(row[0], 0) + 1
            digest = hashlib.sha256(line(list(row)).encode()).digest()
            self.total = (self.total + int.from_bytes(digest)) % (1 << 256)
            yield row

    def of(self, rows: Iterable[Row]) -> Sum:
        """This sum, with all these counted in."""
        for _ in self.through(rows):
            pass
        return self

    @property
    def number(self) -> int:
        """How many rows there are."""
        return sum(self.rows.values())

    def document(self) -> dict[str, Any]:
        """As a backup ends with it."""
        return {"rows": dict(sorted(self.rows.items())), "sum": f"{self.total:064x}"}


def line(document: Any) -> str:
    """A document as one line."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def rows_of(connection: Connection, layout: Layout) -> Iterator[Row]:
    """Every row of a record, as its transaction sees it."""
    for shape in layout.tables:
        names = ", ".join(f'"{name}"' for name in shape.columns)
        # The names are our own tables', or were checked to be words.
        statement = sa.text(f'SELECT {names} FROM "{shape.name}"')  # noqa: S608 - names of the schema, nobody's words
        flags = {shape.columns.index(name) for name in shape.flags}
        for row in connection.execute(statement.execution_options(yield_per=_BATCH)):
            yield (
                shape.name,
                [_plain(one, flag=at in flags) for at, one in enumerate(row)],
            )


def _plain(value: Any, *, flag: bool) -> Any:
    if isinstance(value, bytes | memoryview):
        return {"bytes": base64.b64encode(value).decode()}
    return int(value) if flag and value is not None else value


def sum_of(record: Record) -> Sum:
    """What a record adds up to now."""
    with record.reading() as reading:
        return Sum().of(rows_of(reading.connection, Layout.now()))


def fill(
    url: str,
    layout: Layout,
    rows: Iterable[Row],
    then: Callable[[Connection], None] = lambda _connection: None,
) -> Sum:
    """Make a record of these rows in an empty database: all of it, or nothing. Returns what was put in.

    ``then`` changes it in the same transaction, after the look whether it is all there.

    Raises:
        RecordTooNew: a newer version wrote the rows.
        RecordUnavailable: the database is away.
        CopyRefused: the database is not empty, or does not hold afterwards what was put in.
    """
    check_known(layout)
    writer = writer_of(url, _PATIENCE)
    made = _file_to_be_made(writer.url)
    try:
        with said_in_words(writer.dialect.name), writer.begin() as connection:
            put = _fill(connection, layout, rows)
            then(connection)
    except BaseException:
        writer.dispose()
        if made is not None:
            for name in ("", "-wal", "-shm"):
                Path(f"{made}{name}").unlink(missing_ok=True)
        raise
    writer.dispose()
    return put


def _fill(connection: Connection, layout: Layout, rows: Iterable[Row]) -> Sum:
    if sa.inspect(connection).get_table_names():
        raise CopyRefused(_NOT_EMPTY)
    migrating.make(connection, layout.schema)
    put = _put(connection, layout, rows)
    if Sum().of(rows_of(connection, layout)) != put:
        message = "What was written is not what was read. Nothing was changed."
        raise CopyRefused(message)
    migrating.make(connection, "head")
    return put


def _file_to_be_made(url: sa.URL) -> str | None:
    """The file of an SQLite record that is not there yet, to be taken away again where it is not filled."""
    file = url.database if url.get_backend_name() == "sqlite" else None
    return None if file is None or Path(file).exists() else file


_NOT_EMPTY = (
    "There is something in that database already. Nothing was changed.\n"
    "Name an empty database, or a file that is not there yet."
)


def check_known(layout: Layout) -> None:
    """Refuse rows of a schema that this version does not know.

    Raises:
        RecordTooNew: a newer version wrote them.
    """
    scripts = migrating.scripts()
    if layout.schema not in {script.revision for script in scripts.walk_revisions()}:
        message = (
            f"It has the schema {layout.schema[:40]!r}, which is newer than this version of Allotment knows "
            f"({scripts.get_current_head()!r}). Nothing was changed.\nInstall the version that wrote it."
        )
        raise RecordTooNew(message)


def _put(connection: Connection, layout: Layout, rows: Iterable[Row]) -> Sum:
    for shape in reversed(layout.tables):  # what migrations put there comes with the rows
        connection.execute(sa.text(f'DELETE FROM "{shape.name}"'))  # noqa: S608 - as above
    known, found = {shape.name: shape for shape in layout.tables}, Sum()
    for name, those in groupby(found.through(rows), lambda row: row[0]):
        values = (row[1] for row in those)
        while batch := list(islice(values, _BATCH)):
            _insert(connection, known[name], batch)
    return found


def _insert(connection: Connection, shape: Shape, rows: list[list[Any]]) -> None:
    names = ", ".join(f'"{name}"' for name in shape.columns)
    places = ", ".join(f":c{at}" for at in range(len(shape.columns)))
    flags = {shape.columns.index(name) for name in shape.flags}
    statement = sa.text(f'INSERT INTO "{shape.name}" ({names}) VALUES ({places})')  # noqa: S608 - as above
    values = [
        {f"c{at}": _stored(one, flag=at in flags) for at, one in enumerate(row)} for row in rows
    ]
    try:
        connection.execute(statement, values)
    except (DataError, IntegrityError, ProgrammingError) as error:
        message = (
            f"A row of {shape.name} does not fit into that database "
            f"({type(error.orig).__name__}). Nothing was changed."
        )
        raise CopyRefused(message) from error


def _stored(value: Any, *, flag: bool) -> Any:
    if isinstance(value, dict):
        return base64.b64decode(value["bytes"])
    return bool(value) if flag and value is not None else value
