"""How many waited over time, and how long those waited whose turn came."""

from __future__ import annotations

import pytest

from allotment.rules.waiting import Wait, Waited, quantile, waited

MINUTE = 60_000_000


def wait(begin: int, end: int, *, served: bool = True) -> Wait:
    """A wait from one minute to another."""
    return Wait(begin * MINUTE, end * MINUTE, served)


@pytest.mark.promise("QUEUE-7", "ADMIN-4")
def test_each_part_of_a_period_tells_how_many_waited_on_average_and_at_once() -> None:
    waits = [wait(0, 30), wait(15, 90), wait(70, 80, served=False)]

    found = waited(waits, [0, 60 * MINUTE, 120 * MINUTE])

    assert found == (Waited(75 / 60, 2), Waited(40 / 60, 2))


def test_who_follows_in_the_instant_in_which_another_starts_does_not_wait_beside_them() -> None:
    assert waited([wait(0, 10), wait(10, 20)], [0, 20 * MINUTE]) == (Waited(1.0, 1),)


def test_nobody_waits_where_nobody_did() -> None:
    assert waited([], [0, MINUTE]) == (Waited(0.0, 0),)
    assert waited([wait(0, 9)], [MINUTE]) == ()
    assert quantile([wait(0, 9, served=False)], 0.5) is None


@pytest.mark.promise("QUEUE-7")
def test_only_those_whose_turn_came_count_for_how_long_it_takes() -> None:
    waits = [wait(0, minutes) for minutes in range(1, 11)] + [wait(0, 500, served=False)]

    assert quantile(waits, 0.5) == 6 * MINUTE
    assert quantile(waits, 0.9) == 10 * MINUTE
