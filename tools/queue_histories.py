"""Random pools, tickets and histories for the laws of the queue, and how a history is played."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush

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
from allotment.rules.queue_state import PoolState
from allotment.rules.queueing import serve

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
                elif name in state.held and self._ends(state.held[name], clock):
                    state.end(name)
            decisions = serve(state, line, NOW + clock * MINUTE)
            for start in decisions.starts:
                self.began[start.ticket] = clock
                ends = clock + self.launches[int(start.ticket)].minutes
                heappush(events, (ends, 0, start.ticket))
            for reclaim in decisions.reclaims:
                heappush(events, ((reclaim.stop_at - NOW) // MINUTE, 0, reclaim.allotment))
            yield clock, state, line, decisions

    def _ends(self, claim: HeldClaim, clock: int) -> bool:
        """Whether a session ends now: by itself, or since it was told to and not spared."""
        told = claim.reclaim_at is not None and claim.reclaim_at <= NOW + clock * MINUTE
        return told or clock >= self.began[claim.id] + self.launches[int(claim.id)].minutes

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
    """Launches of three groups within some minutes."""
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


@st.composite
def moments(draw: st.DrawFn) -> tuple[PoolStanding, list[WaitingClaim]]:
    """A pool with servers that run, and tickets that wait."""
    empty = draw(pools())
    nodes: list[Node] = []
    held: list[HeldClaim] = []
    groups = {group.name: group for group in empty.groups}
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
