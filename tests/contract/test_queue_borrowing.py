"""Admission in pools that lend: who may borrow, and up to where; strict pools stay exact."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.model.claims import Granted, Refused, Waits
from allotment.model.groups import Share
from allotment.model.reasons import Rule
from allotment.model.sharing import PoolPolicy
from allotment.record import groups, pools, queue_facts


@pytest.fixture
def shared(world: Any) -> Any:
    """Four devices in a pool that lends: vision is guaranteed 2 of at most 3, nlp 2 of at most 4."""
    world.devices(4)
    world.pool("a100", ["gpu-0", "gpu-1", "gpu-2", "gpu-3"])
    with world.write() as writing:
        pools.set_policy(writing, "a100", PoolPolicy(sharing=True))
        groups.create(writing, "vision", wanted=[Share("vision", "a100", 2, 3)])
        groups.create(writing, "nlp", wanted=[Share("nlp", "a100", 2, 4)])
    world.people("ann", "bob", group="vision")
    world.people("mei", group="nlp")
    world.profile("gpu", devices=1)
    world.profile("low", devices=1, priority="low")
    world.profile("two", devices=2)
    return world


def test_low_priority_borrows_beyond_the_guarantee_up_to_the_ceiling(shared: Any) -> None:
    for name in ("a", "b", "c"):
        shared.granted("ann", "low", name)
    outcome = shared.claim("ann", "low", "d")
    assert isinstance(outcome, Waits)
    (reason,) = outcome.reasons
    assert (reason.rule, reason.limit, reason.used, reason.asked) == (Rule.SHARE_CEILING, 3, 3, 1)


def test_dedicated_servers_never_borrow(shared: Any) -> None:
    shared.granted("ann", "two")
    outcome = shared.claim("ann", "gpu", "more")
    assert isinstance(outcome, Waits)
    (reason,) = outcome.reasons
    assert (reason.rule, reason.limit, reason.used) == (Rule.SHARE_GUARANTEE, 2, 2)
    assert "low-priority" in reason.remedy


@pytest.mark.promise("QUEUE-5")
def test_what_a_group_holds_with_low_priority_does_not_keep_it_from_its_guarantee(
    shared: Any,
) -> None:
    shared.granted("ann", "low", "a")
    assert isinstance(shared.claim("bob", "two"), Granted)
    assert isinstance(shared.claim("ann", "low", "b"), Waits)
    assert shared.sound()


@pytest.mark.promise("QUEUE-4")
def test_a_pool_that_stops_lending_is_strict_from_the_next_claim_on(shared: Any) -> None:
    shared.granted("ann", "low", "a")
    with shared.write() as writing:
        pools.set_policy(writing, "a100", PoolPolicy())
    shared.granted("ann", "low", "b")
    outcome = shared.claim("ann", "low", "c")
    assert isinstance(outcome, Waits)
    assert [reason.rule for reason in outcome.reasons] == [Rule.SHARE_GUARANTEE]


def test_what_can_never_be_served_is_refused_and_not_told_to_wait(shared: Any) -> None:
    shared.profile("three", devices=3)
    assert isinstance(shared.claim("ann", "three"), Refused)
    shared.profile("three-low", devices=3, priority="low")
    assert isinstance(shared.claim("ann", "three-low"), Granted)


@pytest.mark.promise("QUEUE-3")
def test_recent_use_is_what_was_held_lately_decayed_with_the_half_life(shared: Any) -> None:
    server = shared.granted("ann", "two")
    shared.later(days=7)
    running = recent(shared)
    shared.end(server)
    ended = recent(shared)
    shared.later(days=7)
    assert running == pytest.approx(1, abs=0.001)
    assert ended == pytest.approx(1, abs=0.001)
    assert recent(shared) == pytest.approx(0.5, abs=0.001)
    assert shared.sound()


def recent(world: Any) -> float:
    with world.record.reading() as reading:
        queue = queue_facts.read(reading, world.now, pools=["a100"])
    (standing,) = queue.standings.values()
    return next(group.recent_use for group in standing.groups if group.name == "vision")


def test_the_queue_sees_every_server_with_its_node_and_priority(shared: Any) -> None:
    low = shared.granted("ann", "low", "a")
    two = shared.granted("mei", "two")
    with shared.record.reading() as reading:
        queue = queue_facts.read(reading, shared.now, pools=["a100"])
    standing = queue.standings["a100", "A100"]
    held = {
        claim.id: (claim.group, claim.node, claim.devices, claim.priority)
        for claim in standing.held
    }
    assert held == {low: ("vision", "n1", 1, "low"), two: ("nlp", "n1", 2, "dedicated")}
    assert {group.name: (group.held, group.held_dedicated) for group in standing.groups} == {
        "nlp": (2, 2),
        "vision": (1, 0),
    }
    assert (standing.total, standing.free, standing.policy.sharing) == (4, 1, True)
