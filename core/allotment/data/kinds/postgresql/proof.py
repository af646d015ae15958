"""Trying to write in PostgreSQL, as a user could: no read-only session stands in the way."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import sqlalchemy as sa

from allotment.data.kinds.attempts import Attempts
from allotment.data.kinds.connections import driver_error, rows, run, spoken
from allotment.data.kinds.postgresql.session import name

_DENIED = frozenset({"42501", "25006"})
"""insufficient_privilege, and a standby's read_only_sql_transaction."""
TABLES, SCHEMAS = 3, 5
"""How many are really written to; the privileges of all are read."""
SHOWN = 20

_USERS_OWN = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
# Every role that the account could become by SET ROLE, itself included: one that it does not inherit too.
_REACHABLE = """
WITH reachable AS (
    SELECT r.* FROM pg_roles AS r WHERE pg_has_role(current_user, r.oid, 'MEMBER')
)
"""
_TABLES = f"""
SELECT n.nspname AS schema, c.relname AS name,
       (SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0
          AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
          AND has_column_privilege(c.oid, a.attnum, 'SELECT') ORDER BY a.attnum LIMIT 1) AS column
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND {_USERS_OWN}
  AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')
ORDER BY c.oid LIMIT {TABLES}
"""
_SCHEMAS = f"""
SELECT n.nspname AS name FROM pg_namespace AS n
WHERE {_USERS_OWN} AND has_schema_privilege(n.oid, 'USAGE') ORDER BY n.oid LIMIT {SCHEMAS}
"""
_HELD = {
    "write into": f"""
SELECT DISTINCT n.nspname || '.' || c.relname AS name
FROM reachable AS r CROSS JOIN pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'f') AND {_USERS_OWN} AND (c.relowner = r.oid
  OR has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
  OR has_any_column_privilege(r.oid, c.oid, 'INSERT, UPDATE'))
""",
    "advance the sequence": f"""
SELECT DISTINCT n.nspname || '.' || c.relname AS name
FROM reachable AS r CROSS JOIN pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND {_USERS_OWN} AND (c.relowner = r.oid
  OR has_sequence_privilege(r.oid, c.oid, 'UPDATE, USAGE'))
""",
    "create in the schema": f"""
SELECT DISTINCT n.nspname AS name FROM reachable AS r CROSS JOIN pg_namespace AS n
WHERE {_USERS_OWN} AND (n.nspowner = r.oid OR has_schema_privilege(r.oid, n.oid, 'CREATE'))
""",
    "create schemas in the database": """
SELECT DISTINCT d.datname AS name FROM reachable AS r CROSS JOIN pg_database AS d
WHERE d.datallowconn AND (d.datdba = r.oid OR has_database_privilege(r.oid, d.oid, 'CREATE'))
""",
    "act with the rights of": """
SELECT r.rolname AS name FROM reachable AS r
WHERE r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolname IN (
  'pg_write_all_data', 'pg_write_server_files', 'pg_execute_server_program', 'pg_maintain')
""",
}
_OTHER_DATABASES = """
SELECT d.datname AS name FROM pg_database AS d
WHERE d.datallowconn AND d.datname <> current_database()
  AND has_database_privilege(d.oid, 'CONNECT') ORDER BY 1
"""
_OWNERS_FUNCTIONS = f"""
SELECT DISTINCT n.nspname || '.' || p.proname AS name
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE p.prosecdef AND {_USERS_OWN} AND has_schema_privilege(n.oid, 'USAGE')
  AND has_function_privilege(p.oid, 'EXECUTE')
  AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.objid = p.oid
    AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e')
ORDER BY 1
"""


def attempt_writes(connection: sa.Connection) -> Attempts:
    """Try to write with this connection and read its account's privileges. All of it is rolled back."""
    attempts = Attempts()
    # As a user could; a standby has nothing but read-only transactions, whatever is set.
    run(connection, "SET default_transaction_read_only = off")
    for what, statement in _statements(connection):
        _attempt(connection, attempts, what, statement)
    _large_object(connection, attempts)
    for what, query in _HELD.items():
        for found in rows(connection, f"{_REACHABLE}{query}"):
            attempts.holds(f"{what} {found.name}")
    attempts.remark("privileges on all tables, sequences, schemas and databases: read")
    _remark(connection, attempts, "It may also connect to the databases", _OTHER_DATABASES)
    _remark(
        connection,
        attempts,
        "Not examined: functions that run with their owner's rights",
        _OWNERS_FUNCTIONS,
    )
    return attempts


def _statements(connection: sa.Connection) -> Iterator[tuple[str, str]]:
    """Attempts in words and SQL. Those on tables touch no row, but need the privilege all the same."""
    for table in rows(connection, _TABLES):
        place, shown = f"{name(table.schema)}.{name(table.name)}", f"{table.schema}.{table.name}"
        column = name(table.column or "ctid")
        yield (
            f"insert into {shown}",
            f"INSERT INTO {place} ({column}) SELECT {column} FROM {place} WHERE false",
        )
        yield f"update {shown}", f"UPDATE {place} SET {column} = {column} WHERE false"
        yield f"delete from {shown}", f"DELETE FROM {place} WHERE false"
    made = f"allotment_proof_{secrets.token_hex(6)}"
    for schema in rows(connection, _SCHEMAS):
        yield f"create a table in {schema.name}", f"CREATE TABLE {name(schema.name)}.{made} ()"
    yield "create a schema", f"CREATE SCHEMA {made}"
    yield "create an account", f"CREATE ROLE {made}"
    yield "run a program on the server", "COPY (SELECT 1 WHERE false) TO PROGRAM 'true'"


def _attempt(connection: sa.Connection, attempts: Attempts, what: str, statement: str) -> None:
    failure = _failure(connection, statement)
    if failure is None:
        attempts.succeeded(what)
    elif getattr(failure, "sqlstate", None) in _DENIED:
        attempts.refused(what)
    else:
        attempts.undecided(what, spoken(failure, ()))


def _large_object(connection: sa.Connection, attempts: Attempts) -> None:
    """Every account may make large objects of its own unless that is revoked; they are nobody's data."""
    if _failure(connection, "SELECT lo_create(0)") is None:
        attempts.remark(
            "make a large object of its own: possible, as for every account of PostgreSQL; no data of"
            " others is changed (docs/sources.md says how to forbid it)"
        )
    else:
        attempts.refused("make a large object")


def _failure(connection: sa.Connection, statement: str) -> BaseException | None:
    """The error of a statement in a transaction that is rolled back, None if it went through."""
    run(connection, "BEGIN")
    try:
        run(connection, statement)
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise
        return driver_error(error)
    finally:
        if not connection.invalidated:
            run(connection, "ROLLBACK")
    return None


def _remark(connection: sa.Connection, attempts: Attempts, what: str, query: str) -> None:
    names = [found.name for found in rows(connection, query)]
    if names:
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        attempts.remark(f"{what}: {', '.join(names[:SHOWN])}{more}")
