"""The periodic work on a real record: what each step does, and that a broken setting fails only its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from allotment.model.allotments import State
from allotment.model.groups import Origin
from allotment.model.refusals import SettingsInvalid
from allotment.model.reports import DeviceUse, Measured, ServerReport
from allotment.record import (
    allotments,
    devices,
    idempotency,
    memberships,
    profiles,
    reports,
)
from allotment.record.idempotency import Answer
from allotment.work.hub_api import HubServer
from allotment.work.live_use import LiveUse
from allotment.work.steps import ANSWERS_LAST, Declared, Work, steps


class EmptyHub:
    """A hub in which nothing runs."""

    def active_servers(self) -> tuple[HubServer, ...]:
        return ()

    def existing_servers(self) -> frozenset[tuple[str, str]]:
        return frozenset()

    def server(self, _person: str, _name: str) -> HubServer | None:
        return None

    def stop_server(self, _person: str, _name: str) -> bool:
        return False


class EmptyMachine:
    """A machine on which nothing runs."""

    def running(self) -> tuple[()]:
        return ()

    def end(self, _allotment: object) -> str:
        return "no process is left"


@pytest.fixture
def use() -> LiveUse:
    return LiveUse()


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """A settings file with two devices and a folder of profiles."""
    (tmp_path / "profiles").mkdir()
    path = tmp_path / "settings.yaml"
    path.write_text(
        "devices:\n"
        "  - {id: gpu-0, model: A100, memory: 80GiB, node: n1}\n"
        "  - {id: gpu-9, model: A100, memory: 80GiB, node: n1}\n"
        "profiles: [profiles]\n"
    )
    return path


@pytest.fixture
def run(lab: Any, use: LiveUse, settings_file: Path, tmp_path: Path) -> Callable[[str], str]:
    """Run a step by its name, at the lab's time."""
    work = Work(lab.record, EmptyHub(), use, EmptyMachine(), "hub")  # type: ignore[arg-type]  # a hub without anything in it
    known = {step.name: step for step in steps(work, Declared(settings_file, tmp_path))}

    return lambda name: known[name].run(lab.now)


@pytest.mark.promise("GROUP-7")
def test_a_membership_whose_time_is_over_ends(lab: Any, run: Callable[[str], str]) -> None:
    with lab.write() as writing:
        until = lab.now + timedelta(hours=1)
        memberships.add(writing, "zoe", "vision", Origin.CONSOLE, until=until)
    assert run("memberships") == ""

    lab.later(hours=2)
    assert run("memberships") == "ended: vision/zoe"

    with lab.record.reading() as reading:
        assert memberships.all_memberships(reading, person="zoe") == ()


@pytest.mark.promise("POOL-1", "POOL-6")
def test_devices_are_looked_at_and_what_is_missing_is_taken_out(
    lab: Any, run: Callable[[str], str]
) -> None:
    run("devices")

    with lab.record.reading() as reading:
        present = {device.id: device.present for device in devices.all_devices(reading)}
    assert present == {"gpu-0": True, "gpu-1": False, "gpu-9": True}


@pytest.mark.promise("PROFILE-2")
def test_a_profile_is_offered_when_its_file_is_there_and_withdrawn_when_it_is_gone(
    lab: Any, run: Callable[[str], str], settings_file: Path
) -> None:
    file = settings_file.parent / "profiles" / "fresh.yaml"
    file.write_text("title: Fresh\n")
    assert "fresh" in run("profiles")
    with lab.record.reading() as reading:
        assert profiles.get(reading, "fresh").offered

    file.unlink()
    lab.later(seconds=5)
    run("profiles")
    with lab.record.reading() as reading:
        assert not profiles.get(reading, "fresh").offered


def test_minutes_that_are_over_are_in_the_record_once(
    lab: Any, run: Callable[[str], str], use: LiveUse
) -> None:
    allotment = lab.granted("ann", "gpu", "train")
    with lab.record.reading() as reading:
        held = allotments.get(reading, allotment)
    report = ServerReport(
        kernels=1,
        kernels_busy=1,
        terminals=0,
        last_activity=lab.now,
        devices=(DeviceUse(id="gpu-0", measured=Measured.NVML, utilisation=50, memory_used=3),),
    )
    use.take(held, "hub~ann~train", report, lab.now)
    start = lab.now
    lab.later(minutes=2)

    assert run("minutes") == "kept 2 minutes"
    assert run("minutes") == ""

    with lab.record.reading() as reading:
        (minute,) = reports.read_device_minutes(reading, start - timedelta(minutes=1))
        (server,) = reports.read_server_minutes(reading, start - timedelta(minutes=1))
    assert (minute.device, minute.utilisation, minute.memory_most) == ("gpu-0", 50.0, 3)
    assert (server.allotment, server.busy_samples) == (allotment, 1)


def test_answers_are_forgotten_after_a_day(lab: Any, run: Callable[[str], str]) -> None:
    with lab.write() as writing:
        idempotency.remember(writing, "olga", "k1", Answer("d", 200, "{}"))
    run("answers")
    with lab.record.reading() as reading:
        assert idempotency.recall(reading, "olga", "k1") is not None

    lab.now += ANSWERS_LAST + timedelta(seconds=1)
    assert run("answers") == "forgot 1 answer"
    with lab.record.reading() as reading:
        assert idempotency.recall(reading, "olga", "k1") is None


@pytest.mark.promise("LIMIT-3", "SERVER-7")
def test_a_server_that_is_gone_gives_its_devices_back(lab: Any, run: Callable[[str], str]) -> None:
    allotment = lab.granted("ann", "gpu", "train")

    assert "ann/train" in run("reconciling")

    with lab.record.reading() as reading:
        assert allotments.get(reading, allotment).state is State.RELEASED
        assert devices.get(reading, "gpu-0").holder is None


def test_a_broken_settings_file_fails_the_steps_that_need_it_only(
    lab: Any, run: Callable[[str], str], settings_file: Path
) -> None:
    settings_file.write_text("devices: 7\n")

    for name in ("devices", "profiles"):
        with pytest.raises(SettingsInvalid):
            run(name)
    assert run("memberships") == ""
    assert lab.sound()
