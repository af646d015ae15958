"""PostgreSQL databases with an empty record: one for a process, emptied between tests."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from allotment.record import open_record

_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_COLUMNS = (
    "SELECT string_agg(table_name || '.' || column_name || ' ' || data_type, ',' "
    "ORDER BY table_name, ordinal_position) FROM information_schema.columns WHERE table_schema = 'public'"
)
_TABLES = (
    "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
)


class RecordDatabases:
    """Makes databases on a server, and lends one with an empty record again and again.

    To copy a database takes a tenth of a second and hundreds of files, which nobody removes before the
    end; to empty one takes a tenth of that.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
        self._empty: _Emptied | None = None

    def make(self, template: str | None = None) -> str:
        """Make a database, empty or a copy of the one at an address, and return its address."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        source = sa.make_url(template).database if template else "template1"
        with self._engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {source}")
        url = sa.make_url(self._server).set(database=name)
        return url.render_as_string(hide_password=False)

    def lend(self) -> str:
        """The address of a migrated, empty record. It is emptied at the next call."""
        if self._empty is None or not self._empty.again():
            self._empty = _Emptied(self.make())
        return self._empty.url


class _Emptied:
    """A migrated database that can be made as it was."""

    def __init__(self, url: str) -> None:
        self.url = url
        open_record(url, migrate=True).close()
        self._engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with self._engine.connect() as connection:
            self._columns = connection.exec_driver_sql(_COLUMNS).scalar()
            self._tables = [row[0] for row in connection.exec_driver_sql(_TABLES)]
            self._filled = [one for one in self._tables if _has_rows(connection, one)]
            connection.exec_driver_sql("CREATE SCHEMA pristine")
            for table in self._filled:
                copied = f"CREATE TABLE pristine.{table} AS TABLE public.{table}"
                connection.exec_driver_sql(copied)

    def again(self) -> bool:
        """Make it as it was. Returns False where somebody changed its tables: it is of no use any more."""
        statements = [
            "SET session_replication_role = replica"
        ]  # in any order, whatever refers to what
        statements += [f"DELETE FROM public.{table}" for table in self._tables]  # noqa: S608 - names of our own
        statements += [
            f"INSERT INTO public.{table} SELECT * FROM pristine.{table}"  # noqa: S608 - as above
            for table in self._filled
        ]
        with self._engine.connect() as connection:
            connection.exec_driver_sql(_OTHERS)
            if connection.exec_driver_sql(_COLUMNS).scalar() != self._columns:
                return False
            connection.exec_driver_sql("; ".join(statements))
        return True


def _has_rows(connection: sa.Connection, table: str) -> bool:
    found = connection.exec_driver_sql(f"SELECT EXISTS (SELECT 1 FROM public.{table})").scalar()  # noqa: S608 - a name of our own
    return bool(found)
