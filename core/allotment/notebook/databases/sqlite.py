"""SQLite: a file on this machine, opened for reading only."""

from __future__ import annotations

import sqlite3
from typing import Any
from urllib.parse import quote

from allotment.notebook.databases.database import session_statements
from allotment.notebook.lending import Lent
from allotment.notebook.progress import Progress

_ROWS = 50_000
"""Rows that are fetched at a time."""


class Sqlite:
    """A file of SQLite."""

    dialect = "sqlite"

    def connect(self, lent: Lent) -> sqlite3.Connection:
        """A connection that may be used by any thread: SQLAlchemy hands it on."""
        address = lent.text("uri") or f"file:{quote(lent.text('path'))}?mode=ro"
        connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        for statement in session_statements(lent):
            connection.execute(statement)
        return connection

    def cancel(self, lent: Lent, connection: sqlite3.Connection) -> None:  # noqa: ARG002 - the connection knows it
        """End what a connection is asked now."""
        connection.interrupt()

    def read(self, lent: Lent, query: str, progress: Progress) -> Any:
        """Everything that a query answers. Columns hold what their first values are; others become text."""
        import polars as pl  # noqa: PLC0415 - heavy

        connection = self.connect(lent)
        try:
            progress.cancel.append(connection.interrupt)
            cursor = connection.execute(query)
            rows: list[Any] = []
            while some := cursor.fetchmany(_ROWS):
                rows += some
                progress.add(len(some))
            names = [column[0] for column in cursor.description or ()]
            return pl.DataFrame(
                rows, schema=names, orient="row", infer_schema_length=None, strict=False
            ).to_arrow()
        finally:
            connection.close()
