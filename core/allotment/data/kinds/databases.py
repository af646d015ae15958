"""What the forms and the credentials of all database servers have in common."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import Any

from allotment.data.kinds.kind import FormField, Opened
from allotment.data.problems import SourceProblem

OWN, REGISTERED = "own", "registered"
CONNECTIONS = 32
"""How many connections one server's account may hold at once."""
_MADE_BY_US = re.compile(r"allotment_[0-9a-z_]{4,40}")

ACCOUNTS = FormField(
    name="accounts",
    label="Account for servers",
    help="An account of its own for each server, which ends with it, or the registered account itself:"
    " then its users can read its password.",
    type="choice",
    default=OWN,
    choices=(
        (OWN, "An account of its own for each server"),
        (REGISTERED, "The registered account; its users can read its password"),
    ),
)
TLS = FormField(
    name="tls",
    label="Encryption",
    help="Whether the connection is encrypted, and the server's certificate checked.",
    type="choice",
    default="verify",
    choices=(
        ("verify", "Encrypted, the certificate checked"),
        ("require", "Encrypted, the certificate not checked"),
        ("off", "Not encrypted: everybody between can read it"),
    ),
)
AUTHORITY = FormField(
    name="ca",
    label="Certificate authority",
    help="Whom to believe about the server's certificate, as PEM. Empty: the authorities that browsers believe.",
    type="long",
    placeholder="-----BEGIN CERTIFICATE-----",
    when=("tls", "verify"),
)


@dataclass(frozen=True, slots=True)
class Login:
    """How to reach a database, and as whom."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    tls: str = "verify"
    ca: str = ""

    @classmethod
    def registered(cls, source: Opened) -> Login:
        """The account that was registered."""
        return cls(
            host=str(source.fields["host"]),
            port=int(source.fields["port"]),
            database=str(source.fields["database"]),
            user=str(source.fields["user"]),
            password=source.secrets.get("password", ""),
            tls=str(source.fields["tls"]),
            ca=str(source.fields["ca"]),
        )

    def fields(self, session: tuple[str, ...]) -> dict[str, Any]:
        """What a server is told; ``session`` are the statements that every session begins with."""
        return {
            "host": self.host,
            "port": self.port,
            "database": self.database,
            "user": self.user,
            "password": self.password,
            "tls": self.tls,
            "ca": self.ca,
            "session": list(session),
        }


def server_fields(port: int, database_help: str) -> tuple[FormField, ...]:
    """The fields that say where a database server is, and as whom it is asked."""
    return (
        FormField(
            "host",
            "Host",
            "Name or address of the server.",
            required=True,
            placeholder="db.example.com",
        ),
        FormField("port", "Port", "Where it listens.", type="number", required=True, default=port),
        FormField("database", "Database", database_help, required=True),
        FormField("user", "Account", "With which the platform signs in.", required=True),
        FormField("password", "Password", "Of that account.", type="secret", required=True),
    )


def new_password() -> str:
    """A password for an account that lives for hours."""
    return secrets.token_urlsafe(24)


def proof_account() -> str:
    """The name of an account that lives for one proof."""
    return f"allotment_proof_{secrets.token_hex(6)}"


def must_be_ours(account: str) -> None:
    """Refuse to touch an account that the platform cannot have made.

    Raises:
        SourceProblem: its name is another's.
    """
    if not _MADE_BY_US.fullmatch(account):
        raise SourceProblem(f"The account {account[:80]!r} was not made by the platform.")


def is_own(source: Opened) -> bool:
    """Whether each server gets an account of its own."""
    return source.fields.get("accounts") == OWN
