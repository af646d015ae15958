"""Opening the record, and the two kinds of transactions on it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from allotment.model.refusals import RecordUnavailable, RevisionStale
from allotment.record import migrating, postgresql
from allotment.record.columns import dumps, to_stored
from allotment.record.commits import Commits

_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")
CONFIGURATION_LOCK = 7_151_413
"""Any number will do, as long as every hub and control plane uses the same."""


@dataclass
class Reading:
    """A transaction that sees one consistent state of the record."""

    connection: Connection
    dialect: str

    def all(self, statement: sa.Executable) -> Sequence[sa.Row[Any]]:
        """Return every row of a statement."""
        return self.connection.execute(statement).all()

    def first(self, statement: sa.Executable) -> sa.Row[Any] | None:
        """Return the first row of a statement, if there is one."""
        return self.connection.execute(statement).first()

    def driver(
        self, statement: str, parameters: dict[str, Any] | list[dict[str, Any]]
    ) -> sa.CursorResult[Any]:
        """Run SQL with ``:name`` parameters past SQLAlchemy's compiler, for the hot path; for each of a list."""
        if self.dialect == "postgresql":
            statement = _as_pyformat(statement)
        return self.connection.exec_driver_sql(statement, parameters)


_pyformat: dict[str, str] = {}


def _as_pyformat(statement: str) -> str:
    known = _pyformat.get(statement)
    if known is None:
        known = _pyformat[statement] = _PARAMETER.sub(r"%(\1)s", statement.replace("%", "%%"))
    return known


@dataclass
class PendingEvent:
    """An event before the transaction's end gives it its sequence."""

    kind: str
    subject: str
    person: str | None
    group: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass
