"""Replay of a trace by its events, through the rules of the queue.

What a launch will last is not known to the rules: they are told what nine of ten earlier launches of
its group and size lasted. Who is reclaimed waits again, with what was left of its time: it has
written a checkpoint.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from math import inf

from allotment.model.profiles import Priority
from allotment.model.simulation import (
    PoolPlan,
    PoolResult,
    ProfilePlan,
    ShareInPlan,
)
from allotment.rules.queue_line import Line
from allotment.rules.queue_standing import (
    NO_GROUP,
    Decisions,
    Department,
    GroupInPool,
    Node,
    PoolStanding,
    WaitingClaim,
)
from allotment.rules.queue_state import PoolState
from allotment.rules.queue_turn import Turn
from allotment.simulate.lasting import Lasting
from allotment.simulate.ledger import Ledger
from allotment.simulate.policy import shares_for
from allotment.simulate.results import Tally
from allotment.simulate.sessions import MOMENT, Sessions, Stop, idle_within, resumed
from allotment.simulate.trace import Job

_STEP = 1_000
_HOUR = 3600.0
Progress = Callable[[int], None]


def nobody_looks(_: int) -> None:
    """Where nobody follows the progress."""


class PoolReplay:
    """One pool, from the first launch that asks to the last that ends."""

    def __init__(
        self,
        plan: PoolPlan,
        jobs: Sequence[Job],
        progress: Progress = nobody_looks,
        profiles: Sequence[ProfilePlan] = (),
        ledger: Ledger | None = None,
    ) -> None:
        self.plan, self.tally = plan, Tally()
        self._ledger = ledger or None
        self._progress, self._placed = progress, 0
        self._sessions = Sessions(profiles)
        self._sizes = node_sizes(plan)
        self._shares = {share.group: share for share in shares_for(plan, jobs)}
        self._jobs = [self._as_planned(job) for job in jobs]
        self._lasting = Lasting()
        self._began = datetime.fromtimestamp(jobs[0].at, UTC)
        self._start = self._clock = jobs[0].at
        self._place = 0
        self.state = PoolState(self._standing(), self._began, reclaims=plan.reclaim)
        self.line = Line()
        self._ends: list[tuple[float, str, float]] = []
        self._later: list[tuple[float, str, bool]] = []
        """Who asks again (true) or gives up (false) at a time."""
        self._position: dict[str, float] = {}
        self._planned: dict[str, tuple[float, Stop]] = {}
        self._waited: dict[str, float] = defaultdict(float)
        self._waiting: dict[str, tuple[float, WaitingClaim]] = {}

    def run(self) -> PoolResult:
        """Play all events that are left, and tell what came of all."""
        while self.next_at < inf:
            self.step()
        for _, claim in self._waiting.values():
            self.tally.never[claim.group] += 1
        self._progress(self._placed % _STEP)
        guaranteed = {name: share.guaranteed for name, share in self._shares.items()}
        return self.tally.result(self.plan.name, self.plan.devices, guaranteed)

    @property
    def next_at(self) -> float:
        """When something happens next, in POSIX seconds; inf: never again."""
        coming = self._jobs[self._place].at if self._place < len(self._jobs) else inf
        ending = self._ends[0][0] if self._ends else inf
        return min(coming, ending, self._later[0][0] if self._later else inf)

    def step(self) -> None:
        """Play all events of the next moment; what starts then is decided together."""
        before, clock = self._clock, self.next_at
        self._clock = clock
        if self._waiting:
            self.tally.idle += self.state.nodes.total * (clock - before)
        self.state.pass_time(clock - before)
        while self._ends and self._ends[0][0] <= clock:
            self._end(heappop(self._ends), clock)
        arrived: list[WaitingClaim] = []
        while self._place < len(self._jobs) and self._jobs[self._place].at <= clock:
            arrived += self._arrive(self._jobs[self._place], self._place, clock)
            self._place += 1
        leaving = self._come_back(clock, arrived) if self._later else ()
        if self._waiting:
            self._decide(clock, arrived)
        for name in leaving:
            self._give_up(name, clock)

    def now(self, clock: float) -> datetime:
        """POSIX seconds as an aware time."""
        return self._began + timedelta(seconds=clock - self._start)

    def _standing(self) -> PoolStanding:
        plan = self.plan
        return PoolStanding(
            plan.name,
            "",
            plan,
            plan.devices,
            tuple(Node(f"node-{number:04}", devices) for number, devices in enumerate(self._sizes)),
            tuple(self._group(share) for share in self._shares.values()),
            tuple(Department(one.department, one.ceiling) for one in plan.departments),
        )

    def _group(self, share: ShareInPlan) -> GroupInPool:
        ceiling = self.plan.devices if share.ceiling is None else share.ceiling
        weight = float(share.guaranteed or 1) if share.weight is None else share.weight
        department = share.department or None
        return GroupInPool(share.group, share.guaranteed, ceiling, weight, department=department)

    def _as_planned(self, job: Job) -> Job:
        job = self._sessions.adapted(job)
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
        if not self._pays(job, clock):
            self.tally.over_budget[job.group] += 1
            return []
        name = f"{number:07}"
        self._position[name] = 0.0
        if job.patience is not None:
            heappush(self._later, (clock + job.patience, name, False))
        return [self._wait(name, clock)]

    def _pays(self, job: Job, clock: float) -> bool:
        """Whether the group's budget pays; what ran already is not asked."""
        if self._ledger is None or job.running:
            return True
        return self._ledger.pays(job.group, self._sessions.price(job), clock)

    def _come_back(self, clock: float, arrived: list[WaitingClaim]) -> list[str]:
        """Let those ask again who are at work again; who leaves now may be served in this moment still."""
        leaving = []
        while self._later and self._later[0][0] <= clock:
            _, name, again = heappop(self._later)
            if again:
                arrived.append(self._wait(name, clock))
            else:
                leaving.append(name)
        return leaving

    def _give_up(self, name: str, clock: float) -> None:
        """Take out who waits no longer, unless it has begun, now or before."""
        if name not in self._waiting or name in self._waited:
            return
        since, claim = self._waiting.pop(name)
        self.line.remove(claim)
        del self._position[name]
        self.tally.gave_up[claim.group].append(clock - since)

    def _most(self, job: Job) -> int:
        """What a launch may ever get here."""
        largest = max(self._sizes)
        share = self._shares.get(job.group)
        if share is None:
            promised = sum(one.guaranteed for one in self._shares.values())
            return min(self.plan.devices - promised, largest) if job.group == NO_GROUP else 0
        group = self._group(share)
        borrows = self.plan.sharing and job.priority is Priority.LOW
        own = group.ceiling if borrows else min(group.guaranteed, group.ceiling)
        return min(own, largest)

    def _wait(self, name: str, clock: float) -> WaitingClaim:
        job = self._jobs[int(name)]
        claim = WaitingClaim(
            *(name, job.group, "", job.devices, job.priority, self.now(clock)),
            self._lasting.expected(job.group, job.devices),
            kind=f"{job.group}/{job.devices}",
        )
        self.line.add(claim)
        self._waiting[name] = clock, claim
        return claim

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
            if claim.id in self._waiting:
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
        self._waited[name] += clock - self._waiting.pop(name)[0]
        job = self._jobs[int(name)]
        end = self._sessions.end(job, self._position[name])
        if self._ledger is not None:
            self._ledger.change(job.group, self._sessions.price(job), clock)
        self._planned[name] = clock + end.after, end.why
        heappush(self._ends, (clock + end.after, name, clock))
        self._placed += 1
        if self._placed % _STEP == 0:
            self._progress(_STEP)

    def _end(self, event: tuple[float, str, float], clock: float) -> None:
        """A server ends: all is done, or it was stopped and its people come back."""
        _, name, began = event
        claim = self.state.held.get(name)
        if claim is None or self._since_held(name) != began:
            return
        planned, why = self._planned[name]
        if planned - clock > MOMENT:
            told = claim.reclaim_at
            if told is None or (told - self.now(clock)).total_seconds() > MOMENT:
                return  # It was told to give its devices back, and spared later.
            why = Stop.RECLAIM
        self.state.end(name)
        del self._planned[name]
        job, position = self._jobs[int(name)], self._position[name]
        reached = min(position + clock - began, job.seconds)
        self._count(job, position, reached)
        self.tally.stopped[why][job.group] += 1
        if self._ledger is not None:
            self._ledger.change(job.group, -self._sessions.price(job), clock)
        # Who gave devices back goes on where it was, though it may be idle there.
        again = (0.0, reached) if why is Stop.RECLAIM else resumed(job, reached)
        if why is Stop.DONE or again is None:
            self._done(name, job, reached)
            return
        pause, self._position[name] = again
        if pause:
            heappush(self._later, (clock + pause, name, True))
        else:
            self._wait(name, clock)

    def _count(self, job: Job, begin: float, end: float) -> None:
        self.tally.held[job.group] += (end - begin) * job.devices
        if job.idle:
            self.tally.held_idle[job.group] += idle_within(job, begin, end) * job.devices
        price = self._sessions.price(job)
        if price:
            self.tally.cost[job.group] += price * (end - begin) / _HOUR

    def _done(self, name: str, job: Job, reached: float) -> None:
        self._lasting.learn(job.group, job.devices, reached)
        waited = self._waited.pop(name)
        if not job.running:
            self.tally.waited[job.group].append(waited)
        del self._position[name]


def node_sizes(plan: PoolPlan) -> list[int]:
    """Devices of each node."""
    sizes, left = [], plan.devices
    size = plan.node_devices or plan.devices
    for wanted in (*plan.nodes, *[size] * (plan.devices // size + 1)):
        if left:
            sizes.append(min(wanted, left))
            left -= sizes[-1]
    return sizes
