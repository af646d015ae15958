"""A SQLite file as a source: servers on this machine, or with the same mount, read it by its path."""

from __future__ import annotations

from datetime import datetime

from allotment.data.door import Door
from allotment.data.kinds.attempts import unproven
from allotment.data.kinds.connections import rows
from allotment.data.kinds.kind import Borrower, FormField, Lends, Opened
from allotment.data.kinds.listings import Page, must_be_place
from allotment.data.kinds.sqlite import catalogue
from allotment.data.kinds.sqlite.opening import Database, connected, found
from allotment.data.kinds.sqlite.proof import attempt_writes
from allotment.data.problems import SourceProblem
from allotment.model.sources import Browsed, Credential, Proof, SourceKind


class SQLite:
    """A file of SQLite 3 below the platform's data folders."""

    kind = SourceKind.SQLITE
    title = "SQLite"
    lends = Lends.ITSELF
    holds_files = False
    fields = (
        FormField(
            "path",
            "File",
            "A path on the machine of the control plane, below a folder that an operator has listed. "
            "Servers read it under the same path, so it may neither be theirs to write nor lie in a "
            "folder that is.",
            required=True,
            placeholder="/data/shared/sales.sqlite",
        ),
    )

    def validate(self, source: Opened) -> None:
        """Refuse a path that is not absolute."""
        if not str(source.fields["path"]).startswith("/"):
            raise SourceProblem("The file is no absolute path.", remedy="Write it from / on.")

    def check(self, source: Opened, door: Door) -> str:
        """Open it, and count its tables."""
        database = _found(source, door)
        with connected(database) as connection:
            query = "SELECT count(*) AS tables FROM sqlite_master WHERE type IN ('table', 'view')"
            (one,) = rows(connection, query)
        noun = "table" if one.tables == 1 else "tables"
        return f"SQLite file {database.place} with {one.tables} {noun}. Servers read it themselves."

    def prove(self, source: Opened, door: Door, now: datetime) -> Proof:
        """Try to write to it and beside it with the rights that servers on this machine share."""
        try:
            return attempt_writes(_found(source, door).place).proof(now)
        except SourceProblem as problem:
            return unproven(now, str(problem))

    def issue(
        self,
        source: Opened,
        borrower: Borrower,  # noqa: ARG002 - the signature is every kind's
        door: Door,
        now: datetime,  # noqa: ARG002 - likewise
    ) -> Credential:
        """Its path, and the URI by which it is opened: rights are the system's."""
        database = _found(source, door)
        return Credential({"path": str(database.place), "uri": database.uri, "session": []})

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
        """Its tables and views, their columns."""
        must_be_place(path)
        with connected(_found(source, door)) as connection:
            return catalogue.browse(connection, path, Page(after, limit))


def _found(source: Opened, door: Door) -> Database:
    return found(str(source.fields["path"]), door)
