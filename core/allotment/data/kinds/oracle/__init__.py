"""Oracle as a source: servers read with the registered account, which must not be able to write."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from allotment.data.door import Door
from allotment.data.kinds.attempts import unproven
from allotment.data.kinds.connections import trusting
from allotment.data.kinds.databases import AUTHORITY
from allotment.data.kinds.kind import Borrower, FormField, Lends, Opened
from allotment.data.kinds.listings import Page, must_be_place
from allotment.data.kinds.oracle import catalogue
from allotment.data.kinds.oracle.proof import attempt_writes
from allotment.data.kinds.oracle.session import OracleLogin, asked, rows
from allotment.data.problems import SourceProblem
from allotment.model.sources import Browsed, Credential, Proof, SourceKind

if TYPE_CHECKING:
    from oracledb import AsyncConnection

SESSION = ("SET TRANSACTION READ ONLY",)
# They become part of an address, in which brackets and slashes have a meaning.
_HOST = re.compile(r"[A-Za-z0-9_.-]{1,253}", re.ASCII)
_SERVICE = re.compile(r"[A-Za-z0-9_.$#-]{1,128}", re.ASCII)


class Oracle:
    """Oracle 12.2 and later, by the thin driver: no Oracle client is needed."""

    kind = SourceKind.ORACLE
    title = "Oracle"
    lends = Lends.ITSELF
    holds_files = False
    fields = (
        FormField(
            "host", "Host", "Name of the server.", required=True, placeholder="db.example.com"
        ),
        FormField(
            "port", "Port", "Where its listener is.", type="number", required=True, default=1521
        ),
        FormField("service", "Service", "The name of the service, not a SID.", required=True),
        FormField(
            "user",
            "Account",
            "Servers get this account itself: its users can read its password, so it must not be able"
            " to write.",
            required=True,
        ),
        FormField("password", "Password", "Of that account.", type="secret", required=True),
        FormField(
            "tls",
            "Encryption",
            "Whether the connection is encrypted, and the server's certificate checked.",
            type="choice",
            default="verify",
            choices=(
                ("verify", "Encrypted (tcps), the certificate checked"),
                ("off", "Not encrypted: everybody between can read it"),
            ),
        ),
        AUTHORITY,
    )

    def validate(self, source: Opened) -> None:
        """Refuse names that would mean something else in an address."""
        if not _HOST.fullmatch(str(source.fields["host"])):
            raise SourceProblem("The host is no name of a host.", remedy="Check its spelling.")
        if not _SERVICE.fullmatch(str(source.fields["service"])):
            raise SourceProblem(
                "The service is no name of a service.", remedy="Check its spelling."
            )
        trusting(str(source.fields["ca"]))

    def check(self, source: Opened, door: Door) -> str:
        """Sign in."""
        login = self._login(source)

        async def version(connection: AsyncConnection) -> str:
            await rows(connection, "SELECT 1 FROM dual")
            return str(connection.version)

        reached = asked(login, door, version)
        return (
            f"Oracle {reached} at {login.host}:{login.port}, service {login.service}. Servers get the"
            f" account {login.user} itself: its users can read its password."
        )

    def prove(self, source: Opened, door: Door, now: datetime) -> Proof:
        """Try to write with the registered account, which is what servers get."""
        try:
            return asked(self._login(source), door, attempt_writes).proof(now, shared=True)
        except SourceProblem as problem:
            return unproven(now, str(problem), shared=True)

    def issue(
        self,
        source: Opened,
        borrower: Borrower,  # noqa: ARG002 - the signature is every kind's
        door: Door,  # noqa: ARG002 - likewise
        now: datetime,  # noqa: ARG002 - likewise
    ) -> Credential:
        """Hand out the registered account."""
        login = self._login(source)
        fields = {
            "host": login.host,
            "port": login.port,
            "service": login.service,
            "dsn": login.address,
            "user": login.user,
            "password": login.password,
            "tls": login.tls,
            "ca": login.ca,
            "session": list(SESSION),
        }
        return Credential(fields, shared=True)

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
        """Schemas, tables and views, columns: those that the account may read."""
        must_be_place(path)

        async def look(connection: AsyncConnection) -> Browsed:
            return await catalogue.browse(connection, path, Page(after, limit))

        return asked(self._login(source), door, look)

    def _login(self, source: Opened) -> OracleLogin:
        self.validate(source)
        return OracleLogin.registered(source)
