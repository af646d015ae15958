"""Policies to replay a trace against: read from a file; shares that follow from the use in a trace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import floor
from pathlib import Path

from allotment.model.refusals import SettingsInvalid
from allotment.model.simulation import PoolPlan, ShareInPlan, SimulationPolicy
from allotment.settings.document import read_document
from allotment.settings.expectations import fit
from allotment.simulate.trace import Job


def shares_for(plan: PoolPlan, jobs: Sequence[Job]) -> tuple[ShareInPlan, ...]:
    """The shares written in a plan, or those that follow from the use in a trace."""
    if plan.shares != "by-use":
        return plan.shares
    guaranteed = guarantees_by_use(jobs, plan.devices)
    return tuple(
        ShareInPlan(group=group, guaranteed=devices) for group, devices in guaranteed.items()
    )


def read_policy(path: Path) -> SimulationPolicy:
    """Read a policy (YAML).

    Raises:
        SettingsInvalid: every problem is named with file, line and key.
    """
    document = read_document(path)
    policy, misfits = fit(document, SimulationPolicy)
    problems = [*document.problems, *misfits]
    if problems or policy is None:
        raise SettingsInvalid(tuple(str(problem) for problem in sorted(set(problems))))
    return policy


def guarantees_by_use(jobs: Sequence[Job], devices: int) -> dict[str, int]:
    """Share devices out in proportion to device hours, at least one each, by largest remainders."""
    used: dict[str, float] = defaultdict(float)
    for job in jobs:
        used[job.group] += job.seconds * job.devices
    total = sum(used.values()) or 1.0
    exact = {group: devices * amount / total for group, amount in used.items()}
    given = {group: max(1, floor(amount)) for group, amount in exact.items()}
    by_rest = sorted(exact, key=lambda group: exact[group] - floor(exact[group]), reverse=True)
    for group in by_rest[: max(0, devices - sum(given.values()))]:
        given[group] += 1
    while sum(given.values()) > devices and max(given.values()) > 1:
        given[max(given, key=lambda group: given[group])] -= 1
    return given
