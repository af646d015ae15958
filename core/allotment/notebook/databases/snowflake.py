"""Snowflake: its own connector, which answers in Arrow."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from allotment.notebook.databases.database import CONNECT_WITHIN, session_statements
from allotment.notebook.lending import Lent
from allotment.notebook.problems import missing
from allotment.notebook.progress import Progress

_NAMED = ("account", "user", "warehouse", "database", "schema", "role", "host", "protocol")


class Snowflake:
    """A Snowflake account."""

    @property
    def dialect(self) -> str:
        """SQLAlchemy's name for it."""
        _reconcile()
        return "snowflake"

    def connect(self, lent: Lent) -> Any:
        """A connection of the connector."""
        try:
            from snowflake import connector  # noqa: PLC0415 - heavy
        except ImportError:
            raise missing("snowflake-connector-python", "Snowflake") from None
        options: dict[str, Any] = {
            name: lent.text(name) for name in _NAMED if lent.text(name)
        } | _identity(lent)
        if lent.text("port"):
            options["port"] = lent.number("port", 443)
        connection = connector.connect(
            login_timeout=CONNECT_WITHIN * 3, client_session_keep_alive=False, **options
        )
        with connection.cursor() as cursor:
            for statement in session_statements(lent):
                cursor.execute(statement)
        return connection

    def cancel(self, lent: Lent, connection: Any) -> None:
        """End what a connection is asked now."""
        self._cancel(lent, connection.session_id)

    def read(self, lent: Lent, query: str, progress: Progress) -> Any:
        """Everything that a query answers."""
        import pyarrow as pa  # noqa: PLC0415 - heavy

        with self.connect(lent) as connection, connection.cursor() as cursor:
            session = connection.session_id
            progress.cancel.append(lambda: self._cancel(lent, session))
            cursor.execute(query)
            table = cursor.fetch_arrow_all(force_return_table=True)
            return pa.table({}) if table is None else table

    def _cancel(self, lent: Lent, session: int | None) -> None:
        """End the queries of a session, over another: a user may end its own."""
        with suppress(Exception), self.connect(lent) as other, other.cursor() as cursor:
            cursor.execute("SELECT SYSTEM$CANCEL_ALL_QUERIES(%s)", (session,))


def _reconcile() -> None:
    """Give snowflake-sqlalchemy the one name that it needs and that SQLAlchemy 2.1 has made private.

    Its version 2.1 does without, but needs a connector from version 5 on.
    """
    from sqlalchemy.orm import context  # noqa: PLC0415 - heavy

    for name in ("ORMSelectCompileState", "ORMFromStatementCompileState"):
        if not hasattr(context, name) and hasattr(context, f"_{name}"):
            setattr(context, name, getattr(context, f"_{name}"))


def _identity(lent: Lent) -> dict[str, Any]:
    key = lent.text("private_key")
    if not key:
        return {"password": lent.text("password")}
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - heavy

    loaded = serialization.load_pem_private_key(key.encode(), password=None)
    encoded = loaded.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {"private_key": encoded}
