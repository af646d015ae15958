"""When a ticket's turn comes."""

from datetime import UTC, datetime, timedelta

import pytest

from allotment.model.profiles import Priority
from allotment.model.sharing import PoolPolicy
from allotment.rules.eta import Estimate, Sessions, Stretch, estimate
from allotment.rules.queue_standing import (
    GroupInPool,
    HeldClaim,
    Node,
    PoolStanding,
    WaitingClaim,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = 3600.0


def full_pool(*ages: float) -> PoolStanding:
    """One group's pool in which servers have run for so many hours."""
    held = tuple(
        HeldClaim(f"h{number}", "a", "x", "n", 1, Priority.DEDICATED, NOW - timedelta(hours=age))
        for number, age in enumerate(ages)
    )
    group = GroupInPool("a", len(ages), len(ages), held=len(ages), held_dedicated=len(ages))
    return PoolStanding("p", "m", PoolPolicy(), len(ages), (Node("n", 0),), (group,), held=held)


def line(count: int) -> list[WaitingClaim]:
    return [
        WaitingClaim(f"t{n}", "a", "x", 1, Priority.DEDICATED, NOW - timedelta(minutes=9 - n))
        for n in range(count)
    ]


@pytest.mark.promise("QUEUE-1")
def test_with_sessions_that_all_last_alike_the_time_is_exact() -> None:
    sessions = Sessions({"": [2 * HOUR] * 5})
    told = estimate(full_pool(0.5), line(2), ["t0", "t1"], NOW, sessions=sessions)
    first, second = NOW + timedelta(hours=1.5), NOW + timedelta(hours=3.5)
    assert told == {"t0": Estimate(1, first, first), "t1": Estimate(2, second, second)}


@pytest.mark.promise("QUEUE-1")
def test_ninety_percent_is_never_before_fifty_percent() -> None:
    sessions = Sessions({"": [n * HOUR for n in range(1, 21)]})
    told = estimate(full_pool(1, 3), line(3), ["t2"], NOW, sessions=sessions)["t2"]
    assert told.half is not None
    assert told.most is not None
    assert NOW < told.half < told.most


@pytest.mark.promise("QUEUE-1")
def test_without_any_past_session_nobody_can_say() -> None:
    told = estimate(full_pool(1), line(1), ["t0"], NOW, sessions=Sessions({}))
    assert told == {"t0": Estimate(1, None, None)}


@pytest.mark.promise("QUEUE-1")
def test_who_stands_far_behind_is_told_a_time_at_the_pace_of_those_before() -> None:
    sessions = Sessions({"": [HOUR] * 5})
    waiting = [
        WaitingClaim(f"t{n:05}", "a", "x", 1, Priority.DEDICATED, NOW - timedelta(seconds=9000 - n))
        for n in range(5000)
    ]
    told = estimate(full_pool(0), waiting, ["t00029", "t04999"], NOW, sessions=sessions)
    near, far = told["t00029"].half, told["t04999"].half
    assert near == NOW + timedelta(hours=30)
    assert far is not None
    assert abs(far - (NOW + timedelta(hours=5000))) < timedelta(hours=100)


def test_sessions_of_its_own_kind_speak_for_a_session_once_there_are_enough() -> None:
    past = {"short": [60.0] * 5, "rare": [9.0], "": [HOUR] * 9}
    sessions = Sessions(past)
    assert sessions.remaining("short", 0, 0.5) == 60
    assert sessions.remaining("rare", 0, 0.5) == HOUR


def test_the_same_seed_tells_the_same_and_the_order_of_rows_changes_nothing() -> None:
    sessions = Sessions({"": [n * HOUR for n in range(1, 21)]})
    standing, waiting = full_pool(1, 3, 5), line(5)
    told = estimate(standing, waiting, ["t4"], NOW, sessions=sessions, seed=7)
    again = estimate(standing, waiting[::-1], ["t4"], NOW, sessions=sessions, seed=7)
    assert told == again


def test_times_that_do_not_hold_stretch_those_that_are_told_next() -> None:
    stretch = Stretch().learn(half_held=False, most_held=False)
    assert stretch.half > 1
    assert stretch.most > 1
    assert Stretch().learn(half_held=True, most_held=True).most < 1
