"""The step ``endings``: servers' ends are announced, taken back, and carried out.

Idleness and lifetimes are announced here; what others announced (reclaim, budgets) is carried out
here, too. Each hub's control plane works on its own hub's servers. Every change is one small
transaction that asks again, so that two at once do what one would.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from allotment.model.allotments import Allotment
from allotment.model.endings import Cause, Ending, Keep
from allotment.model.idleness import IdleRule
from allotment.model.refusals import NotFound
from allotment.model.terms import EndTerms
from allotment.record import Record, allotments, endings, extending
from allotment.record.endings import LiveServer
from allotment.rules.ending import lifetime_stop, lifetime_words
from allotment.rules.idle import GAP, Idle, Unknown, judge, stop_at
from allotment.work.errands import Errands
from allotment.work.hub_api import HubApi
from allotment.work.idle_watch import IdleWatch
from allotment.work.live_use import LiveUse

log = logging.getLogger(__name__)

ACTOR = "endings"
"""Who stops servers whose end had been announced, in the record's events."""
ROUND_EVERY = 5.0
"""Seconds between two rounds: an end comes at most so much late."""
PATIENCE = 5.0
"""Seconds that the hub has to stop what is due; what takes longer goes on, and is not waited for."""
_IDLE = (Cause.IDLE, Cause.IDLE_DEVICES)
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the record says now of one hub's servers."""

    running: tuple[LiveServer, ...]
    open: Mapping[str, tuple[Ending, ...]]
    keeps: Mapping[str, Keep]


