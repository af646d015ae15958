"""Accounts that read in PostgreSQL: made for one server, dropped with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import psycopg
import sqlalchemy as sa

from allotment.data.door import Door
from allotment.data.kinds.connections import rows, run
from allotment.data.kinds.databases import CONNECTIONS, Login
from allotment.data.kinds.postgresql.session import connected, literal, name
from allotment.data.problems import SourceProblem

SET_AND_INHERIT = 160_000
"""From this version on, who makes a role does not have its rights by that."""
GONE_AFTER_LOOKS = 100

_FACTS = """
SELECT current_setting('server_version_num')::int AS number,
       now() AS clock,
       pg_is_in_recovery() AS standby,
       me.rolsuper AS superuser,
       me.rolcreaterole AS makes_roles,
       readers.oid IS NOT NULL AS readers_exist,
       COALESCE(readers.rolsuper OR readers.oid = me.oid, false) AS readers_unfit,
       COALESCE(pg_has_role(me.oid, readers.oid, 'MEMBER WITH ADMIN OPTION'), false) AS administers
FROM pg_roles AS me LEFT JOIN pg_roles AS readers ON readers.rolname = :readers
WHERE me.rolname = current_user
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the registered account is, and whether it can make accounts that read."""

    number: int
    clock: datetime
    standby: bool
    superuser: bool
    makes_roles: bool
    readers_exist: bool
    readers_unfit: bool
    administers: bool

    def obstacle(self, readers: str) -> str:
        """Why it cannot make accounts, empty if it can."""
        if self.standby:
            return "the server is a standby, where no account can be made"
        if not (self.superuser or self.makes_roles):
            return "the registered account lacks CREATEROLE"
        if not self.readers_exist:
            return f"there is no role {readers!r} for them to be members of"
        if self.readers_unfit:
            return f"the role {readers!r} is a superuser, or the registered account itself"
        if not (self.superuser or self.number < SET_AND_INHERIT or self.administers):
            return f"the registered account lacks the ADMIN OPTION of the role {readers!r}"
        return ""


def facts(connection: sa.Connection, readers: str) -> Facts:
    """Ask what the registered account is."""
    (found,) = rows(connection, _FACTS, readers=readers)
    return Facts(**found._asdict())


def must_make_accounts(found: Facts, readers: str) -> None:
    """Refuse a source whose registered account cannot make accounts.

    Raises:
        SourceProblem: with what stands in the way.
    """
    obstacle = found.obstacle(readers)
    if obstacle:
        raise SourceProblem(
            f"No account can be made for a server: {obstacle}.",
            remedy="Run the SQL of docs/sources.md there, or choose the registered account"
            " for servers: then its users can read its password.",
        )


def make(
    connection: sa.Connection, account: str, password: str, readers: str, lasts: timedelta
) -> None:
    """Make an account that may read what the readers may, for a time by the server's clock.

    The password goes to the server as a SCRAM verifier only, so it is in none of its logs.

    Raises:
        SourceProblem: the registered account cannot do that.
    """
    found = facts(connection, readers)
    must_make_accounts(found, readers)
    verifier = _verifier(connection, account, password)
    run(connection, _creation(account, verifier, readers, found.clock + lasts))


def _verifier(connection: sa.Connection, account: str, password: str) -> str:
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(driver)
    encrypt = driver.pgconn.encrypt_password
    return encrypt(password.encode(), account.encode(), b"scram-sha-256").decode()


def _creation(account: str, verifier: str, readers: str, ends: datetime) -> str:
    # One string is one transaction: the account is there with all of its bounds, or not at all.
    return (
        f"CREATE ROLE {name(account)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION INHERIT"
        f" CONNECTION LIMIT {CONNECTIONS} PASSWORD {literal(verifier)}"
        f" VALID UNTIL {literal(ends.isoformat(timespec='seconds'))} IN ROLE {name(readers)};"
        f" ALTER ROLE {name(account)} SET default_transaction_read_only = on"
    )


def drop(registered: Login, account: str, door: Door) -> None:
    """End an account: no new connection, its connections cut, what it made given to the registered one.

    Raises:
        SourceProblem: it could not be dropped; most likely it cannot sign in any more all the same.
    """
    with connected(registered, door) as connection:
        if not rows(connection, "SELECT 1 FROM pg_roles WHERE rolname = :a", a=account):
            return
        run(connection, f"ALTER ROLE {name(account)} NOLOGIN")
        _act_for(connection, account)
        _cut(connection, account)
        for other in _databases_with_its_things(connection, account):
            with connected(replace(registered, database=other), door) as there:
                # Whoever accepted a source that can be written to may have tables made by this account.
                run(there, f"REASSIGN OWNED BY {name(account)} TO CURRENT_USER")
                run(there, f"DROP OWNED BY {name(account)}")
        run(connection, f"DROP ROLE IF EXISTS {name(account)}")


def _act_for(connection: sa.Connection, account: str) -> None:
    """Take on the account's rights: only who has them may cut its connections and give its things away."""
    (found,) = rows(connection, "SELECT current_setting('server_version_num')::int AS number")
    how = " WITH INHERIT TRUE" if found.number >= SET_AND_INHERIT else ""
    run(connection, f"GRANT {name(account)} TO CURRENT_USER{how}")


def _cut(connection: sa.Connection, account: str) -> None:
    """Cut all connections of an account and see them gone: a role in use may not be dropped safely."""
    for _ in range(GONE_AFTER_LOOKS):
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = :a"
        if not rows(connection, query, a=account):
            return
        run(connection, "SELECT pg_sleep(0.05)")
    raise SourceProblem(f"The connections of {account} could not be cut.", remedy="Try again.")


def _databases_with_its_things(connection: sa.Connection, account: str) -> list[str]:
    query = (
        "SELECT DISTINCT d.datname FROM pg_shdepend AS s"
        " JOIN pg_roles AS r ON r.oid = s.refobjid AND s.refclassid = 'pg_authid'::regclass"
        " JOIN pg_database AS d ON d.oid = s.dbid WHERE r.rolname = :a"
    )
    return [found.datname for found in rows(connection, query, a=account)]
