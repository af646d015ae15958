"""``allotment.sql`` and ``allotment.connect``: databases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from allotment.notebook.databases import DATABASES, Database
from allotment.notebook.explaining import CredentialRefused, explained_query, in_words
from allotment.notebook.lending import Lent
from allotment.notebook.problems import DataProblem, missing
from allotment.notebook.progress import Progress, carry_out
from allotment.notebook.sessions import Session
from allotment.notebook.shapes import check_shape, from_arrow

_SHAPES = ("polars", "arrow", "pandas", "duckdb")


def query(
    session: Session, source: str, sql: str, parameters: Mapping[str, Any] | None, as_: str
) -> Any:
    """Ask a database; see :func:`allotment.sql`."""
    check_shape(as_, *_SHAPES)
    if parameters:
        return from_arrow(_with_parameters(session, source, sql, parameters), as_)
    lent = session.lender.credential(source)
    try:
        return from_arrow(_answer(lent, sql), as_)
    except CredentialRefused:
        return from_arrow(_answer(session.lender.renewed(source, lent), sql), as_)


def _answer(lent: Lent, sql: str) -> Any:
    progress = Progress(f"Asking {lent.source}", unit="rows")
    database = database_of(lent)
    with _saying(lent):
        return carry_out(lambda: database.read(lent, sql, progress), progress)


def _saying(lent: Lent) -> AbstractContextManager[None]:
    return in_words(lambda error: explained_query(lent.source, error, lent.fields))


def _with_parameters(session: Session, source: str, sql: str, parameters: Mapping[str, Any]) -> Any:
    """By SQLAlchemy, which quotes what is handed over; slower, for answers that are small."""
    import polars as pl  # noqa: PLC0415 - heavy
    from sqlalchemy import text  # noqa: PLC0415 - heavy

    progress = Progress(f"Asking {source}", unit="rows")
    database = database_of(session.lender.credential(source))

    def made(lent: Lent, connection: Any) -> None:
        progress.cancel.append(lambda: database.cancel(lent, connection))

    engine = engine_of(session, source, made)

    def work() -> Any:
        with engine.connect() as connection:
            rows = connection.execute(text(sql), dict(parameters))
            frame = pl.DataFrame(
                [tuple(row) for row in rows],
                schema=list(rows.keys()),
                orient="row",
                infer_schema_length=None,
            )
            return frame.to_arrow()

    try:
        with _saying(session.lender.credential(source)):
            return carry_out(work, progress)
    finally:
        engine.dispose()


def engine_of(
    session: Session, source: str, made: Callable[[Lent, Any], None] = lambda _lent, _made: None
) -> Any:
    """An engine of SQLAlchemy; each connection that it makes asks for a credential that is good then.

    ``made`` hears of each, with its credential.
    """
    try:
        import sqlalchemy as sa  # noqa: PLC0415 - heavy
    except ImportError:
        raise missing("sqlalchemy", "allotment.connect") from None
    database = database_of(session.lender.credential(source))

    def connect() -> Any:
        lent = session.lender.credential(source)
        try:
            connection = _connected(database, lent)
        except CredentialRefused:
            lent = session.lender.renewed(source, lent)
            connection = _connected(database, lent)
        made(lent, connection)
        return connection

    # Read-only accounts come and go: a connection is looked at before it is handed out again.
    return sa.create_engine(f"{database.dialect}://", creator=connect, pool_pre_ping=True)


def _connected(database: Database, lent: Lent) -> Any:
    with _saying(lent):
        return database.connect(lent)


def adbc_of(session: Session, source: str) -> Any:
    """A connection of ADBC, where the database has one."""
    lent = session.lender.credential(source)
    adbc = getattr(database_of(lent), "adbc", None)
    if adbc is None:
        message = f"{source} has no ADBC driver here: only PostgreSQL has. Use allotment.connect({source!r})."
        raise DataProblem(message)
    with _saying(lent):
        return adbc(lent)


def database_of(lent: Lent) -> Database:
    """The database of a credential.

    Raises:
        DataProblem: it is an object store or a folder.
    """
    found = DATABASES.get(lent.kind)
    if found is None:
        message = f"{lent.source} holds files and no tables. Open it with allotment.path({lent.source!r})."
        raise DataProblem(message)
    return found
