"""MySQL and MariaDB as sources: each server reads with an account of its own, which ends with it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta

import sqlalchemy as sa

from allotment.data.door import Door
from allotment.data.kinds.attempts import Attempts
from allotment.data.kinds.connections import rows
from allotment.data.kinds.databases import ACCOUNTS, AUTHORITY, TLS, Login, server_fields
from allotment.data.kinds.kind import Opened
from allotment.data.kinds.lent_accounts import LendsAccounts
from allotment.data.kinds.listings import Page
from allotment.data.kinds.mysql import accounts, catalogue
from allotment.data.kinds.mysql.proof import attempt_writes
from allotment.data.kinds.mysql.session import connected
from allotment.data.problems import SourceProblem
from allotment.model.sources import Browsed, SourceKind


class MySQL(LendsAccounts):
    """MySQL 8 and later, and services that speak as it does."""

    kind = SourceKind.MYSQL
    title = "MySQL"
    session = ("SET SESSION TRANSACTION READ ONLY",)
    fields = (*server_fields(3306, "The database that is read."), ACCOUNTS, TLS, AUTHORITY)
    mariadb = False

    def connected(self, login: Login, door: Door) -> AbstractContextManager[sa.Connection]:
        """A connection by PyMySQL."""
        return connected(login, door, self.title)

    def version(self, connection: sa.Connection) -> str:
        """As the server tells it; the two kinds make accounts in different words, so each is told apart."""
        (found,) = rows(connection, "SELECT VERSION() AS version")
        if ("MariaDB" in found.version) is not self.mariadb:
            other = "MySQL" if self.mariadb else "MariaDB"
            raise SourceProblem(
                f"This is {other}, not {self.title}.", remedy=f"Register it as {other}."
            )
        return str(found.version)

    def must_make(self, connection: sa.Connection, source: Opened) -> None:
        """The account must be able to make accounts, let them read, and cut their connections."""
        found = accounts.own_grants(connection, mariadb=self.mariadb)
        accounts.must_make_accounts(found, str(source.fields["database"]))

    def make(
        self,
        connection: sa.Connection,
        source: Opened,
        account: str,
        password: str,
        lasts: timedelta,
    ) -> None:
        """Make an account that reads the one database."""
        del lasts  # The server has no clock for accounts: it ends when it is withdrawn.
        self.must_make(connection, source)
        database = str(source.fields["database"])
        accounts.make(connection, account, password, database, mariadb=self.mariadb)

    def drop(self, registered: Login, account: str, door: Door) -> None:
        """Drop it, and cut its connections, which would keep its rights."""
        with self.connected(registered, door) as connection:
            accounts.drop(connection, account)

    def attempt(self, connection: sa.Connection, source: Opened) -> Attempts:
        """Try to write with this connection."""
        return attempt_writes(connection, str(source.fields["database"]), mariadb=self.mariadb)

    def look(
        self, connection: sa.Connection, source: Opened, path: tuple[str, ...], wanted: Page
    ) -> Browsed:
        """The one database, its tables and views, their columns."""
        return catalogue.browse(connection, str(source.fields["database"]), path, wanted)
