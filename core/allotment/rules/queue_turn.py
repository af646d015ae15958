"""One decision for one pool: the heads of its lines are asked in their order, until nobody else can start.

Only the heads of lines are ranked (:mod:`~allotment.rules.queue_line`). Their ranks only get worse
while a decision is made, so a rank is looked at again only when its line comes first and something
has started since.
"""

from __future__ import annotations

from datetime import datetime
from heapq import heapify, heappop, heappush

from allotment.rules.overtaking import Protection, protect, protect_share
from allotment.rules.queue_line import Bucket, Line, arrival
from allotment.rules.queue_reasons import (
    Hindrance,
    Waiting,
    Waits,
    coming,
    hindrance_of,
    kept_for,
    turn_of,
)
from allotment.rules.queue_shares import BORROWS, ENTITLED, OVER_DEPARTMENT, Room
from allotment.rules.queue_standing import Decisions, Reclaim, Reservation, Start, WaitingClaim
from allotment.rules.queue_state import PoolState
from allotment.rules.reclaim import Reclaiming, stop_at

Rank = tuple[int, int, float, datetime, str]
Head = tuple[Rank, int, Bucket, int, Room]
"""A ticket's rank, which no other has; its group's changes when it was found; its line and place there; its room."""
_STALE = -1


class Turn:
    """One decision for one pool. ``spoken_for`` are tickets for which another pool's borrowers give back."""

    def __init__(
        self, state: PoolState, line: Line, now: datetime, spoken_for: frozenset[str] = frozenset()
    ) -> None:
        self.state, self.line, self.now = state, line, now
        state.look_at_reservations(now)
        self.started: dict[Bucket, int] = {}
        self._spoken_for = spoken_for
        self._old = now - state.policy.protect_after
        self._starts: list[Start] = []
        self._reclaims: list[Reclaim] = []
        self._spared: list[str] = []
        self._before: dict[Bucket, WaitingClaim | Reservation] = {}
        """What comes before a line; what hinders the others is looked up when somebody asks."""
        self._protected: Protection | None = None
        self._waits_longest: dict[str, Bucket] = {}
        self._shares: dict[str, Protection | None] = {}
        self._reclaiming = Reclaiming(state, now) if state.reclaims or state.told else None
        self._set_aside: list[tuple[str, int]] = []
        self._promised: dict[Bucket, list[str]] = {}
        self._owed: dict[str, int] = {}

    def take(self) -> None:
        """Ask the heads of all lines in their order until nobody else can start."""
        state, heads = self.state, self._heads()
        nodes, groups, needs_more = state.nodes, state.groups, self._reclaiming is not None
        while heads and (needs_more or nodes.most):
            rank, seen, bucket, place, room = heappop(heads)
            changes = groups[bucket.group].changes
            if seen != changes or bucket.holder:
                room = state.room(bucket)
                if rank[1] or rank[3] > self._old or room is not ENTITLED:
                    current = self._rank(bucket, place, room)
                    if current > rank:
                        heappush(heads, (current, changes, bucket, place, room))
                        continue
            if self._ask(bucket, place, room) and place + 1 < len(bucket.tickets):
                # Its rank only gets worse: the present one is looked at again when it comes first.
                following = bucket.tickets[place + 1]
                before, standing, fair, _, _ = rank
                later = before, standing, fair, following.since, following.id
                heappush(heads, (later, _STALE, bucket, place + 1, room))
        self._spare()
        for bucket, tickets in self._promised.items():
            group = state.group(bucket.group)
            state.count(group, -len(tickets) * bucket.devices, low=bucket.low)
        for node, devices in self._set_aside:
            nodes.change(node, devices)

    def leave(self) -> None:
        """Take who started out of the line."""
        for bucket, count in self.started.items():
            self.line.remove_first(bucket, count)
        self.started.clear()

    def reason(self, claim: WaitingClaim) -> Hindrance:
        """What hinders a ticket of the line that has not started."""
        bucket = self.line.bucket(claim)
        return self._hindrance(bucket) or hindrance_of(self.state, bucket)

    def decisions(self, *, reasons: bool) -> Decisions:
        """What was decided. Reasons are found when they are looked at: by then nothing may have changed."""
        waits = Waits(self.state, self._old, self._still_waiting()) if reasons else ()
        promised = [ticket for tickets in self._promised.values() for ticket in tickets]
        return Decisions(
            tuple(self._starts),
            tuple(self._reclaims),
            waits,
            tuple(promised),
            tuple(self._spared),
        )

    # Who is asked, and in which order.

    def _heads(self) -> list[Head]:
        """The heads of lines of which something could come, as a heap."""
        state, most, old = self.state, self.state.nodes.most, self._old
        reclaiming = self._reclaiming is not None
        heads: list[Head] = []
        for name, buckets in self.line.by_group:
            if state.is_full(name) and not self.line.apart:
                continue
            changes = state.group(name).changes
            for bucket in buckets:
                room = state.room(bucket)
                first = bucket.tickets[0]
                if room > BORROWS:
                    # Room only gets less while a decision is made.
                    if room is not OVER_DEPARTMENT and first.since <= old:
                        self._note_longest(bucket, first)
                elif (
                    bucket.devices <= most
                    or (reclaiming and room is ENTITLED)
                    or (most and first.since <= old)
                ):
                    heads.append((self._rank(bucket, 0, room), changes, bucket, 0, room))
        heapify(heads)
        return heads

    def _rank(self, bucket: Bucket, place: int, room: Room) -> Rank:
        ticket = bucket.tickets[place]
        if room is not ENTITLED:
            return -bucket.moved, 2, self.state.group(bucket.group).fair, ticket.since, ticket.id
        if ticket.since <= self._old:
            return -bucket.moved, 0, 0.0, ticket.since, ticket.id
        return -bucket.moved, 1, self.state.group(bucket.group).fair, ticket.since, ticket.id

    def _note_longest(self, bucket: Bucket, first: WaitingClaim) -> None:
        """Of each group, the ticket that has waited longest since its group fills the share."""
        before = self._waits_longest.get(bucket.group)
        if before is None or arrival(first) < arrival(before.tickets[0]):
            self._waits_longest[bucket.group] = bucket

    def _share_kept(self, group: str) -> Protection | None:
        """What room a group's share keeps for the oldest that it cannot serve yet."""
        if not self._waits_longest:
            return None
        if group not in self._shares:
            bucket = self._waits_longest.get(group)
            self._shares[group] = (
                None
                if bucket is None
                else protect_share(self.state, bucket, bucket.tickets[0], self.now)
            )
        return self._shares[group]

    # What comes of it.

    def _ask(self, bucket: Bucket, place: int, room: Room) -> bool:
        """Start or promise the ticket, or note who comes before it. False: the line is done."""
        ticket, state = bucket.tickets[place], self.state
        if room > BORROWS:
            return False
        before = self._share_kept(bucket.group)
        if (
            before is not None
            and arrival(before.ticket) < arrival(ticket)
            and before.delayed_by(bucket.group, bucket.devices, ticket.expected)
        ):
            self._before[bucket] = before.ticket
            return False
        if bucket.devices <= state.nodes.most:
            return self._start_somewhere(bucket, ticket)
        if room is ENTITLED and self._promise(bucket, ticket):
            return True
        if self._protected is None and state.nodes.most and ticket.since <= self._old:
            self._protected = protect(state, ticket, self._owed, self.now)
        return False

    def _start_somewhere(self, bucket: Bucket, ticket: WaitingClaim) -> bool:
        state, devices, protected = self.state, bucket.devices, self._protected
        if state.kept is not None:
            broken = state.kept.against(ticket, state.nodes.total)
            if broken is not None:
                self._before[bucket] = broken
                return False
        for node in state.nodes.fitting(devices):
            if protected is not None:
                if protected.delayed_by(node, devices, ticket.expected):
                    continue
                protected.took(node, devices, ticket.expected)
            self._start(bucket, ticket, node)
            return True
        if protected is not None:
            self._before[bucket] = protected.ticket
        return False

    def _start(self, bucket: Bucket, ticket: WaitingClaim, node: str) -> None:
        state, devices = self.state, bucket.devices
        before = self._shares.get(bucket.group)
        if before is not None:
            before.took(bucket.group, devices, ticket.expected)
        group = state.group(bucket.group)
        beyond = group.held + devices - group.guaranteed if bucket.low else 0
        self._starts.append(Start(ticket.id, node, devices, min(devices, max(0, beyond))))
        self.started[bucket] = self.started.get(bucket, 0) + 1
        state.start(ticket, node, self.now)
        if self._reclaiming is not None:
            self._reclaiming.took(node, devices)

    def _promise(self, bucket: Bucket, ticket: WaitingClaim) -> bool:
        """Have borrowers give back what the ticket misses, and set aside what it has already."""
        if self._reclaiming is None or ticket.id in self._spoken_for:
            return False
        state, devices = self.state, bucket.devices
        plan = self._reclaiming.plan(devices, bucket.group)
        if plan is None:
            return False
        state.count(state.group(bucket.group), devices, low=bucket.low)
        free = self._reclaiming.agree(plan, devices)
        for victim in plan.victims:
            moment = stop_at(state.policy, victim, self.now)
            state.tell(victim, moment)
            self._reclaims.append(Reclaim(victim.id, ticket.id, moment))
        if free:
            state.nodes.change(plan.node, -free)
            self._set_aside.append((plan.node, free))
        self._owed[plan.node] = self._owed.get(plan.node, 0) + devices - free
        self._promised.setdefault(bucket, []).append(ticket.id)
        return True

    def _spare(self) -> None:
        """Let those keep their devices who were told to give back what nobody needs any more."""
        if self._reclaiming is not None:
            for claim in sorted(self._reclaiming.spared(), key=lambda claim: claim.id):
                self.state.spare(claim)
                self._spared.append(claim.id)

    # Why the others wait.

    def _still_waiting(self) -> list[Waiting]:
        found: list[Waiting] = []
        back = coming(self.state)
        for bucket in self.line.buckets:
            first = self.started.get(bucket, 0)
            rest = first + len(self._promised.get(bucket, ()))
            if rest > first:
                found.append(Waiting(bucket, bucket.tickets[first:rest], back))
            if rest < len(bucket.tickets):
                found.append(Waiting(bucket, bucket.tickets[rest:], self._hindrance(bucket)))
        return found

    def _hindrance(self, bucket: Bucket) -> Hindrance | None:
        before = self._before.get(bucket)
        if before is None:
            return None
        if isinstance(before, WaitingClaim):
            return turn_of(self.state, before)
        return kept_for(self.state, before)
