"""Who starts first, and why the others wait."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from allotment.model.profiles import Priority
from allotment.model.sharing import PoolPolicy
from allotment.rules.queue_standing import (
    Decisions,
    Department,
    GroupInPool,
    HeldClaim,
    Node,
    PoolStanding,
    WaitingClaim,
)
from allotment.rules.queueing import decide, schedule

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SHARING = PoolPolicy(sharing=True)
STRICT = PoolPolicy()
LOW, DEDICATED = Priority.LOW, Priority.DEDICATED


def pool(
    *groups: GroupInPool,
    free: int = 8,
    total: int | None = None,
    policy: PoolPolicy = SHARING,
    **rest: Any,
) -> PoolStanding:
    """A pool of one node."""
    total = free + sum(group.held for group in groups) if total is None else total
    return PoolStanding("p", "A100", policy, total, (Node("n", free),), groups, **rest)


def ticket(
    name: str,
    group: str = "a",
    devices: int = 1,
    priority: Priority = LOW,
    minutes: float = 5,
    **rest: Any,
) -> WaitingClaim:
    """A ticket that has waited so many minutes."""
    since = NOW - timedelta(minutes=minutes)
    return WaitingClaim(name, group, f"person-{name}", devices, priority, since, **rest)


def started(decisions: Decisions) -> list[str]:
    return [start.ticket for start in decisions.starts]


def why(decisions: Decisions) -> dict[str, str]:
    return {wait.ticket: str(wait.rule) for wait in decisions.waits}


@pytest.mark.promise("QUEUE-3")
def test_who_came_first_starts_first_within_one_group() -> None:
    waiting = [ticket("late", minutes=1), ticket("early", minutes=9), ticket("middle", minutes=5)]
    decisions = decide(pool(GroupInPool("a", 2, 2), free=2), waiting, NOW)
    assert started(decisions) == ["early", "middle"]


@pytest.mark.promise("QUEUE-3")
def test_a_claim_within_the_guarantee_comes_before_one_that_borrows() -> None:
    standing = pool(GroupInPool("a", 1, 8, held=1), GroupInPool("b", 4, 8, held=3), free=1, total=5)
    waiting = [ticket("borrows", "a", minutes=9), ticket("entitled", "b", minutes=1)]
    assert started(decide(standing, waiting, NOW)) == ["entitled"]


@pytest.mark.promise("QUEUE-3")
def test_of_two_that_borrow_the_group_with_less_for_its_weight_comes_first() -> None:
    standing = pool(
        GroupInPool("a", 0, 8, weight=1, held=2, recent_use=1.0),
        GroupInPool("b", 0, 8, weight=3, held=4, recent_use=2.0),
        free=1,
    )
    waiting = [ticket("a", "a", minutes=9), ticket("b", "b", minutes=1)]
    assert started(decide(standing, waiting, NOW)) == ["b"]


@pytest.mark.promise("QUEUE-3")
def test_recent_use_counts_when_both_hold_the_same() -> None:
    standing = pool(
        GroupInPool("a", 0, 8, recent_use=3.0), GroupInPool("b", 0, 8, recent_use=1.0), free=1
    )
    waiting = [ticket("a", "a", minutes=9), ticket("b", "b", minutes=1)]
    assert started(decide(standing, waiting, NOW)) == ["b"]


@pytest.mark.promise("QUEUE-6")
def test_an_operators_word_goes_before_everything() -> None:
    standing = pool(GroupInPool("a", 4, 8), GroupInPool("b", 4, 8), free=1, total=8)
    waiting = [ticket("first", "a", minutes=9), ticket("moved", "b", minutes=1, moved=1)]
    assert started(decide(standing, waiting, NOW)) == ["moved"]


@pytest.mark.parametrize(
    ("policy", "priority", "held", "dedicated", "starts"),
    [
        # Strict: both kinds are bound by the guarantee.
        (STRICT, DEDICATED, 3, 3, True),
        (STRICT, DEDICATED, 4, 0, False),
        (STRICT, LOW, 3, 0, True),
        (STRICT, LOW, 4, 0, False),
        # Sharing: low priority goes to the ceiling, dedicated servers to the guarantee.
        (SHARING, LOW, 5, 0, True),
        (SHARING, LOW, 6, 0, False),
        (SHARING, DEDICATED, 5, 3, True),
        (SHARING, DEDICATED, 4, 4, False),
        (SHARING, DEDICATED, 6, 2, False),
    ],
)
@pytest.mark.promise("QUEUE-4", "GROUP-2")
def test_what_a_share_has_room_for(
    policy: PoolPolicy, priority: Priority, held: int, dedicated: int, starts: bool
) -> None:
    group = GroupInPool("a", 4, 6, held=held, held_dedicated=dedicated)
    decisions = decide(pool(group, policy=policy), [ticket("t", priority=priority)], NOW)
    assert (started(decisions) == ["t"]) is starts


@pytest.mark.promise("GROUP-6")
def test_a_departments_ceiling_binds_its_groups_together() -> None:
    standing = pool(
        GroupInPool("a", 4, 8, held=2, department="d"),
        GroupInPool("b", 4, 8, held=2, department="d"),
        departments=(Department("d", 5, held=4),),
    )
    decisions = decide(standing, [ticket("t1", "a"), ticket("t2", "b", minutes=4)], NOW)
    assert started(decisions) == ["t1"]
    assert decisions.waits[0].message == (
        "The department d may hold 5 devices in p and holds 5; this needs 1 more."
    )


def test_who_has_no_group_may_use_what_no_group_was_guaranteed() -> None:
    standing = pool(GroupInPool("a", 6, 6), free=8, total=8)
    waiting = [ticket(name, "", priority=DEDICATED) for name in ("t1", "t2", "t3")]
    assert started(decide(standing, waiting, NOW)) == ["t1", "t2"]


@pytest.mark.promise("QUEUE-1")
def test_who_waits_is_told_why_with_amounts_and_in_which_place() -> None:
    standing = pool(
        GroupInPool("a", 2, 3, held=3, held_dedicated=2), GroupInPool("b", 9, 9), free=1
    )
    waiting = [
        ticket("over", "a", priority=DEDICATED),
        ticket("capped", "a"),
        ticket("large", "b", 4),
    ]
    waits = {wait.ticket: wait for wait in decide(standing, waiting, NOW).waits}
    assert {name: (wait.limit, wait.used, wait.asked) for name, wait in waits.items()} == {
        "over": (2, 2, 1),
        "capped": (3, 3, 1),
        "large": (4, 3, 4),
    }
    assert why(decide(standing, waiting, NOW)) == {
        "over": "share.guarantee",
        "capped": "share.ceiling",
        "large": "devices.free",
    }
    assert sorted(wait.position for wait in waits.values()) == [1, 2, 3]


@pytest.mark.promise("QUEUE-1")
def test_who_has_no_share_is_told_what_is_guaranteed_to_nobody_or_what_is_free() -> None:
    left = pool(GroupInPool("a", 6, 6), free=6, total=8)
    none = pool(free=0, total=8)
    (after_share,) = decide(left, [ticket("t", "", 3, DEDICATED)], NOW).waits
    (in_common,) = decide(none, [ticket("t", "", 3, DEDICATED)], NOW).waits

    assert after_share.message.startswith("2 devices in p are guaranteed to no group")
    assert in_common.message == "Of 8 devices in p 0 can be given out; this needs 3."


def test_a_claim_takes_the_node_with_the_least_room_that_suffices() -> None:
    nodes = (Node("n1", 8), Node("n2", 2), Node("n3", 1))
    standing = PoolStanding("p", "A100", SHARING, 11, nodes, (GroupInPool("a", 11, 11),))
    decisions = decide(standing, [ticket("t", devices=2)], NOW)
    assert decisions.starts[0].node == "n2"


def test_free_devices_on_several_nodes_are_no_room_for_one_claim() -> None:
    nodes = (Node("n1", 2), Node("n2", 2))
    standing = PoolStanding("p", "A100", SHARING, 4, nodes, (GroupInPool("a", 4, 4),))
    decisions = decide(standing, [ticket("t", devices=4)], NOW)
    assert decisions.waits[0].message == "No node of p has 4 to give: the most on one node is 2."


@pytest.mark.promise("QUEUE-3")
def test_a_large_ticket_is_passed_by_until_it_has_waited_long() -> None:
    held = (HeldClaim("h", "b", "x", "n", 2, DEDICATED, NOW, NOW + timedelta(hours=1)),)
    standing = pool(GroupInPool("a", 8, 8), GroupInPool("b", 0, 8, held=2), free=2, held=held)
    small = ticket("small", devices=1, minutes=1, expected=7200.0)
    young, old = ticket("large", devices=4, minutes=9), ticket("large", devices=4, minutes=11)
    assert started(decide(standing, [young, small], NOW)) == ["small"]
    assert why(decide(standing, [old, small], NOW)) == {
        "large": "devices.free",
        "small": "queue.turn",
    }


@pytest.mark.promise("QUEUE-3")
def test_what_ends_before_the_large_ticket_could_start_may_overtake_it() -> None:
    held = (HeldClaim("h", "b", "x", "n", 2, DEDICATED, NOW, NOW + timedelta(hours=1)),)
    standing = pool(GroupInPool("a", 8, 8), GroupInPool("b", 0, 8, held=2), free=2, held=held)
    waiting = [
        ticket("large", devices=4, minutes=60),
        ticket("short", devices=1, minutes=1, expected=3500.0),
        ticket("unknown", devices=2, minutes=1),
    ]
    assert started(decide(standing, waiting, NOW)) == ["short"]


@pytest.mark.promise("QUEUE-3")
def test_a_ticket_that_no_node_can_ever_hold_stands_in_nobodys_way() -> None:
    standing = pool(GroupInPool("a", 8, 8), free=2, total=8)
    waiting = [ticket("impossible", devices=9, minutes=600), ticket("small", minutes=1)]
    assert started(decide(standing, waiting, NOW)) == ["small"]


@pytest.mark.promise("QUEUE-1")
def test_a_ticket_for_two_pools_starts_in_one() -> None:
    first = PoolStanding("p1", "A100", SHARING, 1, (Node("n", 1),), (GroupInPool("a", 1, 1),))
    second = PoolStanding("p2", "A100", SHARING, 1, (Node("m", 1),), (GroupInPool("a", 1, 1),))
    both, other = ticket("both"), ticket("other", minutes=1)
    tickets = {("p1", "A100"): [both, other], ("p2", "A100"): [both, other]}
    decided = schedule([second, first], tickets, NOW)
    assert {key[0]: started(one) for key, one in decided.items()} == {
        "p1": ["both"],
        "p2": ["other"],
    }


@pytest.mark.promise("QUEUE-1")
def test_who_could_have_what_is_set_aside_is_told_that_others_come_first() -> None:
    since = NOW - timedelta(hours=2)
    held = HeldClaim("h", "b", "x", "n", 2, LOW, since)
    groups = GroupInPool("a", 4, 4), GroupInPool("b", 0, 4, held=2)
    standing = PoolStanding("p", "A100", SHARING, 4, (Node("n", 2),), groups, held=(held,))
    waiting = [ticket("owner", devices=4), ticket("borrower", group="b", minutes=1)]
    decided = decide(standing, waiting, NOW)
    assert [reclaim.allotment for reclaim in decided.reclaims] == ["h"]
    assert decided.promised == ("owner",)
    assert [(wait.ticket, wait.message) for wait in decided.waits][1] == (
        "borrower",
        "What is free in p is set aside for others that come first; this needs 1.",
    )


def lent(name: str, reclaim_at: datetime | None = None) -> PoolStanding:
    """A pool of one device, guaranteed to a, that b has borrowed."""
    held = HeldClaim("h", "b", "x", "n", 1, LOW, NOW - timedelta(hours=2), reclaim_at=reclaim_at)
    groups = GroupInPool("a", 1, 1), GroupInPool("b", 0, 1, held=1)
    return PoolStanding(name, "A100", SHARING, 1, (Node("n", 0),), groups, held=(held,))


@pytest.mark.promise("QUEUE-4")
def test_a_borrower_told_for_a_ticket_that_has_gone_is_spared() -> None:
    told = lent("p", NOW + timedelta(minutes=3))
    assert decide(told, [ticket("t")], NOW).spared == ()
    assert decide(told, [], NOW).spared == ("h",)
    assert decide(told, [ticket("t", group="b")], NOW).spared == ("h",)


@pytest.mark.promise("QUEUE-4")
def test_a_borrower_whose_time_has_come_is_not_spared_any_more() -> None:
    assert decide(lent("p", NOW), [], NOW).spared == ()


@pytest.mark.promise("QUEUE-4")
def test_one_pool_gives_back_for_a_ticket_that_waits_for_two() -> None:
    tickets = {("p1", "A100"): [ticket("both")], ("p2", "A100"): [ticket("both")]}
    first = schedule([lent("p1"), lent("p2")], tickets, NOW)
    assert {key[0]: len(one.reclaims) for key, one in first.items()} == {"p1": 1, "p2": 0}
    told = lent("p1", NOW + timedelta(minutes=5))
    again = schedule([told, lent("p2")], tickets, NOW)
    assert all(one.reclaims == () and one.spared == () for one in again.values())
