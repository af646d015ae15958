"""Replay of a trace over all pools of a policy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo
from heapq import heapify, heappop, heappush
from math import inf
from zoneinfo import ZoneInfo

from allotment.model.simulation import Result, SimulationPolicy
from allotment.simulate.ledger import Ledger
from allotment.simulate.replay import PoolReplay, Progress, nobody_looks
from allotment.simulate.results import together
from allotment.simulate.trace import Job


def replay(
    jobs: Sequence[Job], policy: SimulationPolicy, progress: Progress = nobody_looks
) -> Result:
    """Replay a trace, pool by pool. ``progress`` is told how many more launches were placed.

    A launch for a pool that the policy does not have goes to the first.
    """
    by_pool: dict[str, list[Job]] = {pool.name: [] for pool in policy.pools}
    first = by_pool[policy.pools[0].name]
    for job in jobs:
        by_pool.get(job.pool, first).append(job)
    begins = min((job.at for job in jobs), default=0.0)
    ledger = Ledger(policy.budgets, begins, _zone(policy))
    pools = [
        PoolReplay(plan, by_pool[plan.name], progress, policy.profiles, ledger)
        for plan in policy.pools
        if by_pool[plan.name]
    ]
    if ledger and len(pools) > 1:
        _in_step(pools)
    waited: list[float] = []
    found = [pool.run() for pool in pools]
    for pool in pools:
        waited += [wait for waits in pool.tally.waited.values() for wait in waits]
    return together(found, waited)


def _zone(policy: SimulationPolicy) -> tzinfo:
    """The zone of its months. The record knows zones, too; a worker does without it."""
    return UTC if policy.time_zone == "UTC" else ZoneInfo(policy.time_zone)


def _in_step(pools: Sequence[PoolReplay]) -> None:
    """Play several pools event by event in the order of time: they share what groups may spend."""
    coming = [(pool.next_at, number) for number, pool in enumerate(pools)]
    heapify(coming)
    while coming:
        _, number = heappop(coming)
        pools[number].step()
        if pools[number].next_at < inf:
            heappush(coming, (pools[number].next_at, number))
