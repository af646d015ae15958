"""When a ticket's turn comes: the queue run forward, in several worlds.

In each world every session ends at another quantile of what sessions of its kind lasted, given how
long it has run; across the worlds each session takes every part of that distribution once (a Latin
hypercube). Nothing is random here: the seed and the ids decide which world gets which part.

Nobody who may still come is in these worlds, and sessions of one kind depend on one another. So what
was told is compared with what came true, and the times are stretched until nine of ten hold
(Gibbs and Candès, Adaptive conformal inference under distribution shift, 2021).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from itertools import chain
from math import exp, inf
from zlib import crc32

from allotment.rules.outages import Away
from allotment.rules.queue_line import Line
from allotment.rules.queue_standing import PoolStanding, WaitingClaim
from allotment.rules.queue_state import PoolState
from allotment.rules.queueing import decide, serve

WORLDS = 10
MOST_DECISIONS = 60
"""So often the queue is decided in one world at most; who has not started by then follows at the pace till then."""
TOGETHER, AT_LEAST = 0.1, 60.0
"""Sessions that end within this part of the time from now, or so many seconds, are taken to end together."""
FEWEST_SESSIONS = 5
"""With fewer past sessions of a kind, those of all kinds speak for it."""
ANY_KIND = ""
HALF, MOST = 0.5, 0.9
_STEP = 0.2
_ENDS, _TOLD, _LEAVE, _RETURN = range(4)
"""What comes at a time: a session ends, or is told to; devices leave for a cordon, or return."""
_Event = tuple[float, int, str]
"""Seconds from now, what comes, and to whom: an allotment's or a ticket's id, or an outage's number."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """When a ticket starts with 50 % (``half``) and with 90 % (``most``). None: nobody can say."""

    position: int
    half: datetime | None
    most: datetime | None


class Sessions:
    """How long past sessions lasted, in seconds, by kind; ``ANY_KIND`` for all together."""

    def __init__(self, past: Mapping[str, Iterable[float]]) -> None:
        self._past = {kind: sorted(lasted) for kind, lasted in past.items()}
        if ANY_KIND not in self._past:
            self._past[ANY_KIND] = sorted(chain(*self._past.values()))

    def remaining(self, kind: str, age: float, quantile: float) -> float | None:
        """Seconds that a session of this age still lasts, at a quantile; None: no past sessions."""
        lasted = self._past.get(kind, ())
        if len(lasted) < FEWEST_SESSIONS:
            lasted = self._past[ANY_KIND]
        if not lasted:
            return None
        older = bisect_right(lasted, age)
        if older == len(lasted):
            # Older than all before it: as likely as not to last as long again.
            return age * quantile / max(1 - quantile, 1e-3)
        place = older + min(int((len(lasted) - older) * quantile), len(lasted) - older - 1)
        return lasted[place] - age


@dataclass(frozen=True, slots=True)
class Stretch:
    """By how much waits are stretched, learnt from what was told before."""

    half: float = 1.0
    most: float = 1.0

    def learn(self, *, half_held: bool, most_held: bool) -> Stretch:
        """Go on from one ticket that has started: whether its two times held."""
        return Stretch(
            self.half * exp(_STEP * (HALF - half_held)), self.most * exp(_STEP * (MOST - most_held))
        )


def estimate(
    standing: PoolStanding,
    waiting: Sequence[WaitingClaim],
    tickets: Collection[str],
    now: datetime,
    *,
    sessions: Sessions,
    stretch: Stretch = Stretch(),
    seed: int = 0,
) -> Mapping[str, Estimate]:
    """Estimate when these tickets start. One that starts now is at position 0.

    What the standing knows of planned outages is in it: devices leave and come back, sessions are stopped.
    """
    positions = {wait.ticket: wait.position for wait in decide(standing, waiting, now).waits}
    line = Line(waiting, {one.person for one in standing.reservations if one.person})
    waits: dict[str, list[float]] = {ticket: [] for ticket in tickets}
    for number in range(WORLDS):
        world = _World(standing, line.copy(), now, sessions, (seed, number))
        began = world.run(set(tickets), positions)
        for ticket, known in waits.items():
            known.append(began.get(ticket, inf))
    return {
        ticket: Estimate(
            positions.get(ticket, 0),
            _moment(now, known, HALF, stretch.half),
            _moment(now, known, MOST, stretch.most),
        )
        for ticket, known in waits.items()
    }


