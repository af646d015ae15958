"""Trying to write in Oracle, and reading what the account's privileges let it do."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from allotment.data.kinds.attempts import Attempts
from allotment.data.kinds.connections import spoken
from allotment.data.kinds.oracle.session import rows

if TYPE_CHECKING:
    import oracledb

_DENIED = frozenset({"ORA-01031", "ORA-41900", "ORA-16000", "ORA-01456"})
"""Insufficient or missing privilege; a database or transaction that is open for reading only."""
READING = frozenset(
    {
        "ALTER SESSION",
        "CREATE SESSION",
        "READ ANY TABLE",
        "SELECT ANY DICTIONARY",
        "SELECT ANY TABLE",
        "SET CONTAINER",
        "UNLIMITED TABLESPACE",
    }
)
"""System privileges with which nothing is written. All others count as writing."""
TABLES = 3
_TABLES = """
SELECT t.owner, t.table_name FROM all_tables t JOIN all_users u ON u.username = t.owner
WHERE u.oracle_maintained = 'N' ORDER BY t.owner, t.table_name FETCH FIRST :most ROWS ONLY
"""
_OWN = "SELECT table_name FROM user_tables ORDER BY table_name"
_ON_OBJECTS = """
SELECT p.privilege, p.table_schema, p.table_name
FROM all_tab_privs p JOIN all_users u ON u.username = p.table_schema
WHERE u.oracle_maintained = 'N' AND p.table_schema <> USER
  AND (p.grantee IN (USER, 'PUBLIC') OR p.grantee IN (SELECT role FROM session_roles))
  AND p.privilege IN ('INSERT', 'UPDATE', 'DELETE', 'ALTER', 'INDEX')
UNION
SELECT p.privilege, p.table_schema, p.table_name
FROM all_col_privs p JOIN all_users u ON u.username = p.table_schema
WHERE u.oracle_maintained = 'N' AND p.table_schema <> USER
  AND (p.grantee IN (USER, 'PUBLIC') OR p.grantee IN (SELECT role FROM session_roles))
  AND p.privilege IN ('INSERT', 'UPDATE')
"""


async def attempt_writes(connection: oracledb.AsyncConnection) -> Attempts:
    """Try to write with this connection, rolled back, and read the privileges of its account.

    Making a table cannot be rolled back, so it is tried only where no privilege tells that it is possible.
    """
    attempts = Attempts()
    if await _failure(connection, "SET ROLE ALL") is not None:
        attempts.remark("Roles that ask for a password of their own are not examined")
    for owner, table in await rows(connection, _TABLES, most=TABLES):
        place, shown = f"{name(owner)}.{name(table)}", f"{owner}.{table}"
        insert = f"INSERT INTO {place} SELECT * FROM {place} WHERE 1 = 0"
        await _attempt(connection, attempts, f"insert into {shown}", insert)
        delete = f"DELETE FROM {place} WHERE 1 = 0"
        await _attempt(connection, attempts, f"delete from {shown}", delete)
    system = [held for (held,) in await rows(connection, "SELECT privilege FROM session_privs")]
    own = [table for (table,) in await rows(connection, _OWN)]
    judge(attempts, system, own, await rows(connection, _ON_OBJECTS))
    if not attempts.possible:
        await _attempt_table(connection, attempts)
    return attempts


def judge(
    attempts: Attempts, system: list[str], own: list[str], objects: list[tuple[str, str, str]]
) -> None:
    """What an account could write, by its system privileges, own tables and rights on others' objects."""
    for held in sorted(set(system) - READING):
        attempts.holds(f"the system privilege {held}")
    for table in own:
        attempts.holds(f"write into its own table {table}")
    for privilege, owner, table in objects:
        attempts.holds(f"{privilege} on {owner}.{table}")
    attempts.remark("system privileges, own tables and rights on objects: read")


async def _attempt_table(connection: oracledb.AsyncConnection, attempts: Attempts) -> None:
    made = f"ALLOTMENT_PROOF_{secrets.token_hex(6).upper()}"
    if await _attempt(connection, attempts, "create a table", f"CREATE TABLE {made} (id NUMBER)"):
        await _failure(connection, f"DROP TABLE {made} PURGE")


async def _attempt(
    connection: oracledb.AsyncConnection, attempts: Attempts, what: str, statement: str
) -> bool:
    """Whether it went through."""
    failure = await _failure(connection, statement)
    await connection.rollback()
    if failure is None:
        attempts.succeeded(what)
    elif getattr(failure.args[0], "full_code", "") in _DENIED:
        attempts.refused(what)
    else:
        attempts.undecided(what, spoken(failure, ()))
    return failure is None


async def _failure(connection: oracledb.AsyncConnection, statement: str) -> Exception | None:
    import oracledb

    try:
        await connection.execute(statement)
    except oracledb.DatabaseError as error:
        if getattr(error.args[0], "is_session_dead", False):
            raise
        return error
    return None


def name(text: str) -> str:
    """A name as an identifier; one with a quotation mark in it cannot be one in Oracle."""
    return '"' + text.replace('"', "") + '"'
