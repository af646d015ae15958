"""PostgreSQL: queries by ADBC, which copies its answer in binary; connections by psycopg."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

import certifi

from allotment.notebook.databases.database import (
    CONNECT_WITHIN,
    authority_file,
    session_statements,
)
from allotment.notebook.databases.opaque import plain
from allotment.notebook.lending import Lent
from allotment.notebook.problems import missing
from allotment.notebook.progress import Progress

_SSL = {"verify": "verify-full", "require": "require", "off": "disable"}


class PostgreSql:
    """PostgreSQL, and what speaks as it does."""

    dialect = "postgresql+psycopg"

    def connect(self, lent: Lent) -> Any:
        """A connection of psycopg."""
        try:
            import psycopg  # noqa: PLC0415 - heavy
        except ImportError:
            raise missing("psycopg[binary]", "A connection to PostgreSQL") from None
        connection = psycopg.connect(address(lent))
        for statement in session_statements(lent):
            connection.execute(statement.encode())
        connection.commit()
        return connection

    def cancel(self, lent: Lent, connection: Any) -> None:  # noqa: ARG002 - the connection knows it
        """End what a connection is asked now."""
        with suppress(Exception):  # it has just ended
            connection.cancel()

    def adbc(self, lent: Lent) -> Any:
        """A connection of ADBC, which answers in Arrow."""
        try:
            from adbc_driver_postgresql import dbapi  # noqa: PLC0415 - heavy
        except ImportError:
            raise missing("adbc-driver-postgresql", "PostgreSQL") from None
        connection = dbapi.connect(address(lent), autocommit=True)
        with connection.cursor() as cursor:
            for statement in session_statements(lent):
                cursor.execute(statement)
        return connection

    def read(self, lent: Lent, query: str, progress: Progress) -> Any:
        """Everything that a query answers, batch by batch."""
        import pyarrow as pa  # noqa: PLC0415 - heavy

        with self.adbc(lent) as connection, connection.cursor() as cursor:
            progress.cancel.append(lambda: _cancel(cursor))
            cursor.execute(query)
            reader = cursor.fetch_record_batch()
            batches = []
            for batch in reader:
                batches.append(batch)
                progress.add(batch.num_rows)
            return plain(pa.Table.from_batches(batches, schema=reader.schema))


def _cancel(cursor: Any) -> None:
    with suppress(Exception):  # it has just ended
        cursor.adbc_cancel()


def address(lent: Lent) -> str:
    """The address as libpq reads it, password and all."""
    options = {
        "connect_timeout": str(CONNECT_WITHIN),
        "application_name": "allotment",
        "sslmode": _SSL.get(lent.text("tls"), "prefer"),
    }
    if options["sslmode"] == "verify-full":
        # The library believes nobody by itself; where no authority is named, whom httpx believes.
        options["sslrootcert"] = authority_file(lent) or certifi.where()
    who = f"{quote(lent.text('user'), safe='')}:{quote(lent.text('password'), safe='')}"
    host, port = lent.text("host", "localhost"), lent.number("port", 5432)
    where = "" if host.startswith("/") else f"[{host}]" if ":" in host else host
    if host.startswith("/"):
        options["host"] = host
    database = quote(lent.text("database"), safe="")
    return f"postgresql://{who}@{where}:{port}/{database}?{urlencode(options, quote_via=quote)}"
