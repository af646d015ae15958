"""The platform's own past as a trace: what was launched, what came to nothing, what was idle."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from allotment.model.budgets import BudgetScope, BudgetTerms
from allotment.model.endings import Cause
from allotment.record import budgets, claims, reports, tickets
from allotment.record.reports import DeviceMinute, ServerMinute
from allotment.simulate import Job, replay
from allotment.simulate.own_history import History, own_history
from allotment.simulate.present import present_policy, with_spent

MINUTE = timedelta(minutes=1)


def past(lab: Any, hours: float = 24) -> History:
    with lab.record.reading() as reading:
        return own_history(reading, lab.now - timedelta(hours=hours), lab.now, lab.now)


def hours(job: Job) -> float:
    return round(job.seconds / 3600, 2)


@pytest.mark.promise("OPS-6")
def test_a_launch_is_as_long_as_it_held_devices_and_one_without_is_none(lab: Any) -> None:
    held = lab.granted("ann", "gpu", "one")
    lab.granted("ann", "cpu", "plain")
    lab.later(hours=2)
    lab.end(held)
    lab.later(hours=3)
    (job,) = past(lab).jobs

    assert (hours(job), job.devices, job.group, job.pool) == (2, 1, "vision", "a100")
    assert (job.profile, job.running, job.patience) == ("gpu", False, None)


@pytest.mark.promise("OPS-6")
def test_what_ran_before_the_period_is_there_from_its_beginning(lab: Any) -> None:
    lab.granted("ann", "gpu", "one")
    lab.later(hours=5)
    (job,) = past(lab, hours=2).jobs

    assert (hours(job), job.running) == (2, True)


@pytest.mark.promise("OPS-6", "QUEUE-7")
def test_tries_in_a_row_are_one_launch_that_came_to_nothing_or_waited(lab: Any) -> None:
    first = lab.granted("ann", "two-gpu", "all")
    for person in ("bob", "ann"):
        lab.claim(person, "gpu", "fit")
    lab.later(minutes=20)
    for person in ("bob", "ann"):
        lab.claim(person, "gpu", "fit")
    lab.later(minutes=10)
    lab.end(first)
    lab.granted("ann", "gpu", "fit")
    served, nothing = sorted(
        (job for job in past(lab).jobs if job.profile == "gpu"),
        key=lambda job: job.patience is not None,
    )
    everything = past(lab).jobs

    assert len(everything) == 3
    assert served.at == pytest.approx(nothing.at, abs=5)
    assert nothing.patience == pytest.approx(20 * 60, abs=5)


@pytest.mark.promise("OPS-6", "QUEUE-7")
def test_a_ticket_that_was_left_and_one_that_waits_still(lab: Any) -> None:
    lab.granted("ann", "two-gpu", "all")
    left = lab.claim("bob", "gpu", "fit", wait=True).ticket
    lab.claim("ann", "gpu", "train", wait=True)
    lab.later(minutes=30)
    with lab.write() as writing:
        tickets.cancel(writing, left.id, "no more need")
    waits = {job.patience for job in past(lab).jobs if job.profile == "gpu"}

    assert None in waits
    assert min(wait for wait in waits if wait) == pytest.approx(30 * 60, abs=5)


@pytest.mark.promise("OPS-6", "QUEUE-7")
def test_refusals_that_no_device_would_mend_are_counted_apart(lab: Any) -> None:
    lab.claim("zoe", "no-such-profile")
    lab.later(minutes=1)
    found = past(lab)

    assert (found.jobs, dict(found.refused_otherwise)) == ((), {"profile.visible": 1})


@pytest.mark.promise("OPS-6", "IDLE-1")
def test_idle_is_what_reported_and_did_nothing_and_unused_devices_only(lab: Any) -> None:
    lab.now = lab.now.replace(hour=10, minute=0, second=0, microsecond=0)
    held = lab.granted("ann", "gpu", "one")
    with lab.record.reading() as reading:
        (device,) = reading.driver("SELECT device FROM holdings", {}).scalars()
    start = lab.now.replace(second=0)
    said = [
        ServerMinute(held, start + n * MINUTE, 2, int(n < 10), 1, 0) for n in range(60) if n < 50
    ]
    used = [DeviceMinute(device, start + n * MINUTE, 2, 180.0, 0) for n in range(10, 20)]
    with lab.record.writing("reports", lab.now, configuration=False) as writing:
        reports.add_server_minutes(writing, said)
        reports.add_device_minutes(writing, used)
    lab.later(minutes=60)
    claims.mark_stopping(lab.record, held, "idle", "control-plane", lab.now, cause=Cause.IDLE)
    claims.release(lab.record, held, "gone", lab.now)
    (job,) = past(lab).jobs

    ((begins, lasts),) = job.idle
    assert (round(begins / 60), round(lasts / 60)) == (20, 30)
    assert job.forgotten


@pytest.mark.promise("OPS-6")
def test_the_present_policy_replays_the_past_as_it_was(lab: Any) -> None:
    first = lab.granted("ann", "two-gpu", "all")
    lab.later(hours=1)
    lab.end(first)
    lab.granted("bob", "gpu", "fit")
    lab.later(hours=1)
    with lab.record.reading() as reading:
        policy = present_policy(reading)
    assert policy is not None
    found = replay(past(lab).jobs, policy)

    assert (policy.pools[0].name, policy.pools[0].nodes) == ("a100", (2,))
    assert (found.waits.launches, found.waits.longest) == (2, pytest.approx(0, abs=0.1))
    assert found.device_hours == pytest.approx(3, abs=0.01)


@pytest.mark.promise("OPS-6", "MONEY-3")
def test_a_groups_budget_begins_with_what_it_had_spent_by_then(lab: Any) -> None:
    lab.profile("paid", devices=1, price="2.00")
    with lab.write() as writing:
        budgets.put(writing, BudgetScope.GROUP, "vision", BudgetTerms(amount=Decimal(100)), 0)
    held = lab.granted("ann", "paid", "one")
    claims.mark_running(lab.record, held, lab.now)
    begin = lab.later(hours=3)
    lab.later(hours=3)
    with lab.record.reading() as reading:
        policy = present_policy(reading)
        assert policy is not None
        (found,) = with_spent(reading, policy, begin, lab.now).budgets

    assert (found.group, found.amount, found.spent) == ("vision", 100, Decimal(6))
