"""MySQL and MariaDB: queries by connectorx, connections by PyMySQL."""

from __future__ import annotations

import secrets
import ssl
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from allotment.notebook.databases.database import (
    CONNECT_WITHIN,
    session_statements,
)
from allotment.notebook.lending import Lent
from allotment.notebook.problems import missing
from allotment.notebook.progress import Progress

_ROWS = 50_000
"""Rows that are fetched at a time where they are fetched one by one."""


class MySql:
    """MySQL and MariaDB, which speak alike."""

    dialect = "mysql+pymysql"

    def connect(self, lent: Lent) -> Any:
        """A connection of PyMySQL."""
        try:
            import pymysql  # noqa: PLC0415 - heavy
        except ImportError:
            raise missing("pymysql", "A connection to MySQL or MariaDB") from None
        connection = pymysql.connect(
            host=lent.text("host", "localhost"),
            port=lent.number("port", 3306),
            user=lent.text("user"),
            password=lent.text("password"),
            database=lent.text("database") or None,
            connect_timeout=CONNECT_WITHIN,
            charset="utf8mb4",
            **_encryption(lent),
        )
        with connection.cursor() as cursor:
            for statement in session_statements(lent):
                cursor.execute(statement)
        return connection

    def cancel(self, lent: Lent, connection: Any) -> None:
        """End what a connection is asked now, over another: an account may end its own."""
        with suppress(Exception), self.connect(lent) as other, other.cursor() as cursor:
            cursor.execute("KILL QUERY %s", (connection.thread_id(),))

    def read(self, lent: Lent, query: str, progress: Progress) -> Any:
        """Everything that a query answers. An interruption ends it in the database too."""
        mark = f"/* allotment {secrets.token_hex(8)} */"
        marked = f"{query.rstrip().rstrip(';')} {mark}"
        progress.cancel.append(lambda: self._kill(lent, mark))
        # connectorx does not encrypt, and where it cannot connect, it tries for half a minute.
        with self.connect(lent) as connection:
            if is_encrypted(lent):
                return rows_as_arrow(connection, marked, progress)
        try:
            import connectorx  # noqa: PLC0415 - heavy
        except ImportError:
            raise missing("connectorx", "MySQL or MariaDB") from None
        return connectorx.read_sql(
            _address(lent),
            marked,
            return_type="arrow",
            protocol="binary",
            pre_execution_query=list(session_statements(lent)) or None,
        )

    def _kill(self, lent: Lent, mark: str) -> None:
        """End the query that carries this mark: an account may end its own."""
        with suppress(Exception), self.connect(lent) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW FULL PROCESSLIST")
            own = connection.thread_id()
            for row in cursor.fetchall():
                if mark in str(row[7]) and row[0] != own:
                    cursor.execute("KILL QUERY %s", (int(row[0]),))


def _encryption(lent: Lent) -> dict[str, Any]:
    wanted = lent.text("tls", "off")
    if wanted == "off":
        return {"ssl_disabled": True}
    if wanted == "verify":
        # By a context: without an authority of its own PyMySQL would not compare the name.
        context = ssl.create_default_context(cadata=lent.text("ca") or None)
        # The certificates that servers make for themselves do not pass what Python 3.13 asks for.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return {"ssl": context}
    return {"ssl": {"check_hostname": False, "verify_mode": "none"}}


def _address(lent: Lent) -> str:
    """The address as connectorx reads it, password and all."""
    who = f"{quote(lent.text('user'), safe='')}:{quote(lent.text('password'), safe='')}"
    host = lent.text("host", "localhost")
    where = f"[{host}]" if ":" in host else host
    database = quote(lent.text("database"), safe="")
    return f"mysql://{who}@{where}:{lent.number('port', 3306)}/{database}"


def is_encrypted(lent: Lent) -> bool:
    """Whether the source asks for encryption."""
    return lent.text("tls", "off") != "off"


def rows_as_arrow(connection: Any, query: str, progress: Progress) -> Any:
    """Everything that a query answers, row by row: the way that encrypts, and takes several times as long."""
    import polars as pl  # noqa: PLC0415 - heavy
    from pymysql.cursors import SSCursor  # noqa: PLC0415 - heavy

    frames: list[pl.DataFrame] = []
    with connection.cursor(SSCursor) as cursor:
        cursor.execute(query)
        names = [column[0] for column in cursor.description or ()]
        while rows := cursor.fetchmany(_ROWS):
            frames.append(pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None))
            progress.add(len(rows))
    if not frames:
        return pl.DataFrame(schema=names).to_arrow()
    return pl.concat(frames, how="vertical_relaxed", rechunk=False).to_arrow()
