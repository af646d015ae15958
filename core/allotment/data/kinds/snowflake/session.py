"""Connections to Snowflake by its own connector."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization

from allotment.data.door import Door
from allotment.data.kinds.connections import Watch, spoken
from allotment.data.problems import SourceProblem

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

LOGIN_SECONDS = 10
ANSWER_SECONDS = 8
STATEMENT_SECONDS = 15
_REMEDIES = {
    250001: "Check account, user, and password or key.",
    390144: "Check that the key's public half is set for the user (RSA_PUBLIC_KEY).",
    2003: "Check database, schema, and what the role may use.",
    2043: "Check database, schema, and what the role may use.",
    606: "Enter a warehouse that the role may use.",
}


@dataclass(frozen=True, slots=True)
class SnowflakeLogin:
    """How to reach an account of Snowflake, and as whom: by a password or by a private key (PEM)."""

    account: str
    host: str
    user: str
    warehouse: str
    database: str
    role: str
    password: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    port: int = 443
    protocol: str = "https"

    @property
    def fields(self) -> dict[str, Any]:
        """As a server is told, and as the connector takes them, but for the key."""
        known = {
            "account": self.account,
            "host": self.host,
            "port": self.port,
            "protocol": self.protocol,
            "user": self.user,
            "warehouse": self.warehouse,
            "database": self.database,
            "role": self.role,
        }
        return {name: value for name, value in known.items() if value != ""}

    @property
    def secrets(self) -> Mapping[str, str]:
        """The one secret that it signs in with."""
        if self.private_key:
            return {"private_key": self.private_key}
        return {"password": self.password}


def key_bytes(pem: str) -> bytes:
    """A private key as the connector takes it.

    Raises:
        SourceProblem: it is none, or is protected by a password.
    """
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        raise SourceProblem(
            "The private key is none, or is protected by a password.",
            remedy="Paste it whole, from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----.",
        ) from None
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@contextlib.contextmanager
def connected(login: SnowflakeLogin, door: Door) -> Iterator[SnowflakeConnection]:
    """A connection; what goes wrong, here or later in it, is a SourceProblem."""
    from snowflake import connector

    from allotment.data.kinds.snowflake import guarded

    # Refused here it is said at once; by the connector after it has tried for a while.
    door.host(login.host, login.port)
    with Watch() as watch:
        try:
            with guarded.connect(door, watch, **_options(login)) as connection:
                yield connection
        except (connector.Error, OSError) as error:
            if watch.ran_out:
                raise _late(login) from None
            raise told(login, error) from None
        except (AttributeError, LookupError, TypeError, ValueError):
            # Its answers are believed to be as Snowflake writes them.
            if watch.ran_out:
                raise _late(login) from None
            raise SourceProblem(
                f"Snowflake at {login.host} does not answer as Snowflake does.",
                remedy="Check the account's name.",
            ) from None


def _options(login: SnowflakeLogin) -> dict[str, Any]:
    identity = (
        {"private_key": key_bytes(login.private_key)}
        if login.private_key
        else {"password": login.password}
    )
    return {
        **login.fields,
        **identity,
        "application": "allotment",
        "login_timeout": LOGIN_SECONDS,
        "network_timeout": STATEMENT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "session_parameters": {
            "CLIENT_TELEMETRY_ENABLED": False,
            "QUERY_TAG": "allotment",
            "STATEMENT_TIMEOUT_IN_SECONDS": STATEMENT_SECONDS,
        },
    }


def _late(login: SnowflakeLogin) -> SourceProblem:
    return SourceProblem(
        f"Snowflake at {login.host} did not answer in time.", remedy="Try again later."
    )


def told(login: SnowflakeLogin, error: Any) -> SourceProblem:
    """One of the connector's errors in words, or of the line to it."""
    if isinstance(error, OSError):
        return SourceProblem(
            f"Snowflake at {login.host} broke off in mid-answer.", remedy="Try again later."
        )
    words = Exception(str(error.raw_msg or error.msg or error))
    remedy = _REMEDIES.get(error.errno or 0, "")
    secrets = tuple(login.secrets.values())
    return SourceProblem(f"Snowflake at {login.host}: {spoken(words, secrets)}", remedy=remedy)


def rows(connection: SnowflakeConnection, query: str, *values: Any) -> list[Any]:
    """The rows of a query, its values marked by %s."""
    with connection.cursor() as cursor:
        cursor.execute(query, values or None)
        return list(cursor.fetchall())


def dictionaries(connection: SnowflakeConnection, query: str) -> list[dict[str, Any]]:
    """The rows of a SHOW statement, whose columns differ between versions, by their names."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        names = [column.name.lower() for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def name(text: str) -> str:
    """A name as an identifier, whatever letters it has."""
    return '"' + text.replace('"', '""') + '"'
