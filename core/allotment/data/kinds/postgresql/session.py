"""Connections to PostgreSQL, and its errors in words."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import certifi
import psycopg
import sqlalchemy as sa
from psycopg import sql

from allotment.data.door import Door
from allotment.data.kinds.connections import CONNECT_SECONDS, Watch, database, trusting
from allotment.data.kinds.databases import Login

STATEMENT_MILLISECONDS = 15_000
_MODES = {"verify": "verify-full", "require": "require", "off": "disable"}
_WAYS_TO_SIGN_IN = {True: "scram-sha-256,md5,password,none", False: "scram-sha-256,md5"}
"""By whether it is encrypted: where it is not, a server that asks for the password itself is not told.

Never by what belongs to the platform's own system account, such as a ticket of Kerberos.
"""
_NO_FILE = f"{os.devnull}/none"
_OF_NOBODY_ELSE = {
    "passfile": _NO_FILE,
    "sslcert": "",
    "sslkey": "",
    "sslcertmode": "disable",
    "sslcrl": _NO_FILE,
    "sslcrldir": "",
    "sslkeylogfile": "",
    "sslnegotiation": "postgres",
    "sslcompression": "0",
    "sslsni": "1",
    "ssl_min_protocol_version": "TLSv1.2",
    "ssl_max_protocol_version": "",
    "channel_binding": "prefer",
    "client_encoding": "UTF8",
    "options": "",
    "replication": "",
    "requirepeer": "",
    "krbsrvname": "postgres",
    "gsslib": "",
    "gssdelegation": "0",
    "target_session_attrs": "any",
    "load_balance_hosts": "disable",
}
"""What the library would take from the platform's home folder, its environment or a service file named there.

Those are for the record: a server that somebody entered must not be shown the platform's certificate.
"""
_REMEDIES = {
    "28P01": "Enter its password again.",
    "28000": "Its pg_hba.conf must let this account in from here.",
    "3D000": "Check the name of the database.",
    "42501": "See what the account needs in docs/sources.md.",
    "53300": "It has no connection left; try again later.",
    "57014": "The database is busy; try again later.",
}


def connected(login: Login, door: Door) -> AbstractContextManager[sa.Connection]:
    """A connection in autocommit; what goes wrong, here or later in it, is a SourceProblem."""
    where = f"PostgreSQL at {login.host}:{login.port}"
    return database(
        "postgresql+psycopg",
        where,
        lambda watch: _connect(login, door, watch),
        _explain,
        (login.password,),
    )


def _connect(login: Login, door: Door, watch: Watch) -> psycopg.Connection[Any]:
    with _authority(login) as authority:
        connection = psycopg.connect(
            **_neutral(),
            host=login.host,
            hostaddr=door.host(login.host, login.port),
            port=login.port,
            dbname=login.database,
            user=login.user,
            password=login.password,
            sslmode=_MODES[login.tls],
            sslrootcert=authority,
            gssencmode="disable",
            require_auth=_WAYS_TO_SIGN_IN[login.tls != "off"],
            connect_timeout=CONNECT_SECONDS,
            application_name="allotment",
            autocommit=True,
        )
    watch.over(connection.fileno())
    # The path: in a database where others own functions, an unqualified name could call theirs.
    connection.execute("SET search_path = pg_catalog")
    connection.execute(f"SET statement_timeout = {STATEMENT_MILLISECONDS}")
    connection.execute("SET lock_timeout = 3000")
    return connection


@cache
def _neutral() -> dict[str, Any]:
    """As much of it as this library knows: options came with its versions."""
    known = {one.keyword.decode() for one in psycopg.pq.Conninfo.get_defaults()}
    return {name: value for name, value in _OF_NOBODY_ELSE.items() if name in known}


@contextlib.contextmanager
def _authority(login: Login) -> Iterator[str]:
    """A file with the certificates to believe, for as long as connecting takes: the library reads files only."""
    if login.tls != "verify":
        # With a file named, the library would check the certificate all the same.
        yield _NO_FILE
        return
    if not login.ca:
        yield certifi.where()
        return
    trusting(login.ca)
    with tempfile.NamedTemporaryFile("w", prefix="authority-", suffix=".pem") as file:
        file.write(login.ca)
        file.flush()
        yield file.name


def _explain(error: BaseException) -> str:
    state = getattr(error, "sqlstate", None) or _state_of_refusal(str(error))
    return _REMEDIES.get(state or "", "")


def _state_of_refusal(words: str) -> str:
    """The library keeps no SQLSTATE of a connection that was refused, only the words."""
    if "password authentication failed" in words:
        return "28P01"
    if "no pg_hba.conf entry" in words:
        return "28000"
    return "3D000" if 'database "' in words and "does not exist" in words else ""


def name(text: str) -> str:
    """A name as an identifier, whatever letters it has."""
    return sql.Identifier(text).as_string()


def literal(text: str) -> str:
    """A text as a literal."""
    return sql.Literal(text).as_string()
