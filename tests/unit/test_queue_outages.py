"""When a ticket's turn comes, where nodes leave and come back at dates that are known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from allotment.model.cordons import Cordon, Scope
from allotment.model.profiles import Priority
from allotment.model.sharing import PoolPolicy
from allotment.rules.cordoning import Spot
from allotment.rules.eta import Estimate, Sessions, estimate
from allotment.rules.outages import Outage, Place, outages
from allotment.rules.queue_standing import (
    GroupInPool,
    HeldClaim,
    Node,
    PoolStanding,
    WaitingClaim,
)

pytestmark = pytest.mark.promise("CLUSTER-3", "QUEUE-1")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FOUR_HOURS = Sessions({"": [4 * 3600.0] * 5})


def cordon(
    name: str, begins: float, drain: float | None = None, until: float | None = None
) -> Cordon:
    """A node, or a device, that is out of use from so many hours on."""
    scope = Scope.DEVICE if "_" in name else Scope.NODE
    at = [None if hours is None else NOW + hours * HOUR for hours in (drain, until)]
    return Cordon(name, scope, (name,), "Power", NOW + begins * HOUR, "olga", NOW, at[0], at[1])


def places(**holders: str | None) -> list[Place]:
    """Devices such as ``n1_0``: which node they are in is in their name."""
    return [
        Place(Spot(device, device.partition("_")[0], "p"), holder)
        for device, holder in holders.items()
    ]


def pool(known: list[Place], *cordons: Cordon, ages: float = 1.0) -> PoolStanding:
    """A group's pool of these devices, whose servers have run for so many hours."""
    held = tuple(
        HeldClaim(one.holder, "a", "x", one.spot.node, 1, Priority.DEDICATED, NOW - ages * HOUR)
        for one in known
        if one.holder is not None
    )
    nodes = sorted({one.spot.node for one in known})
    group = GroupInPool("a", len(known), len(known), held=len(held), held_dedicated=len(held))
    free = dict.fromkeys(nodes, 0)
    for one in known:
        in_use = any(
            c.in_force(NOW) and c.covers(one.spot.device, one.spot.node, "p") for c in cordons
        )
        free[one.spot.node] += one.holder is None and not in_use
    return PoolStanding(
        "p",
        "m",
        PoolPolicy(),
        len(known),
        tuple(Node(node, free[node]) for node in nodes),
        (group,),
        held=held,
        outages=outages(cordons, known),
    )


def told(standing: PoolStanding, tickets: int = 1) -> Estimate:
    """What the last of so many tickets is told."""
    line = [
        WaitingClaim(f"t{n}", "a", "x", 1, Priority.DEDICATED, NOW - timedelta(minutes=9 - n))
        for n in range(tickets)
    ]
    last = f"t{tickets - 1}"
    return estimate(standing, line, [last], NOW, sessions=FOUR_HOURS)[last]


def in_hours(estimated: Estimate) -> float:
    """Hours until it starts with 90 %."""
    assert estimated.most is not None
    return (estimated.most - NOW) / HOUR


BOTH_HELD = {"n1_0": "a", "n2_0": "b"}


def test_what_a_session_gives_back_on_a_node_that_has_left_is_nobodys_turn() -> None:
    known = places(n1_0="a")
    assert in_hours(told(pool(known))) == 3
    assert in_hours(told(pool(known, cordon("n1", 2, until=10)))) == 10


def test_a_node_that_leaves_for_good_brings_no_turn_at_all() -> None:
    assert told(pool(places(n1_0="a"), cordon("n1", 2))).most is None


def test_a_node_that_comes_back_serves_those_who_wait() -> None:
    standing = pool(places(n1_0=None), cordon("n1", -1, until=5))
    assert standing.free == 0
    assert in_hours(told(standing)) == 5


def test_servers_that_are_stopped_for_a_cordon_are_not_waited_for_on_another_node() -> None:
    known = places(**BOTH_HELD)
    drained = pool(known, cordon("n1", 1, drain=1, until=2))
    assert in_hours(told(drained)) == 2
    assert in_hours(told(pool(known))) == 3


def test_a_session_that_begins_before_the_node_is_emptied_ends_with_it() -> None:
    standing = pool(places(n1_0=None), cordon("n1", 3, drain=3, until=6))
    assert told(standing).position == 0
    assert in_hours(told(standing, tickets=2)) == 6


def test_of_a_node_that_loses_one_device_the_others_go_on() -> None:
    known = places(n1_0="a", n1_1="b")
    assert in_hours(told(pool(known, cordon("n1_0", 1, until=20)), tickets=1)) == 3
    assert in_hours(told(pool(known, cordon("n1_0", 1, until=20)), tickets=2)) == 7


def test_cordons_that_meet_are_one_outage_and_the_earliest_stop_holds() -> None:
    known = places(n1_0="a", n1_1=None)
    found = outages(
        [cordon("n1", 1, drain=3, until=4), cordon("n1_0", 2, drain=2.5, until=6)], known
    )
    assert set(found.spans) == {
        Outage("n1", NOW + HOUR, NOW + 6 * HOUR, 1, 1, NOW + 2.5 * HOUR),
        Outage("n1", NOW + HOUR, NOW + 4 * HOUR, 1, 0, NOW + 3 * HOUR),
    }
    assert found.stopped == {"a": NOW + 2.5 * HOUR}


def test_without_a_cordon_nothing_is_told_otherwise() -> None:
    standing = pool(places(**BOTH_HELD))
    assert standing == replace(standing, outages=outages([], places(**BOTH_HELD)))
