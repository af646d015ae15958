"""The step ``queue``: whose turn has come gets an offer, and its server is started through the hub.

It follows the record: a release, a new ticket or a changed share is answered within milliseconds,
whichever process wrote it. What is decided outside of transactions is applied in small ones that ask
every rule again, so that several control planes may be at it. Each starts the servers of its own hub.
Nothing is remembered that the record does not say: after a restart the next round goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from allotment.model.allotments import Allotment
from allotment.model.claims import Granted
from allotment.model.endings import Cause
from allotment.model.refusals import NotFound
from allotment.record import (
    Record,
    endings,
    events,
    offers,
    queue_aside,
    queue_facts,
    sessions,
    tickets,
)
from allotment.record.changes import SLOWEST, Watch
from allotment.record.offers import Outstanding, Place, Turn
from allotment.record.queue_facts import PoolModel
from allotment.record.queue_lines import Lined, Lines
from allotment.record.sessions import Sessions
from allotment.rules.queue_standing import Decisions, Reclaim
from allotment.rules.queueing import schedule
from allotment.work.hub_api import HubApi
from allotment.work.measures import WorkMeasures
from allotment.work.places import Places
from allotment.work.queue_starting import Starting
from allotment.work.queue_telling import Telling

LINGER = 0.5
"""Seconds that one run waits for something to happen before it looks at what time alone brings."""
CALM = 0.25
"""Seconds between two looks at the record while nobody waits."""
AFTER_FAILURE = 1.0
"""Seconds of pause after a round that failed."""
ANYWAY = timedelta(seconds=10)
"""Decided again after so long though nothing happened: waits grow long, reservations begin."""
REST = 0.5
"""Rest after a decision for this part of the time that it took: what happens meanwhile is decided together."""
SWEEP = timedelta(minutes=1)
"""All who stand aside are looked at after so long though nothing happened: a budget's month begins."""
TOGETHER = 32
"""Offers that are made in one transaction at most."""
SESSIONS_LAST = timedelta(minutes=10)


