"""Servers that were found gone, or found running: charged for what is known of them, and ended as others are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from allotment.model.allotments import Allotment, ServerProcess, State
from allotment.model.endings import Cause
from allotment.record import Writing, allotments, claims, endings, queue_facts, reports, usage
from allotment.record.adopting import RunningServer, adopt
from allotment.record.reports import ServerMinute
from allotment.work.hub_api import HubServer
from allotment.work.reconciling import reconcile


class Nothing:
    """A hub without servers, on a machine without processes."""

    def active_servers(self) -> list[HubServer]:
        return []

    def server(self, _person: str, _name: str) -> HubServer | None:
        return None

    def stop_server(self, person: str, name: str) -> None:
        raise AssertionError(person, name)

    def running(self) -> list[RunningServer]:
        return []

    def end(self, _allotment: Allotment) -> str | None:
        return "no process is left"


def reconciled(lab: Any) -> None:
    nothing = Nothing()
    reconcile(lab.record, nothing, nothing, hub="hub", now=lab.later(minutes=1))


def get(lab: Any, allotment: str) -> Allotment:
    with lab.record.reading() as reading:
        return allotments.get(reading, allotment)


def process(allotment: str, began: datetime) -> RunningServer:
    """A process of ann's default server, on the first device."""
    begun = ServerProcess(4711, began.timestamp())
    return RunningServer(allotment, "hub", "ann", "", "gpu", "vision", ("gpu-0",), begun, "0" * 64)


@pytest.mark.promise("MONEY-2")
def test_a_round_that_dies_leaves_nobody_to_pay_for_a_server_that_is_gone(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = lab.granted("ann", "gpu")
    claims.mark_running(lab.record, gone, lab.later(seconds=1))
    minute = ServerMinute(gone, lab.now.replace(second=0, microsecond=0), 1, 0, 0, 0)
    with lab.write() as writing:
        reports.add_server_minutes(writing, [minute])
    lab.later(days=2)

    def die(_writing: Writing, _allotment: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(usage, "charge_until_last_seen", die)
        with pytest.raises(KeyboardInterrupt):
            reconciled(lab)
    reconciled(lab)

    released = get(lab, gone)
    assert released.state is State.RELEASED
    assert released.charged_until == minute.minute + timedelta(minutes=1)


@pytest.mark.promise("MONEY-2", "IDLE-1")
@pytest.mark.parametrize("known", [True, False])
def test_an_adopted_server_is_charged_and_ends_from_when_its_process_began(
    lab: Any, known: bool
) -> None:
    allotment = lab.granted("ann", "gpu")  # its launch was given up while it started
    lab.end(allotment)
    running = process(allotment if known else "0" * 32, lab.now)
    with lab.write() as writing:
        assert adopt(writing, running)

    assert isinstance(running.place, ServerProcess)
    with lab.record.reading() as reading:
        (live,) = endings.running(reading, "hub")
    assert live.running_at == datetime.fromtimestamp(running.place.started, lab.now.tzinfo)


@pytest.mark.promise("QUEUE-4")
def test_an_adopted_server_is_not_taken_for_one_that_was_told_to_give_back(lab: Any) -> None:
    allotment = lab.granted("ann", "gpu")
    claims.mark_running(lab.record, allotment, lab.later(seconds=1))
    with lab.write() as writing:
        endings.say(writing, allotment, Cause.RECLAIM, lab.now, "Give it back.")
    lab.end(allotment)
    with lab.write() as writing:
        assert adopt(writing, process(allotment, lab.now))

    with lab.record.reading() as reading:
        assert queue_facts.reclaimed(reading) == {}
