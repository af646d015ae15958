"""What holds of the queue whatever comes: laws over random policies and histories."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.model.sharing import PoolPolicy
from allotment.rules.queue_standing import (
    Department,
    GroupInPool,
    HeldClaim,
    Node,
    PoolStanding,
    Reservation,
    WaitingClaim,
)
from allotment.rules.queueing import decide
from queue_histories import (
    DEDICATED,
    LOW,
    MINUTE,
    NEVER,
    NOW,
    Course,
    Launch,
    launches,
    policies,
    pools,
)


@pytest.mark.promise("POOL-8", "QUEUE-4")
@given(pools(), launches())
def test_devices_handed_out_never_exceed_devices_that_are_there(
    standing: PoolStanding, history: list[Launch]
) -> None:
    for _, state, _, _ in Course(standing, history).play():
        for node in standing.nodes:
            held = sum(c.devices for c in state.held.values() if c.node == node.name)
            assert held + state.nodes.free(node.name) == node.free
            assert state.nodes.free(node.name) >= 0


@pytest.mark.promise("QUEUE-4")
@given(pools(), launches())
def test_borrowing_never_passes_a_ceiling_and_dedicated_servers_never_borrow(
    standing: PoolStanding, history: list[Launch]
) -> None:
    limits = {group.name: group for group in standing.groups}
    for _, state, _, _ in Course(standing, history).play():
        for name, limit in limits.items():
            mine = [claim for claim in state.held.values() if claim.group == name]
            dedicated = sum(claim.devices for claim in mine if claim.priority is DEDICATED)
            assert dedicated <= limit.guaranteed
            most = limit.ceiling if standing.policy.sharing else limit.guaranteed
            assert sum(claim.devices for claim in mine) <= most


@pytest.mark.promise("GROUP-6")
@given(pools(), launches(), st.integers(0, 12))
def test_the_groups_of_a_department_never_pass_its_ceiling_together(
    standing: PoolStanding, history: list[Launch], ceiling: int
) -> None:
    teams = tuple(
        replace(group, department="research" if group.name in "ab" else None)
        for group in standing.groups
    )
    above = (Department("research", ceiling),)
    divided = replace(standing, groups=teams, departments=above)
    for _, state, _, _ in Course(divided, history).play():
        together = [claim.devices for claim in state.held.values() if claim.group in "ab"]
        assert sum(together) <= ceiling


@pytest.mark.promise("QUEUE-8")
@given(pools(), launches(), st.integers(1, 8), st.sampled_from("abc"))
def test_what_is_reserved_is_never_handed_to_others(
    standing: PoolStanding, history: list[Launch], devices: int, holder: str
) -> None:
    devices = min(devices, standing.total)
    kept = Reservation("r", devices, NOW, NOW + NEVER, group=holder)
    for _, state, _, _ in Course(replace(standing, reservations=(kept,)), history).play():
        others = [claim.devices for claim in state.held.values() if claim.group != holder]
        assert sum(others) <= standing.total - devices


@pytest.mark.promise("QUEUE-4", "QUEUE-5")
@given(pools(), launches())
def test_only_borrowers_past_their_minimum_runtime_end_and_only_after_the_grace(
    standing: PoolStanding, history: list[Launch]
) -> None:
    policy = standing.policy
    for clock, state, _, decisions in Course(standing, history).play():
        for reclaim in decisions.reclaims:
            victim = state.held[reclaim.allotment]
            assert policy.sharing
            assert victim.priority is LOW
            assert reclaim.stop_at >= victim.since + policy.minimum_runtime + policy.grace
            assert reclaim.stop_at >= NOW + clock * MINUTE + policy.grace


@pytest.mark.promise("QUEUE-5")
@given(pools(), launches())
def test_nobody_is_asked_to_give_back_while_its_group_is_within_its_guarantee(
    standing: PoolStanding, history: list[Launch]
) -> None:
    for _, state, _, decisions in Course(standing, history).play():
        asked = [state.held[reclaim.allotment] for reclaim in decisions.reclaims]
        waiting = {reclaim.for_ticket for reclaim in decisions.reclaims}
        for victim in asked:
            group = state.group(victim.group)
            told = sum(c.devices for c in state.told.values() if c.group == group.name)
            coming = sum(
                history[int(ticket)].devices
                for ticket in waiting
                if history[int(ticket)].group == group.name
            )
            assert group.held + coming - (told - victim.devices) > group.guaranteed


@pytest.mark.promise("QUEUE-4")
@given(
    policies,
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 120)), max_size=12),
    st.lists(st.integers(1, 4), min_size=1, max_size=6),
    st.integers(4, 16),
)
def test_no_more_is_taken_back_than_is_missing(
    policy: PoolPolicy, borrowed: list[tuple[int, int]], wanted: list[int], guaranteed: int
) -> None:
    held = tuple(
        HeldClaim(f"h{number:02}", "b", "x", "n", devices, LOW, NOW - age * MINUTE)
        for number, (devices, age) in enumerate(borrowed)
    )
    lent = sum(claim.devices for claim in held)
    total = max(lent, guaranteed)
    groups = (GroupInPool("a", guaranteed, guaranteed), GroupInPool("b", 0, total, held=lent))
    free = total - lent
    standing = PoolStanding("p", "m", policy, total, (Node("n", free),), groups, held=held)
    tickets = [
        WaitingClaim(f"t{number}", "a", "x", devices, DEDICATED, NOW - number * MINUTE)
        for number, devices in enumerate(wanted)
    ]
    decisions = decide(standing, tickets, NOW)
    sizes = {claim.id: claim.devices for claim in held}
    asked = {ticket.id: ticket.devices for ticket in tickets}
    back = [sizes[reclaim.allotment] for reclaim in decisions.reclaims]
    served = {reclaim.for_ticket for reclaim in decisions.reclaims}
    served |= {start.ticket for start in decisions.starts}
    covered = {wait.ticket for wait in decisions.waits if "give borrowed" in wait.message}
    need = sum(asked[ticket] for ticket in served | covered)
    assert not back or sum(back) - max(back) + free < need


@pytest.mark.promise("QUEUE-4")
@given(
    policies.filter(lambda policy: policy.sharing),
    launches(sizes=4, latest=100),
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
    st.integers(0, 100),
)
def test_within_its_guarantee_nobody_waits_longer_for_borrowers_than_runtime_and_grace(
    policy: PoolPolicy, borrowers: list[Launch], wanted: list[int], at: int
) -> None:
    own = sum(wanted)
    groups = (GroupInPool("own", own, own), *(GroupInPool(name, 0, 99) for name in "abc"))
    standing = PoolStanding("p", "m", policy, own + 2, (Node("n", own + 2),), groups)
    low = [Launch(one.at, one.group, one.devices, one.minutes) for one in borrowers]
    mine = [Launch(at, "own", devices, 500, DEDICATED) for devices in wanted]
    waited = Course(standing, [*mine, *low]).waited()[: len(mine)]
    longest = (policy.minimum_runtime + policy.grace) // MINUTE
    assert all(wait is not None and wait <= longest for wait in waited)


@pytest.mark.promise("QUEUE-4")
@given(
    policies.filter(lambda policy: policy.sharing),
    launches(sizes=4, latest=100),
    st.lists(
        st.tuples(st.sampled_from("de"), st.integers(1, 4), st.integers(0, 100)),
        min_size=1,
        max_size=5,
    ),
)
def test_groups_that_want_their_guarantees_back_at_once_wait_no_longer_than_protection_takes_more(
    policy: PoolPolicy, borrowers: list[Launch], wanted: list[tuple[str, int, int]]
) -> None:
    own = {group: sum(size for name, size, _ in wanted if name == group) for group in "de"}
    groups = (
        *(GroupInPool(name, devices, devices) for name, devices in own.items()),
        *(GroupInPool(name, 0, 99) for name in "abc"),
    )
    total = sum(own.values()) + 2
    standing = PoolStanding("p", "m", policy, total, (Node("n", total),), groups)
    low = [Launch(one.at, one.group, one.devices, one.minutes) for one in borrowers]
    mine = [Launch(at, group, devices, 500, DEDICATED) for group, devices, at in wanted]
    waited = Course(standing, [*mine, *low]).waited()[: len(mine)]
    longest = (
        policy.minimum_runtime + policy.grace + min(policy.protect_after, 100 * MINUTE)
    ) // MINUTE
    assert all(wait is not None and wait <= longest for wait in waited)


@pytest.mark.promise("QUEUE-3")
@given(
    policies.filter(lambda policy: policy.protect_after < NEVER),
    launches(most=40, sizes=2, latest=300),
    st.integers(1, 8),
    st.integers(0, 100),
)
def test_no_claim_within_its_guarantee_is_overtaken_for_ever(
    policy: PoolPolicy, others: list[Launch], devices: int, at: int
) -> None:
    groups = (GroupInPool("a", 8, 10), GroupInPool("b", 2, 10), GroupInPool("c", 0, 10))
    standing = PoolStanding("p", "m", policy, 10, (Node("n", 10),), groups)
    waited = Course(standing, [Launch(at, "a", devices, 60, DEDICATED), *others]).waited()
    longest = max([one.minutes for one in others], default=0)
    back = (policy.minimum_runtime + policy.grace) // MINUTE
    assert waited[0] is not None
    assert waited[0] <= policy.protect_after // MINUTE + max(longest, back)


@pytest.mark.promise("QUEUE-3")
@given(
    st.sampled_from([timedelta(0), 10 * MINUTE, 60 * MINUTE]),
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 90)), max_size=60),
    st.integers(2, 8),
    st.booleans(),
)
def test_a_large_claim_within_its_guarantee_gets_its_turn_among_many_small_ones(
    protect_after: timedelta, small: list[tuple[int, int]], devices: int, expected: bool
) -> None:
    policy = PoolPolicy(protect_after=protect_after)
    standing = PoolStanding(
        "p", "m", policy, 8, (Node("n", 8),), (GroupInPool("a", 8, 8), GroupInPool("b", 0, 0))
    )
    others = [Launch(at, "a", 1, minutes, expected=expected) for at, minutes in small]
    waited = Course(standing, [Launch(20, "a", devices, 60), *others]).waited()
    longest = max([minutes for _, minutes in small], default=0)
    assert waited[0] is not None
    assert waited[0] <= protect_after // MINUTE + longest


@pytest.mark.promise("QUEUE-3")
@given(
    st.integers(1, 6),
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 90)), max_size=60),
)
def test_two_groups_that_both_want_more_use_alike_within_one_session_of_the_whole_pool(
    total: int, wanted: list[tuple[str, int]]
) -> None:
    policy = PoolPolicy(sharing=True, protect_after=NEVER)
    groups = (GroupInPool("a", 0, total), GroupInPool("b", 0, total))
    standing = PoolStanding("p", "m", policy, total, (Node("n", total),), groups)
    course = Course(standing, [Launch(0, group, 1, minutes) for group, minutes in wanted])
    used, before = {"a": 0, "b": 0}, 0
    held = {"a": 0, "b": 0}
    longest = max([minutes for _, minutes in wanted], default=0)
    for clock, state, line, _ in course.play():
        for group in used:
            used[group] += held[group] * (clock - before)
            held[group] = state.group(group).held
        before = clock
        assert abs(used["a"] - used["b"]) <= total * longest
        if {claim.group for claim in line} < {"a", "b"}:
            break


@pytest.mark.promise("QUEUE-3")
@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.integers(0, 100), st.integers(1, 60)), min_size=1, max_size=40),
)
def test_first_come_first_served_another_device_makes_nobody_wait_longer(
    total: int, wanted: list[tuple[int, int]]
) -> None:
    def waited(devices: int) -> list[int | None]:
        group = (GroupInPool("a", devices, devices),)
        node = (Node("n", devices),)
        standing = PoolStanding("p", "m", PoolPolicy(), devices, node, group)
        return Course(standing, [Launch(at, "a", 1, last) for at, last in wanted]).waited()

    pairs = zip(waited(total), waited(total + 1), strict=True)
    assert all(more is not None and less is not None and more <= less for less, more in pairs)
