"""When a server counts as idle: the rule alone, and laws about it over random histories."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.model.endings import Cause
from allotment.model.idleness import IdleRule
from allotment.rules.idle import (
    FRESH,
    GAP,
    Active,
    DeviceSample,
    Idle,
    Sample,
    Unknown,
    Watched,
    judge,
    stop_at,
    watch,
)

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
DEFAULT = IdleRule()
ALONE = IdleRule(devices_alone=True)
EVERY = timedelta(seconds=30)
GIB = 2**30


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def reports(
    until: float,
    *,
    begin: float = 0,
    busy: bool = False,
    worked: float = 0,
    use: float | None = None,
    memory: int = 0,
) -> list[Sample]:
    """Reports each half minute; ``use`` in percent of one device, None: it has none."""
    devices = () if use is None else (DeviceSample("gpu-0", use, memory),)
    number = int((until - begin) * 2) + 1
    return [Sample(at(begin) + n * EVERY, busy, at(worked), devices) for n in range(number)]


def seen(samples: Iterable[Sample], rule: IdleRule = DEFAULT) -> Watched | None:
    known = None
    for sample in samples:
        known = watch(known, sample, rule)
    return known


def verdict(samples: Iterable[Sample], now: float, rule: IdleRule = DEFAULT) -> object:
    return judge(rule, seen(samples, rule), at(now))


@pytest.mark.promise("IDLE-1")
def test_a_server_that_never_reported_is_not_idle() -> None:
    assert isinstance(judge(DEFAULT, None, at(1000)), Unknown)


@pytest.mark.promise("IDLE-1")
def test_a_server_whose_reports_ceased_is_not_idle() -> None:
    assert isinstance(verdict(reports(50), 50), Idle)
    assert isinstance(verdict(reports(50), 52), Unknown)


@pytest.mark.promise("IDLE-1")
def test_nothing_is_said_before_the_time_of_the_warning() -> None:
    assert isinstance(verdict(reports(44.5), 44.5), Active)
    found = verdict(reports(45), 45)
    assert isinstance(found, Idle)
    assert (found.cause, found.since) == (Cause.IDLE, START)


@pytest.mark.promise("IDLE-1")
def test_a_cell_or_a_program_that_runs_is_activity() -> None:
    assert isinstance(verdict(reports(300, busy=True), 300), Active)


@pytest.mark.promise("IDLE-1")
def test_work_that_was_told_is_activity_from_its_own_time() -> None:
    samples = reports(80, worked=40)
    assert isinstance(verdict(samples, 80), Active)
    found = verdict([*samples, *reports(86, begin=80.5, worked=40)], 86)
    assert isinstance(found, Idle)
    assert found.since == at(40)


def test_a_clock_that_runs_ahead_does_not_put_activity_into_the_future() -> None:
    found = verdict(reports(100, worked=10_000), 100)
    assert isinstance(found, Active)
    known = seen(reports(100, worked=10_000))
    assert known is not None
    assert known.active_at == at(100)


@pytest.mark.promise("IDLE-1")
def test_a_device_that_is_used_is_activity_though_nothing_else_runs() -> None:
    assert isinstance(verdict(reports(300, use=60.0), 300), Active)


@pytest.mark.promise("IDLE-1")
def test_a_device_that_holds_memory_and_does_nothing_counts_as_idle_and_the_words_say_so() -> None:
    found = verdict(reports(60, use=0.0, memory=12 * GIB), 60)
    assert isinstance(found, Idle)
    assert "gpu-0 holds 12 GiB at 0 %, which counts as idle." in found.message


@pytest.mark.promise("IDLE-1")
def test_a_device_that_could_not_be_measured_may_have_been_used() -> None:
    unmeasured = [
        Sample(sample.at, sample.busy, sample.active_at, (DeviceSample("gpu-0", None),))
        for sample in reports(300)
    ]
    assert isinstance(verdict(unmeasured, 300), Active)


@pytest.mark.promise("IDLE-1")
def test_idleness_begins_where_the_use_of_the_devices_ended() -> None:
    samples = [*reports(100, use=80.0), *reports(144, begin=100.5, use=0.0)]
    assert isinstance(verdict(samples, 144), Active)
    found = verdict([*samples, *reports(150, begin=144.5, use=0.0)], 150)
    assert isinstance(found, Idle)
    assert found.since == at(100)


@pytest.mark.promise("IDLE-1")
def test_running_cells_do_not_excuse_unused_devices_where_the_profile_says_so() -> None:
    samples = reports(60, busy=True, use=1.0)
    assert isinstance(verdict(samples, 60, DEFAULT), Active)
    found = verdict(samples, 60, ALONE)
    assert isinstance(found, Idle)
    assert found.cause is Cause.IDLE_DEVICES
    assert "less than 5 %" in found.message


@pytest.mark.promise("IDLE-1")
def test_devices_that_nobody_can_measure_leave_the_rule_to_cells_and_terminals() -> None:
    assert isinstance(verdict(reports(60, busy=True), 60, ALONE), Active)
    found = verdict(reports(60), 60, ALONE)
    assert isinstance(found, Idle)
    assert found.cause is Cause.IDLE


@pytest.mark.promise("IDLE-1")
def test_time_in_which_nothing_was_reported_is_not_idleness() -> None:
    away = [*reports(40), *reports(120, begin=100)]
    assert isinstance(verdict(away, 120), Active)
    found = verdict([*away, *reports(145, begin=120.5)], 145)
    assert isinstance(found, Idle)
    assert found.since == at(100)


@pytest.mark.promise("IDLE-2")
def test_a_server_found_idle_late_still_has_the_whole_notice() -> None:
    found = verdict(reports(500), 500)
    assert isinstance(found, Idle)
    assert stop_at(DEFAULT, found, at(500)) == at(515)


def test_the_warning_left_out_comes_after_three_quarters_of_the_time() -> None:
    assert IdleRule(after=timedelta(minutes=60)).warned_after == timedelta(minutes=45)
    assert IdleRule(after=timedelta(hours=2)).notice == timedelta(minutes=30)


def test_a_warning_that_would_come_after_the_stop_is_refused() -> None:
    with pytest.raises(ValueError, match=r"warn \(45m\) must be shorter than after \(30m\)"):
        IdleRule(after=timedelta(minutes=30), warn=timedelta(minutes=45))


# Laws.

RULES = st.builds(
    lambda warn, notice, window, below, alone: IdleRule(
        warn=timedelta(minutes=warn),
        after=timedelta(minutes=warn + notice),
        window=timedelta(minutes=window),
        devices_below=below,
        devices_alone=alone,
    ),
    st.integers(1, 60),
    st.integers(1, 30),
    st.integers(1, 30),
    st.sampled_from([1.0, 5.0, 50.0]),
    st.booleans(),
)
STEPS = st.tuples(
    st.sampled_from([15, 30, 30, 30, 60, 300, 359, 361, 3600]),  # seconds since the last report
    st.booleans(),
    st.integers(0, 7200),  # seconds since the last work
    st.sampled_from([None, (), (0.0,), (3.0,), (100.0,), (0.0, 70.0)]),
)


def history(steps: list[tuple[int, bool, int, tuple[float, ...] | None]]) -> list[Sample]:
    now, samples = START, []
    for pause, busy, ago, uses in steps:
        now += timedelta(seconds=pause)
        told = (
            (DeviceSample("gpu-0", None),)
            if uses is None
            else tuple(DeviceSample(f"gpu-{n}", use, GIB) for n, use in enumerate(uses))
        )
        samples.append(Sample(now, busy, now - timedelta(seconds=ago), told))
    return samples


@pytest.mark.promise("IDLE-1")
@given(RULES, st.lists(STEPS, min_size=1, max_size=60))
def test_idleness_never_begins_before_activity_or_in_a_time_without_reports(
    rule: IdleRule, steps: list[tuple[int, bool, int, tuple[float, ...] | None]]
) -> None:
    known, unbroken, last = None, START, None
    worked = START
    for sample in history(steps):
        unbroken = sample.at if last is None or sample.at - last > GAP else unbroken
        worked = sample.at if sample.busy else max(worked, sample.active_at)
        last = sample.at
        known = watch(known, sample, rule)
        found = judge(rule, known, sample.at)
        if isinstance(found, Idle):
            assert found.since >= unbroken
            assert sample.at - found.since >= rule.warned_after
            assert found.cause is Cause.IDLE_DEVICES or found.since >= worked
            assert found.cause is Cause.IDLE_DEVICES or not sample.busy


@pytest.mark.promise("IDLE-1")
@given(RULES, st.lists(STEPS, min_size=1, max_size=60))
def test_no_device_of_an_idle_server_was_used_in_the_last_window(
    rule: IdleRule, steps: list[tuple[int, bool, int, tuple[float, ...] | None]]
) -> None:
    samples = history(steps)
    known = seen(samples, rule)
    assert known is not None
    if not isinstance(judge(rule, known, known.seen_at), Idle):
        return
    recent = [one for one in samples if one.at > known.seen_at - rule.window]
    recent = [one for one in recent if one.at >= known.since]
    for device in {told.id for one in recent for told in one.devices}:
        uses = [told.utilisation for one in recent for told in one.devices if told.id == device]
        assert None not in uses
        assert sum(use or 0.0 for use in uses) / len(uses) < rule.devices_below


@pytest.mark.promise("IDLE-2")
@given(RULES, st.lists(STEPS, min_size=1, max_size=60), st.integers(0, 100))
def test_nobody_is_stopped_before_the_rules_time_and_the_whole_notice(
    rule: IdleRule, steps: list[tuple[int, bool, int, tuple[float, ...] | None]], late: int
) -> None:
    known = seen(history(steps), rule)
    assert known is not None
    now = known.seen_at + timedelta(seconds=late)
    found = judge(rule, known, now)
    assert isinstance(found, Unknown) == (now - known.seen_at > FRESH)
    if isinstance(found, Idle):
        stop = stop_at(rule, found, now)
        assert stop - now >= rule.notice
        assert stop - found.since >= rule.after
