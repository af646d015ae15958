"""Snowflake as a source: servers read with the registered user, whose roles must not be able to write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from allotment.data.door import Door
from allotment.data.kinds.attempts import unproven
from allotment.data.kinds.kind import Borrower, FormField, Lends, Opened
from allotment.data.kinds.listings import Page, must_be_place
from allotment.data.kinds.snowflake import catalogue
from allotment.data.kinds.snowflake.proof import attempt_writes
from allotment.data.kinds.snowflake.session import SnowflakeLogin, connected, key_bytes, rows
from allotment.data.problems import SourceProblem
from allotment.model.sources import Browsed, Credential, Proof, SourceKind

# It becomes the first part of a host's name.
_ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}", re.ASCII)
_FIELDS = (
    FormField(
        "account",
        "Account",
        "As Snowflake writes it: organisation-account, for private connectivity with .privatelink.",
        required=True,
        placeholder="myorganisation-warehouse",
    ),
    FormField(
        "user",
        "User",
        "Servers get this user itself: its users can read its password or key, so none of its roles"
        " may be able to write.",
        required=True,
    ),
    FormField(
        "identity",
        "Signs in by",
        "A key pair, or a password or programmatic access token.",
        type="choice",
        default="key",
        choices=(("key", "A key pair"), ("password", "A password or access token")),
    ),
    FormField(
        "private_key",
        "Private key",
        "As PEM, without a password of its own.",
        type="secret",
        required=True,
        when=("identity", "key"),
        placeholder="-----BEGIN PRIVATE KEY-----",
    ),
    FormField(
        "password",
        "Password",
        "Or a programmatic access token of that user.",
        type="secret",
        required=True,
        when=("identity", "password"),
    ),
    FormField("role", "Role", "Which the sessions begin with.", required=True),
    FormField("warehouse", "Warehouse", "Which runs the queries, and is charged.", required=True),
    FormField("database", "Database", "The database that is read.", required=True),
)


@dataclass(frozen=True, slots=True)
class Service:
    """Where accounts are: below a domain, each under its own name."""

    domain: str = "snowflakecomputing.com"
    host: str = ""
    port: int = 443
    protocol: str = "https"

    def host_of(self, account: str) -> str:
        """The host of an account; another service than Snowflake's has one for all."""
        return self.host or f"{account}.{self.domain}"


class Snowflake:
    """Snowflake's own service, unless it is made for a stand-in."""

    kind = SourceKind.SNOWFLAKE
    title = "Snowflake"
    lends = Lends.ITSELF
    holds_files = False
    fields = _FIELDS

    def __init__(self, service: Service | None = None) -> None:
        self._service = service or Service()

    def validate(self, source: Opened) -> None:
        """Refuse an account that is no name, and a key that is none."""
        if not _ACCOUNT.fullmatch(str(source.fields["account"])):
            raise SourceProblem(
                "The account is no name of one.", remedy="Write it without https:// and domain."
            )
        if source.fields["identity"] == "key" and source.secrets.get("private_key"):
            key_bytes(source.secrets["private_key"])

    def check(self, source: Opened, door: Door) -> str:
        """Sign in."""
        login = self._login(source)
        with connected(login, door) as connection:
            ((version, database),) = rows(
                connection, "SELECT CURRENT_VERSION(), CURRENT_DATABASE()"
            )
        if database is None:
            raise SourceProblem(
                f"Snowflake at {login.host} has no database {login.database!r} for the role {login.role}.",
                remedy="Check its spelling, and grant the role USAGE on it.",
            )
        return (
            f"Snowflake {version} at {login.host}, database {database}. Servers get the user"
            f" {login.user} itself: its users can read its password or key."
        )

    def prove(self, source: Opened, door: Door, now: datetime) -> Proof:
        """Try to write with the registered user, which is what servers get."""
        login = self._login(source)
        try:
            with connected(login, door) as connection:
                return attempt_writes(connection).proof(now, shared=True)
        except SourceProblem as problem:
            return unproven(now, str(problem), shared=True)

    def issue(
        self,
        source: Opened,
        borrower: Borrower,  # noqa: ARG002 - the signature is every kind's
        door: Door,  # noqa: ARG002 - likewise
        now: datetime,  # noqa: ARG002 - likewise
    ) -> Credential:
        """Hand out the registered user."""
        login = self._login(source)
        return Credential({**login.fields, **login.secrets, "session": []}, shared=True)

    def withdraw(self, source: Opened, account: str, door: Door) -> None:
        """Nothing is made for a server."""

    def browse(
        self,
        source: Opened,
        path: tuple[str, ...],
        door: Door,
        *,
        after: str = "",
        limit: int = 200,
    ) -> Browsed:
        """Schemas, tables and views, columns: those that the role may use."""
        must_be_place(path)
        with connected(self._login(source), door) as connection:
            return catalogue.browse(connection, path, Page(after, limit))

    def _login(self, source: Opened) -> SnowflakeLogin:
        self.validate(source)
        account = str(source.fields["account"])
        by_key = source.fields["identity"] == "key"
        return SnowflakeLogin(
            account=account,
            host=self._service.host_of(account),
            port=self._service.port,
            protocol=self._service.protocol,
            user=str(source.fields["user"]),
            warehouse=str(source.fields["warehouse"]),
            database=str(source.fields["database"]),
            role=str(source.fields["role"]),
            private_key=source.secrets.get("private_key", "") if by_key else "",
            password="" if by_key else source.secrets.get("password", ""),
        )
