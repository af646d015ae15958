"""Reclaim: which borrowers give back, so that a ticket within its group's guarantee can start.

Only low-priority servers of groups that hold more than their guarantee, never before their minimum
runtime, and never more than what is missing. Devices that were already told to come back are
counted before anybody else is asked; what comes back for nobody any more is spared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from math import inf
from typing import NamedTuple

from allotment.model.sharing import PoolPolicy
from allotment.rules.queue_borrowers import Kind, Rows, first_past
from allotment.rules.queue_nodes import Nodes
from allotment.rules.queue_standing import HeldClaim
from allotment.rules.queue_state import PoolState


class Plan(NamedTuple):
    """Where a ticket will get its devices, and who is asked to give back for it."""

    node: str
    victims: tuple[HeldClaim, ...]


def stop_at(policy: PoolPolicy, claim: HeldClaim, now: datetime) -> datetime:
    """When a borrower that is told now must be gone: its minimum runtime is over, and its grace."""
    return max(now, claim.since + policy.minimum_runtime) + policy.grace


class Reclaiming:
    """What comes back, and what could be asked back, while one decision is made."""

    def __init__(self, state: PoolState, now: datetime) -> None:
        self._state, self._now = state, now
        self._told = tuple(state.told.values())
        self._hopeless: float = inf
        self._room: Nodes | None = None

    @property
    def room(self) -> Nodes:
        """Devices of each node that are free, or were told to come back, and are promised to nobody."""
        if self._room is None:
            nodes = self._state.nodes
            room = {node: nodes.free(node) for node in nodes.names}
            for claim in self._told:
                room[claim.node] = room.get(claim.node, 0) + claim.devices
            self._room = Nodes(room)
        return self._room

    def plan(self, devices: int, group: str) -> Plan | None:
        """Find the node that needs the fewest servers to give back; None where none would help.

        The asking group counts as holding the devices already.
        """
        asking = self._state.group(group)
        asks_own = asking.held + devices > asking.told + asking.guaranteed
        if devices >= self._hopeless and not asks_own:
            return None
        enough = self.room.tightest(devices)
        if enough is not None:
            self._hopeless = inf if asks_own else self._hopeless
            return Plan(enough, ())
        plan = self._ask(devices, self._lending(group, devices))
        if plan is not None:
            self._hopeless = inf
        elif not asks_own:
            self._hopeless = devices
        return plan

    def took(self, node: str, devices: int) -> None:
        """A ticket has started on a node. Its group holds more, and may lend what it did not before."""
        if self._room is not None:
            self._room.change(node, -devices)
        self._hopeless = inf

    def agree(self, plan: Plan, devices: int) -> int:
        """Promise a plan's devices to its ticket. Returns how many of them are free already."""
        free = min(devices, self._state.nodes.free(plan.node))
        self.room.change(plan.node, sum(victim.devices for victim in plan.victims) - devices)
        return free

    def spared(self) -> Iterator[HeldClaim]:
        """Who was told before, and gives back what is promised to nobody; the oldest is spared first."""
        for node in {claim.node for claim in self._told}:
            left = self.room.free(node) - self._state.nodes.free(node)
            if left > 0:
                told = [
                    claim
                    for claim in self._told
                    if claim.node == node
                    and claim.reclaim_at is not None
                    and claim.reclaim_at > self._now
                ]
                needed = {claim.id for claim in _only_needed(told, left)}
                yield from (claim for claim in told if claim.id not in needed)

    def _lending(self, group: str, devices: int) -> dict[str, int]:
        """What each group holds beyond its guarantee and was not told to give back, the asker's claim included."""
        lent = {
            name: one.held - one.told - one.guaranteed for name, one in self._state.groups.items()
        }
        lent[group] += devices
        return {name: more for name, more in lent.items() if more > 0}

    def _ask(self, devices: int, lending: Mapping[str, int]) -> Plan | None:
        """The cheapest node, of those past their minimum runtime if they suffice."""
        if not lending or not self._state.reclaims:
            return None
        borrowers, room = self._state.borrowers, self.room
        able = {
            node: devices - room.free(node)
            for node in self._state.nodes.names
            if devices <= room.free(node) + borrowers.devices_on(node)
        }
        if not able:
            return None
        begun = (self._now - self._state.policy.minimum_runtime).timestamp()
        return self._best(able, lending, begun) or self._best(able, lending, None)

    def _best(
        self, missing: Mapping[str, int], lending: Mapping[str, int], begun: float | None
    ) -> Plan | None:
        best: tuple[tuple[int, int, float, str], Plan] | None = None
        for node, lack in missing.items():
            victims = self._choose(node, lack, lending, begun)
            if victims is None:
                continue
            cost = (
                sum(victim.server_count for victim in victims),
                sum(victim.devices for victim in victims),
                -min(victim.since for victim in victims).timestamp(),
                node,
            )
            if best is None or cost < best[0]:
                best = cost, Plan(node, victims)
        return best[1] if best else None

    def _choose(
        self, node: str, lack: int, lending: Mapping[str, int], begun: float | None
    ) -> tuple[HeldClaim, ...] | None:
        """Pick servers of one node that give back what is missing, or None where they do not.

        One that gives all that is missing, or else the one that gives most; ties go to the youngest.
        ``begun``: only those that began then or before. ``lending``: what groups have to give.
        """
        on_node = self._state.borrowers.on(node)
        rows = {name: on_node[name] for name in lending if name in on_node}
        left = dict(lending)
        places: dict[tuple[str, Kind], int] = {}
        chosen: list[HeldClaim] = []
        while lack > 0:
            found = _cheapest(rows, lack, places, begun)
            if found is None:
                return None
            victim = self._state.held[found]
            chosen.append(victim)
            lack -= victim.devices
            left[victim.group] -= victim.devices
            if left[victim.group] <= 0:
                del rows[victim.group]
        return _only_needed(chosen, -lack)


def _cheapest(
    rows: Mapping[str, Rows],
    lack: int,
    places: dict[tuple[str, Kind], int],
    begun: float | None,
) -> str | None:
    """The id of the next victim of these rows, which is taken out by moving the row's place on."""
    best: tuple[tuple[float, float, float, float, str], tuple[str, Kind]] | None = None
    for name, theirs in rows.items():
        for kind, row in theirs.items():
            key = name, kind
            place = places.get(key)
            if place is None:
                place = places[key] = 0 if begun is None else first_past(row, begun)
            if place == len(row):
                continue
            servers, devices = kind
            since, id_ = row[place]
            cost = (
                (0.0, float(servers), float(devices), since, id_)
                if devices >= lack
                else (1.0, 0.0, -devices / servers, since, id_)
            )
            if best is None or cost < best[0]:
                best = cost, key
    if best is None:
        return None
    places[best[1]] += 1
    return best[0][-1]


def _only_needed(chosen: Iterable[HeldClaim], spare: int) -> tuple[HeldClaim, ...]:
    """Leave out whoever is not needed any more since larger ones were chosen; the oldest is spared first."""
    needed: list[HeldClaim] = []
    for claim in sorted(chosen, key=lambda claim: (claim.since, claim.id)):
        if claim.devices <= spare:
            spare -= claim.devices
        else:
            needed.append(claim)
    return tuple(needed)
