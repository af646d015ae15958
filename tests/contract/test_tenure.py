"""Whose turn the periodic work is, among control planes of one hub and of several."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from allotment.model.refusals import RecordUnavailable
from allotment.record import Record, leases
from allotment.work.holders import known_to_be_gone, this_process
from allotment.work.loop import Loop, Step
from allotment.work.tenure import Tenure, lease_name

pytestmark = pytest.mark.promise("SERVER-7")


class Seconds:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def nobody_is_gone(_holder: str) -> bool:
    return False


def tenure(record: Record, holder: str, hub: str = "hub", **more: Any) -> Tenure:
    return Tenure(record, hub, holder, gone=nobody_is_gone, **more)


def holder_of(record: Record, hub: str = "hub") -> str | None:
    with record.reading() as reading:
        return leases.holder_of(reading, lease_name(hub))


def test_one_of_two_control_planes_does_the_work_of_a_hub(record: Record) -> None:
    first, second = tenure(record, "first"), tenure(record, "second")

    assert first.keep()
    assert not second.keep()
    assert (first.held, second.held) == (True, False)


def test_each_hub_has_a_turn_of_its_own(record: Record) -> None:
    assert tenure(record, "first", "north").keep()
    assert tenure(record, "second", "south").keep()


def test_a_turn_that_was_given_up_is_the_next_ones_at_once(record: Record) -> None:
    first, second = tenure(record, "first"), tenure(record, "second")
    first.keep()
    first.give_up()

    assert not first.held
    assert second.keep()


def test_a_turn_ends_here_before_it_ends_in_the_record(record: Record) -> None:
    clock = Seconds()
    slow = tenure(record, "slow", clock=clock)
    slow.keep()

    clock.now += 60
    assert not slow.held
    assert slow.keep()
    assert slow.held


class MayBeAway(Record):
    """A record whose database goes away when it is told to."""

    away = False

    def __init__(self, of: Record) -> None:
        self.__dict__ |= of.__dict__

    def writing(self, *args: Any, **more: Any) -> Any:
        if self.away:
            message = "The record's database cannot be reached."
            raise RecordUnavailable(message)
        return super().writing(*args, **more)


def test_a_record_that_is_away_ends_no_turn_before_its_time(record: Record) -> None:
    clock, unsteady = Seconds(), MayBeAway(record)
    mine = tenure(unsteady, "mine", clock=clock)
    mine.keep()
    unsteady.away = True

    assert mine.keep()
    clock.now += 60
    assert not mine.keep()
    unsteady.away = False
    assert mine.keep()


@pytest.mark.parametrize("phase", [0.001, 0.5, 0.999], ids=["just after", "between", "just before"])
def test_a_turn_whose_holder_says_nothing_more_is_taken_within_fifteen_seconds(
    record: Record, monkeypatch: pytest.MonkeyPatch, phase: float
) -> None:
    clock = Seconds()
    first, second = tenure(record, "first", clock=clock), tenure(record, "second", clock=clock)

    def looks(one: Tenure, seconds: float) -> bool:
        """Whether it has the turn when so many seconds have passed, by the database's clock as well."""
        clock.now = 1000 + seconds
        monkeypatch.setitem(leases.NOW, record.dialect, str(round(clock.now * 1_000_000)))
        return one.keep()

    assert looks(first, 0)  # and never again
    said = [looks(second, (number + phase) * second.every) for number in range(20)]

    taken = said.index(True)
    within = 15 if record.dialect == "postgresql" else 60
    assert (taken + phase) * second.every <= within
    assert all(said[taken:])
    assert not first.held


def test_whose_word_is_late_three_times_keeps_its_turn(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tenure(record, "first"), tenure(record, "second")
    monkeypatch.setitem(leases.NOW, record.dialect, "1000000000")
    assert first.keep()

    monkeypatch.setitem(leases.NOW, record.dialect, str(round((1000 + 3 * first.every) * 1e6)))
    assert not second.keep()
    assert first.keep()


def test_this_process_is_not_known_to_be_gone() -> None:
    assert not known_to_be_gone(this_process())


def test_a_process_of_this_machine_that_was_killed_is_known_to_be_gone() -> None:
    program = "from allotment.work.holders import this_process; print(this_process()); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    holder = other.stdout.readline().strip()
    assert not known_to_be_gone(holder)
    other.kill()
    other.communicate()
    assert known_to_be_gone(holder)


@pytest.mark.parametrize(
    "holder", ["elsewhere 4711 1.00 another-boot/pid:[1]", "elsewhere 4711", "", "a b c d"]
)
def test_of_a_process_elsewhere_nobody_knows_whether_it_is_gone(holder: str) -> None:
    assert not known_to_be_gone(holder)


async def test_who_stands_by_does_only_what_each_must_do_for_itself(record: Record) -> None:
    first, second = tenure(record, "first"), tenure(record, "second")
    first.keep()
    done: list[str] = []
    looked = threading.Event()

    def note(name: str) -> Callable[[datetime], str]:
        def run(_now: datetime) -> str:
            done.append(name)
            looked.set()
            return ""

        return run

    steps = (Step("alone", 5, note("alone")), Step("each", 5, note("each"), everywhere=True))
    loop = Loop(steps, lambda: datetime.now(UTC), second)
    running = asyncio.create_task(loop.run())
    await asyncio.to_thread(looked.wait, 20)
    assert (done, loop.on_duty) == (["each"], False)
    loop.end()
    await running
    assert done == ["each"]


async def test_a_loop_gives_its_turn_up_when_its_last_step_is_over(record: Record) -> None:
    began = threading.Event()

    def run(_now: datetime) -> str:
        began.set()
        return ""

    loop = Loop((Step("alone", 5, run),), lambda: datetime.now(UTC), tenure(record, "mine"))
    running = asyncio.create_task(loop.run())
    await asyncio.to_thread(began.wait, 20)
    assert (loop.on_duty, holder_of(record)) == (True, "mine")
    loop.end()
    await running
    assert holder_of(record) is None
