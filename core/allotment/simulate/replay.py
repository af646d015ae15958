"""Replay of a trace by its events, through the rules of the queue.

What a launch will last is not known to the rules: they are told what nine of ten earlier launches of
its group and size lasted. Who is reclaimed waits again, with what was left of its time: it has
written a checkpoint.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from math import inf

from allotment.model.profiles import Priority
from allotment.rules.queue_line import Line
from allotment.rules.queue_standing import (
    Decisions,
    GroupInPool,
    Node,
    PoolStanding,
    WaitingClaim,
)
from allotment.rules.queue_state import PoolState
from allotment.rules.queueing import Turn
from allotment.simulate.policy import PoolPlan, ShareInPlan, SimulationPolicy
from allotment.simulate.results import PoolResult, Result, Tally, together
from allotment.simulate.trace import Job

EXPECTED_QUANTILE = 0.9
FIRST_GUESS = 3600.0
"""Seconds that the first launch of all is expected to last."""
_STEP = 1_000
_MOMENT = 1e-3
"""Seconds that count as nothing: times of day as floats are no finer than this."""
Progress = Callable[[int], None]


def _nobody_looks(_: int) -> None:
    """Where nobody follows the progress."""


def replay(
    jobs: Sequence[Job], policy: SimulationPolicy, progress: Progress = _nobody_looks
) -> Result:
    """Replay a trace, pool by pool. ``progress`` is told how many more launches were placed.

    A launch for a pool that the policy does not have goes to the first.
    """
    by_pool: dict[str, list[Job]] = {pool.name: [] for pool in policy.pools}
    first = by_pool[policy.pools[0].name]
    for job in jobs:
        by_pool.get(job.pool, first).append(job)
    found: list[PoolResult] = []
    waited: list[float] = []
    for plan in policy.pools:
        if by_pool[plan.name]:
            pool = PoolReplay(plan, by_pool[plan.name], progress)
            found.append(pool.run())
            waited += [wait for waits in pool.tally.waited.values() for wait in waits]
    return together(found, waited)


class PoolReplay:
    """One pool, from the first launch that asks to the last that ends."""

    def __init__(
        self, plan: PoolPlan, jobs: Sequence[Job], progress: Progress = _nobody_looks
    ) -> None:
        self.plan, self.tally = plan, Tally()
        self._progress, self._placed = progress, 0
        self._shares = {share.group: share for share in plan.shares_for(jobs)}
        self._jobs = [self._as_planned(job) for job in jobs]
        self._lasting = Lasting()
        self._began = datetime.fromtimestamp(jobs[0].at, UTC)
        self._start = jobs[0].at
        self.state = PoolState(self._standing(), self._began, reclaims=plan.reclaim)
        self.line = Line()
        self._waiting = 0
        self._ends: list[tuple[float, str, float]] = []
        self._left: dict[str, float] = {}
        self._waited: dict[str, float] = defaultdict(float)
        self._since: dict[str, float] = {}

    def run(self) -> PoolResult:
        """Play all events; what starts at one moment is decided together."""
        clock, place = self._start, 0
        jobs, ends = self._jobs, self._ends
        while place < len(jobs) or ends:
            coming = jobs[place].at if place < len(jobs) else inf
            before, clock = clock, min(coming, ends[0][0] if ends else inf)
            if self._waiting:
                self.tally.idle += self.state.nodes.total * (clock - before)
            self.state.pass_time(clock - before)
            while ends and ends[0][0] <= clock:
                self._end(heappop(ends), clock)
            arrived: list[WaitingClaim] = []
            while place < len(jobs) and jobs[place].at <= clock:
                arrived += self._arrive(jobs[place], place, clock)
                place += 1
            if self._waiting:
                self._decide(clock, arrived)
            elif not self._ends and place == len(jobs):
                break
        self._progress(self._placed % _STEP)
        guaranteed = {name: share.guaranteed for name, share in self._shares.items()}
        return self.tally.result(self.plan.name, self.plan.devices, guaranteed)

    def now(self, clock: float) -> datetime:
        """POSIX seconds as an aware time."""
        return self._began + timedelta(seconds=clock - self._start)

    def _standing(self) -> PoolStanding:
        plan = self.plan
        size = plan.node_devices or plan.devices
        sizes = [size] * (plan.devices // size) + [plan.devices % size] * (plan.devices % size > 0)
        return PoolStanding(
            plan.name,
            "",
            plan,
            plan.devices,
            tuple(Node(f"node-{number:04}", devices) for number, devices in enumerate(sizes)),
            tuple(self._group(share) for share in self._shares.values()),
        )

    def _group(self, share: ShareInPlan) -> GroupInPool:
        ceiling = self.plan.devices if share.ceiling is None else share.ceiling
        weight = float(share.guaranteed or 1) if share.weight is None else share.weight
        return GroupInPool(share.group, share.guaranteed, ceiling, weight)

    def _as_planned(self, job: Job) -> Job:
        if self.plan.priority != "as-asked":
            job = job._replace(priority=Priority(self.plan.priority))
        share = self._shares.get(job.group)
        if self.plan.requests == "capped" and share is not None:
            job = job._replace(devices=max(1, min(job.devices, share.guaranteed)))
        return job

    def _arrive(self, job: Job, number: int, clock: float) -> list[WaitingClaim]:
        if job.devices > self._most(job):
            self.tally.never[job.group] += 1
            return []
        claim = self._claim(job, f"{number:07}", clock)
        self._left[claim.id] = job.seconds
        self._wait(claim, clock)
        return [claim]

    def _most(self, job: Job) -> int:
        """What a launch may ever get here."""
        share = self._shares.get(job.group)
        if share is None:
            return 0
        group = self._group(share)
        borrows = self.plan.sharing and job.priority is Priority.LOW
        own = group.ceiling if borrows else min(group.guaranteed, group.ceiling)
        return min(own, self.plan.node_devices or self.plan.devices)

    def _claim(self, job: Job, name: str, clock: float) -> WaitingClaim:
        expected = self._lasting.expected(job.group, job.devices)
        since = self.now(clock)
        kind = f"{job.group}/{job.devices}"
        return WaitingClaim(
            name, job.group, "", job.devices, job.priority, since, expected, kind=kind
        )

    def _wait(self, claim: WaitingClaim, clock: float) -> None:
        self.line.add(claim)
        self._waiting += 1
        self._since[claim.id] = clock

    def _decide(self, clock: float, arrived: Sequence[WaitingClaim]) -> None:
        if not self.state.nodes.most and not self.state.reclaims:
            for claim in arrived:
                self._note(Turn(self.state, self.line, self._began), claim)
            return
        turn = Turn(self.state, self.line, self.now(clock))
        turn.take()
        turn.leave()
        decisions = turn.decisions(reasons=False)
        for start in decisions.starts:
            self._began_one(start.ticket, clock)
        self._tell(decisions)
        for claim in arrived:
            if claim.id in self._since:
                self._note(turn, claim)

    def _note(self, turn: Turn, claim: WaitingClaim) -> None:
        self.tally.reasons[turn.reason(claim).cause.rule.value] += 1

    def _tell(self, decisions: Decisions) -> None:
        for reclaim in decisions.reclaims:
            stop = self._start + (reclaim.stop_at - self._began).total_seconds()
            heappush(self._ends, (stop, reclaim.allotment, self._since_held(reclaim.allotment)))

    def _since_held(self, name: str) -> float:
        return self._start + (self.state.held[name].since - self._began).total_seconds()

    def _began_one(self, name: str, clock: float) -> None:
        self._waiting -= 1
        self._waited[name] += clock - self._since.pop(name)
        heappush(self._ends, (clock + self._left[name], name, clock))
        self._placed += 1
        if self._placed % _STEP == 0:
            self._progress(_STEP)

    def _end(self, event: tuple[float, str, float], clock: float) -> None:
        """A session ends, or is stopped for its devices: then it waits again with what was left."""
        _, name, began = event
        claim = self.state.held.get(name)
        if claim is None or self._since_held(name) != began:
            return
        self.state.end(name)
        job = self._jobs[int(name)]
        lasted = clock - began
        self.tally.held[job.group] += lasted * job.devices
        self._left[name] -= lasted
        if claim.reclaim_at is not None and self._left[name] > _MOMENT:
            self.tally.reclaimed[job.group] += 1
            self._wait(self._claim(job, name, clock), clock)
            return
        self._lasting.learn(job.group, job.devices, job.seconds)
        self.tally.waited[job.group].append(self._waited.pop(name))
        del self._left[name]


class Lasting:
    """What sessions lasted so far, by group and size."""

    def __init__(self) -> None:
        self._past: dict[tuple[str, int], list[float]] = defaultdict(list)
        self._of_all: dict[int, list[float]] = defaultdict(list)

    def learn(self, group: str, devices: int, seconds: float) -> None:
        """Remember one that has ended."""
        insort(self._past[group, devices], seconds)
        self._of_all[devices].append(seconds)

    def expected(self, group: str, devices: int) -> float:
        """Seconds that nine of ten such sessions lasted at most; of all groups, where it had none yet."""
        past = self._past.get((group, devices)) or sorted(self._of_all.get(devices, ()))
        if not past:
            return FIRST_GUESS
        return past[min(len(past) - 1, int(len(past) * EXPECTED_QUANTILE))]

    def by_kind(self) -> dict[str, list[float]]:
        """All of it, by the kind that waiting claims carry."""
        return {f"{group}/{devices}": past for (group, devices), past in self._past.items()}
