"""PostgreSQL as a source: each server reads with an account of its own, which ends with it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from allotment.data.door import Door
from allotment.data.kinds.attempts import unproven
from allotment.data.kinds.connections import rows, trusting
from allotment.data.kinds.databases import (
    ACCOUNTS,
    AUTHORITY,
    OWN,
    TLS,
    Login,
    is_own,
    must_be_ours,
    new_password,
    proof_account,
    server_fields,
)
from allotment.data.kinds.kind import Borrower, FormField, Opened
from allotment.data.kinds.listings import Page, must_be_place
from allotment.data.kinds.postgresql import accounts, catalogue
from allotment.data.kinds.postgresql.proof import attempt_writes
from allotment.data.kinds.postgresql.session import connected
from allotment.data.problems import SourceProblem
from allotment.model.sources import Browsed, Credential, Proof, SourceKind

READERS = "allotment_readers"
SESSION = ("SET default_transaction_read_only = on",)
PROOF_LASTS = timedelta(minutes=5)


class PostgreSQL:
    """PostgreSQL 13 and later, and services that speak as it does."""

    kind = SourceKind.POSTGRESQL
    title = "PostgreSQL"
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

    def validate(self, source: Opened) -> None:
        """Refuse a certificate authority that is none."""
        trusting(str(source.fields["ca"]))

    def check(self, source: Opened, door: Door) -> str:
        """Sign in, and see how servers will."""
        login, readers = Login.registered(source), str(source.fields["readers"])
        with connected(login, door) as connection:
            found = accounts.facts(connection, readers)
            if is_own(source):
                accounts.must_make_accounts(found, readers)
        reached = (
            f"PostgreSQL {found.version} at {login.host}:{login.port}, database {login.database}."
        )
        if is_own(source):
            return f"{reached} Each server gets an account of its own, a member of {readers}."
        return f"{reached} Servers get the account {login.user} itself: its users can read its password."

    def prove(self, source: Opened, door: Door, now: datetime) -> Proof:
        """Try to write as a server's account could, with the read-only session switched off."""
        shared = not is_own(source)
        try:
            with (
                self._lent_for_proof(source, door) as login,
                connected(login, door) as connection,
            ):
                return attempt_writes(connection).proof(now, shared=shared)
        except SourceProblem as problem:
            return unproven(now, str(problem), shared=shared)

    def issue(self, source: Opened, borrower: Borrower, door: Door, now: datetime) -> Credential:
        """Make an account for the server, or hand out the registered one."""
        registered = Login.registered(source)
        if not is_own(source):
            return Credential(registered.fields(SESSION), shared=True)
        login = self._made(source, borrower.account, borrower.until - now, door)
        return Credential(login.fields(SESSION), borrower.until, account=borrower.account)

    def withdraw(self, source: Opened, account: str, door: Door) -> None:
        """Cut the account's connections and drop it."""
        must_be_ours(account)
        accounts.drop(Login.registered(source), account, door)

    def browse(
        self,
        source: Opened,
        path: tuple[str, ...],
        door: Door,
        *,
        after: str = "",
        limit: int = 200,
    ) -> Browsed:
        """Schemas, tables and views, columns: those that servers' accounts may read."""
        must_be_place(path)
        login = Login.registered(source)
        reader = str(source.fields["readers"]) if is_own(source) else login.user
        with connected(login, door) as connection:
            if not rows(connection, "SELECT 1 FROM pg_roles WHERE rolname = :r", r=reader):
                raise SourceProblem(
                    f"There is no role {reader!r}.", remedy="Run the SQL of docs/sources.md there."
                )
            return catalogue.browse(connection, reader, path, Page(after, limit))

    def _made(self, source: Opened, account: str, lasts: timedelta, door: Door) -> Login:
        registered, password = Login.registered(source), new_password()
        readers = str(source.fields["readers"])
        accounts.make(registered, account, password, readers, lasts, door)
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
            yield self._made(source, account, PROOF_LASTS, door)
        finally:
            accounts.drop(registered, account, door)
