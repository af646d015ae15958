"""What those who wait are told: place and reason soon after each decision, the time now and then.

Both are kept in the record for pages. Writing and foreseeing take their time, so they happen seldom
enough never to be most of the work, and the next decision waits for neither estimate.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

from allotment.model.reasons import Reason, Rule
from allotment.record import Record, estimates, offers, outages, sessions, tickets
from allotment.record.queue_facts import PoolModel
from allotment.record.queue_lines import Lined
from allotment.record.sessions import Sessions
from allotment.record.tickets import Said
from allotment.rules.eta import Estimate, estimate
from allotment.rules.outages import Outages
from allotment.rules.queue_line import arrival
from allotment.rules.queue_standing import Decisions, PoolStanding, Wait, WaitingClaim
from allotment.work.places import Places

log = logging.getLogger(__name__)

NOTE_EVERY = 2.0
"""Seconds between two writings of positions, at least; longer where writing them takes long."""
ESTIMATE_EVERY = 15.0
"""Seconds between two estimates."""
MOST_ESTIMATED = 200
"""Tickets of a pool that are told a time."""
_WORTH = 20
_REMEDY = "It starts by itself when its turn comes."


class Telling:
    """Keeps what was said last. One thread uses it; estimates are made in another of its own."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self.places = Places(record)
        self._told: dict[str, Said] = {}
        self._unsaid: Mapping[PoolModel, Decisions] | None = None
        self._note_after = self._estimate_after = 0.0
        self._foreseeing = ThreadPoolExecutor(1, thread_name_prefix="foreseeing")
        self._foreseen: Future[None] | None = None
        self._ending = threading.Event()

    def decided(self, decisions: Mapping[PoolModel, Decisions]) -> None:
        """Take what was decided: it is said with the next :meth:`note`."""
        self._unsaid = decisions

    def note(self, now: datetime) -> None:
        """Keep positions and reasons for pages, unless that was done just now."""
        if self._unsaid is None or time.monotonic() < self._note_after:
            return
        began = time.monotonic()
        said = said_of(self._unsaid)
        changed = [one for one in said.values() if self._told.get(one.ticket) != one]
        if changed:
            with self._record.writing(offers.QUEUE, now, configuration=False) as writing:
                tickets.note(writing, changed)
            self.places.tell([one.ticket for one in changed])
        self._told, self._unsaid = said, None
        self._note_after = began + max(NOTE_EVERY, _WORTH * (time.monotonic() - began))

    def foresee(self, lined: Lined, past: Sessions, now: datetime) -> None:
        """Tell those who stand first when their turn comes, unless that was done lately or is under way."""
        under_way = self._foreseen is not None and not self._foreseen.done()
        if under_way or time.monotonic() < self._estimate_after or self._ending.is_set():
            return
        waiting = {key: sorted(line, key=arrival) for key, line in lined.lines.items()}
        self._foreseen = self._foreseeing.submit(self._foresee, lined.standings, waiting, past, now)

    def settle(self) -> None:
        """Wait for the estimate that is under way, if one is."""
        if self._foreseen is not None:
            self._foreseen.result()

    def close(self) -> None:
        """Begin no further estimate; the one under way is left to end."""
        self._ending.set()
        self._foreseeing.shutdown(wait=False, cancel_futures=True)

    def _foresee(
        self,
        standings: Mapping[PoolModel, PoolStanding],
        waiting: Mapping[PoolModel, Sequence[WaitingClaim]],
        past: Sessions,
        now: datetime,
    ) -> None:
        began = time.monotonic()
        try:
            self._estimate(standings, waiting, past, now)
        except Exception:
            # Nobody waits for what a thread says in the background.
            log.exception("no estimates")
            raise
        finally:
            took = time.monotonic() - began
            self._estimate_after = began + max(ESTIMATE_EVERY, _WORTH * took)

    def _estimate(
        self,
        standings: Mapping[PoolModel, PoolStanding],
        waiting: Mapping[PoolModel, Sequence[WaitingClaim]],
        past: Sessions,
        now: datetime,
    ) -> None:
        with self._record.reading() as reading:
            stretch = estimates.stretch(reading, now - sessions.LOOK_BACK)
            away = outages.planned(reading, {pool for pool, _ in waiting}, now)
        said: dict[str, Estimate] = {}
        for key, line in waiting.items():
            if key not in standings or self._ending.is_set():
                continue
            first = [claim.id for claim in line[:MOST_ESTIMATED]]
            standing = replace(standings[key], outages=away.get(key, Outages()))
            found = estimate(standing, line, first, now, sessions=past.by_profile, stretch=stretch)
            said |= {id_: one for id_, one in found.items() if _sooner(one, said.get(id_))}
        with self._record.writing(offers.QUEUE, now, configuration=False) as writing:
            estimates.keep(writing, {id_: one for id_, one in said.items() if one.position})
        self.places.tell(said)


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
