"""A database that is played, for tests of what the platform does with accounts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from allotment.data.door import Door
from allotment.data.kinds.kind import Borrower, FormField, Lends, Opened
from allotment.data.problems import SourceProblem
from allotment.model.sources import Browsed, Credential, Proof, SourceKind, Verdict


@dataclass
class Played:
    """A database that remembers its accounts. ``away`` is where it is not reached, by host.

    Where it is ``broken`` its driver raises what nobody expects; where it is ``hanging`` it answers once
    it is let ``go``. ``asked`` are the places that were asked to drop an account.
    """

    accounts: dict[str, str] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    hanging: set[str] = field(default_factory=set)
    go: threading.Event = field(default_factory=threading.Event)
    dropped: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)
    proofs: list[Verdict] = field(default_factory=list)
    on_issue: Callable[[], None] = lambda: None
    after_issue: Callable[[], None] = lambda: None
    on_withdraw: Callable[[], object] = lambda: None
    on_validate: Callable[[], None] = lambda: None
    kind = SourceKind.POSTGRESQL
    title = "Played"
    lends = Lends.ACCOUNTS
    holds_files = False
    fields = (
        FormField("host", "Host", "Where it is.", required=True),
        FormField("database", "Database", "Which."),
        FormField("identity", "Identity", "Whose.", default="own", guarded=("platform",)),
        FormField("password", "Password", "Of the account.", "secret", required=True),
    )

    def validate(self, source: Opened) -> None:
        """Take any fields."""
        del source
        self.on_validate()

    def check(self, source: Opened, door: Door) -> str:
        """Reach it."""
        del door
        self._reach(source)
        return "Reached."

    def prove(self, source: Opened, door: Door, now: datetime) -> Proof:
        """What a test has said it finds, one after the other; else read-only."""
        del door
        if str(source.fields["host"]) in self.away:
            return Proof(now, Verdict.UNPROVEN, problem="It does not answer.")
        verdict = self.proofs.pop(0) if self.proofs else Verdict.READ_ONLY
        possible = ("inserting",) if verdict is Verdict.WRITABLE else ()
        return Proof(now, verdict, ("inserting",), possible)

    def issue(self, source: Opened, borrower: Borrower, door: Door, now: datetime) -> Credential:
        """Make an account."""
        del door, now
        self._reach(source)
        self.accounts[borrower.account] = str(source.fields["host"])
        self.on_issue()
        fields = {"user": borrower.account, "password": "lent"}
        return Credential(fields, borrower.until, account=borrower.account)

    def withdraw(self, source: Opened, account: str, door: Door) -> None:
        """Drop an account."""
        del door
        self.asked.append(str(source.fields["host"]))
        self.on_withdraw()
        if source.fields["host"] in self.hanging and not self.go.wait(60):
            raise TimeoutError
        self._reach(source)
        if source.fields["host"] in self.broken:
            raise KeyError(account)
        self.accounts.pop(account, None)
        self.dropped.set()

    def browse(self, *_: Any, **__: Any) -> Browsed:
        """Hold nothing."""
        return Browsed(())

    def _reach(self, source: Opened) -> None:
        if str(source.fields["host"]) in self.away:
            message = "It does not answer."
            raise SourceProblem(message, remedy="Start it.")


def lend(api: Any) -> Any:
    """What bob's server is lent of the source shop."""
    return api.client("bobs-server").sources.credentials("shop")


def round_(api: Any, lab: Any, **later: float) -> str:
    """A round of withdrawing, some time later."""
    words: str = api.plane.data.lending.round(lab.later(**later) if later else lab.now)
    return words
