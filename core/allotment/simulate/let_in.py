"""Which single change would have let most people in: every one that might help is replayed.

A change is worth what it changes between two replays of the same launches, so that whatever a replay
does not know is the same on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from allotment.model.amounts import counted
from allotment.model.idleness import duration_words
from allotment.model.profiles import Priority
from allotment.model.simulation import (
    ChangeKind,
    LetIn,
    LetInTable,
    PoolPlan,
    Result,
    ShareInPlan,
    SimulationPolicy,
)
from allotment.simulate.playing import replay
from allotment.simulate.trace import Job

IDLE_LIMITS = (timedelta(minutes=30), timedelta(hours=1), timedelta(hours=2))
"""Idle limits that are tried, where they are shorter than the present one."""
MOST_SHOWN = 20
LEAST_HOURS = 0.01
"""Hours of waiting; saving less is nothing."""


class Change(NamedTuple):
    """One single change: what it is about, in words, and the policy with it."""

    kind: ChangeKind
    subject: str
    group: str
    words: str
    policy: SimulationPolicy


def let_in(
    jobs: Sequence[Job],
    policy: SimulationPolicy,
    *,
    more_time: Callable[[], bool],
    tell: Callable[[float], None],
) -> LetInTable:
    """Replay the present policy, and it with each change while there is time; the best change first.

    Changes that let nobody in and save no hour are left out.
    """
    now = replay(jobs, policy)
    every = list(candidates(jobs, policy, now))
    found: list[LetIn] = []
    tried = 0
    for change in every:
        if not more_time():
            break
        tried += 1
        tell(tried / (len(every) + 1))
        found.append(_worth(change, now, replay(jobs, change.policy)))
    helpful = [one for one in found if one.let_in > 0 or one.hours_saved > LEAST_HOURS]
    helpful.sort(key=lambda one: (-one.let_in, -one.hours_saved, one.words))
    return LetInTable(
        now=now, changes=tuple(helpful[:MOST_SHOWN]), tried=tried, untried=len(every) - tried
    )


def _worth(change: Change, now: Result, then: Result) -> LetIn:
    return LetIn(
        kind=change.kind,
        subject=change.subject,
        group=change.group,
        words=change.words,
        let_in=now.not_let_in - then.not_let_in,
        hours_saved=now.hours_waited - then.hours_waited,
        reclaimed=then.reclaimed - now.reclaimed,
        stopped_idle=then.stopped_idle - now.stopped_idle,
        cost=then.cost - now.cost,
        policy=change.policy,
    )


def candidates(jobs: Sequence[Job], policy: SimulationPolicy, now: Result) -> Iterator[Change]:
    """Single changes that might let somebody in; first those where most waited."""
    seen: set[str] = set()
    for found in sorted(now.pools, key=lambda one: -one.hours_waited):
        plan = policy.pool(found.pool)
        if plan is None or not found.not_let_in:
            continue
        low = any(job.priority is Priority.LOW for job in jobs if _in(job, plan, policy))
        waiting = sorted(
            (group for group in found.groups if group.not_let_in),
            key=lambda one: -one.hours_waited,
        )
        changes = [*_of_pool(plan, policy, lends=low), *_of_profiles(jobs, plan, policy)]
        for group in waiting:
            largest = max(
                (
                    job.devices
                    for job in jobs
                    if job.group == group.group and _in(job, plan, policy)
                ),
                default=1,
            )
            for more in sorted({1, largest}):
                changes += _of_share(group.group, plan, policy, more)
        for change in changes:
            if change.words not in seen:  # a profile may have waited in several pools
                seen.add(change.words)
                yield change


def _in(job: Job, plan: PoolPlan, policy: SimulationPolicy) -> bool:
    return (job.pool or policy.pools[0].name) == plan.name


def _of_pool(plan: PoolPlan, policy: SimulationPolicy, *, lends: bool) -> Iterator[Change]:
    """One more device, a node more, lending."""
    node = plan.nodes[0] if plan.nodes else plan.node_devices or plan.devices
    for more in sorted({1, min(8, node)}):
        words = f"{counted(more, 'device')} more in {plan.name}"
        yield Change(
            ChangeKind.DEVICES, plan.name, "", words, policy.with_pool(_larger(plan, more))
        )
    if lends and not plan.sharing:
        words = f"Sharing in {plan.name}, with every ceiling at all of it"
        shares = tuple(
            share.model_copy(update={"ceiling": plan.devices}) for share in plan.written_shares
        )
        lending = plan.model_copy(update={"sharing": True, "shares": shares})
        yield Change(ChangeKind.SHARING, plan.name, "", words, policy.with_pool(lending))


def _larger(plan: PoolPlan, more: int) -> PoolPlan:
    """The pool with so many devices more: on a node of their own, where nodes are told apart."""
    return plan.model_copy(
        update={
            "devices": plan.devices + more,
            "nodes": (*plan.nodes, more) if plan.nodes else (),
        }
    )


def _of_share(group: str, plan: PoolPlan, policy: SimulationPolicy, more: int) -> Iterator[Change]:
    """So many devices more that are guaranteed to the group, or a higher guarantee or ceiling."""
    share = plan.share(group)
    if share is None:
        return
    name = f"{group} in {plan.name}"
    ceiling = plan.devices if share.ceiling is None else share.ceiling
    promised = share.guaranteed + more
    raised = share.model_copy(update={"guaranteed": promised, "ceiling": max(ceiling, promised)})
    if plan.devices - sum(one.guaranteed for one in plan.written_shares) >= more:
        words = f"Guarantee of {name} from {share.guaranteed} to {promised}"
        yield _shared(ChangeKind.GUARANTEE, words, policy, plan, raised)
    else:
        words = f"{counted(more, 'device')} more in {plan.name}, guaranteed to {group}"
        yield _shared(ChangeKind.DEVICES, words, policy, _larger(plan, more), raised)
    if plan.sharing:
        for higher in sorted({ceiling + more, plan.devices}):
            if ceiling < higher <= plan.devices:
                words = f"Ceiling of {name} from {ceiling} to {higher}"
                wider = share.model_copy(update={"ceiling": higher})
                yield _shared(ChangeKind.CEILING, words, policy, plan, wider)


def _shared(
    kind: ChangeKind, words: str, policy: SimulationPolicy, plan: PoolPlan, share: ShareInPlan
) -> Change:
    shares = tuple(share if one.group == share.group else one for one in plan.written_shares)
    changed = plan.model_copy(update={"shares": shares})
    return Change(kind, plan.name, share.group, words, policy.with_pool(changed))


def _of_profiles(jobs: Sequence[Job], plan: PoolPlan, policy: SimulationPolicy) -> Iterator[Change]:
    """A shorter idle limit, of profiles whose servers were idle here for that long."""
    longest: dict[str, float] = {}
    for job in jobs:
        if job.idle and _in(job, plan, policy):
            idle = max(seconds for _, seconds in job.idle)
            longest[job.profile] = max(longest.get(job.profile, 0.0), idle)
    for name, idle in sorted(longest.items()):
        profile = policy.profile(name)
        if profile is None:
            continue
        for limit in IDLE_LIMITS:
            if limit.total_seconds() > idle or (profile.idle and profile.idle <= limit):
                continue
            words = f"Servers of {name} stopped after {duration_words(limit)} of idleness"
            shorter = profile.model_copy(update={"idle": limit})
            yield Change(ChangeKind.IDLE, name, "", words, policy.with_profile(shorter))
