"""Lending: what a server reads a source with, made when it asks and withdrawn when its time or right is over."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from allotment.data.kinds.kind import Borrower, Lends, Opened
from allotment.data.kinds.lasting import lasting
from allotment.data.opening import Opening
from allotment.data.problems import SourceProblem
from allotment.model.allotments import Allotment
from allotment.model.amounts import counted
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotFound, NotPermitted, Refusal
from allotment.model.sources import Credential, Part, Source
from allotment.record import Reading, Record, loans, sources
from allotment.record.loans import Loan
from allotment.work.rights_of_loans import Right, is_same, lost, right_of

log = logging.getLogger(__name__)

_NOTED_AHEAD = timedelta(minutes=10)
"""How much longer than it lasts a loan is written down for, so that renewing it need not write."""
HOUR = timedelta(hours=1)
LONGEST = timedelta(hours=12)
"""How long a database's account lives at most: its end cuts the queries under way."""
MOST = 20
"""Loans of one source to one server that are open at the same time."""
EVERY = 15.0
"""Seconds between two rounds: whoever loses a source has lost it within a minute."""
AT_ONCE = 12
"""Sources that loans are withdrawn from side by side."""
FAILING = 4
"""Of these, at most so many that failed at their last turn: the others never wait for those."""
KEPT = timedelta(days=90)
"""How long it is known what servers were lent."""
_ACTOR = "lending"
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=15), timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class FilesOf:
    """The files of a dataset: its name, and the parts of its source that hold them."""

    dataset: str
    parts: tuple[Part, ...]


