"""What PostgreSQL, MySQL and MariaDB have in common: each server reads with an account of its own."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

import sqlalchemy as sa

from allotment.data.door import Door
from allotment.data.kinds.attempts import Attempts, unproven
from allotment.data.kinds.connections import trusting
from allotment.data.kinds.databases import (
    Login,
    is_own,
    must_be_ours,
    new_password,
    proof_account,
)
from allotment.data.kinds.kind import Borrower, FormField, Lends, Opened
from allotment.data.kinds.listings import Page, must_be_place
from allotment.data.problems import SourceProblem
from allotment.model.sources import Browsed, Credential, Proof, SourceKind

PROOF_LASTS = timedelta(minutes=5)
_ENDS_WITHIN = 60
"""Seconds after which an account is dropped at the latest, once its server may not have it any more."""


class LendsAccounts(ABC):
    """A kind of database server that makes an account for each server, unless told to hand out its own."""

    kind: SourceKind
    title: str
    lends = Lends.ACCOUNTS
    holds_files = False
    fields: tuple[FormField, ...]
    session: ClassVar[tuple[str, ...]]
    """The statements that every session of a server begins with."""

    @abstractmethod
    def connected(self, login: Login, door: Door) -> AbstractContextManager[sa.Connection]:
        """A connection whose every failure is a SourceProblem."""

    @abstractmethod
    def version(self, connection: sa.Connection) -> str:
        """Which version it is; raises SourceProblem where it is of another kind."""

    @abstractmethod
    def must_make(self, connection: sa.Connection, source: Opened) -> None:
        """Raise SourceProblem where the registered account cannot make accounts."""

    @abstractmethod
    def make(
        self,
        connection: sa.Connection,
        source: Opened,
        account: str,
        password: str,
        lasts: timedelta,
    ) -> None:
        """Make an account that reads what is lent; raises SourceProblem as :meth:`must_make` does."""

    @abstractmethod
    def drop(self, registered: Login, account: str, door: Door) -> None:
        """Cut the connections of an account and drop it."""

    @abstractmethod
    def attempt(self, connection: sa.Connection, source: Opened) -> Attempts:
        """Try to write with a server's connection."""

    @abstractmethod
    def look(
        self, connection: sa.Connection, source: Opened, path: tuple[str, ...], wanted: Page
    ) -> Browsed:
        """What servers see at a place."""

    def validate(self, source: Opened) -> None:
        """Refuse a certificate authority that is none."""
        trusting(str(source.fields["ca"]))

    def check(self, source: Opened, door: Door) -> str:
        """Sign in, and see how servers will."""
        login = Login.registered(source)
        with self.connected(login, door) as connection:
            version = self.version(connection)
            if is_own(source):
                self.must_make(connection, source)
        place = f"{self.title} {version} at {login.host}:{login.port}, database {login.database}."
        if is_own(source):
            return f"{place} Each server gets an account of its own."
        return (
            f"{place} Servers get the account {login.user} itself: its users can read its password."
        )

    def prove(self, source: Opened, door: Door, now: datetime) -> Proof:
        """Try to write as a server could, with the read-only session switched off."""
        shared = not is_own(source)
        try:
            with (
                self._lent_for_proof(source, door) as login,
                self.connected(login, door) as connection,
            ):
                self.version(connection)
                found = self.attempt(connection, source)
                return found.proof(now, shared=shared, ends_within=None if shared else _ENDS_WITHIN)
        except SourceProblem as problem:
            return unproven(now, str(problem), shared=shared)

    def issue(self, source: Opened, borrower: Borrower, door: Door, now: datetime) -> Credential:
        """Make an account for the server, or hand out the registered one."""
        if not is_own(source):
            return Credential(Login.registered(source).fields(self.session), shared=True)
        login = self._made(source, borrower.account, borrower.until - now, door)
        return Credential(login.fields(self.session), borrower.until, account=borrower.account)

    def withdraw(self, source: Opened, account: str, door: Door) -> None:
        """Cut the account's connections and drop it."""
        must_be_ours(account)
        self.drop(Login.registered(source), account, door)

    def browse(
        self,
        source: Opened,
        path: tuple[str, ...],
        door: Door,
        *,
        after: str = "",
        limit: int = 200,
    ) -> Browsed:
        """Schemas, tables and views, columns: those that servers may read."""
        must_be_place(path)
        with self.connected(Login.registered(source), door) as connection:
            return self.look(connection, source, path, Page(after, limit))

    def _made(self, source: Opened, account: str, lasts: timedelta, door: Door) -> Login:
        registered, password = Login.registered(source), new_password()
        with self.connected(registered, door) as connection:
            self.make(connection, source, account, password, lasts)
        return replace(registered, user=account, password=password)

    @contextlib.contextmanager
    def _lent_for_proof(self, source: Opened, door: Door) -> Iterator[Login]:
        """What a server would get; it is gone afterwards, also where the proof failed."""
        if not is_own(source):
            yield Login.registered(source)
            return
        account = proof_account()
        try:
            login = self._made(source, account, PROOF_LASTS, door)
        except SourceProblem:
            # What keeps it from being made keeps it from being dropped too; the first is worth telling.
            with contextlib.suppress(SourceProblem):
                self.withdraw(source, account, door)
            raise
        try:
            yield login
        finally:
            self.withdraw(source, account, door)
