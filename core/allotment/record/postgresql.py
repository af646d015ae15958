"""PostgreSQL: connections with time limits, passwords read when they are needed, and commits whose answer was lost.

Nothing may wait for ever: whoever waits holds a launch, and perhaps rows that others need. A connection
that rested is looked at before it is used, so that a database that was restarted is found again by
whoever asks next. Whether a commit happened is asked of the database by the transaction's number, never guessed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from allotment.model.refusals import (
    OutcomeUnknown,
    RecordUnavailable,
    RecordUndone,
)

_PASSWORD_FILE, _PASSWORD_VARIABLE = "password_file", "password_variable"
_IDLE_CHECK = 2.0
"""Seconds after which a connection that rested is looked at before it is used."""
_STATEMENT = 60.0
"""Seconds that one statement may take: the longest reports take some. Migrations have no limit."""
_IDLE_IN_TRANSACTION = 60.0
"""Seconds that a transaction may do nothing; then the database ends it, and what it locked is free."""
_LOOK_AGAIN = 0.05
"""Seconds between two looks at a transaction that is still ending; no event tells of it."""

_ISOLATION = "READ COMMITTED"
"""What a writer's statements see: what is committed when each begins. Locks are taken first and facts read
after, so that facts are not older than the lock. A database or role may have another default."""
_OLDEST = 14

UNDONE_STATES = frozenset({"40001", "40P01"})
"""A serialisation failure, and a deadlock: the database took the transaction back."""
_AWAY = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError, PoolTimeoutError)


def engine_of(url: sa.URL, patience: float) -> Engine:
    """Connections to a database. ``patience`` is how many seconds a writer waits for rows.

    Of the address's own options ``password_file`` and ``password_variable`` say where the password
    is; it is read anew for each connection, so that it can be exchanged while the hub runs.
    """
    where = {
        key: str(url.query[key]) for key in (_PASSWORD_FILE, _PASSWORD_VARIABLE) if key in url.query
    }
    engine = sa.create_engine(
        url.difference_update_query(list(where)),
        pool_size=20,
        max_overflow=20,
        pool_timeout=patience,
        connect_args=_connection_options(url, patience),
        isolation_level=_ISOLATION,
    )
    if where:
        _read_password(engine, where)
    _set_limits(engine, patience)
    _look_before_use(engine)
    return engine


def _connection_options(url: sa.URL, patience: float) -> dict[str, Any]:
    """What the address does not say itself: a database that vanished is noticed within seconds."""
    options = {
        "application_name": "allotment",
        "connect_timeout": max(2, min(5, int(patience))),  # libpq knows no shorter one than 2 s
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
    }
    return {key: value for key, value in options.items() if key not in url.query}


def _read_password(engine: Engine, where: Mapping[str, str]) -> None:
    @sa.event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
        options["password"] = password(where)


def password(where: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> str:
    """The password of the record, from the place that its address names.

    Raises:
        RecordUnavailable: it is not there; the message names the place, never what it holds.
    """
    if file := where.get(_PASSWORD_FILE):
        try:
            return Path(file).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            message = f"The record's password cannot be read from {file}: {type(error).__name__}."
            raise RecordUnavailable(message) from error
    variable = where.get(_PASSWORD_VARIABLE, "")
    if variable not in environment:
        message = f"The variable {variable}, which holds the record's password, is not set."
        raise RecordUnavailable(message)
    return environment[variable]


def _set_limits(engine: Engine, patience: float) -> None:
    limits = {
        # Else whoever waits for a row waits for as long as its holder likes, and with it a launch.
        "lock_timeout": patience,
        "statement_timeout": max(_STATEMENT, 2 * patience),
        "idle_in_transaction_session_timeout": _IDLE_IN_TRANSACTION,
    }
    wanted = "; ".join(f"SET {name} = {int(seconds * 1000)}" for name, seconds in limits.items())

    @sa.event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.execute(wanted)
        connection.commit()


def _look_before_use(engine: Engine) -> None:
    """A connection that broke while it rested is replaced, and with it all that are older."""

    @sa.event.listens_for(engine, "checkin")
    def _rests(_connection: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @sa.event.listens_for(engine, "checkout")
    def _look(connection: Any, record: Any, _proxy: Any) -> None:
        since = record.info.get("rests_since")
        if since is None or time.monotonic() - since < _IDLE_CHECK:
            return
        try:
            connection.execute("SELECT 1")
            connection.rollback()
        except Exception as error:
            raise sa.exc.DisconnectionError from error


def check(connection: Connection) -> None:
    """Check that a database is one that a record can be kept in.

    Raises:
        RecordUnavailable: it is not; the message says why, and what to do.
    """
    found = connection.exec_driver_sql(
        "SELECT current_setting('server_version_num')::int / 10000, "
        "current_setting('transaction_isolation'), current_setting('transaction_read_only')"
    ).one()
    problem = problem_of(*found)
    if problem:
        raise RecordUnavailable(problem)


def problem_of(version: int, isolation: str, read_only: str) -> str:
    """Why no record can be kept where this is so; empty where it can. ``version`` is the major one."""
    if version < _OLDEST:
        return f"The record's database is PostgreSQL {version}; {_OLDEST} or newer is needed."
    if isolation != _ISOLATION.lower():
        return (
            f"Transactions of the record's database are {isolation} although {_ISOLATION.lower()} was "
            "asked for, and limits would not hold. Does a pooler between change it?"
        )
    if read_only != "off":
        return (
            "The record's database lets nobody write: it is a standby, or default_transaction_read_only "
            "is set. Name the primary in the settings (record: …)."
        )
    return ""


def no_limits(connection: Connection) -> None:
    """Let this transaction take the time that it needs: for changes of the schema."""
    for limit in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
        connection.exec_driver_sql(f"SET LOCAL {limit} = 0")


def trouble(error: DBAPIError | PoolTimeoutError) -> RecordUnavailable | None:
    """What an error before the commit means. None: the database works, and the statement is wrong."""
    if not isinstance(error, _AWAY):
        return None
    if isinstance(error, PoolTimeoutError):
        return RecordUnavailable("The record did not answer: all connections to it are in use.")
    if error.connection_invalidated:
        return RecordUndone(
            "The connection to the record was lost. Nothing was written. Try again."
        )
    state = str(getattr(error.orig, "sqlstate", None) or "")
    if state in UNDONE_STATES:
        return RecordUndone(
            "Others changed the same at the same time. Nothing was written. Try again."
        )
    if not state:  # it was not the database that said it
        return RecordUnavailable("The record's database cannot be reached.")
    return RecordUnavailable(f"The record did not answer: {type(error.orig).__name__}.")


@dataclass(frozen=True, slots=True)
class Written:
    """By what the database knows what a transaction has written: its number, and one of its events."""

    number: str
    event: Mapping[str, Any] | None = None
    """None: it wrote none."""


RETURNING_WRITTEN = (
    'RETURNING pg_current_xact_id()::text AS number, sequence, "at", actor, kind, subject'
)
"""The end of a statement that writes events; what it returns is for :func:`written`."""


def written(row: sa.RowMapping) -> Written:
    """What a row of :data:`RETURNING_WRITTEN` says."""
    event = dict(row)
    return Written(event.pop("number"), event)


def written_without_event(connection: Connection) -> Written | None:
    """What a transaction without events is known by; None: it wrote nothing."""
    number = connection.exec_driver_sql("SELECT pg_current_xact_id_if_assigned()::text").scalar()
    return None if number is None else Written(str(number))


@contextmanager
def commit_found_out(engine: Engine, wrote: Written | None, patience: float) -> Iterator[None]:
    """Commit in this block: where the answer is lost, the database is asked what became of it.

    Raises:
        RecordUndone: it was not committed.
        OutcomeUnknown: the database did not say within ``patience`` seconds.
    """
    try:
        yield
    except DBAPIError as error:
        # What the database itself refuses (a constraint, a conflict) it has undone and said so.
        if not error.connection_invalidated:
            raise
        if wrote is not None and not _was_committed(engine, wrote, patience):
            message = "The connection to the record was lost, and nothing was written. Try again."
            raise RecordUndone(message) from error


def _was_committed(engine: Engine, wrote: Written, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while True:
        status = _status(engine, wrote)
        if status in {_COMMITTED, _ABORTED}:
            return status == _COMMITTED
        if time.monotonic() > deadline:
            message = (
                "The connection to the record was lost while it was written, and it could not be "
                "found out whether it was. Look before you try again."
            )
            raise OutcomeUnknown(message)
        time.sleep(_LOOK_AGAIN)


_COMMITTED, _ABORTED = "committed", "aborted"
_NOT_GIVEN_OUT = "22023"
"""The database has not given out this number: it came back from a crash without the transaction."""
_STATUS = sa.text(
    "SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_xact_status(CAST(CAST(:number AS text) AS xid8)) END"
)
"""Nothing as long as it recovers: it may not have come to the transaction yet."""
_EVENT = sa.text(
    'SELECT 1 FROM events WHERE sequence = :sequence AND "at" = :at AND actor = :actor '
    "AND kind = :kind AND subject = :subject"
)


def _status(engine: Engine, wrote: Written) -> str:
    """What became of a transaction: committed, aborted, in progress; empty where nobody can say now.

    After a crash its number may be another's, which is told by the event: then it was aborted itself.
    """
    try:
        with engine.connect() as connection:
            status = str(connection.execute(_STATUS, {"number": wrote.number}).scalar() or "")
            if status != _COMMITTED or wrote.event is None:
                return status
            # A statement of its own: it sees whatever the first one said to be committed.
            there = connection.execute(_EVENT, wrote.event).first() is not None
            return _COMMITTED if there else _ABORTED
    except DBAPIError as error:
        return _ABORTED if getattr(error.orig, "sqlstate", None) == _NOT_GIVEN_OUT else ""
    except (PoolTimeoutError, RecordUnavailable):
        return ""
