"""The working copy of a pool's standing, in which a decision is played through.

:func:`~allotment.rules.queueing.decide` makes one and throws it away; whoever runs many decisions
one after another (estimates, replays) keeps one and tells it what started and what ended.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from math import inf

from allotment.model.profiles import Priority
from allotment.model.sharing import HALF_LIFE
from allotment.rules.queue_borrowers import Borrowers
from allotment.rules.queue_line import Bucket
from allotment.rules.queue_nodes import Nodes
from allotment.rules.queue_shares import (
    BORROWS,
    ENTITLED,
    OVER_DEPARTMENT,
    GroupState,
    Room,
    working_copy,
)
from allotment.rules.queue_standing import (
    NO_GROUP,
    GroupInPool,
    HeldClaim,
    PoolStanding,
    WaitingClaim,
)
from allotment.rules.reserving import Kept

_HALF_LIFE = HALF_LIFE.total_seconds()
_LOW = Priority.LOW


class PoolState:
    """One pool while decisions are made. ``now`` decides which reservations have begun.

    Borrowers are asked to give back where the pool shares; a replay may say otherwise.
    """

    def __init__(self, standing: PoolStanding, now: datetime, *, reclaims: bool = True) -> None:
        self.pool, self.policy, self.total = standing.pool, standing.policy, standing.total
        self.reclaims = reclaims and standing.policy.sharing
        self.nodes = Nodes({node.name: node.free for node in standing.nodes})
        self.departments = {one.name: working_copy(one) for one in standing.departments}
        self.held = {claim.id: claim for claim in standing.held}
        self.told: dict[str, HeldClaim] = {}
        self.groups = {group.name: GroupState(group) for group in standing.groups}
        self._add_no_group(standing)
        for claim in standing.held:
            if claim.reclaim_at is not None:
                self.told[claim.id] = claim
                self.group(claim.group).told += claim.devices
        self._rooms: dict[Bucket, tuple[int, Room]] = {}
        """What was found for lines, and its group's changes then."""
        self._reservations = standing.reservations
        self._own_shares: dict[str, tuple[int, int]] = {}
        """Guarantee and ceiling of groups to which a reservation gives more now."""
        self._looked_at: datetime | None = None
        """When it was last found what is reserved; None: something has ended since."""
        self.kept: Kept | None = None
        self.look_at_reservations(now)

    def look_at_reservations(self, now: datetime) -> None:
        """Find what is reserved at a moment: some have begun since, some are over."""
        if not self._reservations or now == self._looked_at:
            return
        self._looked_at = now
        for name, (guaranteed, ceiling) in self._own_shares.items():
            self._give_share(name, guaranteed, ceiling)
        self._own_shares.clear()
        self.kept = Kept(self._reservations, self.total, self.policy, self.held.values(), now)
        for name, devices in self.kept.active_for_groups.items():
            group = self.group(name)
            self._own_shares[name] = group.guaranteed, group.ceiling
            self._give_share(name, max(group.guaranteed, devices), max(group.ceiling, devices))

    def _give_share(self, name: str, guaranteed: int, ceiling: int) -> None:
        group = self.group(name)
        group.guaranteed, group.ceiling = guaranteed, ceiling
        group.changes += 1

    def _add_no_group(self, standing: PoolStanding) -> None:
        """Who has no group shares what no group was guaranteed."""
        spare = self.total - sum(
            group.guaranteed for group in standing.groups if group.name != NO_GROUP
        )
        group = self.groups.get(NO_GROUP)
        if group is None:
            mine = [claim for claim in standing.held if claim.group == NO_GROUP]
            group = self.groups[NO_GROUP] = GroupState(GroupInPool(NO_GROUP, 0, 0))
            group.held = sum(claim.devices for claim in mine)
            group.dedicated = sum(c.devices for c in mine if c.priority is Priority.DEDICATED)
        group.guaranteed = max(group.guaranteed, spare)
        group.ceiling = max(group.ceiling, group.guaranteed)

    def group(self, name: str) -> GroupState:
        """A group's share; whoever has none here has a share of nothing."""
        group = self.groups.get(name)
        if group is None:
            group = self.groups[name] = GroupState(GroupInPool(name, 0, 0))
        return group

    def room(self, bucket: Bucket) -> Room:
        """Whether shares have room for the next ticket of a line."""
        group = self.groups.get(bucket.group) or self.group(bucket.group)
        known = self._rooms.get(bucket)
        if known is not None and known[0] == group.changes:
            return known[1]
        if bucket.holder and self.kept and self.kept.covers(bucket.holder, bucket.devices):
            return ENTITLED
        room = group.room(bucket.devices, low=bucket.low, sharing=self.policy.sharing)
        if room <= BORROWS and group.department is not None:
            department = self.departments.get(group.department)
            if department is not None and department.over(bucket.devices):
                room = OVER_DEPARTMENT
        if not bucket.holder:
            self._rooms[bucket] = group.changes, room
        return room

    def is_full(self, name: str) -> bool:
        """Whether a group's share has room for nothing, however small; reservations of persons aside."""
        group = self.groups.get(name) or self.group(name)
        if not self.policy.sharing:
            return group.held >= group.guaranteed
        return group.held >= max(group.ceiling, group.guaranteed)

    def count(self, group: GroupState, devices: int, *, low: bool) -> None:
        """Count devices as held by a group, or as given back (below zero)."""
        group.held += devices
        if not low:
            group.dedicated += devices
        group.changes += 1
        department = self.departments.get(group.department) if group.department else None
        if department is not None:
            department.held += devices
            for other in self.groups.values():
                other.changes += other.department == department.name

    @cached_property
    def ends(self) -> dict[str, list[tuple[float, str, int]]]:
        """For each node when its servers are expected to end: POSIX seconds (inf: unknown), id, devices."""
        ends: dict[str, list[tuple[float, str, int]]] = {}
        for claim in self.held.values():
            ends.setdefault(claim.node, []).append(expected_end(claim))
        for expected in ends.values():
            expected.sort()
        return ends

    @cached_property
    def borrowers(self) -> Borrowers:
        """Low-priority servers that were not told to give back."""
        return Borrowers(self.held.values())

    def pass_time(self, seconds: float) -> None:
        """Let recent use follow what is held: after the half-life, half of the way."""
        stays = 0.5 ** (seconds / _HALF_LIFE)
        for group in self.groups.values():
            group.recent_use = group.recent_use * stays + group.held * (1 - stays)

    def start(self, ticket: WaitingClaim, node: str, now: datetime) -> None:
        """Let a ticket hold devices of a node."""
        low = ticket.priority is _LOW
        self.nodes.change(node, -ticket.devices)
        self.count(self.group(ticket.group), ticket.devices, low=low)
        end = None if ticket.expected is None else now + timedelta(seconds=ticket.expected)
        claim = HeldClaim(
            ticket.id,
            ticket.group,
            ticket.person,
            node,
            ticket.devices,
            ticket.priority,
            now,
            end,
            kind=ticket.kind,
        )
        self._keep(claim)
        if self.kept is not None:
            self.kept.take(ticket)

    def tell(self, claim: HeldClaim, stop_at: datetime) -> None:
        """A server was told to give its devices back by then."""
        self._forget(claim)
        told = replace(claim, reclaim_at=stop_at)
        self._keep(told)
        self.told[claim.id] = told
        self.group(claim.group).told += claim.devices

    def spare(self, claim: HeldClaim) -> None:
        """A server that was told to give its devices back may keep them."""
        self._forget(claim)
        self._keep(replace(claim, reclaim_at=None))
        del self.told[claim.id]
        self.group(claim.group).told -= claim.devices

    def end(self, allotment: str) -> HeldClaim:
        """A server has ended and its devices are free.

        Raises:
            KeyError: it holds nothing here.
        """
        claim = self.held[allotment]
        self._forget(claim)
        self._looked_at = None
        group = self.group(claim.group)
        if self.told.pop(allotment, None) is not None:
            group.told -= claim.devices
        self.nodes.change(claim.node, claim.devices)
        self.count(group, -claim.devices, low=claim.priority is _LOW)
        return claim

    # What is sorted is kept so from the moment on in which somebody first asked for it.

    def _keep(self, claim: HeldClaim) -> None:
        self.held[claim.id] = claim
        if "ends" in self.__dict__:
            insort(self.ends.setdefault(claim.node, []), expected_end(claim))
        if "borrowers" in self.__dict__:
            self.borrowers.add(claim)

    def _forget(self, claim: HeldClaim) -> None:
        del self.held[claim.id]
        if "ends" in self.__dict__:
            expected = self.ends[claim.node]
            del expected[bisect_left(expected, expected_end(claim))]
        if "borrowers" in self.__dict__:
            self.borrowers.remove(claim)


def expected_end(claim: HeldClaim) -> tuple[float, str, int]:
    """When a server's devices are expected back: POSIX seconds (inf: unknown), its id, devices."""
    end, told = claim.expected_end, claim.reclaim_at
    if end is None or (told is not None and told < end):
        end = told
    return inf if end is None else end.timestamp(), claim.id, claim.devices
