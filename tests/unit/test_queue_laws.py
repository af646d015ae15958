"""What holds of the queue whatever comes: laws over random policies and histories."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.model.profiles import Priority
from allotment.model.sharing import PoolPolicy
from allotment.rules.queue_line import Line
from allotment.rules.queue_standing import (
    Decisions,
    GroupInPool,
    HeldClaim,
    Node,
    PoolStanding,
    WaitingClaim,
)
from allotment.rules.queue_state import PoolState, Room
from allotment.rules.queueing import decide, serve

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LOW, DEDICATED = Priority.LOW, Priority.DEDICATED
NEVER = timedelta(days=3000)


@dataclass(frozen=True)
class Launch:
    """A launch in minutes from the beginning."""

    at: int
    group: str
    devices: int
    minutes: int
    priority: Priority = LOW
    expected: bool = False


@dataclass
class Course:
    """A history played through the rules, with what was seen at each moment."""

    standing: PoolStanding
    launches: Sequence[Launch]
    began: dict[str, int] = field(default_factory=dict)

    def play(self) -> Iterator[tuple[int, PoolState, Line, Decisions]]:
        """Play event after event; the state at each is handed out before the next."""
        state, line = PoolState(self.standing, NOW), Line()
        events: list[tuple[int, int, str]] = []
        for number, launch in enumerate(self.launches):
            heappush(events, (launch.at, 1, f"{number:03}"))
        clock = 0
        while events:
            state.pass_time((events[0][0] - clock) * 60.0)
            clock = events[0][0]
            while events and events[0][0] == clock:
                _, arrives, name = heappop(events)
                if arrives:
                    line.add(self._claim(name))
                elif name in state.held:
                    state.end(name)
            decisions = serve(state, line, NOW + clock * MINUTE)
            for start in decisions.starts:
                self.began[start.ticket] = clock
                ends = clock + self.launches[int(start.ticket)].minutes
                heappush(events, (ends, 0, start.ticket))
            for reclaim in decisions.reclaims:
                heappush(events, ((reclaim.stop_at - NOW) // MINUTE, 0, reclaim.allotment))
            yield clock, state, line, decisions

    def waited(self) -> list[int | None]:
        """Minutes that each launch waited; None: it never started."""
        for _ in self.play():
            pass
        return [
            self.began[f"{number:03}"] - launch.at if f"{number:03}" in self.began else None
            for number, launch in enumerate(self.launches)
        ]

    def _claim(self, name: str) -> WaitingClaim:
        launch = self.launches[int(name)]
        return WaitingClaim(
            name,
            launch.group,
            "x",
            launch.devices,
            launch.priority,
            NOW + launch.at * MINUTE,
            launch.minutes * 60.0 if launch.expected else None,
        )


policies = st.builds(
    PoolPolicy,
    sharing=st.booleans(),
    minimum_runtime=st.integers(0, 40).map(lambda number: number * MINUTE),
    grace=st.integers(0, 10).map(lambda number: number * MINUTE),
    protect_after=st.sampled_from([timedelta(0), 10 * MINUTE, NEVER]),
)


def launches(most: int = 25, sizes: int = 6, latest: int = 120) -> st.SearchStrategy[list[Launch]]:
    return st.lists(
        st.builds(
            Launch,
            at=st.integers(0, latest),
            group=st.sampled_from("abc"),
            devices=st.integers(1, sizes),
            minutes=st.integers(1, 90),
            priority=st.sampled_from(Priority),
            expected=st.booleans(),
        ),
        max_size=most,
    )


@st.composite
def pools(draw: st.DrawFn) -> PoolStanding:
    """An empty pool of a few nodes whose guarantees fit into it."""
    sizes = draw(st.lists(st.integers(1, 8), min_size=1, max_size=3))
    total = left = sum(sizes)
    groups = []
    for name in "abc":
        guaranteed = draw(st.integers(0, left))
        left -= guaranteed
        ceiling = draw(st.integers(guaranteed, total))
        groups.append(GroupInPool(name, guaranteed, ceiling, draw(st.floats(0.5, 4))))
    nodes = tuple(Node(f"n{number}", size) for number, size in enumerate(sizes))
    return PoolStanding("p", "m", draw(policies), total, nodes, tuple(groups))


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


@st.composite
def moments(draw: st.DrawFn) -> tuple[PoolStanding, list[WaitingClaim]]:
    """A pool with servers that run, and tickets that wait."""
    empty = draw(pools())
    nodes, held, groups = [], [], {group.name: group for group in empty.groups}
    have = dict.fromkeys(groups, 0)
    for node in empty.nodes:
        left = node.free
        for size in draw(st.lists(st.integers(1, 3), max_size=4)):
            name = draw(st.sampled_from(sorted(groups)))
            if size > left or have[name] + size > groups[name].ceiling:
                continue
            left -= size
            have[name] += size
            since = NOW - draw(st.integers(0, 99)) * MINUTE
            end = draw(st.none() | st.integers(-9, 99).map(lambda number: NOW + number * MINUTE))
            held.append(HeldClaim(f"h{len(held):02}", name, "x", node.name, size, LOW, since, end))
        nodes.append(Node(node.name, left))
    full = tuple(
        GroupInPool(one.name, one.guaranteed, one.ceiling, one.weight, have[one.name])
        for one in empty.groups
    )
    standing = PoolStanding(
        "p", "m", empty.policy, empty.total, tuple(nodes), full, held=tuple(held)
    )
    tickets = [
        WaitingClaim(
            f"t{number:02}",
            draw(st.sampled_from("abc")),
            "x",
            draw(st.integers(1, 6)),
            draw(st.sampled_from(Priority)),
            NOW - draw(st.integers(0, 30)) * MINUTE,
            draw(st.none() | st.integers(60, 9000).map(float)),
            draw(st.sampled_from([0, 0, 0, 1])),
        )
        for number in range(draw(st.integers(0, 14)))
    ]
    return standing, tickets


@pytest.mark.promise("QUEUE-3")
@given(moments(), st.randoms(use_true_random=False))
def test_decisions_do_not_depend_on_the_order_of_rows(
    moment: tuple[PoolStanding, list[WaitingClaim]], random: Random
) -> None:
    standing, tickets = moment
    mixed = PoolStanding(
        *(standing.pool, standing.model, standing.policy, standing.total),
        nodes=standing.nodes[::-1],
        groups=standing.groups[::-1],
        held=standing.held[::-1],
    )
    shuffled = list(tickets)
    random.shuffle(shuffled)
    assert decide(standing, tickets, NOW) == decide(mixed, shuffled, NOW)


def slowly(standing: PoolStanding, tickets: list[WaitingClaim]) -> list[str]:
    """Who starts, by ranking every ticket anew after each start: slow and obvious."""
    state = PoolState(standing, NOW, reclaims=False)
    started: list[str] = []
    while True:
        waiting = sorted(
            (claim for claim in tickets if claim.id not in started),
            key=lambda claim: obvious_rank(state, claim),
        )
        for claim in waiting:
            room = state.room(Line([claim]).bucket(claim))
            nodes = list(state.nodes.fitting(claim.devices))
            if room <= Room.BORROWS and nodes:
                state.start(claim, nodes[0], NOW)
                started.append(claim.id)
                break
        else:
            return started


def obvious_rank(state: PoolState, claim: WaitingClaim) -> tuple[object, ...]:
    entitled = state.room(Line([claim]).bucket(claim)) is Room.ENTITLED
    fair = state.group(claim.group).fair
    return -claim.moved, not entitled, fair, claim.since, claim.id


@pytest.mark.promise("QUEUE-3")
@given(moments())
def test_ranking_only_the_heads_of_lines_starts_the_same_as_ranking_everybody(
    moment: tuple[PoolStanding, list[WaitingClaim]],
) -> None:
    standing, tickets = moment
    patient = standing.policy.model_copy(update={"protect_after": NEVER})
    standing = PoolStanding(
        *(standing.pool, standing.model, patient, standing.total),
        nodes=standing.nodes,
        groups=standing.groups,
        held=standing.held,
    )
    quick = serve(PoolState(standing, NOW, reclaims=False), Line(tickets), NOW)
    assert [start.ticket for start in quick.starts] == slowly(standing, tickets)


@pytest.mark.promise("QUEUE-1")
@given(moments())
def test_every_ticket_starts_or_is_told_why_not_and_positions_count_from_one(
    moment: tuple[PoolStanding, list[WaitingClaim]],
) -> None:
    standing, tickets = moment
    decisions = decide(standing, tickets, NOW)
    told = [start.ticket for start in decisions.starts]
    told += [wait.ticket for wait in decisions.waits]
    assert sorted(told) == [ticket.id for ticket in tickets]
    assert [wait.position for wait in decisions.waits] == list(range(1, len(decisions.waits) + 1))
