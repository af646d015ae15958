"""Withdrawing: what servers were lent is taken back when its time or the right to it is over, whatever hangs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta

from allotment.data.kinds.kind import Opened
from allotment.data.opening import Opening
from allotment.data.problems import SourceProblem
from allotment.model.amounts import counted
from allotment.model.refusals import NotFound
from allotment.record import Record, loans, sources
from allotment.record.loans import Loan
from allotment.work.rights_of_loans import lost

log = logging.getLogger(__name__)

EVERY = 15.0
"""Seconds between two rounds: whoever loses a source has lost it within a minute."""
ROUND_SECONDS = 20.0
"""Seconds that a round waits for sources; those that take longer are not waited for, nor asked anew meanwhile."""
SOURCES_AT_ONCE = 48
"""Sources that loans are withdrawn from side by side."""
AT_ONCE = 12
"""Loans of one source that are withdrawn side by side, before it goes or leads somewhere else."""
FAILING = 4
"""Sources in a round that failed at their last turn, at most: the others never wait for those."""
KEPT = timedelta(days=90)
"""How long it is known what servers were lent."""
ACTOR = "lending"
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=15), timedelta(minutes=10)


class Withdrawing:
    """Takes back what servers were lent."""

    def __init__(self, record: Record, opening: Opening) -> None:
        self.record, self.opening = record, opening
        self._lock = threading.Lock()
        self._later: dict[str, tuple[datetime, timedelta]] = {}
        self._failed: dict[str, datetime] = {}
        self._under_way: set[str] = set()
        self._forgot_at: datetime | None = None

    def round(self, now: datetime) -> str:
        """Withdraw every loan whose time or right is over. Returns in words what was done."""
        self._forget_old(now)
        with self.record.reading() as reading:
            due = {one.id: one for one in (*loans.due(reading, now), *lost(reading, now))}
        turns = self._turns(due, now)
        if not turns:
            return ""
        side_by_side = ThreadPoolExecutor(min(SOURCES_AT_ONCE, len(turns)), "withdrawing")
        begun = [side_by_side.submit(self._turn, some, now) for some in turns]
        answered, hanging = wait(begun, timeout=ROUND_SECONDS)
        # Each call ends by itself; what has not begun has its turn in the next round.
        side_by_side.shutdown(wait=False, cancel_futures=True)
        return _said(answered, len(hanging))

    def _turns(self, due: Mapping[str, Loan], now: datetime) -> list[list[Loan]]:
        """What is to be tried now, by source: first of those that answered, then of some that did not."""
        by_source: dict[str, list[Loan]] = {}
        with self._lock:
            self._later = {key: later for key, later in self._later.items() if key in due}
            held = {one.source for one in due.values()}
            self._failed = {name: at for name, at in self._failed.items() if name in held}
            for one in due.values():
                waits = one.id in self._later and now < self._later[one.id][0]
                if not waits and one.source not in self._under_way:
                    by_source.setdefault(one.source, []).append(one)
            failed = sorted(by_source.keys() & self._failed, key=lambda name: self._failed[name])
        answered = [name for name in by_source if name not in failed]
        return [by_source[name] for name in (*answered, *failed[:FAILING])]

    def _turn(self, some: Sequence[Loan], now: datetime) -> tuple[int, bool]:
        source = some[0].source
        with self._lock:
            self._under_way.add(source)
        try:
            return self._withdraw_some(some, now)
        finally:
            with self._lock:
                self._under_way.discard(source)

    def _withdraw_some(self, some: Sequence[Loan], now: datetime) -> tuple[int, bool]:
        """Withdraw loans of one source until one fails. Returns how many were, and whether one failed.

        One that cannot be dropped must not keep the others waiting: what never failed comes first.
        """
        for done, one in enumerate(sorted(some, key=lambda one: (one.tries, one.id))):
            if not self.withdraw(one, now):
                return done, True
        return len(some), False

    def _forget_old(self, now: datetime) -> None:
        """Forget once a day what was withdrawn long ago."""
        if self._forgot_at is not None and now - self._forgot_at < timedelta(days=1):
            return
        with self.record.writing(ACTOR, now, configuration=False) as writing:
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
        self.leave(source, self._left_of(open_now, now), now)

    def leave(self, source: str, left: Sequence[Loan], now: datetime) -> None:
        """Name accounts that could not be dropped, and do not try again."""
        if not left:
            return
        with self.record.writing(ACTOR, now) as writing:
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
                done = list(side_by_side.map(lambda one: self.withdraw(one, now), wave))
                left += [one for one, dropped in zip(wave, done, strict=True) if not dropped]
                if not any(done):
                    return left + list(some[start + AT_ONCE :])
        return left

    def withdraw(self, loan: Loan, now: datetime, opened: Opened | None = None) -> bool:
        """Withdraw one; False where its source did not let it be dropped now. It is tried again then.

        ``opened`` is the source as it was lent; None: as it is now.
        """
        problem = ""
        if loan.account is not None:
            problem = self._dropped(loan, opened)
        with self.record.writing(ACTOR, now, configuration=False) as writing:
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

    def _dropped(self, loan: Loan, opened: Opened | None) -> str:
        """Drop what was made for a loan; the problem in words, or empty."""
        try:
            with self.record.reading() as reading:
                source = sources.get(reading, loan.source)
                opened = opened or self.opening.source(reading, source)
            self.opening.kind(source).withdraw(opened, loan.account or "", self.opening.door)
        except NotFound:
            return ""
        except SourceProblem as problem:
            return str(problem)
        except Exception as error:  # one loan that breaks keeps no other from being withdrawn
            log.exception("dropping an account of %s broke", loan.source)
            return f"It broke: {type(error).__name__}. The log says where."
        return ""


def _said(answered: set[Future[tuple[int, bool]]], hanging: int) -> str:
    tried = [one.result() for one in answered]
    done, left = sum(some for some, _ in tried), sum(1 for _, failed in tried if failed) + hanging
    said = [f"withdrew {counted(done, 'loan')}"] if done else []
    said += [f"{counted(left, 'account')} could not be dropped yet"] if left else []
    return "; ".join(said)