class Writing(Reading):
    """A transaction that changes the record: all of it or nothing.

    ``actor`` is who changes it, from a token or a process, never from a request's body.
    """

    actor: str
    now: datetime
    pending: list[PendingEvent] = field(default_factory=list)
    written: postgresql.Written | None = None
    """By what PostgreSQL knows what was written here, once the events are."""

    def event(
        self,
        kind: str,
        subject: str,
        *,
        person: str | None = None,
        group: str | None = None,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        """Add an event; it is written as the transaction's last act, under the counter's lock."""
        self.pending.append(PendingEvent(kind, subject[:300], person, group, before, after))

    def run(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        """Run a statement that changes rows."""
        return (
            self.connection.execute(statement, parameters)
            if parameters
            else self.connection.execute(statement)
        )

    def has_written(self, result: sa.CursorResult[Any]) -> bool:
        """Take in what a statement on PostgreSQL returns where it wrote events. Returns whether it did."""
        row = result.mappings().first()
        self.written = self.written if row is None else postgresql.written(row)
        return row is not None

    def flush_events(self) -> None:
        """Give the pending events their sequence and write them: the last act before the commit."""
        if not self.pending:
            if self.dialect == "postgresql" and self.written is None:
                self.written = postgresql.written_without_event(self.connection)
            return
        rows = [
            {
                "number": number,
                "kind": event.kind,
                "subject": event.subject,
                "person": event.person,
                "group_name": event.group,
                "before": None if event.before is None else dumps(event.before),
                "after": None if event.after is None else dumps(event.after),
            }
            for number, event in enumerate(self.pending, start=1)
        ]
        count, said = len(rows), {"at": to_stored(self.now), "actor": self.actor}
        # Together: the counter is locked, and everybody who writes waits for it.
        if self.dialect == "postgresql":
            told = {"count": count, "events": dumps(rows), **said}
            self.has_written(self.driver(_POSTGRESQL_EVENTS, told))
        else:
            before = self.driver(_NEXT_SEQUENCE, {"count": count}).scalar_one() - count
            self.driver(
                _INSERT_EVENT, [row | said | {"sequence": before + row["number"]} for row in rows]
            )
        self.pending.clear()


_NEXT_SEQUENCE = "UPDATE counters SET value = value + :count WHERE name = 'event' RETURNING value"
_INSERT_EVENT = (
    'INSERT INTO events (sequence, "at", actor, kind, subject, person, group_name, "before", "after") '
    "VALUES (:sequence, :at, :actor, :kind, :subject, :person, :group_name, :before, :after)"
)
_POSTGRESQL_EVENTS = f"""
WITH counter AS (UPDATE counters SET value = value + :count WHERE name = 'event' RETURNING value)
INSERT INTO events (sequence, "at", actor, kind, subject, person, group_name, "before", "after")
SELECT counter.value - :count + e.number, :at, :actor, e.kind, e.subject, e.person, e.group_name, e."before", e."after"
FROM counter, json_to_recordset(CAST(:events AS json)) AS e (
    number integer, kind text, subject text, person text, group_name text, "before" text, "after" text)
ORDER BY e.number
{postgresql.RETURNING_WRITTEN}
"""  # noqa: S608 - its end is a constant
"""Counter and events in one statement, and so in one round trip, with what the transaction is known by."""


class _Undone(Exception):
    """A change that was only tried."""


class Record:
    """The one authority. Safe to use from many threads; every call blocks, so event loops use threads."""

    def __init__(self, reader: Engine, writer: Engine, *, patience: float) -> None:
        self._reader, self._writer = reader, writer
        self._patience = patience
        self.dialect = reader.dialect.name
        self._commits = Commits(writer, patience) if self.dialect == "sqlite" else None

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Read one consistent state."""
        with said_in_words(self.dialect), self._reader.begin() as connection:
            yield Reading(connection, self.dialect)

    @contextmanager
    def writing(
        self, actor: str, now: datetime, *, configuration: bool = True
    ) -> Iterator[Writing]:
        """Change the record in one transaction.

        Changes of configuration exclude admissions while they last (on SQLite every writer
        excludes every other).

        Raises:
            RecordUnavailable: the turn does not come in time, or the database is away; nothing is written.
            RecordUndone: nothing is written, and the same may be tried again.
            OutcomeUnknown: the database went away in the commit, and did not say what became of it.
        """
        with said_in_words(self.dialect), self._transaction(joins=not configuration) as connection:
            writing = Writing(connection, self.dialect, actor, now)
            if self.dialect == "postgresql" and configuration:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({CONFIGURATION_LOCK})")
            yield writing
            writing.flush_events()
            if self._commits is None:
                with postgresql.commit_found_out(self._writer, writing.written, self._patience):
                    connection.commit()

    def _transaction(self, *, joins: bool) -> AbstractContextManager[Connection]:
        # PostgreSQL's is taken back at the end of the block, unless it was committed.
        if self._commits is None:
            return self._writer.connect()
        return self._commits.connection(joins=joins)

    @contextmanager
    def trying(self, actor: str, now: datetime) -> Iterator[Writing]:
        """Change the record as :meth:`writing` does, and undo all of it: to see what a change would do.

        It takes the same turn, so do in it only what needs the change to be there.
        """
        with suppress(_Undone), self.writing(actor, now) as writing:
            yield writing
            raise _Undone

    def close(self) -> None:
        """Close every connection."""
        self._reader.dispose()
        self._writer.dispose()
        if self._commits is not None:
            self._commits.close()


@contextmanager
def said_in_words(dialect: str) -> Iterator[None]:
    """Say what errors of a database that is away mean; those of wrong statements stay what they are.

    Raises:
        RecordUnavailable, RecordUndone: the database is away, or took the transaction back.
    """
    try:
        yield
    except (DBAPIError, PoolTimeoutError) as error:
        meaning = _meaning(error, dialect)
        if meaning is None:
            raise
        raise meaning from error


def _meaning(error: DBAPIError | PoolTimeoutError, dialect: str) -> RecordUnavailable | None:
    if dialect == "postgresql":
        return postgresql.trouble(error)
    return _unavailable(error) if isinstance(error, OperationalError | PoolTimeoutError) else None


def _unavailable(error: DBAPIError | PoolTimeoutError) -> RecordUnavailable:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return RecordUnavailable(f"The record did not answer: {type(cause).__name__}.")


def open_record(url: str, *, migrate: bool = False, patience: float = 10.0) -> Record:
    """Open the record at a SQLAlchemy URL (``sqlite:///path`` or ``postgresql://…``).

    The options ``password_file`` and ``password_variable`` of PostgreSQL's say where the password is.

    ``migrate`` brings an older schema up to date; without it an older one is refused.
    ``patience`` is how many seconds a writer waits for its turn.

    Raises:
        RecordTooNew: a newer version of Allotment wrote the record.
        RecordUnavailable: the database does not answer.
    """
    writer = writer_of(url, patience)
    if writer.dialect.name == "sqlite":
        reader = _sqlite_engine(writer.url, "BEGIN", patience, size=8)
    else:
        reader = writer.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
    try:
        migrating.prepare(writer, migrate=migrate)
    except DBAPIError as error:  # a file that is no database is no OperationalError
        raise _meaning(error, writer.dialect.name) or _unavailable(error) from error
    return Record(reader, writer, patience=patience)


def writer_of(url: str, patience: float) -> Engine:
    """What writes to the database at an address, whatever is in it."""
    if url.startswith(("postgresql://", "postgres://")):
        url = "postgresql+psycopg://" + url.split("://", 1)[1]
    engine_url = sa.make_url(url)
    if engine_url.get_backend_name() == "sqlite":
        return _sqlite_engine(engine_url, "BEGIN IMMEDIATE", patience, size=1)
    return postgresql.engine_of(engine_url, patience)


def _sqlite_engine(url: sa.URL, begin: str, patience: float, size: int) -> Engine:
    engine = sa.create_engine(
        url,
        pool_size=size,
        max_overflow=0 if size == 1 else 24,
        connect_args={"check_same_thread": False, "timeout": patience},
        poolclass=sa.QueuePool,
    )

    @sa.event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = (
            None  # we say BEGIN ourselves: the driver would say it too late
        )
        # Not every SQLite is built with the functions of mathematics.
        connection.create_function("power", 2, pow, deterministic=True)
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={int(patience * 1000)}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def expect_revision(thing: str, found: int, expected: int | None) -> None:
    """Refuse a change that was made against an older revision; None expects nothing.

    Raises:
        RevisionStale: somebody changed the thing meanwhile.
    """
    if expected is not None and expected != found:
        raise RevisionStale(thing, expected, found)
