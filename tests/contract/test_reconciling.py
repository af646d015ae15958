"""Reconciling on both stores: the hub and the machine stand behind the seams that they have."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from allotment.model.allotments import Allotment, ServerProcess, State
from allotment.record import (
    allotments,
    claims,
    drift,
    events,
    servers,
)
from allotment.record.adopting import NotAdoptable, RunningServer, adopt
from allotment.work.hub_api import HubAway, HubServer
from allotment.work.reconciling import Reconciled, reconcile

READY, STARTING, STOPPED = (True, ""), (True, "spawn"), (False, "")


@dataclass
class Surroundings:
    """What the hub believes, and what runs. ``listed`` is what a page of the hub's list showed."""

    lab: Any
    hub: dict[tuple[str, str], tuple[bool, str]] = field(default_factory=dict)
    unlisted: set[tuple[str, str]] = field(default_factory=set)
    alive: dict[str, RunningServer] = field(default_factory=dict)
    stubborn: set[str] = field(default_factory=set)
    stopped: list[tuple[str, str]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    # The hub.

    def active_servers(self) -> list[HubServer]:
        return [
            HubServer(*key, *state)
            for key, state in self.hub.items()
            if state != STOPPED and key not in self.unlisted
        ]

    def server(self, person: str, name: str) -> HubServer | None:
        state = self.hub.get((person, name))
        return None if state is None else HubServer(person, name, *state)

    def stop_server(self, person: str, name: str) -> None:
        self.stopped.append((person, name))
        self.hub[person, name] = STOPPED

    # The machine.

    def running(self) -> list[RunningServer]:
        return list(self.alive.values())

    def end(self, allotment: Allotment) -> str | None:
        if allotment.id in self.stubborn:
            return None
        self.ended.append(allotment.id)
        self.alive.pop(allotment.id, None)
        return "no process is left"

    # The test.

    def launched(self, person: str, profile: str = "gpu", server: str = "") -> str:
        """A server that runs, for the record, the hub and the machine."""
        allotment = self.get(self.lab.granted(person, profile, server))
        claims.mark_running(self.lab.record, allotment.id, self.lab.later(seconds=1))
        self.hub[person, server] = READY
        self.alive[allotment.id] = RunningServer(
            allotment=allotment.id,
            hub="hub",
            person=person,
            server=server,
            profile=profile,
            group=allotment.group,
            devices=tuple(device.id for device in allotment.devices),
            place=ServerProcess(4711, 1.0),
            token_hash=f"token of {allotment.id}",
        )
        return allotment.id

    def reconcile(self) -> Reconciled:
        now = self.lab.later(minutes=1)
        return reconcile(self.lab.record, self, self, hub="hub", now=now)

    def get(self, allotment_id: str) -> Allotment:
        with self.lab.record.reading() as reading:
            return allotments.get(reading, allotment_id)

    def drift(self) -> list[drift.DriftEntry]:
        with self.lab.record.reading() as reading:
            return list(drift.open_entries(reading))

    def forget_release(self, allotment_id: str) -> None:
        """Let the record believe that a running server was released."""
        self.lab.end(allotment_id)


@pytest.fixture
def around(lab: Any) -> Surroundings:
    return Surroundings(lab)


def test_where_all_agree_nothing_is_done(around: Surroundings) -> None:
    around.launched("ann")

    assert around.reconcile() == Reconciled()
    assert around.reconcile().words == ""


@pytest.mark.promise("LIMIT-3")
def test_an_allotment_whose_server_the_hub_does_not_know_is_ended_and_released(
    around: Surroundings,
) -> None:
    lost = around.launched("ann", server="work")
    del around.hub["ann", "work"]

    done = around.reconcile()

    assert done.released == ("ann/work",)
    assert done.words == "released: ann/work"
    assert around.ended == [lost]
    assert around.get(lost).state is State.RELEASED
    assert around.lab.free("a100") == 2
    assert around.lab.sound()


@pytest.mark.promise("POOL-8")
def test_what_is_not_proven_gone_keeps_its_device_until_it_is(around: Surroundings) -> None:
    lost = around.launched("ann")
    around.hub["ann", ""] = STOPPED
    around.stubborn.add(lost)

    assert around.reconcile().lingering == ("ann/",)
    assert around.get(lost).state is State.STOPPING
    assert around.lab.free("a100") == 1

    around.stubborn.clear()
    assert around.reconcile().released == ("ann/",)


@pytest.mark.parametrize("pending", ["spawn", "stop", "check"])
def test_what_the_hub_calls_pending_is_left_alone(around: Surroundings, pending: str) -> None:
    around.launched("ann")
    around.hub["ann", ""] = (True, pending)

    assert around.reconcile() == Reconciled()
    assert around.ended == []


def test_a_server_that_the_hubs_pages_missed_is_asked_about_before_it_is_ended(
    around: Surroundings,
) -> None:
    around.launched("ann")
    around.unlisted.add(("ann", ""))

    assert around.reconcile() == Reconciled()
    assert around.ended == []


def test_a_hub_that_does_not_answer_is_no_reason_to_end_anything(around: Surroundings) -> None:
    around.launched("ann")

    class Away(Surroundings):
        def active_servers(self) -> list[HubServer]:
            raise HubAway("The hub did not answer.")

    with pytest.raises(HubAway):
        Away(around.lab).reconcile()

    assert around.lab.free("a100") == 1


def test_a_stop_that_was_interrupted_is_finished(around: Surroundings) -> None:
    running = around.launched("ann")
    claims.mark_stopping(around.lab.record, running, "Maintenance.", "olga", around.lab.now)

    assert around.reconcile().stopped == ("ann/",)
    assert around.stopped == [("ann", "")]
    assert around.reconcile().released == ("ann/",)
    assert around.get(running).stop_reason == "Maintenance."


@pytest.mark.promise("SERVER-7")
def test_a_running_server_without_an_allotment_is_adopted_with_its_devices(
    around: Surroundings,
) -> None:
    running = around.launched("ann")
    around.forget_release(running)

    done = around.reconcile()

    assert done.adopted == ("ann/",)
    adopted = around.get(running)
    assert adopted.state is State.RUNNING
    assert [device.id for device in adopted.devices] == list(around.alive[running].devices)
    assert around.lab.free("a100") == 1
    assert around.lab.sound()
    with around.lab.record.reading() as reading:
        assert allotments.of_token(reading, f"token of {running}") == adopted
    around.lab.end(running)
    assert around.lab.sound()


@pytest.mark.promise("SERVER-7")
def test_a_server_whose_allotment_the_record_never_knew_is_adopted_too(
    around: Surroundings,
) -> None:
    released = around.launched("ann")
    around.forget_release(released)
    unknown = replace(around.alive.pop(released), allotment="0" * 32, server="restored")
    around.alive[unknown.allotment] = unknown
    around.hub = {("ann", "restored"): READY}

    assert around.reconcile().adopted == ("ann/restored",)
    adopted = around.get(unknown.allotment)
    assert (adopted.profile, adopted.group, adopted.pool) == ("gpu", "vision", "a100")
    assert adopted.terms["profile"]["devices"] == 1
    assert around.lab.sound()
    with around.lab.record.reading() as reading:
        names = [one.name for one in servers.all_servers(reading, person="ann")]
    assert "restored" in names


@pytest.mark.promise("POOL-8")
def test_a_running_server_whose_device_another_holds_becomes_drift_and_the_other_keeps_it(
    around: Surroundings,
) -> None:
    first = around.launched("ann", "two-gpu")
    around.forget_release(first)
    second = around.launched("bob")

    done = around.reconcile()

    assert done.drifting == ("ann/",)
    (entry,) = around.drift()
    assert (entry.person, entry.devices) == ("ann", ("gpu-0", "gpu-1"))
    assert second in entry.note
    assert around.get(second).state is State.RUNNING
    assert around.get(first).state is State.RELEASED
    assert around.lab.sound()


def test_drift_is_noted_once_and_resolves_itself_when_the_server_is_gone(
    around: Surroundings,
) -> None:
    first = around.launched("ann", "two-gpu")
    around.forget_release(first)
    around.launched("bob")
    around.reconcile()
    around.reconcile()
    assert len(around.drift()) == 1

    around.hub["ann", ""] = STOPPED
    done = around.reconcile()

    assert done.resolved == ("ann/",)
    assert around.drift() == []
    assert around.ended == [first], "its processes are not left on another's device"


def test_drift_resolves_itself_when_the_device_is_free_again(around: Surroundings) -> None:
    first = around.launched("ann", "two-gpu")
    around.forget_release(first)
    second = around.launched("bob")
    around.reconcile()
    around.lab.end(second)
    del around.alive[second], around.hub["bob", ""]

    done = around.reconcile()

    assert (done.adopted, done.resolved) == (("ann/",), ("ann/",))
    assert around.drift() == []


def test_a_server_of_which_no_process_is_found_is_drift(around: Surroundings) -> None:
    around.hub["ann", ""] = READY

    assert around.reconcile().drifting == ("ann/",)
    assert "nothing of it was found" in around.drift()[0].note


def test_processes_of_a_released_allotment_whose_server_is_gone_are_ended(
    around: Surroundings,
) -> None:
    left = around.launched("ann")
    around.forget_release(left)
    around.hub["ann", ""] = STOPPED

    around.reconcile()

    assert around.ended == [left]


def test_processes_of_an_earlier_run_are_ended_while_the_server_runs_again(
    around: Surroundings,
) -> None:
    earlier = around.launched("ann")
    around.forget_release(earlier)
    now = around.launched("ann")

    around.reconcile()

    assert around.ended == [earlier]
    assert around.get(now).state is State.RUNNING


def test_processes_of_an_allotment_that_the_record_does_not_know_are_left_alone(
    around: Surroundings,
) -> None:
    mine = around.launched("ann")
    another = replace(around.alive[mine], allotment="f" * 32, person="somebody")
    around.alive[another.allotment] = another

    around.reconcile()

    assert around.ended == []


def test_a_launch_that_was_admitted_after_the_record_was_read_is_left_alone(
    around: Surroundings,
) -> None:
    class Late(Surroundings):
        def active_servers(self) -> list[HubServer]:
            self.launched("bob")
            return super().active_servers()

    late = Late(around.lab)

    assert late.reconcile() == Reconciled()
    assert (late.ended, late.drift()) == ([], [])


def test_the_servers_of_another_hub_are_not_ours_to_reconcile(around: Surroundings) -> None:
    other = around.lab.granted("ann", "gpu", hub="second-hub")

    assert around.reconcile() == Reconciled()
    assert around.get(other).state is State.STARTING


def test_adopting_writes_an_event_and_does_nothing_the_second_time(around: Surroundings) -> None:
    running = around.launched("ann")
    around.forget_release(running)
    with around.lab.write() as writing:
        assert adopt(writing, around.alive[running])
    with around.lab.write() as writing:
        assert not adopt(writing, around.alive[running])

    with around.lab.record.reading() as reading:
        (event,) = events.after(reading, 0, kind="allotment.adopted")
    assert event.person == "ann"
    assert event.after is not None
    assert event.after["devices"] == list(around.alive[running].devices)


def test_a_device_that_the_record_does_not_know_cannot_be_adopted(around: Surroundings) -> None:
    running = around.launched("ann")
    around.forget_release(running)
    strange = replace(around.alive[running], devices=("gpu-0", "gpu-9"))

    with pytest.raises(NotAdoptable, match="gpu-9"), around.lab.write() as writing:
        adopt(writing, strange)

    assert around.lab.free("a100") == 2
    assert around.lab.sound()
