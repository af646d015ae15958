"""Lending: what a server reads a source with, made when it asks and withdrawn when its time or right is over."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from allotment.data.kinds.kind import Borrower, Lends, Opened
from allotment.data.kinds.lasting import lasting
from allotment.model.allotments import Allotment
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotFound, NotPermitted, Refusal
from allotment.model.sources import Credential, Part, Source
from allotment.record import Reading, loans, sources
from allotment.record.loans import Loan
from allotment.work.rights_of_loans import Right, is_same, right_of
from allotment.work.withdrawing import ACTOR, Withdrawing

_NOTED_AHEAD = timedelta(minutes=10)
"""How much longer than it lasts a loan is written down for, so that renewing it need not write."""
HOUR = timedelta(hours=1)
LONGEST = timedelta(hours=12)
"""How long a database's account lives at most: its end cuts the queries under way."""
MOST = 20
"""Loans of one source to one server that are open at the same time."""


@dataclass(frozen=True, slots=True)
class FilesOf:
    """The files of a dataset: its name, and the parts of its source that hold them.

    ``exact`` is whether these hold nothing else, as what a pattern begins with does.
    """

    dataset: str
    parts: tuple[Part, ...]
    exact: bool


class Lending(Withdrawing):
    """Makes what servers are lent, and takes it back."""

    def lend(
        self, source: Source, server: Allotment, now: datetime, files: FilesOf | None = None
    ) -> Credential:
        """What this server reads a source with. Whether it may is the caller's to decide.

        Args:
            source: the source.
            server: who asks.
            now: when.
            files: the dataset whose files it is for; None for all of the source.

        Raises:
            SourceProblem: the source does not give it.
            Refusal: the server has too many open, or lost the source meanwhile.
        """
        lends = self.opening.kind(source).lends
        if lends is Lends.ACCOUNTS:
            return self._account(source, server, now)
        until = now + (HOUR if lends is Lends.ENDING else LONGEST)
        with self.record.reading() as reading:
            opened = self._opened(reading, source)
        found = None if source.proof is None else source.proof.ends_within
        lasts = lasting(source.fields, found)
        within = () if files is None else files.parts
        borrower = Borrower(server.person, server.server, server.id, until, "", lasts, within)
        credential = self.opening.kind(source).issue(opened, borrower, self.opening.door, now)
        with self.record.reading() as reading:
            through = None if files is None else files.dataset
            right = right_of(reading, source, through, server, now)
            known = loans.open_loans(reading, source=source.name, allotment=server.id)
        if right is None:
            raise _taken_back(source)
        wider = credential.wider or credential.shared or not (files is None or files.exact)
        if wider and not right.whole:
            raise _too_wide(source, str(right.dataset))
        self._note(known, right, credential.expires_at or until, now)
        return credential

    def _note(self, known: Sequence[Loan], right: Right, ends: datetime, now: datetime) -> None:
        """Write down that a server has something that nobody can take back.

        One row says so for each server and source, and for some time ahead: being lent the same again
        writes nothing most of the time.
        """
        same = [one for one in known if one.account is None and one.dataset == right.dataset]
        if any(one.expires_at >= ends for one in same):
            return
        ends += _NOTED_AHEAD
        with self.record.writing(ACTOR, now, configuration=False) as writing:
            loans.extended(
                writing, right.source, right.allotment, right.person, ends, right.dataset
            )

    def _account(self, source: Source, server: Allotment, now: datetime) -> Credential:
        """An account of a database, which is dropped whatever happens."""
        account, until = f"allotment_{secrets.token_hex(10)}", now + LONGEST
        loan, opened = self._begin(source, server, account, until, now)
        borrower = Borrower(server.person, server.server, server.id, until, account)
        try:
            credential = self.opening.kind(source).issue(opened, borrower, self.opening.door, now)
        except BaseException:
            self._give_back(source, loan, opened, now)
            raise
        with self.record.writing(ACTOR, now, configuration=False) as writing:
            expires = credential.expires_at or until
            still = loans.made(writing, loan.id, credential.account, expires)
        if not still:
            self._give_back(source, loan, opened, now)
            raise _taken_back(source)
        return credential

    def _give_back(self, source: Source, loan: Loan, opened: Opened, now: datetime) -> None:
        """Drop an account where it was made: meanwhile its source may lead somewhere else, or be gone."""
        if self.withdraw(loan, now, opened):
            return
        try:
            with self.record.reading() as reading:
                gone = not is_same(sources.get(reading, source.name), source)
        except NotFound:
            gone = True
        if gone:
            self.leave(source.name, [loan], now)

    def _begin(
        self, source: Source, server: Allotment, account: str, until: datetime, now: datetime
    ) -> tuple[Loan, Opened]:
        """Write the loan down before anything is made, so that nothing is left behind."""
        with self.record.writing(ACTOR, now, configuration=False) as writing:
            used = len(loans.open_loans(writing, source=source.name, allotment=server.id))
            if used >= MOST:
                message = f"This server has opened {source.name} {used} times at the same time."
                remedy = "Restart kernels that are done with it, or wait until one has ended."
                reason = Reason(
                    Rule.DATA_SOURCE, message, limit=MOST, used=used, asked=1, remedy=remedy
                )
                raise Refusal(reason)
            opened = self._opened(writing, source)
            return loans.lend(
                writing, source.name, server.id, server.person, account, until
            ), opened

    def _opened(self, reading: Reading, source: Source) -> Opened:
        """A source with its secrets, which are those of this place and of no other.

        Raises:
            NotPermitted: it leads somewhere else by now.
        """
        if not is_same(sources.get(reading, source.name), source):
            raise _taken_back(source)
        return self.opening.source(reading, source)


def _too_wide(source: Source, dataset: str) -> NotPermitted:
    message = (
        f"What opens the files of {dataset!r} would open more of the source {source.name!r}, "
        "which is not shared with you."
    )
    remedy = "Ask whoever manages it to share the source with you, or to put the files below a place of their own."
    return NotPermitted(Reason(Rule.DATA_AUDIENCE, message, remedy=remedy))


def _taken_back(source: Source) -> NotPermitted:
    message = f"{source.name} was taken back while it was being opened."
    return NotPermitted(Reason(Rule.DATA_ENABLED, message, remedy="Ask whoever manages it."))
