"""The step ``queue``: whose turn has come gets an offer, and its server is started through the hub.

What is decided outside of transactions is applied in small ones that ask every rule again, so that
several control planes may be at it. Each starts the servers of its own hub. Nothing is remembered
that the record does not say: after a restart the next round goes on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from allotment.model.claims import Granted
from allotment.model.endings import Cause
from allotment.model.profiles import Priority
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotFound
from allotment.model.tickets import Ticket, TicketState
from allotment.record import (
    Record,
    endings,
    estimates,
    events,
    offers,
    queue_facts,
    sessions,
    tickets,
)
from allotment.record.offers import Place
from allotment.record.queue_facts import PoolModel, Queue
from allotment.record.sessions import Sessions
from allotment.record.tickets import Said
from allotment.rules.eta import Estimate, estimate
from allotment.rules.queue_standing import Decisions, Reclaim, Wait
from allotment.rules.queueing import schedule
from allotment.work.errands import AT_ONCE
from allotment.work.hub_api import HubApi, HubAway, HubRefused

log = logging.getLogger(__name__)

ROUND_EVERY = 1.0
"""Seconds between two rounds."""
ANYWAY = timedelta(seconds=10)
"""Decided again after so long though nothing happened: waits grow long, reservations begin."""
START_AGAIN = 5.0
"""Seconds until the hub is asked again to start what it could not start."""
SESSIONS_LAST = timedelta(minutes=10)
NOTE_EVERY = 2.0
"""Seconds between two writings of positions, at least; longer where writing them takes long."""
ESTIMATE_EVERY = 15.0
"""Seconds between two estimates."""
MOST_ESTIMATED = 200
"""Tickets of a pool that are told a time."""
_WORTH = 20
_REMEDY = "It starts by itself when its turn comes."


class Queueing:
    """Decides, offers, reclaims, starts, expires. Blocks; keep one per process."""

    def __init__(self, record: Record, hub_api: HubApi, hub: str) -> None:
        self._record, self._hub_api, self._hub = record, hub_api, hub
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="starting")
        self._lock = threading.Lock()
        self._starting: dict[str, tuple[Future[None], float]] = {}
        self._sessions = Sessions()
        self._sessions_at: datetime | None = None
        self._seen: tuple[int, datetime] | None = None
        self._told: dict[str, Said] = {}
        self._note_after = self._estimate_after = 0.0
        self._idle = False

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
                    self._seen = (sequence, now)
                self._start_offered()
            self._idle = not waits
            return "; ".join(done)

    def close(self) -> None:
        """Start nothing more; what is under way is left to end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _due(self, sequence: int, now: datetime) -> bool:
        if self._seen is None:
            return True
        before, at = self._seen
        return sequence != before or now - at >= ANYWAY

    # Deciding.

    def _decide(self, now: datetime) -> list[str]:
        self._learn(now)
        with self._record.reading() as reading:
            queue = queue_facts.read(reading, now, expected=self._sessions.expected)
        decided = schedule(tuple(queue.standings.values()), queue.waiting, now)
        done = []
        for key, decisions in decided.items():
            for start in decisions.starts:
                outcome = offers.offer(self._record, start.ticket, Place(*key, start.node), now)
                if isinstance(outcome, Granted):
                    held = outcome.allotment
                    done.append(f"offered {held.person}/{held.server}")
            for reclaim in decisions.reclaims:
                done += self._reclaim(reclaim, now)
        done += self._withdraw(queue, decided, now)
        self._note(decided, now)
        self._estimate(queue, now)
        return done

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
            with self._record.writing(offers.QUEUE, now) as writing:
                endings.say(writing, reclaim.allotment, Cause.RECLAIM, reclaim.stop_at, words)
        except NotFound:
            return []
        return [f"reclaims {reclaim.allotment}"]

    def _withdraw(
        self, queue: Queue, decided: Mapping[PoolModel, Decisions], now: datetime
    ) -> list[str]:
        """Take announcements back that nobody needs any more: who waited is served or gone."""
        with self._record.reading() as reading:
            told = queue_facts.reclaimed(reading)
        started = {start.ticket for one in decided.values() for start in one.starts}
        wanted = {key[0] for key in queue.standings if _wanted(queue, key, started)}
        done = []
        for allotment, pool in told.items():
            if pool in wanted:
                continue
            with self._record.writing(offers.QUEUE, now) as writing:
                endings.withdraw(writing, allotment, Cause.RECLAIM, "Nobody waits for it any more.")
            done.append(f"reclaims {allotment} no more")
        return done

    def _note(self, decided: Mapping[PoolModel, Decisions], now: datetime) -> None:
        """Keep positions and reasons for pages; seldom enough that writing them is never most of the work."""
        if time.monotonic() < self._note_after:
            self._seen = None  # what was not written now is written soon
            return
        began = time.monotonic()
        said = said_of(decided)
        changed = [one for one in said.values() if self._told.get(one.ticket) != one]
        if changed:
            with self._record.writing(offers.QUEUE, now, configuration=False) as writing:
                tickets.note(writing, changed)
        self._told = said
        self._note_after = began + max(NOTE_EVERY, _WORTH * (time.monotonic() - began))

    def _estimate(self, queue: Queue, now: datetime) -> None:
        """Tell those who stand first when their turn comes; seldom, for it runs the queue forward."""
        if time.monotonic() < self._estimate_after:
            return
        began = time.monotonic()
        with self._record.reading() as reading:
            stretch = estimates.stretch(reading, now - sessions.LOOK_BACK)
        said: dict[str, Estimate] = {}
        for key, waiting in queue.waiting.items():
            first = [claim.id for claim in waiting[:MOST_ESTIMATED]]
            found = estimate(
                queue.standings[key],
                waiting,
                first,
                now,
                sessions=self._sessions.by_profile,
                stretch=stretch,
            )
            said |= {id_: one for id_, one in found.items() if _sooner(one, said.get(id_))}
        with self._record.writing(offers.QUEUE, now, configuration=False) as writing:
            estimates.keep(writing, {id_: one for id_, one in said.items() if one.position})
        self._estimate_after = began + max(ESTIMATE_EVERY, _WORTH * (time.monotonic() - began))

    # Starting.

    def _start_offered(self) -> None:
        """Have the hub start what is offered to this hub's tickets and not under way."""
        with self._record.reading() as reading:
            offered = tickets.live(reading, hub=self._hub, state=TicketState.OFFERED)
        known = {ticket.id for ticket in offered}
        self._starting = {
            key: (future, began)
            for key, (future, began) in self._starting.items()
            if key in known or not future.done()
        }
        for ticket in offered:
            future, began = self._starting.get(ticket.id, (None, 0.0))
            if future is None or (future.done() and time.monotonic() - began > START_AGAIN):
                begun = self._threads.submit(self._start, ticket)
                self._starting[ticket.id] = (begun, time.monotonic())

    def _start(self, ticket: Ticket) -> None:
        """Ask the hub. What it will not start goes back; what it cannot start now is asked again."""
        options = {"ticket": ticket.id}
        try:
            self._hub_api.start_server(
                ticket.person, ticket.server, options, display_name=ticket.display_name
            )
        except HubAway as away:
            log.warning("%s/%s is started later: %s", ticket.person, ticket.server, away)
        except HubRefused as refused:
            self._give_back(ticket, str(refused))

    def _give_back(self, ticket: Ticket, why: str) -> None:
        try:
            server = self._hub_api.server(ticket.person, ticket.server)
            if server is not None and server.pending:
                return  # an earlier question of ours, or its stop, is under way
        except HubRefused:
            log.warning("%s/%s cannot be looked at", ticket.person, ticket.server)
        except HubAway as away:
            log.warning("%s/%s is looked at later: %s", ticket.person, ticket.server, away)
            return
        if offers.withdraw(self._record, ticket.id, why, datetime.now(UTC)):
            log.warning("%s/%s is not started: %s", ticket.person, ticket.server, why)


