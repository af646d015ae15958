"""Trying to write in MySQL and MariaDB, as a user could: no read-only session stands in the way."""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from allotment.data.kinds.attempts import Attempts
from allotment.data.kinds.connections import driver_error, rows, run, spoken
from allotment.data.kinds.mysql.accounts import own_grants
from allotment.data.kinds.mysql.grants import Grants
from allotment.data.kinds.mysql.session import name

_DENIED = frozenset({1044, 1045, 1142, 1143, 1227, 1290, 1370, 1410, 1792, 1836})
"""Refused for want of a privilege, or because the whole server is read-only."""
TABLES = 3
_TABLES = """
SELECT t.TABLE_NAME AS name, MIN(c.COLUMN_NAME) AS column_name
FROM information_schema.TABLES AS t JOIN information_schema.COLUMNS AS c
  ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME
WHERE t.TABLE_SCHEMA = :database AND t.TABLE_TYPE = 'BASE TABLE'
  AND c.EXTRA NOT LIKE '%GENERATED%'
GROUP BY t.TABLE_NAME ORDER BY t.TABLE_NAME LIMIT :limit
"""


def attempt_writes(connection: sa.Connection, database: str, *, mariadb: bool) -> Attempts:
    """Try to write with this connection and read its account's grants.

    DDL is not rolled back here. So making something is tried only where no grant tells that it is
    possible: what is made against all grants is dropped again.
    """
    attempts = Attempts()
    run(connection, "SET SESSION TRANSACTION READ WRITE")
    for table in rows(connection, _TABLES, database=database, limit=TABLES):
        place, shown = f"{name(database)}.{name(table.name)}", f"{database}.{table.name}"
        column = name(table.column_name)
        _attempt(
            connection,
            attempts,
            f"insert into {shown}",
            f"INSERT INTO {place} ({column}) SELECT {column} FROM {place} WHERE 1 = 0",
        )
        update = f"UPDATE {place} SET {column} = {column} WHERE 1 = 0"
        _attempt(connection, attempts, f"update {shown}", update)
        _attempt(connection, attempts, f"delete from {shown}", f"DELETE FROM {place} WHERE 1 = 0")
    _read(attempts, own_grants(connection, mariadb=mariadb))
    if not attempts.possible:
        _attempt_making(connection, attempts, database)
    return attempts


def _attempt_making(connection: sa.Connection, attempts: Attempts, database: str) -> None:
    made = f"allotment_proof_{secrets.token_hex(6)}"
    table = f"{name(database)}.{made}"
    for what, statement, undo in (
        (f"create a table in {database}", f"CREATE TABLE {table} (id INT)", f"DROP TABLE {table}"),
        ("create a database", f"CREATE DATABASE {made}", f"DROP DATABASE {made}"),
        ("create an account", f"CREATE USER {made}", f"DROP USER {made}"),
    ):
        if _attempt(connection, attempts, what, statement):
            _undo(connection, attempts, undo)


def _attempt(connection: sa.Connection, attempts: Attempts, what: str, statement: str) -> bool:
    """Whether it went through."""
    run(connection, "START TRANSACTION")
    try:
        run(connection, statement)
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise
        failure = driver_error(error)
        if failure.args and failure.args[0] in _DENIED:
            attempts.refused(what)
        else:
            attempts.undecided(what, spoken(failure, ()))
        return False
    finally:
        if not connection.invalidated:
            run(connection, "ROLLBACK")
    attempts.succeeded(what)
    return True


def _undo(connection: sa.Connection, attempts: Attempts, statement: str) -> None:
    try:
        run(connection, statement)
    except sa.exc.DBAPIError:
        attempts.remark(
            f"What the proof made could not be taken away again. Please run: {statement}"
        )


def _read(attempts: Attempts, found: Grants) -> None:
    for grant in found.grants:
        place = "everything" if grant.database == "*" else f"{grant.database}.{grant.thing}"
        if grant.is_usual:
            attempts.remark(
                f"every account of MariaDB may write to {place}, as it comes; nothing of it is lent"
            )
            continue
        for privilege in sorted(grant.writing):
            attempts.holds(f"{privilege} on {place}")
        if "EXECUTE" in grant.privileges:
            attempts.remark(f"Not examined: routines that run with their owner's rights in {place}")
    if found.strange:
        attempts.holds(f"{found.strange} grants that are not understood")
    attempts.remark("grants of the account and of its roles: read")
