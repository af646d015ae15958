"""Trying to write in Snowflake, and reading what all roles of the user let it do."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from allotment.data.kinds.attempts import Attempts
from allotment.data.kinds.connections import spoken
from allotment.data.kinds.snowflake.session import dictionaries, name, rows

if TYPE_CHECKING:
    from snowflake.connector import Error, SnowflakeConnection

_DENIED = frozenset({3001, 2003})
"""Insufficient privileges, and "does not exist or not authorized" of a table that can be read."""
READING = frozenset(
    {"MONITOR", "OPERATE", "READ", "REFERENCES", "REFERENCE_USAGE", "SELECT", "USAGE", "USE"}
)
"""Privileges with which nobody's data is changed. All others count as writing, unknown ones too."""
TABLES = 3
ROLES = 100
_TABLES = """
SELECT table_catalog, table_schema, table_name FROM information_schema.tables
WHERE table_schema <> 'INFORMATION_SCHEMA' AND table_type = 'BASE TABLE'
ORDER BY table_schema, table_name LIMIT %s
"""


def attempt_writes(connection: SnowflakeConnection) -> Attempts:
    """Try to write with this connection, rolled back, and read the grants of every role of the user.

    Making a table cannot be rolled back, so it is tried only where no grant tells that it is possible.
    """
    from snowflake.connector import Error

    attempts = Attempts()
    found = rows(connection, _TABLES, TABLES)
    for database, schema, table in found:
        place = f"{name(database)}.{name(schema)}.{name(table)}"
        shown = f"{schema}.{table}"
        insert = f"INSERT INTO {place} SELECT * FROM {place} WHERE FALSE"
        _attempt(connection, attempts, f"insert into {shown}", insert)
        delete = f"DELETE FROM {place} WHERE FALSE"
        _attempt(connection, attempts, f"delete from {shown}", delete)
    try:
        _read_roles(connection, attempts)
    except Error as error:
        attempts.missed("What the roles may do", _words(error))
    if not attempts.possible and found:
        _attempt_table(connection, attempts, f"{name(found[0][0])}.{name(found[0][1])}")
    return attempts


def judge(attempts: Attempts, role: str, grants: Iterable[Mapping[str, Any]]) -> list[str]:
    """What a role could write, by the rows of ``SHOW GRANTS TO ROLE``; answers the roles within it."""
    within = []
    for grant in grants:
        privilege, kind = str(grant["privilege"]), str(grant["granted_on"])
        if kind in {"ROLE", "DATABASE_ROLE"} and privilege == "USAGE":
            within.append(str(grant["name"]))
        elif privilege not in READING:
            attempts.holds(f"{privilege} on {kind.lower()} {grant['name']}, by the role {role}")
    return within


def _read_roles(connection: SnowflakeConnection, attempts: Attempts) -> None:
    """A user may take on every role that it has been granted, and uses the roles within them."""
    ((user,),) = rows(connection, "SELECT CURRENT_USER()")
    known = [
        str(one["role"]) for one in dictionaries(connection, f"SHOW GRANTS TO USER {name(user)}")
    ]
    for role in known:
        if len(known) > ROLES:
            attempts.remark(f"Only the first {ROLES} roles were examined")
            break
        granted = dictionaries(connection, f"SHOW GRANTS TO ROLE {name(role)}")
        known += [one for one in judge(attempts, role, granted) if one not in known]
    attempts.remark(f"grants of the roles {', '.join(known) or '(none)'} and of PUBLIC: read")
    judge(attempts, "PUBLIC", dictionaries(connection, "SHOW GRANTS TO ROLE PUBLIC"))


def _attempt(
    connection: SnowflakeConnection, attempts: Attempts, what: str, statement: str
) -> bool:
    """Whether it went through."""
    from snowflake.connector import Error

    rows(connection, "BEGIN")
    try:
        rows(connection, statement)
    except Error as error:
        if error.errno in _DENIED:
            attempts.refused(what)
        else:
            attempts.undecided(what, _words(error))
        return False
    finally:
        rows(connection, "ROLLBACK")
    attempts.succeeded(what)
    return True


def _attempt_table(connection: SnowflakeConnection, attempts: Attempts, schema: str) -> None:
    table = f"{schema}.{name(f'ALLOTMENT_PROOF_{secrets.token_hex(6).upper()}')}"
    if _attempt(connection, attempts, "create a table", f"CREATE TABLE {table} (id INT)"):
        rows(connection, f"DROP TABLE {table}")


def _words(error: Error) -> str:
    return spoken(Exception(str(error.raw_msg or error)), ()).rstrip(".")
