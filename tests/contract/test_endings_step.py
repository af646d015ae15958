"""The step that announces, takes back and carries out ends, on a real record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from allotment.model.allotments import Allotment, State
from allotment.model.endings import Cause
from allotment.model.reports import DeviceUse, Measured, ServerReport
from allotment.record import allotments, claims, endings, extending, reports
from allotment.record.schema import allotments as allotment_table
from allotment.work.endings import Endings
from allotment.work.hub_api import HubAway
from allotment.work.live_use import LiveUse

GIB = 2**30


class Hub:
    """A hub that is asked to stop servers. ``away``: it does not answer."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.away = False

    def stop_server(self, person: str, name: str) -> bool:
        self.asked.append((person, name))
        if self.away:
            raise HubAway("The hub did not answer.")
        return True


class Machine:
    """A platform whose server ``ann/train`` reports, and the periodic work on it."""

    def __init__(self, lab: Any) -> None:
        self.lab, self.hub, self.use = lab, Hub(), LiveUse()
        self.step = self.new_step()
        self.allotment = ""
        self.worked_at = lab.now

    def new_step(self) -> Endings:
        return Endings(self.lab.record, self.hub, self.use, "hub")  # type: ignore[arg-type]  # as far as the step asks it

    def launch(self, **profile: Any) -> None:
        self.lab.profile("mine", **({"devices": 1} | profile))
        self.allotment = self.lab.granted("ann", "mine", "train")
        claims.mark_running(self.lab.record, self.allotment, self.lab.later(seconds=1))
        self.worked_at = self.lab.now

    def work(self) -> None:
        self.worked_at = self.lab.now

    def report(self, *, busy: bool = False, use: float = 0.0) -> None:
        told = DeviceUse(
            id="gpu-0",
            measured=Measured.NVML,
            utilisation=use,
            memory_used=GIB,
            memory_total=80 * GIB,
        )
        report = ServerReport(
            kernels=1,
            kernels_busy=int(busy),
            terminals=0,
            terminals_busy=0,
            last_activity=self.lab.now,
            worked_at=self.worked_at,
            devices=(told,),
        )
        self.use.take(self.now(), "hub~ann~train", report, self.lab.now)

    def pass_minutes(self, minutes: float, **told: Any) -> None:
        """Time passes with a report and a round every half minute."""
        for _ in range(int(minutes * 2)):
            self.lab.later(seconds=30)
            self.report(**told)
            self.step.round(self.lab.now)

    def now(self) -> Allotment:
        with self.lab.record.reading() as reading:
            return allotments.get(reading, self.allotment)

    def causes(self) -> list[Cause]:
        with self.lab.record.reading() as reading:
            return [one.cause for one in endings.of_allotment(reading, self.allotment)]


@pytest.fixture
def machine(lab: Any) -> Machine:
    return Machine(lab)


@pytest.mark.promise("IDLE-1", "IDLE-2", "IDLE-3")
def test_an_idle_server_is_told_and_then_stopped_with_its_reason(machine: Machine) -> None:
    machine.launch()
    machine.pass_minutes(44.5)
    assert machine.causes() == []
    machine.pass_minutes(1)
    (told,) = machine.step.told(machine.allotment)
    assert (told.cause, told.stop_at - told.said_at) == (Cause.IDLE, timedelta(minutes=15))
    machine.pass_minutes(16)
    stopped = machine.now()
    assert (stopped.state, stopped.stop_cause) == (State.STOPPING, "idle")
    assert "gpu-0 holds 1 GiB at 0 %, which counts as idle." in stopped.stop_reason
    assert machine.hub.asked == [("ann", "train")]
    assert machine.step.told(machine.allotment) == ()


@pytest.mark.promise("IDLE-2")
def test_what_was_said_is_taken_back_when_somebody_works_again(machine: Machine) -> None:
    machine.launch()
    machine.pass_minutes(46)
    assert machine.causes() == [Cause.IDLE]
    machine.work()
    machine.pass_minutes(1)
    assert machine.causes() == []
    machine.pass_minutes(30)
    assert machine.now().state is State.RUNNING


@pytest.mark.promise("IDLE-1")
@pytest.mark.parametrize("told", [{"busy": True}, {"use": 30.0}])
def test_a_server_that_computes_is_never_told(machine: Machine, told: dict[str, Any]) -> None:
    machine.launch()
    machine.pass_minutes(90, **told)
    assert machine.causes() == []


@pytest.mark.promise("IDLE-1")
def test_unused_devices_alone_are_enough_where_the_profile_says_so(machine: Machine) -> None:
    machine.launch(idle={"devices_alone": True})
    machine.pass_minutes(46, busy=True)
    assert machine.causes() == [Cause.IDLE_DEVICES]


