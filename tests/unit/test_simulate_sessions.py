"""Replays with ends and money: idleness, lifetimes, prices, and people who give up."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from allotment.simulate import (
    Job,
    PoolPlan,
    ProfilePlan,
    Result,
    ShareInPlan,
    SimulationPolicy,
    parse_trace,
    replay,
)

HOUR = 3600.0


def run(jobs: list[Job], devices: int = 1, **profile: Any) -> Result:
    """Replay on one pool that is all one group's, with a profile's rules."""
    plan = PoolPlan(devices=devices, shares=(ShareInPlan(group="a", guaranteed=devices),))
    profiles = (ProfilePlan(name="gpu", **profile),)
    return replay(jobs, SimulationPolicy(pools=(plan,), profiles=profiles))


def job(at: float, hours: float, **fields: Any) -> Job:
    return Job(at * HOUR, hours * HOUR, 1, "a", profile="gpu", **fields)


def idle(*spans: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    return tuple((begin * HOUR, hours * HOUR) for begin, hours in spans)


@pytest.mark.promise("OPS-6", "IDLE-1")
def test_an_idle_server_is_stopped_and_the_next_one_waits_less() -> None:
    jobs = [job(0, 10, idle=idle((2, 8))), job(1, 1)]
    kept = run(jobs)
    stopped = run(jobs, idle=timedelta(hours=1))
    assert (kept.waits.longest, kept.held_idle_device_hours) == (9 * 60, 8)
    assert (stopped.waits.longest, stopped.held_idle_device_hours) == (2 * 60, 1)
    assert (stopped.stopped_idle, stopped.device_hours) == (1, 4)


@pytest.mark.promise("OPS-6", "IDLE-1")
def test_who_is_at_work_again_after_an_idle_time_launches_again() -> None:
    found = run([job(0, 10, idle=idle((2, 4)))], idle=timedelta(hours=1))
    assert (found.stopped_idle, found.device_hours, found.waits.launches) == (1, 7, 1)


@pytest.mark.promise("OPS-6", "IDLE-1")
def test_what_was_stopped_for_idleness_goes_on_for_as_long_as_a_longer_limit_lets_it() -> None:
    jobs = [job(0, 3, idle=idle((2, 1)), forgotten=True)]
    same = run(jobs, idle=timedelta(hours=1))
    longer = run(jobs, idle=timedelta(hours=5))
    off = run(jobs)
    assert [one.device_hours for one in (same, longer, off)] == [3, 7, 2 + 24]


@pytest.mark.promise("OPS-6", "IDLE-1")
def test_at_the_lifetimes_end_work_goes_on_in_another_server() -> None:
    found = run([job(0, 5), job(1, 1)], lifetime=timedelta(hours=2))
    assert (found.stopped_lifetime, found.device_hours) == (2, 6)
    assert found.waits.longest == 60


@pytest.mark.promise("OPS-6")
def test_sessions_of_profiles_that_the_policy_does_not_name_last_as_they_did() -> None:
    jobs = [job(0, 3, idle=idle((2, 1)), forgotten=True)._replace(profile="other")]
    assert run(jobs, idle=timedelta(minutes=5)).device_hours == 3


@pytest.mark.promise("OPS-6", "MONEY-1")
def test_money_is_what_servers_cost_at_their_own_price_or_the_policys() -> None:
    jobs = [job(0, 2, price=2.5)]
    assert run(jobs).cost == 5
    assert run(jobs, price=Decimal("1.20")).cost == Decimal("2.40")


@pytest.mark.promise("OPS-6", "QUEUE-7")
def test_who_does_not_wait_longer_gives_up_and_who_is_served_at_that_moment_does_not() -> None:
    jobs = [job(0, 2), job(1, 1, patience=HOUR / 2), job(1, 1, patience=HOUR)]
    found = run(jobs)
    assert (found.gave_up, found.hours_in_vain) == (1, 0.5)
    assert (found.waits.launches, found.waits.longest) == (2, 60)
    assert found.not_let_in == 2
    assert found.hours_waited == pytest.approx(1.5)


@pytest.mark.promise("OPS-6")
def test_the_wait_of_what_ran_already_does_not_count() -> None:
    found = run([job(0, 2, running=True), job(1, 1)])
    assert (found.waits.launches, found.waits.mean) == (1, 60)


@pytest.mark.promise("OPS-6")
def test_nobody_waits_for_ever_without_being_counted() -> None:
    plan = PoolPlan.model_validate(
        {
            "devices": 4,
            "shares": [{"group": "a", "guaranteed": 4, "department": "d"}],
            "departments": [{"department": "d", "ceiling": 1}],
        }
    )
    jobs = [Job(0, HOUR, 2, "a"), Job(0, HOUR, 1, "a")]
    found = replay(jobs, SimulationPolicy(pools=(plan,)))
    assert (found.never, found.waits.launches) == (1, 1)


@pytest.mark.promise("OPS-6")
def test_nodes_of_different_sizes_hold_what_fits_on_one() -> None:
    plan = PoolPlan(devices=3, nodes=(2,), shares=(ShareInPlan(group="a", guaranteed=3),))
    jobs = [Job(0, HOUR, 2, "a"), Job(0, HOUR, 2, "a"), Job(0, HOUR, 1, "a")]
    found = replay(jobs, SimulationPolicy(pools=(plan,)))
    assert (found.waits.launches, found.waits.longest) == (3, 60)


@pytest.mark.promise("OPS-6")
def test_a_trace_may_tell_profiles_prices_and_idle_ends() -> None:
    head = "submitted_at,duration,devices,group,profile,price,idle"
    (found,) = parse_trace([head, "1970-01-01T00:00:00Z,7200,1,a,gpu,2.40,3600"])
    assert (found.profile, found.price, found.idle) == ("gpu", 2.4, idle((1, 1)))


DAY = 24 * HOUR


def spend(jobs: list[Job], *pools: str, **budget: Any) -> Result:
    """Replay with a budget of group a; each pool has devices for all."""
    plans = [
        {"name": name, "devices": 9, "shares": [{"group": "a", "guaranteed": 9}]} for name in pools
    ]
    document = {"pools": plans, "budgets": [{"group": "a", **budget}]}
    return replay(jobs, SimulationPolicy.model_validate(document))


def paid(day: float, hours: float, pool: str = "one") -> Job:
    return Job(day * DAY, hours * HOUR, 1, "a", pool, price=1.0)


@pytest.mark.promise("OPS-6", "MONEY-3")
def test_what_a_budget_cannot_pay_for_is_refused_until_the_next_month() -> None:
    jobs = [paid(0, 10), paid(1, 1), paid(31, 1)]
    found = spend(jobs, "one", amount=10)
    assert (found.over_budget, found.waits.launches, found.cost) == (1, 2, 11)
    assert spend(jobs, "one", amount=11).over_budget == 0


@pytest.mark.promise("OPS-6", "MONEY-3")
def test_a_budget_pays_for_all_pools_in_the_order_of_time() -> None:
    jobs = [paid(0, 10, "two"), paid(1, 1, "one"), paid(2, 1, "two")]
    found = spend(jobs, "one", "two", amount=10)
    assert [pool.over_budget for pool in found.pools] == [1, 1]


@pytest.mark.promise("OPS-6", "MONEY-3")
def test_what_was_spent_before_and_credit_count_and_a_warning_refuses_nothing() -> None:
    jobs = [paid(0, 5), paid(40, 5)]
    assert spend(jobs, "one", amount=10, spent=6).over_budget == 0
    assert spend(jobs, "one", amount=10, spent=10).over_budget == 1
    assert spend(jobs, "one", amount=10, spent=6, period="none").over_budget == 1
    assert spend(jobs, "one", amount=1, spent=6, at_limit="warn").over_budget == 0
