"""MySQL and MariaDB as sources: each server reads with an account of its own, which ends with it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from allotment.data.door import Door
from allotment.data.kinds.attempts import unproven
from allotment.data.kinds.connections import rows, trusting
from allotment.data.kinds.databases import (
    ACCOUNTS,
    AUTHORITY,
    TLS,
    Login,
    is_own,
    must_be_ours,
    new_password,
    proof_account,
    server_fields,
)
from allotment.data.kinds.kind import Borrower, Opened
from allotment.data.kinds.listings import Page, must_be_place
from allotment.data.kinds.mysql import accounts, catalogue
from allotment.data.kinds.mysql.proof import attempt_writes
from allotment.data.kinds.mysql.session import connected
from allotment.data.problems import SourceProblem
from allotment.model.sources import Browsed, Credential, Proof, SourceKind

SESSION = ("SET SESSION TRANSACTION READ ONLY",)


class MySQL:
    """MySQL 8 and later, and services that speak as it does."""

    kind = SourceKind.MYSQL
    title = "MySQL"
    fields = (
        *server_fields(3306, "The database that is read."),
        ACCOUNTS,
        TLS,
        AUTHORITY,
    )
    mariadb = False

    def validate(self, source: Opened) -> None:
        """Refuse a certificate authority that is none."""
        trusting(str(source.fields["ca"]))

    def check(self, source: Opened, door: Door) -> str:
        """Sign in, and see how servers will."""
        login = Login.registered(source)
        with self._connected(login, door) as connection:
            version = self._version(connection)
            if is_own(source):
                found = accounts.own_grants(connection, mariadb=self.mariadb)
                accounts.must_make_accounts(found, login.database)
        reached = f"{self.title} {version} at {login.host}:{login.port}, database {login.database}."
        if is_own(source):
            return f"{reached} Each server gets an account of its own."
        return f"{reached} Servers get the account {login.user} itself: its users can read its password."

    def prove(self, source: Opened, door: Door, now: datetime) -> Proof:
        """Try to write as a server's account could, with the read-only session switched off."""
        shared = not is_own(source)
        try:
            with (
                self._lent_for_proof(source, door) as login,
                self._connected(login, door) as connection,
            ):
                self._version(connection)
                found = attempt_writes(connection, login.database, mariadb=self.mariadb)
                return found.proof(now, shared=shared)
        except SourceProblem as problem:
            return unproven(now, str(problem), shared=shared)

    def issue(self, source: Opened, borrower: Borrower, door: Door, now: datetime) -> Credential:
        """Make an account for the server, or hand out the registered one.

        The server has no clock for accounts: it ends when it is withdrawn.
        """
        del now
        registered = Login.registered(source)
        if not is_own(source):
            return Credential(registered.fields(SESSION), shared=True)
        login = self._made(registered, borrower.account, door)
        return Credential(login.fields(SESSION), borrower.until, account=borrower.account)

    def withdraw(self, source: Opened, account: str, door: Door) -> None:
        """Drop the account and cut its connections."""
        must_be_ours(account)
        with self._connected(Login.registered(source), door) as connection:
            accounts.drop(connection, account)

    def browse(
        self,
        source: Opened,
        path: tuple[str, ...],
        door: Door,
        *,
        after: str = "",
        limit: int = 200,
    ) -> Browsed:
        """The database that is lent, its tables and views, their columns."""
        must_be_place(path)
        login = Login.registered(source)
        with self._connected(login, door) as connection:
            return catalogue.browse(connection, login.database, path, Page(after, limit))

    def _connected(self, login: Login, door: Door) -> AbstractContextManager[sa.Connection]:
        return connected(login, door, self.title)

    def _version(self, connection: sa.Connection) -> str:
        """Which version it is; the two kinds make accounts in different words, so each is told apart."""
        (found,) = rows(connection, "SELECT VERSION() AS version")
        if ("MariaDB" in found.version) is not self.mariadb:
            other = "MySQL" if self.mariadb else "MariaDB"
            raise SourceProblem(
                f"This is {other}, not {self.title}.", remedy=f"Register it as {other}."
            )
        return str(found.version)

    def _made(self, registered: Login, account: str, door: Door) -> Login:
        password = new_password()
        with self._connected(registered, door) as connection:
            found = accounts.own_grants(connection, mariadb=self.mariadb)
            accounts.must_make_accounts(found, registered.database)
            accounts.make(connection, account, password, registered.database, mariadb=self.mariadb)
        return replace(registered, user=account, password=password)

    @contextlib.contextmanager
    def _lent_for_proof(self, source: Opened, door: Door) -> Iterator[Login]:
        """What a server would get; it is gone afterwards, also where the proof failed."""
        registered = Login.registered(source)
        if not is_own(source):
            yield registered
            return
        account = proof_account()
        try:
            yield self._made(registered, account, door)
        finally:
            self.withdraw(source, account, door)