def _wanted(queue: Queue, key: PoolModel, started: Collection[str]) -> bool:
    """Whether somebody waits for a pool within their group's guarantee: for them others give back."""
    groups = {group.name: group for group in queue.standings[key].groups}
    for claim in queue.waiting.get(key, ()):
        group = groups.get(claim.group)
        if claim.id in started or group is None:
            continue
        held = group.held if claim.priority is Priority.LOW else group.held_dedicated
        if held + claim.devices <= group.guaranteed:
            return True
    return False


def _sooner(one: Estimate, known: Estimate | None) -> bool:
    """Whether an estimate for another pool is better than what is known."""
    if known is None or known.most is None:
        return True
    return one.most is not None and one.most < known.most


def said_of(decided: Mapping[PoolModel, Decisions]) -> dict[str, Said]:
    """What is said of each ticket: by the pool in which it stands foremost."""
    best: dict[str, Said] = {}
    for decisions in decided.values():
        for wait in decisions.waits:
            known = best.get(wait.ticket)
            if known is None or wait.position < known.position:
                best[wait.ticket] = Said(wait.ticket, wait.position, reason_of(wait))
    return best


def reason_of(wait: Wait) -> Reason:
    """Why a ticket waits, as a reason."""
    return Reason(
        Rule(wait.rule),
        wait.message,
        limit=wait.limit,
        used=wait.used,
        asked=wait.asked,
        remedy=_REMEDY,
    )
