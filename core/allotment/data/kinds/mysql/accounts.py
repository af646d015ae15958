"""Accounts that read in MySQL and MariaDB: made for one server, dropped with it."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from allotment.data.kinds.connections import rows, run
from allotment.data.kinds.databases import CONNECTIONS
from allotment.data.kinds.mysql.grants import Grants, read_grants
from allotment.data.kinds.mysql.session import exactly, literal, name
from allotment.data.problems import SourceProblem

GONE_AFTER_LOOKS = 100


def own_grants(connection: sa.Connection, *, mariadb: bool) -> Grants:
    """All grants of the account that this connection belongs to, those of its roles included."""
    found = read_grants(line for (line,) in rows(connection, "SHOW GRANTS"))
    if not found.roles:
        return found
    if not mariadb:
        roles = ", ".join(found.roles)
        run_roles = f"SHOW GRANTS FOR CURRENT_USER() USING {roles}"
        return read_grants(str(line) for (line,) in _raw(connection, run_roles))
    for role in found.roles:
        # The grants of a role are shown to those only who have taken it on.
        run(connection, f"SET ROLE {role}")
        found += read_grants(line for (line,) in rows(connection, "SHOW GRANTS FOR CURRENT_ROLE"))
    run(connection, "SET ROLE NONE")
    return found


def _raw(connection: sa.Connection, query: str) -> list[tuple[object, ...]]:
    raw = connection.execution_options(no_parameters=True).exec_driver_sql(query)
    return [tuple(row) for row in raw]


def obstacle(grants: Grants, database: str) -> str:
    """Why accounts cannot be made for servers, empty if they can."""
    if not grants.has("CREATE USER"):
        return "the registered account lacks CREATE USER"
    if not grants.has("CONNECTION ADMIN", "CONNECTION_ADMIN", "SUPER"):
        return (
            "the registered account lacks CONNECTION ADMIN, without which theirs could not be cut"
        )
    if not grants.has("PROCESS"):
        return "the registered account lacks PROCESS, without which their connections are not seen"
    if not grants.may_grant_select(database):
        return f"the registered account lacks SELECT WITH GRANT OPTION on {database!r}"
    return ""


def must_make_accounts(grants: Grants, database: str) -> None:
    """Refuse a source whose registered account cannot make accounts.

    Raises:
        SourceProblem: with what stands in the way.
    """
    problem = obstacle(grants, database)
    if problem:
        raise SourceProblem(
            f"No account can be made for a server: {problem}.",
            remedy="Run the SQL of docs/sources.md there, or choose the registered account"
            " for servers: then its users can read its password.",
        )


def make(
    connection: sa.Connection, account: str, password: str, database: str, *, mariadb: bool
) -> None:
    """Make an account that may read one database.

    MariaDB is sent the password's hash; MySQL strikes passwords out of its logs by itself.
    """
    identified = (
        f"VIA mysql_native_password USING {literal(native_hash(password))}"
        if mariadb
        else f"WITH caching_sha2_password BY {literal(password)}"
    )
    run(
        connection,
        f"CREATE USER {_at_any(account)} IDENTIFIED {identified}"
        f" WITH MAX_USER_CONNECTIONS {CONNECTIONS}",
    )
    run(connection, f"GRANT SELECT ON {exactly(database)}.* TO {_at_any(account)}")


def drop(connection: sa.Connection, account: str) -> None:
    """Drop an account and cut its connections, which would keep its rights.

    Raises:
        SourceProblem: they could not be cut.
    """
    run(connection, f"DROP USER IF EXISTS {_at_any(account)}")
    for _ in range(GONE_AFTER_LOOKS):
        found = [one.Id for one in rows(connection, "SHOW PROCESSLIST") if one.User == account]
        if not found:
            return
        for number in found:
            _kill(connection, number)
        run(connection, "DO SLEEP(0.05)")
    raise SourceProblem(f"The connections of {account} could not be cut.", remedy="Try again.")


def _kill(connection: sa.Connection, number: int) -> None:
    """Cut a connection; one that has ended meanwhile is as good."""
    try:
        run(connection, f"KILL {int(number)}")
    except sa.exc.DBAPIError as error:
        if error.orig is None or error.orig.args[0] != NO_SUCH_THREAD:
            raise


NO_SUCH_THREAD = 1094


def native_hash(password: str) -> str:
    """The hash that ``mysql_native_password`` keeps of a password."""
    once = hashlib.sha1(password.encode()).digest()  # noqa: S324 - the protocol's own
    return "*" + hashlib.sha1(once).hexdigest().upper()  # noqa: S324 - likewise


def _at_any(account: str) -> str:
    return f"{name(account)}@'%'"
