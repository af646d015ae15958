"""PostgreSQL as a source: each server reads with an account of its own, which ends with it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta

import sqlalchemy as sa

from allotment.data.door import Door
from allotment.data.kinds.attempts import Attempts
from allotment.data.kinds.connections import rows
from allotment.data.kinds.databases import (
    ACCOUNTS,
    AUTHORITY,
    OWN,
    TLS,
    Login,
    is_own,
    server_fields,
)
from allotment.data.kinds.kind import FormField, Opened
from allotment.data.kinds.lent_accounts import LendsAccounts
from allotment.data.kinds.listings import Page
from allotment.data.kinds.postgresql import accounts, catalogue
from allotment.data.kinds.postgresql.proof import attempt_writes
from allotment.data.kinds.postgresql.session import connected
from allotment.data.problems import SourceProblem
from allotment.model.sources import Browsed, SourceKind

READERS = "allotment_readers"


class PostgreSQL(LendsAccounts):
    """PostgreSQL 13 and later, and services that speak as it does."""

    kind = SourceKind.POSTGRESQL
    title = "PostgreSQL"
    session = ("SET default_transaction_read_only = on",)
    fields = (
        *server_fields(5432, "The database that is read."),
        ACCOUNTS,
        FormField(
            "readers",
            "Role of readers",
            "The role that holds the SELECT privileges; servers' accounts become members of it.",
            required=True,
            default=READERS,
            when=("accounts", OWN),
        ),
        TLS,
        AUTHORITY,
    )

    def connected(self, login: Login, door: Door) -> AbstractContextManager[sa.Connection]:
        """A connection by psycopg."""
        return connected(login, door)

    def version(self, connection: sa.Connection) -> str:
        """As the server tells it."""
        (found,) = rows(connection, "SELECT current_setting('server_version') AS version")
        return str(found.version)

    def must_make(self, connection: sa.Connection, source: Opened) -> None:
        """The account must be able to make members of the readers' role."""
        readers = str(source.fields["readers"])
        accounts.must_make_accounts(accounts.facts(connection, readers), readers)

    def make(
        self,
        connection: sa.Connection,
        source: Opened,
        account: str,
        password: str,
        lasts: timedelta,
    ) -> None:
        """Make a member of the readers' role, which ends by the server's clock too."""
        accounts.make(connection, account, password, str(source.fields["readers"]), lasts)

    def drop(self, registered: Login, account: str, door: Door) -> None:
        """Cut its connections, give what it made to the registered account, and drop it."""
        accounts.drop(registered, account, door)

    def attempt(self, connection: sa.Connection, source: Opened) -> Attempts:
        """Try to write with this connection."""
        del source  # The connection is to its one database.
        return attempt_writes(connection)

    def look(
        self, connection: sa.Connection, source: Opened, path: tuple[str, ...], wanted: Page
    ) -> Browsed:
        """What the readers' role, or the registered account, may read."""
        reader = str(source.fields["readers" if is_own(source) else "user"])
        if not rows(connection, "SELECT 1 FROM pg_roles WHERE rolname = :r", r=reader):
            raise SourceProblem(
                f"There is no role {reader!r}.", remedy="Run the SQL of docs/sources.md there."
            )
        return catalogue.browse(connection, reader, path, wanted)
