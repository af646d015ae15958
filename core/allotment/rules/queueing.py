"""The queue: who starts now, in which order, who gives back, and why the others wait.

The order: an operator's word, then claims within their group's guarantee, then fair share (what the
group has and had lately, over its weight), then first come. A claim within the guarantee that has
waited long comes before the younger ones, whatever their groups have. A ticket that fits nowhere is
passed by, until it has waited longer than the policy's ``protect_after``: then only what does not
delay it may overtake it (:mod:`~allotment.rules.overtaking`).

Only the heads of lines are ranked (:mod:`~allotment.rules.queue_line`); their keys only get worse
while a decision is made, so a key is looked at again only when its line comes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from heapq import heapify, heappop, heappush

from allotment.model.amounts import counted
from allotment.rules.overtaking import Protection, protect, protect_share
from allotment.rules.queue_line import Bucket, Line, arrival
from allotment.rules.queue_reasons import Cause, Hindrance, Waiting, Waits
from allotment.rules.queue_standing import (
    Decisions,
    PoolStanding,
    Reclaim,
    Reservation,
    Start,
    Wait,
    WaitingClaim,
)
from allotment.rules.queue_state import PoolState, Room
from allotment.rules.reclaim import Reclaiming, stop_at

PoolKey = tuple[str, str]
"""Pool and model."""
Rank = tuple[int, int, float, datetime, str]


def schedule(
    pools: Sequence[PoolStanding],
    tickets: Mapping[PoolKey, Sequence[WaitingClaim] | Line],
    now: datetime,
    *,
    reasons: bool = True,
) -> Mapping[PoolKey, Decisions]:
    """Decide every pool. A ticket that waits for several starts in one, and borrowers give back in one."""
    decided: dict[PoolKey, Decisions] = {}
    started: set[str] = set()
    promised: set[str] = set()
    several = _in_several(tickets)
    for standing in sorted(pools, key=lambda pool: (pool.pool, pool.model)):
        key = standing.pool, standing.model
        waiting = tickets.get(key, ())
        gone = started & several
        if gone:
            waiting = [claim for claim in waiting if claim.id not in gone]
        decisions = _decide(standing, waiting, now, frozenset(promised & several), reasons=reasons)
        decided[key] = decisions
        if several:
            started.update(start.ticket for start in decisions.starts)
            promised.update(reclaim.for_ticket for reclaim in decisions.reclaims)
    if started & promised:
        decided = {key: _without(decisions, started) for key, decisions in decided.items()}
    return decided


def decide(
    standing: PoolStanding,
    waiting: Sequence[WaitingClaim] | Line,
    now: datetime,
    *,
    reasons: bool = True,
) -> Decisions:
    """Decide one pool: what starts on which node, who gives back, and why the others wait.

    The same standing and tickets, in whatever order, give the same decisions. A
    :class:`~allotment.rules.queue_line.Line` is only read. Without ``reasons``, nobody is told why.
    """
    return _decide(standing, waiting, now, frozenset(), reasons=reasons)


def serve(state: PoolState, line: Line, now: datetime, *, reasons: bool = False) -> Decisions:
    """Decide one pool in a working copy that goes on: what starts leaves the line and holds devices."""
    turn = Turn(state, line, now)
    turn.take()
    turn.leave()
    return turn.decisions(reasons=reasons)


def _decide(
    standing: PoolStanding,
    waiting: Sequence[WaitingClaim] | Line,
    now: datetime,
    spoken_for: frozenset[str],
    *,
    reasons: bool,
) -> Decisions:
    apart = {one.person for one in standing.reservations if one.person is not None}
    if not isinstance(waiting, Line) or waiting.apart != apart:
        waiting = Line(waiting, apart)
    turn = Turn(PoolState(standing, now), waiting, now, spoken_for)
    turn.take()
    return turn.decisions(reasons=reasons)


class Turn:
    """One decision for one pool. ``spoken_for`` are tickets for which another pool's borrowers give back."""

    def __init__(
        self, state: PoolState, line: Line, now: datetime, spoken_for: frozenset[str] = frozenset()
    ) -> None:
        self.state, self.line, self.now = state, line, now
        self.started: dict[Bucket, int] = {}
        self._spoken_for = spoken_for
        self._old = now - state.policy.protect_after
        self._starts: list[Start] = []
        self._reclaims: list[Reclaim] = []
        self._hindered: dict[Bucket, Hindrance] = {}
        self._protected: Protection | None = None
        self._shares: dict[str, Protection] = {}
        self._reclaiming = Reclaiming(state, now) if state.reclaims else None
        self._set_aside: list[tuple[str, int]] = []
        self._promised: dict[Bucket, int] = {}
        self._owed: dict[str, int] = {}

    def take(self) -> None:
        """Ask the heads of all lines in their order until nobody else can start."""
        self._protect_shares()
        heads = [
            (self._rank(bucket, 0), bucket, 0)
            for bucket in self.line.buckets
            if self._may_matter(bucket)
        ]
        heapify(heads)
        nodes, needs_more = self.state.nodes, self._reclaiming is not None
        while heads and (needs_more or nodes.most):
            rank, bucket, place = heappop(heads)
            current = self._rank(bucket, place)
            if current > rank:
                heappush(heads, (current, bucket, place))
            elif self._ask(bucket, place) and place + 1 < len(bucket.tickets):
                # Its rank only gets worse: the present one is looked at again when it comes first.
                following = bucket.tickets[place + 1]
                heappush(heads, ((*rank[:3], following.since, following.id), bucket, place + 1))
        for bucket, count in self._promised.items():
            group = self.state.group(bucket.group)
            self.state.count(group, -count * bucket.devices, low=bucket.low)
        for node, devices in self._set_aside:
            self.state.nodes.change(node, devices)

    def _protect_shares(self) -> None:
        """In each group, keep room for the oldest that waits long since its group fills the share."""
        oldest: dict[str, Bucket] = {}
        for bucket in self.line.buckets:
            if bucket.tickets[0].since > self._old:
                continue
            if self.state.room(bucket) in {Room.OVER_GUARANTEE, Room.OVER_CEILING}:
                before = oldest.get(bucket.group)
                if before is None or arrival(bucket.tickets[0]) < arrival(before.tickets[0]):
                    oldest[bucket.group] = bucket
        for name, bucket in oldest.items():
            protection = protect_share(self.state, bucket, bucket.tickets[0], self.now)
            if protection is not None:
                self._shares[name] = protection

    def leave(self) -> None:
        """Take who started out of the line."""
        for bucket, count in self.started.items():
            self.line.remove_first(bucket, count)
        self.started.clear()

    def reason(self, claim: WaitingClaim) -> Hindrance:
        """What hinders a ticket of the line that has not started."""
        bucket = self.line.bucket(claim)
        return self._hindered.get(bucket) or self._hindrance(bucket)

    def decisions(self, *, reasons: bool) -> Decisions:
        """What was decided."""
        waits: Sequence[Wait] = ()
        if reasons:
            waits = Waits(self.state.pool, self._old, self._still_waiting())
        return Decisions(tuple(self._starts), tuple(self._reclaims), waits)

    def _may_matter(self, bucket: Bucket) -> bool:
        """Whether the head of a line could start, be protected, or have borrowers give back."""
        most = self.state.nodes.most
        if bucket.devices <= most or (most and bucket.tickets[0].since <= self._old):
            return True
        return self._reclaiming is not None and self.state.room(bucket) is Room.ENTITLED

    def _rank(self, bucket: Bucket, place: int) -> Rank:
        ticket = bucket.tickets[place]
        room = self.state.room(bucket)
        fair = self.state.group(bucket.group).fair
        if room is not Room.ENTITLED:
            return -bucket.moved, 2, fair, ticket.since, ticket.id
        if ticket.since <= self._old:
            return -bucket.moved, 0, 0.0, ticket.since, ticket.id
        return -bucket.moved, 1, fair, ticket.since, ticket.id

    def _ask(self, bucket: Bucket, place: int) -> bool:
        """Start or promise the ticket, or note what hinders its line. False: the line is done."""
        ticket, state = bucket.tickets[place], self.state
        room = state.room(bucket)
        if room > Room.BORROWS:
            self._hindered[bucket] = self._over(bucket, room)
            return False
        before = self._shares.get(bucket.group)
        if (
            before is not None
            and arrival(before.ticket) < arrival(ticket)
            and before.delayed_by(bucket.group, bucket.devices, ticket.expected)
        ):
            self._hindered[bucket] = self._turn_of(before)
            return False
        if bucket.devices <= state.nodes.most:
            return self._start_somewhere(bucket, ticket)
        if room is Room.ENTITLED and self._promise(bucket, ticket):
            return True
        if self._protected is None and state.nodes.most and ticket.since <= self._old:
            self._protected = protect(state, ticket, self._owed, self.now)
        self._hindered[bucket] = self._not_free(bucket)
        return False

    def _start_somewhere(self, bucket: Bucket, ticket: WaitingClaim) -> bool:
        state, devices, protected = self.state, bucket.devices, self._protected
        if state.kept is not None:
            broken = state.kept.against(ticket, state.nodes.total)
            if broken is not None:
                self._hindered[bucket] = self._reserved(broken)
                return False
        for node in state.nodes.fitting(devices):
            if protected is not None:
                if protected.delayed_by(node, devices, ticket.expected):
                    continue
                protected.took(node, devices, ticket.expected)
            before = self._shares.get(bucket.group)
            if before is not None:
                before.took(bucket.group, devices, ticket.expected)
            group = state.group(bucket.group)
            beyond = group.held + devices - group.guaranteed if bucket.low else 0
            self._starts.append(Start(ticket.id, node, devices, min(devices, max(0, beyond))))
            self.started[bucket] = self.started.get(bucket, 0) + 1
            state.start(ticket, node, self.now)
            return True
        if protected is not None:
            self._hindered[bucket] = self._turn_of(protected)
        return False

    def _promise(self, bucket: Bucket, ticket: WaitingClaim) -> bool:
        """Have borrowers give back what the ticket misses, and set aside what it has already."""
        if self._reclaiming is None or ticket.id in self._spoken_for:
            return False
        state, devices = self.state, bucket.devices
        group = state.group(bucket.group)
        state.count(group, devices, low=bucket.low)
        plan = self._reclaiming.plan(devices)
        if plan is None:
            state.count(group, -devices, low=bucket.low)
            return False
        free = self._reclaiming.agree(plan, devices)
        for victim in plan.victims:
            moment = stop_at(state.policy, victim, self.now)
            state.tell(victim, moment)
            self._reclaims.append(Reclaim(victim.id, ticket.id, moment))
        if free:
            state.nodes.change(plan.node, -free)
            self._set_aside.append((plan.node, free))
        self._owed[plan.node] = self._owed.get(plan.node, 0) + devices - free
        self._promised[bucket] = self._promised.get(bucket, 0) + 1
        return True

    def _still_waiting(self) -> list[Waiting]:
        state = self.state
        found: list[Waiting] = []
        for bucket in self.line.buckets:
            first = self.started.get(bucket, 0)
            if first == len(bucket.tickets):
                continue
            entitled = state.room(bucket) is Room.ENTITLED
            fair = state.group(bucket.group).fair
            rest = first + self._promised.get(bucket, 0)
            if rest > first:
                coming = Hindrance(Cause.COMING, state.total, state.total - state.nodes.total)
                found.append(Waiting(bucket, bucket.tickets[first:rest], coming, entitled, fair))
            if rest < len(bucket.tickets):
                why = self._hindered.get(bucket) or self._hindrance(bucket)
                found.append(Waiting(bucket, bucket.tickets[rest:], why, entitled, fair))
        return found

    def _hindrance(self, bucket: Bucket) -> Hindrance:
        """What hinders a line that was not asked, since nothing could come of it."""
        room = self.state.room(bucket)
        return self._over(bucket, room) if room > Room.BORROWS else self._not_free(bucket)

    def _not_free(self, bucket: Bucket) -> Hindrance:
        state = self.state
        used = state.total - state.nodes.total
        if bucket.devices <= state.nodes.total:
            return Hindrance(Cause.SCATTERED, state.total, used, str(state.nodes.most))
        return Hindrance(Cause.FREE, state.total, used)

    def _turn_of(self, protected: Protection) -> Hindrance:
        total = self.state.total
        words = counted(protected.ticket.devices, "device")
        return Hindrance(Cause.TURN, total, total - self.state.nodes.total, words)

    def _over(self, bucket: Bucket, room: Room) -> Hindrance:
        group = self.state.group(bucket.group)
        if room is Room.OVER_DEPARTMENT:
            department = self.state.departments[group.department or ""]
            return Hindrance(
                Cause.DEPARTMENT, department.ceiling or 0, department.held, department.name
            )
        if room is Room.OVER_CEILING:
            return Hindrance(Cause.CEILING, group.ceiling, group.held)
        counts = group.held if bucket.low or not self.state.policy.sharing else group.dedicated
        return Hindrance(Cause.GUARANTEE, group.guaranteed, counts)

    def _reserved(self, reservation: Reservation) -> Hindrance:
        state = self.state
        holder = reservation.person or reservation.group
        words = f"{counted(reservation.devices, 'device')} from {reservation.begins:%Y-%m-%d %H:%M} UTC are kept for {holder}"
        return Hindrance(Cause.RESERVED, state.total, state.total - state.nodes.total, words)


def _in_several(
    tickets: Mapping[PoolKey, Sequence[WaitingClaim] | Line],
) -> frozenset[str]:
    """Tickets that wait for more than one pool."""
    seen: set[str] = set()
    several: set[str] = set()
    for waiting in tickets.values():
        for claim in waiting:
            (several if claim.id in seen else seen).add(claim.id)
    return frozenset(several)


def _without(decisions: Decisions, started: set[str]) -> Decisions:
    """The same without borrowers giving back for tickets that start elsewhere."""
    kept = tuple(one for one in decisions.reclaims if one.for_ticket not in started)
    waits = [one for one in decisions.waits if one.ticket not in started]
    return Decisions(decisions.starts, kept, waits)