@pytest.mark.promise("IDLE-1")
def test_a_time_without_reports_is_no_idleness(machine: Machine) -> None:
    machine.launch()
    machine.pass_minutes(44)
    machine.lab.later(hours=3)
    machine.pass_minutes(44)
    assert machine.causes() == []
    machine.pass_minutes(2)
    assert machine.causes() == [Cause.IDLE]


@pytest.mark.promise("IDLE-1")
def test_nobody_is_stopped_while_nothing_is_known_and_the_word_is_taken_back(
    machine: Machine,
) -> None:
    machine.launch()
    machine.pass_minutes(46)
    machine.lab.later(minutes=15)
    machine.step.round(machine.lab.now)
    assert machine.now().state is State.RUNNING
    assert machine.causes() == []


@pytest.mark.promise("IDLE-1")
def test_after_a_restart_the_records_minutes_tell_what_was_before(machine: Machine) -> None:
    machine.launch()
    machine.pass_minutes(44)
    over = machine.use.over(machine.lab.now)
    with machine.lab.write("reports") as writing:
        reports.add_device_minutes(writing, over.devices)
        reports.add_server_minutes(writing, over.servers)
    machine.use = LiveUse()
    machine.step = machine.new_step()
    machine.step.round(machine.lab.now)
    assert machine.causes() == []  # nobody has reported yet since
    machine.pass_minutes(2)
    assert machine.causes() == [Cause.IDLE]


@pytest.mark.promise("IDLE-4")
def test_a_server_that_is_to_be_left_alone_is_left_alone_until_then(machine: Machine) -> None:
    machine.launch()
    machine.pass_minutes(46)
    with machine.lab.write("ann") as writing:
        until = writing.now + timedelta(hours=1)
        extending.leave_alone(writing, machine.now(), until, "a long job")
    machine.pass_minutes(45)
    assert machine.causes() == []
    assert machine.now().state is State.RUNNING
    machine.pass_minutes(20)
    assert machine.causes() == [Cause.IDLE]


@pytest.mark.promise("IDLE-2")
def test_an_end_that_was_put_off_comes_at_its_new_time(machine: Machine) -> None:
    machine.launch(extend={"by": "20m", "times": 1})
    machine.pass_minutes(46)
    with machine.lab.write("ann") as writing:
        extending.extend(writing, machine.now())
    machine.pass_minutes(33)
    assert machine.now().state is State.RUNNING
    machine.pass_minutes(3)
    assert machine.now().state is State.STOPPING


@pytest.mark.promise("IDLE-1")
def test_a_lifetime_ends_a_busy_server_too_after_a_notice(machine: Machine) -> None:
    machine.launch(idle="off", lifetime="1h")
    machine.pass_minutes(44.5, busy=True)
    assert machine.causes() == []
    machine.pass_minutes(1, busy=True)
    assert machine.causes() == [Cause.LIFETIME]
    machine.pass_minutes(15, busy=True)
    stopped = machine.now()
    assert (stopped.stop_cause, stopped.stop_reason) == (
        "lifetime",
        "Servers of this size may run for 60 minutes.",
    )


@pytest.mark.promise("QUEUE-4")
def test_what_others_announced_is_carried_out_whatever_the_server_does(machine: Machine) -> None:
    machine.launch()
    with machine.lab.write("queue") as writing:
        stop_at = writing.now + timedelta(minutes=5)
        words = "The group vision wants its devices back."
        endings.say(writing, machine.allotment, Cause.RECLAIM, stop_at, words)
    machine.pass_minutes(4.5, busy=True)
    assert machine.now().state is State.RUNNING
    machine.pass_minutes(1, busy=True)
    assert (machine.now().stop_cause, machine.hub.asked) == ("reclaim", [("ann", "train")])


def test_a_hub_that_is_away_does_not_keep_the_end_from_being_marked(machine: Machine) -> None:
    machine.launch(idle="off", lifetime="1h")
    machine.hub.away = True
    machine.pass_minutes(61, busy=True)
    assert machine.now().state is State.STOPPING


def test_a_server_that_was_admitted_before_there_were_rules_was_promised_none(
    machine: Machine,
) -> None:
    machine.launch()
    terms = machine.now().terms
    terms["profile"].pop("idle")
    with machine.lab.write() as writing:
        writing.run(allotment_table.update().values(terms=terms))
    machine.pass_minutes(90)
    assert machine.causes() == []


def test_what_is_open_of_a_server_that_ended_otherwise_is_closed(machine: Machine) -> None:
    machine.launch()
    machine.pass_minutes(46)
    machine.lab.end(machine.allotment)
    machine.step.round(machine.lab.later(seconds=5))
    with machine.lab.record.reading() as reading:
        left = reading.first(sa.text("SELECT 1 FROM endings WHERE withdrawn_at IS NULL"))
    assert left is None