class Endings:
    """Announces and carries out, and knows what is announced now. Blocks; keep one per process."""

    def __init__(self, record: Record, hub_api: HubApi, use: LiveUse, hub: str) -> None:
        self._record, self._hub_api, self._hub = record, hub_api, hub
        self._watch = IdleWatch(use)
        self._errands = Errands()
        self._promised: dict[str, EndTerms] = {}
        self._lock = threading.Lock()
        self._told: Mapping[str, tuple[Ending, ...]] = {}
        self._began: datetime | None = None

    def told(self, allotment: str) -> tuple[Ending, ...]:
        """The announced ends of a server as the last round left them; from memory, so that anybody may ask."""
        return self._told.get(allotment, ())

    def round(self, now: datetime) -> str:
        """Announce, take back, carry out. Returns what was done, in words."""
        with self._lock:
            standing = self._standing()
            self._learn(standing.running)
            rules = {one: what.idle for one, what in self._promised.items() if what.idle}
            if self._began is None:
                self._began = now
                self._watch.remember(self._record, rules, now)
            self._watch.look(rules)
            said = [done for one in standing.running for done in self._announce(one, standing, now)]
            stopped = self._carry_out(now)
            self._close_ended(now)
            with self._record.reading() as reading:
                self._told = endings.open_endings(reading, hub=self._hub)
        return "; ".join([*said, *stopped])

    def close(self) -> None:
        """Wait for nothing that is under way."""
        self._errands.close()

    def _standing(self) -> _Standing:
        with self._record.reading() as reading:
            return _Standing(
                endings.running(reading, self._hub),
                endings.open_endings(reading, hub=self._hub),
                extending.keeps_of(reading, hub=self._hub),
            )

    def _learn(self, running: Iterable[LiveServer]) -> None:
        """Read the terms of servers that are new here: they never change."""
        ids = [one.allotment for one in running]
        known = {one: self._promised[one] for one in ids if one in self._promised}
        new = [one for one in ids if one not in known]
        with self._record.reading() as reading:
            for start in range(0, len(new), _AT_ONCE):
                found = allotments.some(reading, new[start : start + _AT_ONCE])
                known |= {one.id: EndTerms.of(one.terms) for one in found}
        self._promised = known

    # Announcing.

    def _announce(self, one: LiveServer, standing: _Standing, now: datetime) -> list[str]:
        promised = self._promised.get(one.allotment, EndTerms())
        known = {ending.cause: ending for ending in standing.open.get(one.allotment, ())}
        done = []
        if promised.lifetime is not None and Cause.LIFETIME not in known:
            stop = lifetime_stop(promised.lifetime, one.running_at, now)
            if stop is not None:
                words = lifetime_words(promised.lifetime)
                done += self._say(one, Cause.LIFETIME, stop, words, now)
        if promised.idle is not None:
            keep = standing.keeps.get(one.allotment)
            done += self._about_idleness(one, promised.idle, known, keep, now)
        return done

    def _about_idleness(
        self,
        one: LiveServer,
        rule: IdleRule,
        known: Mapping[Cause, Ending],
        keep: Keep | None,
        now: datetime,
    ) -> list[str]:
        told = [cause for cause in _IDLE if cause in known]
        if keep is not None and keep.until > now:
            why = f"It is to be left alone until {keep.until:%Y-%m-%d %H:%M} UTC."
            return [done for cause in told for done in self._withdraw(one, cause, why, now)]
        seen = self._watch.seen(one.allotment)
        found = judge(rule, seen, now)
        if isinstance(found, Idle):
            if told:
                return []
            return self._say(one, found.cause, stop_at(rule, found, now), found.message, now)
        if isinstance(found, Unknown):
            last = self._began if seen is None else seen.seen_at
            if last is None or now - last <= GAP:
                return []
            why = "It reports no more, so nobody knows whether it is idle."
        else:
            why = "It is used again."
        return [done for cause in told for done in self._withdraw(one, cause, why, now)]

    def _say(
        self, one: LiveServer, cause: Cause, stop: datetime, words: str, now: datetime
    ) -> list[str]:
        try:
            with self._record.writing(ACTOR, now, configuration=False) as writing:
                endings.say(writing, one.allotment, cause, stop, words)
        except NotFound:  # it ended since it was read
            return []
        return [f"said to {one.name}: {cause} at {stop:%H:%M:%S}"]

    def _withdraw(self, one: LiveServer, cause: Cause, why: str, now: datetime) -> list[str]:
        with self._record.writing(ACTOR, now, configuration=False) as writing:
            if not endings.withdraw(writing, one.allotment, cause, why):
                return []
        return [f"taken back from {one.name}: {cause}"]

    # Carrying out.

    def _carry_out(self, now: datetime) -> list[str]:
        """Mark what is due as stopping, and have the hub stop it.

        Marking is what counts: where the hub is away now, reconciling finishes it.
        """
        with self._record.reading() as reading:
            due = endings.due(reading, now, hub=self._hub)
            ready = [one for one in due if self._still_holds(one, now)]
            held = {one.id: one for one in allotments.some(reading, [e.allotment for e in ready])}
        stopped: list[tuple[Ending, Allotment]] = []
        for ending in ready:
            with self._record.writing(ACTOR, now, configuration=False) as writing:
                if endings.done(writing, ending):
                    stopped.append((ending, held[ending.allotment]))
        calls = [partial(self._hub_api.stop_server, one.person, one.server) for _, one in stopped]
        for asked in self._errands.run(calls, PATIENCE):
            if asked.done() and asked.exception() is not None:
                log.warning("the hub is asked again to stop a server: %s", asked.exception())
        return [f"stopped {one.person}/{one.server}: {e.cause}" for e, one in stopped]

    def _still_holds(self, ending: Ending, now: datetime) -> bool:
        """Whether an end may be carried out: nobody is stopped for idleness that is not known to last."""
        if ending.cause not in _IDLE:
            return True
        rule = self._promised.get(ending.allotment, EndTerms()).idle
        return rule is not None and isinstance(
            judge(rule, self._watch.seen(ending.allotment), now), Idle
        )

    def _close_ended(self, now: datetime) -> None:
        """Withdraw what was announced of servers that ended otherwise, where there are any."""
        with self._record.reading() as reading:
            left = endings.left_open(reading, hub=self._hub)
        if left:
            with self._record.writing(ACTOR, now, configuration=False) as writing:
                endings.close_ended(writing, hub=self._hub)
