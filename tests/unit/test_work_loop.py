"""The periodic work: steps, their failures, and reports of use."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

from allotment.model.allotments import Allotment, HeldDevice, State
from allotment.model.reports import DeviceUse, Measured, ServerReport
from allotment.work.live_use import STALE_AFTER, LiveUse, Reported
from allotment.work.loop import Loop, Step

NOW = datetime(2026, 11, 22, 14, 2, 11, tzinfo=UTC)


def clock() -> datetime:
    return NOW


async def test_a_step_that_fails_stops_no_other() -> None:
    third_runs = threading.Barrier(3, timeout=20)
    runs = {"good": 0, "bad": 0}

    def run(name: str) -> str:
        runs[name] += 1
        if runs[name] == 3:
            third_runs.wait()
        if name == "bad":
            message = "no luck"
            raise OSError(message)
        return "done"

    steps = [Step("good", 0.0, lambda _: run("good")), Step("bad", 0.0, lambda _: run("bad"))]
    loop = Loop(steps, clock)
    running = asyncio.create_task(loop.run())
    await asyncio.to_thread(third_runs.wait)
    loop.end()
    await running

    good, bad = loop.progress()
    assert (good.failures, good.note, good.problem) == (0, "done", "")
    assert bad.failures >= 3
    assert bad.problem == "OSError: no luck"


async def test_a_step_that_failed_rests_before_it_is_tried_again() -> None:
    fifth_run = threading.Event()
    runs = {"good": 0, "bad": 0}

    def run(name: str) -> str:
        runs[name] += 1
        if name == "bad":
            message = "no luck"
            raise OSError(message)
        if runs[name] == 5:
            fifth_run.set()
        return ""

    bad = Step("bad", 0.0, lambda _: run("bad"), after_failure=3600.0)
    loop = Loop([bad, Step("good", 0.0, lambda _: run("good"))], clock)
    running = asyncio.create_task(loop.run())
    await asyncio.to_thread(fifth_run.wait, 20)
    loop.end()
    await running

    assert runs["bad"] == 1


def test_a_step_that_works_again_tells_no_old_failure() -> None:
    answers = iter([OSError("no luck"), "done"])

    def run(_now: datetime) -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    step = Step("step", 60.0, run)
    loop = Loop([step], clock)
    loop.run_once(step)
    assert loop.progress()[0].failures == 1

    loop.run_once(step)

    progress = loop.progress()[0]
    assert (progress.runs, progress.failures, progress.problem) == (2, 0, "")
    assert progress.succeeded_at == NOW


def allotment(*devices: str) -> Allotment:
    held = tuple(HeldDevice(one, one, "n1", "A100", 80 << 30, "cooperative") for one in devices)
    return Allotment(
        id="a1",
        hub="hub",
        person="ann",
        server="train",
        group="vision",
        pool="a100",
        profile="gpu",
        state=State.RUNNING,
        terms={},
        devices=held,
        admitted_at=NOW,
    )


def report(*uses: DeviceUse, busy: int = 0) -> ServerReport:
    return ServerReport(kernels=2, kernels_busy=busy, terminals=0, last_activity=NOW, devices=uses)


def measured(device: str, utilisation: float, memory: int = 1) -> DeviceUse:
    return DeviceUse(
        id=device,
        measured=Measured.NVML,
        utilisation=utilisation,
        memory_used=memory,
        memory_total=100,
    )


def test_a_report_tells_of_devices_that_its_server_holds_only() -> None:
    use = LiveUse()

    taken = use.take(
        allotment("gpu-0"), "s", report(measured("gpu-0", 50), measured("gpu-1", 99)), NOW
    )

    assert [device.id for device in taken.report.devices] == ["gpu-0"]


def test_reports_of_a_minute_are_one_row_when_the_minute_is_over() -> None:
    use, held = LiveUse(), allotment("gpu-0")
    start = NOW.replace(second=0)
    use.take(held, "s", report(measured("gpu-0", 40, 7), busy=1), start + timedelta(seconds=1))
    use.take(held, "s", report(measured("gpu-0", 60, 5)), start + timedelta(seconds=31))

    assert use.over(start + timedelta(seconds=59)).devices == ()
    minutes = use.over(start + timedelta(seconds=66))

    (device,), (server,) = minutes.devices, minutes.servers
    assert (device.minute, device.samples, device.utilisation, device.memory_most) == (
        start,
        2,
        50.0,
        7,
    )
    assert (server.samples, server.busy_samples, server.kernels_most) == (2, 1, 2)


def test_minutes_stay_until_the_record_has_them() -> None:
    use = LiveUse()
    use.take(allotment("gpu-0"), "s", report(measured("gpu-0", 40)), NOW)
    later = NOW + timedelta(minutes=2)

    minutes = use.over(later)
    assert use.over(later) == minutes
    use.written(minutes, later)

    assert use.over(later).devices == ()


@pytest.mark.promise("POOL-1")
def test_what_is_not_measured_has_no_minutes_and_no_numbers_made_up() -> None:
    use = LiveUse()
    simulated = DeviceUse(id="gpu-0", measured=Measured.SIMULATED)
    use.take(allotment("gpu-0"), "s", report(simulated), NOW)

    assert use.over(NOW + timedelta(minutes=2)).devices == ()


def test_a_server_that_reports_no_more_has_no_use() -> None:
    use = LiveUse()
    use.take(allotment("gpu-0"), "s", report(measured("gpu-0", 40)), NOW)

    assert set(use.latest(NOW + STALE_AFTER)) == {"a1"}
    assert use.latest(NOW + STALE_AFTER + timedelta(seconds=1)) == {}


def test_listeners_hear_reports_until_they_stop() -> None:
    use = LiveUse()
    heard: list[Reported] = []
    stop = use.listen(heard.append)
    use.take(allotment(), "s", report(), NOW)
    stop()
    use.take(allotment(), "s", report(), NOW)

    assert len(heard) == 1