class Lending:
    """Makes what servers are lent, and takes it back."""

    def __init__(self, record: Record, opening: Opening) -> None:
        self.record, self.opening = record, opening
        self._lock = threading.Lock()
        self._later: dict[str, tuple[datetime, timedelta]] = {}
        self._failed: dict[str, datetime] = {}
        self._forgot_at: datetime | None = None

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
        if not right.whole and (credential.wider or credential.shared):
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
        with self.record.writing(_ACTOR, now, configuration=False) as writing:
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
            self._withdraw(loan, now)
            raise
        with self.record.writing(_ACTOR, now, configuration=False) as writing:
            expires = credential.expires_at or until
            still = loans.made(writing, loan.id, credential.account, expires)
        if not still:
            self._withdraw(loan, now)
            raise _taken_back(source)
        return credential

    def _begin(
        self, source: Source, server: Allotment, account: str, until: datetime, now: datetime
    ) -> tuple[Loan, Opened]:
        """Write the loan down before anything is made, so that nothing is left behind."""
        with self.record.writing(_ACTOR, now, configuration=False) as writing:
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

    def round(self, now: datetime) -> str:
        """Withdraw every loan whose time or right is over. Returns in words what was done."""
        self._forget_old(now)
        with self.record.reading() as reading:
            due = {one.id: one for one in (*loans.due(reading, now), *lost(reading, now))}
        turns = self._turns(due, now)
        if not turns:
            return ""
        with ThreadPoolExecutor(min(AT_ONCE, len(turns)), "withdrawing") as side_by_side:
            tried = list(side_by_side.map(lambda some: self._withdraw_some(some, now), turns))
        done, left = sum(some for some, _ in tried), sum(1 for _, failed in tried if failed)
        said = [f"withdrew {counted(done, 'loan')}"] if done else []
        said += [f"{counted(left, 'account')} could not be dropped yet"] if left else []
        return "; ".join(said)

    def _turns(self, due: Mapping[str, Loan], now: datetime) -> list[list[Loan]]:
        """What is to be tried now, by source: first of those that answered, then of some that did not."""
        by_source: dict[str, list[Loan]] = {}
        with self._lock:
            self._later = {key: later for key, later in self._later.items() if key in due}
            held = {one.source for one in due.values()}
            self._failed = {name: at for name, at in self._failed.items() if name in held}
            for one in due.values():
                if one.id not in self._later or now >= self._later[one.id][0]:
                    by_source.setdefault(one.source, []).append(one)
            failed = sorted(by_source.keys() & self._failed, key=lambda name: self._failed[name])
        answered = [name for name in by_source if name not in failed]
        return [by_source[name] for name in (*answered, *failed[:FAILING])]

    def _withdraw_some(self, some: Sequence[Loan], now: datetime) -> tuple[int, bool]:
        """Withdraw loans of one source until one fails. Returns how many were, and whether one failed.

        One that cannot be dropped must not keep the others waiting: what never failed comes first.
        """
        for done, one in enumerate(sorted(some, key=lambda one: (one.tries, one.id))):
            if not self._withdraw(one, now):
                return done, True
        return len(some), False

    def _forget_old(self, now: datetime) -> None:
        """Forget once a day what was withdrawn long ago."""
        if self._forgot_at is not None and now - self._forgot_at < timedelta(days=1):
            return
        with self.record.writing(_ACTOR, now, configuration=False) as writing:
            loans.forget(writing, now - KEPT)
        self._forgot_at = now

    def withdraw_all(self, source: str, now: datetime) -> None:
        """Withdraw everything that is lent of a source, now. What cannot be is left to the rounds."""
        with self.record.reading() as reading:
            open_now = loans.open_loans(reading, source=source)
        self._withdraw_some(open_now, now)

    def end_all(self, source: str, now: datetime) -> None:
        """Withdraw everything that is lent of a source before it goes, or leads somewhere else.

        Accounts that cannot be dropped are named in an event: afterwards nobody knows where they are.
        """
        with self.record.reading() as reading:
            open_now = loans.open_loans(reading, source=source)
        left = self._left_of(open_now, now)
        if not left:
            return
        with self.record.writing(_ACTOR, now) as writing:
            for one in left:
                loans.withdrawn(writing, one.id)
            accounts = [one.account for one in left]
            writing.event("source.accounts_left", source, after={"accounts": accounts})

    def _left_of(self, some: Sequence[Loan], now: datetime) -> list[Loan]:
        """Withdraw loans of one source side by side. Returns those that could not be.

        Where none of some could be, the source does not answer: the others are not waited for.
        """
        left: list[Loan] = []
        with ThreadPoolExecutor(AT_ONCE, "ending") as side_by_side:
            for start in range(0, len(some), AT_ONCE):
                wave = some[start : start + AT_ONCE]
                done = list(side_by_side.map(lambda one: self._withdraw(one, now), wave))
                left += [one for one, dropped in zip(wave, done, strict=True) if not dropped]
                if not any(done):
                    return left + list(some[start + AT_ONCE :])
        return left

    def _withdraw(self, loan: Loan, now: datetime) -> bool:
        """Withdraw one; False where its source did not let it be dropped now. It is tried again then."""
        problem = ""
        if loan.account is not None:
            problem = self._dropped(loan)
        with self.record.writing(_ACTOR, now, configuration=False) as writing:
            if problem:
                loans.failed(writing, loan.id, problem)
            else:
                loans.withdrawn(writing, loan.id)
        with self._lock:
            if not problem:
                self._later.pop(loan.id, None)
                self._failed.pop(loan.source, None)
                return True
            _, pause = self._later.get(loan.id, (now, _FIRST_PAUSE))
            self._later[loan.id] = (now + pause, min(pause * 2, _LONGEST_PAUSE))
            self._failed[loan.source] = now
        log.warning("an account of %s could not be dropped: %s", loan.source, problem)
        return False

    def _dropped(self, loan: Loan) -> str:
        """Drop what was made for a loan; the problem in words, or empty."""
        try:
            with self.record.reading() as reading:
                source = sources.get(reading, loan.source)
                opened = self.opening.source(reading, source)
            self.opening.kind(source).withdraw(opened, loan.account or "", self.opening.door)
        except NotFound:
            return ""
        except SourceProblem as problem:
            return str(problem)
        except Exception as error:  # one loan that breaks keeps no other from being withdrawn
            log.exception("dropping an account of %s broke", loan.source)
            return f"It broke: {type(error).__name__}. The log says where."
        return ""


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
