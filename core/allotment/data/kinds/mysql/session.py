"""Connections to MySQL and MariaDB, and their errors in words."""

from __future__ import annotations

import ssl
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from allotment.data.door import Door
from allotment.data.kinds.connections import (
    CONNECT_SECONDS,
    Watch,
    database,
    dialled,
    trusting,
)
from allotment.data.kinds.databases import Login
from allotment.data.problems import SourceProblem

if TYPE_CHECKING:
    import pymysql

STATEMENT_SECONDS = 15
_REMEDIES = {
    1044: "See what the account needs in docs/sources.md.",
    1045: "Enter its password again, and see whether it may sign in from here.",
    1049: "Check the name of the database.",
    1142: "See what the account needs in docs/sources.md.",
    1227: "See what the account needs in docs/sources.md.",
    1040: "It has no connection left; try again later.",
    3159: "Choose an encrypted connection.",
}


def connected(login: Login, door: Door, title: str) -> AbstractContextManager[sa.Connection]:
    """A connection in autocommit; what goes wrong, here or later in it, is a SourceProblem."""
    return database(
        "mysql+pymysql",
        f"{title} at {login.host}:{login.port}",
        lambda watch: _connect(login, door, watch),
        _explain,
        (login.password,),
    )


def _connect(login: Login, door: Door, watch: Watch) -> pymysql.Connection[Any]:
    import pymysql

    connection = pymysql.Connection(
        host=login.host,
        port=login.port,
        database=login.database,
        user=login.user,
        password=login.password,
        charset="utf8mb4",
        autocommit=True,
        program_name="allotment",
        auth_plugin_map=_without_clear_passwords(login),
        defer_connect=True,
        **_encryption(login),
    )
    line = dialled(login.host, login.port, door, watch)
    with Watch(CONNECT_SECONDS) as signing_in:
        signing_in.over(line.fileno())
        try:
            connection.connect(line)
        except pymysql.Error:
            if signing_in.ran_out:
                raise TimeoutError from None
            raise
    _bound(connection)
    return connection


def _bound(connection: pymysql.Connection[Any]) -> None:
    """Limit how long a statement may run, each server in its own words."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT VERSION() LIKE '%MariaDB%'")
        (mariadb,) = cursor.fetchone() or (0,)
        limit = (
            f"max_statement_time = {STATEMENT_SECONDS}"
            if mariadb
            else f"max_execution_time = {STATEMENT_SECONDS * 1000}"
        )
        cursor.execute(f"SET SESSION {limit}, SESSION lock_wait_timeout = 3, SESSION sql_mode = ''")


def _encryption(login: Login) -> dict[str, Any]:
    if login.tls == "off":
        return {"ssl_disabled": True}
    if login.tls == "verify":
        return {"ssl": trusting(login.ca)}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return {"ssl": context}


class _NotInClear:
    """Stands where the driver would send the password itself because a server asked for it."""

    def __init__(self, connection: object) -> None:
        del connection

    def authenticate(self, packet: object) -> None:
        del packet
        raise SourceProblem(
            "The server asks for the password in clear.", remedy="Choose an encrypted connection."
        )


def _without_clear_passwords(login: Login) -> dict[str, Any]:
    names = ("mysql_clear_password", "dialog") if login.tls == "off" else ()
    return dict.fromkeys(names, _NotInClear)


def _explain(error: BaseException) -> str:
    number = error.args[0] if error.args else None
    return _REMEDIES.get(number, "") if isinstance(number, int) else ""


def name(text: str) -> str:
    """A name as an identifier, whatever letters it has."""
    return "`" + text.replace("`", "``") + "`"


def exactly(database_name: str) -> str:
    """A database's name as the pattern of a grant that means it alone."""
    escaped = database_name.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
    return name(escaped)


def literal(text: str) -> str:
    """A text as a literal, in the SQL mode that these connections are in."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