class _World:
    """One course that things may take from now on."""

    def __init__(
        self,
        standing: PoolStanding,
        line: Line,
        now: datetime,
        sessions: Sessions,
        world: tuple[int, int],
    ) -> None:
        self._now, self._sessions, self._world = now, sessions, world
        self._state = PoolState(standing, now)
        self._line = line
        self._kinds = {claim.id: claim.kind for claim in line}
        self._ends: list[_Event] = []
        for claim in standing.held:
            age = (now - claim.since).total_seconds()
            self._ends.append((self._lasts(claim.id, claim.kind, age), _ENDS, claim.id))
            if claim.reclaim_at is not None:
                self._ends.append((self._until(claim.reclaim_at), _TOLD, claim.id))
        self._away = Away(standing.outages, self._state.nodes, now)
        for allotment, moment in standing.outages.stopped.items():
            self._ends.append((self._until(moment), _ENDS, allotment))
        for number, outage in enumerate(standing.outages.spans):
            if outage.begins > now:
                self._ends.append((self._until(outage.begins), _LEAVE, str(number)))
            if outage.ends is not None:
                self._ends.append((self._until(outage.ends), _RETURN, str(number)))
        heapify(self._ends)

    def _until(self, moment: datetime) -> float:
        """Seconds from now; nothing comes before now."""
        return max(0.0, (moment - self._now).total_seconds())

    def run(self, tickets: set[str], order: Iterable[str]) -> dict[str, float]:
        """Seconds from now until each ticket starts; those that do not are left out.

        ``order``: all who wait, in the order in which they are asked now.
        """
        began: dict[str, float] = {}
        clock, state, ends = 0.0, self._state, self._ends
        for _ in range(MOST_DECISIONS):
            if state.nodes.most or state.reclaims:
                self._serve(clock, began)
            if tickets <= began.keys() or not ends or ends[0][0] == inf:
                return began
            before, first = clock, max(clock, ends[0][0])
            together = first + max(AT_LEAST, TOGETHER * first)
            while ends and ends[0][0] <= together:
                clock = max(clock, ends[0][0])
                self._end(heappop(ends))
            state.pass_time(clock - before)
        return _go_on(began, tickets, order, clock)

    def _end(self, event: _Event) -> None:
        """A session ends, or is stopped for its devices, unless it was spared; devices leave or return."""
        seconds, kind, name = event
        if kind in {_LEAVE, _RETURN}:
            (self._away.leave if kind == _LEAVE else self._away.come_back)(int(name))
            return
        claim = self._state.held.get(name)
        if claim is None:
            return
        if kind == _TOLD:
            at = claim.reclaim_at
            if at is None or (at - self._now).total_seconds() > seconds:
                return
        self._state.end(name)
        self._away.was_freed(claim.node)

    def _serve(self, clock: float, began: dict[str, float]) -> None:
        decisions = serve(self._state, self._line, self._now + timedelta(seconds=clock))
        for start in decisions.starts:
            began[start.ticket] = clock
            lasts = self._lasts(start.ticket, self._kinds[start.ticket], 0.0)
            heappush(self._ends, (clock + lasts, _ENDS, start.ticket))
            stop = self._away.stops(start.node, self._now + timedelta(seconds=clock))
            if stop is not None:
                heappush(self._ends, (self._until(stop), _ENDS, start.ticket))
        for reclaim in decisions.reclaims:
            heappush(self._ends, (self._until(reclaim.stop_at), _TOLD, reclaim.allotment))

    def _lasts(self, name: str, kind: str, age: float) -> float:
        seed, number = self._world
        part = crc32(f"{seed} {name}".encode()) / 2**32
        remaining = self._sessions.remaining(kind, max(age, 0.0), (number / WORLDS + part) % 1.0)
        return inf if remaining is None else max(remaining, 1.0)


def _go_on(
    began: dict[str, float], tickets: Collection[str], order: Iterable[str], clock: float
) -> dict[str, float]:
    """Who has not started when enough was decided starts as fast as the others did."""
    served = len(began)
    waiting = [ticket for ticket in order if ticket not in began]
    for place, ticket in enumerate(waiting, 1) if served else ():
        if ticket in tickets:
            began[ticket] = clock * (served + place) / served
    return began


def _moment(now: datetime, waits: list[float], quantile: float, stretch: float) -> datetime | None:
    known = sorted(waits)
    wait = known[min(len(known) - 1, int(len(known) * quantile))]
    return None if wait == inf else now + timedelta(seconds=wait * stretch)
