"""Oracle: the thin driver, which needs no other program and answers in Arrow."""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import Any

from allotment.notebook.databases.database import CONNECT_WITHIN, session_statements
from allotment.notebook.lending import Lent
from allotment.notebook.problems import missing
from allotment.notebook.progress import Progress


class Oracle:
    """An Oracle database."""

    dialect = "oracle+oracledb"

    def connect(self, lent: Lent) -> Any:
        """A connection of the thin driver."""
        try:
            import oracledb  # noqa: PLC0415 - heavy
        except ImportError:
            raise missing("oracledb", "Oracle") from None
        connection = oracledb.connect(
            user=lent.text("user"),
            password=lent.text("password"),
            dsn=lent.text("dsn"),
            tcp_connect_timeout=float(CONNECT_WITHIN),
            retry_count=0,
            ssl_context=_encryption(lent),
        )
        with connection.cursor() as cursor:
            for statement in session_statements(lent):
                cursor.execute(statement)
        return connection

    def cancel(self, lent: Lent, connection: Any) -> None:  # noqa: ARG002 - the connection knows it
        """End what a connection is asked now."""
        with suppress(Exception):  # it has just ended
            connection.cancel()

    def read(self, lent: Lent, query: str, progress: Progress) -> Any:
        """Everything that a query answers."""
        import pyarrow as pa  # noqa: PLC0415 - heavy

        with self.connect(lent) as connection:
            progress.cancel.append(connection.cancel)
            return pa.table(connection.fetch_df_all(statement=query, arraysize=10_000))


def _encryption(lent: Lent) -> ssl.SSLContext | None:
    """How a server's certificate is looked at; None: as the driver does by itself, or no encryption."""
    wanted, authority = lent.text("tls"), lent.text("ca")
    if wanted == "require":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context
    if wanted == "verify" and authority:
        return ssl.create_default_context(cadata=authority)
    return None
