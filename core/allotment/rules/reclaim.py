"""Reclaim: which borrowers give back, so that a ticket within its group's guarantee can start.

Only low-priority servers of groups that hold more than their guarantee, never before their minimum
runtime, and never more than what is missing. Devices that were already told to come back are
counted before anybody else is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from allotment.model.profiles import Priority
from allotment.model.sharing import PoolPolicy
from allotment.rules.queue_standing import HeldClaim
from allotment.rules.queue_state import PoolState


@dataclass(frozen=True, slots=True)
class Plan:
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
        self.coming: dict[str, int] = {}
        """Devices of each node that were told to come back and are promised to nobody."""
        for claim in state.told.values():
            self.coming[claim.node] = self.coming.get(claim.node, 0) + claim.devices
        self._borrowers: dict[str, list[HeldClaim]] | None = None
        self._most: dict[str, int] = {}

    def plan(self, devices: int) -> Plan | None:
        """Find the node that needs the fewest servers to give back; None where none would help.

        The asking group counts as holding the devices already.
        """
        nodes = self._state.nodes
        missing = {
            node: devices - nodes.free(node) - self.coming.get(node, 0) for node in nodes.names
        }
        enough = [(lack, node) for node, lack in missing.items() if lack <= 0]
        if enough:
            return Plan(max(enough)[1], ())
        missing = {node: lack for node, lack in missing.items() if lack <= self._most_from(node)}
        if not missing:
            return None
        return self._best(missing, past_minimum=True) or self._best(missing, past_minimum=False)

    def _most_from(self, node: str) -> int:
        """Devices that borrowers of a node could give back at most."""
        most = self._most.get(node)
        if most is None:
            most = self._most[node] = sum(claim.devices for claim in self._borrowers_of(node))
        return most

    def agree(self, plan: Plan, devices: int) -> int:
        """Promise a plan's devices to its ticket. Returns how many of them are free already."""
        free = min(devices, self._state.nodes.free(plan.node))
        back = sum(victim.devices for victim in plan.victims)
        self.coming[plan.node] = self.coming.get(plan.node, 0) + back - (devices - free)
        for victim in plan.victims:
            self._borrowers_of(plan.node).remove(victim)
        self._most.pop(plan.node, None)
        return free

    def _best(self, missing: Mapping[str, int], *, past_minimum: bool) -> Plan | None:
        best: tuple[tuple[int, int, float, str], Plan] | None = None
        for node, lack in missing.items():
            victims = self._choose(node, lack, past_minimum=past_minimum)
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

    def _choose(self, node: str, lack: int, *, past_minimum: bool) -> tuple[HeldClaim, ...] | None:
        """Pick servers of one node that give back what is missing, or None where they do not."""
        candidates = [
            claim
            for claim in self._borrowers_of(node)
            if not past_minimum or claim.since + self._state.policy.minimum_runtime <= self._now
        ]
        lent: dict[str, int] = {}
        chosen: list[HeldClaim] = []
        while lack > 0:
            able = [
                claim
                for claim in candidates
                if self._state.group(claim.group).lent_to > lent.get(claim.group, 0)
            ]
            if not able:
                return None
            victim = _cheapest(able, lack)
            candidates.remove(victim)
            chosen.append(victim)
            lent[victim.group] = lent.get(victim.group, 0) + victim.devices
            lack -= victim.devices
        return _only_needed(chosen, -lack)

    def _borrowers_of(self, node: str) -> list[HeldClaim]:
        if self._borrowers is None:
            self._borrowers = {}
            for claim in sorted(self._state.held.values(), key=_youngest_first):
                if claim.priority is Priority.LOW and claim.reclaim_at is None:
                    self._borrowers.setdefault(claim.node, []).append(claim)
        return self._borrowers.setdefault(node, [])


def _youngest_first(claim: HeldClaim) -> tuple[float, str]:
    return -claim.since.timestamp(), claim.id


def _cheapest(able: Sequence[HeldClaim], lack: int) -> HeldClaim:
    """One that gives all that is missing, or else the one that gives most; ties go to the youngest."""
    covering = [claim for claim in able if claim.devices >= lack]
    if covering:
        return min(covering, key=lambda claim: (claim.server_count, claim.devices))
    return max(able, key=lambda claim: claim.devices / claim.server_count)


def _only_needed(chosen: Iterable[HeldClaim], spare: int) -> tuple[HeldClaim, ...]:
    """Leave out whoever is not needed any more since larger ones were chosen; the oldest is spared first."""
    needed: list[HeldClaim] = []
    for claim in sorted(chosen, key=lambda claim: (claim.since, claim.id)):
        if claim.devices <= spare:
            spare -= claim.devices
        else:
            needed.append(claim)
    return tuple(needed)