class Queueing:
    """Decides, offers, reclaims, starts, expires. Blocks; keep one per process."""

    def __init__(
        self, record: Record, hub_api: HubApi, hub: str, measures: WorkMeasures | None = None
    ) -> None:
        self._record, self._hub = record, hub
        self._measures = measures or WorkMeasures()
        self._starting = Starting(record, hub_api)
        self._telling = Telling(record)
        self._watch = Watch(record)
        self._lock = threading.Lock()
        self._lines = Lines()
        self._sessions = Sessions()
        self._sessions_at: datetime | None = None
        self._seen: tuple[int, datetime] | None = None
        self._swept: datetime | None = None
        self._rest_until = 0.0
        self._idle = False

    def follow(self, now: datetime) -> str:
        """One round as soon as something happens, or after a moment though nothing does."""
        began = time.monotonic()
        self._watch.rest(self._rest_until - began)
        seen = -1 if self._seen is None else self._seen[0]
        self._watch.wait(seen, LINGER, slowest=CALM if self._idle else SLOWEST)
        return self.round(now + timedelta(seconds=time.monotonic() - began))

    def round(self, now: datetime) -> str:
        """One round. Returns what was done, in words."""
        with self._lock:
            done: list[str] = []
            with self._record.reading() as reading:
                waits = queue_facts.anybody_waits(reading)
                sequence = events.latest_sequence(reading)
            if waits or not self._idle:
                done += [f"expired {one}" for one in offers.expire_offers(self._record, now)]
                if self._due(sequence, now):
                    done += self._decide(now)
                self._telling.note(now)
                self._starting.start(self._offered())
            if not waits:
                self._seen = (sequence, now)
            self._idle = not waits
            return "; ".join(done)

    @property
    def followed(self) -> int | None:
        """The sequence of the event up to which the queue is decided; None before the first decision."""
        return None if self._seen is None else self._seen[0]

    @property
    def places(self) -> Places:
        """Who is told where tickets stand, as it changes."""
        return self._telling.places

    def settle(self) -> None:
        """Wait for what the last round left to a thread of its own: the estimate of when turns come."""
        self._telling.settle()

    def close(self) -> None:
        """Start nothing more; what is under way is left to end."""
        self._watch.end()
        self._starting.close()
        self._telling.close()

    def _due(self, sequence: int, now: datetime) -> bool:
        if self._seen is None:
            return True
        before, at = self._seen
        return sequence != before or now - at >= ANYWAY

    def _offered(self) -> list[Outstanding]:
        with self._record.reading() as reading:
            return [one for one in offers.outstanding(reading) if one.hub == self._hub]

    # Deciding.

    def _decide(self, now: datetime) -> list[str]:
        began = time.monotonic()
        self._learn(now)
        self._line_up(now)
        with self._record.reading() as reading:
            lined = self._lines.read(reading, now, self._sessions.expected)
        decided = schedule(tuple(lined.standings.values()), lined.lines, now)
        done = []
        for key, decisions in decided.items():
            turns = [Turn(start.ticket, Place(*key, start.node)) for start in decisions.starts]
            for begin in range(0, len(turns), TOGETHER):
                done += self._offer(turns[begin : begin + TOGETHER], now)
            for reclaim in decisions.reclaims:
                done += self._reclaim(reclaim, now)
        done += self._withdraw(lined, decided, now)
        self._telling.decided(decided)
        self._telling.foresee(lined, self._sessions, now)
        self._seen = (lined.sequence, now)
        took = time.monotonic() - began
        self._measures.decided(took)
        self._rest_until = time.monotonic() + REST * took
        return done

    def _line_up(self, now: datetime) -> None:
        """Let those who stand aside back in line whom a limit does not hinder any more."""
        with self._record.reading() as reading:
            if not queue_aside.anybody(reading):
                return
            if self._seen is None or self._swept is None or now - self._swept >= SWEEP:
                people, self._swept = None, now
            else:
                people = queue_aside.touched(reading, self._seen[0])
            ready = queue_aside.able(reading, now, people)
        for ticket in ready:
            with self._record.writing(offers.QUEUE, now, configuration=False) as writing:
                queue_aside.line_up(writing, ticket)

    def _offer(self, turns: Sequence[Turn], now: datetime) -> list[str]:
        outcomes = offers.offer_all(self._record, turns, now)
        self._measures.offered(outcomes)
        held = [one.allotment for one in outcomes if isinstance(one, Granted)]
        self._note_waits(turns, held)
        return [f"offered {one.person}/{one.server}" for one in held]

    def _note_waits(self, turns: Sequence[Turn], held: Sequence[Allotment]) -> None:
        """Measure how long those had waited who hold an offer now."""
        if not held:
            return
        with self._record.reading() as reading:
            known = tickets.some(reading, [turn.ticket for turn in turns])
        since = {one.allotment: one.since for one in known.values()}
        for one in held:
            if one.id in since:
                waited = one.admitted_at - since[one.id]
                self._measures.waited(one.pool or "", waited.total_seconds())

    def _learn(self, now: datetime) -> None:
        """Look at how long sessions lasted, now and then."""
        if self._sessions_at is None or now - self._sessions_at > SESSIONS_LAST:
            with self._record.reading() as reading:
                self._sessions = sessions.past(reading, now)
            self._sessions_at = now

    def _reclaim(self, reclaim: Reclaim, now: datetime) -> list[str]:
        """Announce that a borrower gives back; the step ``endings`` carries it out."""
        words = (
            "Its devices were borrowed, and the group that they are guaranteed to wants them back: "
            f"it is stopped at {reclaim.stop_at:%H:%M} UTC. Save your work."
        )
        try:
            with self._record.writing(offers.QUEUE, now, configuration=False) as writing:
                endings.say(writing, reclaim.allotment, Cause.RECLAIM, reclaim.stop_at, words)
        except NotFound:
            return []
        return [f"reclaims {reclaim.allotment}"]

    def _withdraw(
        self, lined: Lined, decided: Mapping[PoolModel, Decisions], now: datetime
    ) -> list[str]:
        """Take announcements back that nobody needs any more: who waited is served or gone."""
        with self._record.reading() as reading:
            told = queue_facts.reclaimed(reading)
        spared = {allotment for one in decided.values() for allotment in one.spared}
        pools = {pool for pool, _ in lined.standings}
        done = []
        for allotment, pool in told.items():
            if pool in pools and allotment not in spared:
                continue
            with self._record.writing(offers.QUEUE, now, configuration=False) as writing:
                endings.withdraw(writing, allotment, Cause.RECLAIM, "Nobody waits for it any more.")
            done.append(f"reclaims {allotment} no more")
        return done
