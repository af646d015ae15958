"""Policies to replay a trace against: pools with their shares and how they are shared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import floor
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from allotment.model.refusals import SettingsInvalid
from allotment.model.sharing import PoolPolicy
from allotment.settings.document import read_document
from allotment.settings.expectations import fit
from allotment.simulate.trace import Job


class ShareInPlan(BaseModel):
    """A group's share of a pool. Left out, the ceiling is all of the pool, the weight the guarantee."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: str = Field(min_length=1)
    guaranteed: int = Field(ge=0)
    ceiling: int | None = Field(default=None, ge=0)
    weight: float | None = Field(default=None, gt=0)


class PoolPlan(PoolPolicy):
    """A pool as it might be: its devices, its shares, and how it is shared."""

    name: str = Field(default="default", min_length=1)
    devices: int = Field(ge=1)
    node_devices: int | None = Field(
        default=None, ge=1, description="Devices of one node; left out, all are on one"
    )
    reclaim: bool = Field(default=True, description="Whether borrowers are asked to give back")
    shares: Literal["by-use"] | tuple[ShareInPlan, ...] = Field(
        default="by-use", description="by-use: in proportion to the device hours in the trace"
    )
    requests: Literal["as-asked", "capped"] = Field(
        default="as-asked", description="capped: nobody asks for more than the group's guarantee"
    )
    priority: Literal["as-asked", "low", "dedicated"] = "as-asked"

    def shares_for(self, jobs: Sequence[Job]) -> tuple[ShareInPlan, ...]:
        """The shares written in the policy, or those that follow from the use in a trace."""
        if self.shares != "by-use":
            return self.shares
        guaranteed = guarantees_by_use(jobs, self.devices)
        return tuple(
            ShareInPlan(group=group, guaranteed=devices) for group, devices in guaranteed.items()
        )


class SimulationPolicy(BaseModel):
    """All pools of a replay. A launch that names no pool goes to the first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pools: tuple[PoolPlan, ...] = Field(min_length=1)


def read_policy(path: Path) -> SimulationPolicy:
    """Read a policy (YAML).

    Raises:
        SettingsInvalid: every problem is named with file, line and key.
    """
    document = read_document(path)
    policy, misfits = fit(document, SimulationPolicy)
    problems = [*document.problems, *misfits]
    if policy is not None:
        seen: set[str] = set()
        for index, pool in enumerate(policy.pools):
            if pool.name in seen:
                problems.append(
                    document.problem(("pools", index, "name"), f"{pool.name!r} is there twice")
                )
            seen.add(pool.name)
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
