"""When claims of a person would start, and what would let them in sooner: looked up, and kept for a while.

Running the queue forward takes up to seconds where thousands wait. So one look is bounded in time
(what is not reached is left out), one at a time is under way in a process, and its answer is good for
a while. Use in threads only, never in an event loop.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from allotment.model.claims import Claim
from allotment.record import estimates, page_facts, sessions
from allotment.record.engine import Reading
from allotment.record.looking import Learnt, Looking
from allotment.rules.sooner import Prospect, Way

FRESH = 2.0
"""Seconds for which an answer is not looked up again, at least."""
WORTH = 5
"""Nor for so many times as long as it took to find."""
KEPT = 300.0
"""Seconds after which an answer is not shown any more."""
PATIENCE = 5.0
"""Seconds that one look takes at most, begun estimates aside."""
LEARNT_LASTS = timedelta(minutes=10)
MOST_KEPT = 2_000


@dataclass(frozen=True, slots=True)
class Question:
    """Whose prospects: of a ticket, of a profile, or, where neither is named, of all that the person may launch.

    ``server`` is the name that is to be launched; ``group`` pays.
    """

    hub: str
    person: str
    server: str = ""
    group: str | None = None
    profile: str = ""
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """Prospects by profile, and what would be sooner. Profiles that nobody can say anything of are left out."""

    prospects: Mapping[str, Prospect] = field(default_factory=dict)
    ways: Mapping[str, tuple[Way, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Known:
    at: float
    took: float
    outlook: Outlook


class Prospects:
    """Looks up, and keeps. One for a process; safe to use from several threads."""

    def __init__(self, *, fresh: float = FRESH, patience: float = PATIENCE) -> None:
        self._fresh, self._patience = fresh, patience
        self._lock = threading.Lock()
        self._known: dict[Question, _Known] = {}
        self._learnt: tuple[datetime, Learnt] | None = None

    def known(self, question: Question) -> Outlook | None:
        """What was found last, where that is not long ago."""
        found = self._known.get(question)
        return found.outlook if found and time.monotonic() - found.at < KEPT else None

    def due(self, question: Question) -> bool:
        """Whether it is worth looking: it was never looked up, or a while ago."""
        found = self._known.get(question)
        return found is None or time.monotonic() - found.at >= max(self._fresh, WORTH * found.took)

    def find(self, reading: Reading, question: Question, now: datetime) -> Outlook:
        """Look, unless the answer is known; where others look just now, what was known before."""
        if not self.due(question):
            return self._known[question].outlook
        if not self._lock.acquire(timeout=self._patience):
            return self.known(question) or Outlook()
        try:
            if not self.due(question):
                return self._known[question].outlook
            began = time.monotonic()
            found = self._look(reading, question, now)
            if len(self._known) >= MOST_KEPT:
                self._forget()
            self._known[question] = _Known(time.monotonic(), time.monotonic() - began, found)
            return found
        finally:
            self._lock.release()

    def _look(self, reading: Reading, question: Question, now: datetime) -> Outlook:
        learnt = self._learn(reading, now)
        facts = page_facts.read(reading, question.person, now)
        until = time.monotonic() + self._patience
        claim = Claim(question.hub, question.person, question.server, "", question.group)
        looking = Looking(reading, facts, claim, now, learnt, lambda: time.monotonic() < until)
        if question.ticket:
            ticket = next((one for one in facts.tickets if one.id == question.ticket), None)
            return Outlook() if ticket is None else Outlook(*looking.of_ticket(ticket))
        return Outlook(*looking.of_profiles(question.profile))

    def _learn(self, reading: Reading, now: datetime) -> Learnt:
        """How long sessions last and how far estimates were off, read now and then."""
        known = self._learnt
        # A young platform learns with every session that ends.
        if known is None or now - known[0] > LEARNT_LASTS or not known[1].sessions.lasted:
            since = now - sessions.LOOK_BACK
            learnt = Learnt(sessions.past(reading, now), estimates.stretch(reading, since))
            known = self._learnt = (now, learnt)
        return known[1]

    def _forget(self) -> None:
        """Make room: what is not shown any more goes, else everything."""
        old = time.monotonic() - KEPT
        kept = {one: found for one, found in self._known.items() if found.at > old}
        self._known = kept if len(kept) < MOST_KEPT else {}
