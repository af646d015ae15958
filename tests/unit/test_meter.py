"""Measuring a server's own devices, with drivers that hang."""

from __future__ import annotations

import asyncio
import threading

import pytest

from allotment.inventory.shown import Slot
from allotment.model.devices import SlotKind
from allotment.model.reports import DeviceUse, Measured
from allotment_server.meter import Devices, Meter

DEVICES = [("gpu-1", "GPU-1")]
USE = DeviceUse(id="gpu-1", measured=Measured.NVML, utilisation=50, memory_used=1, memory_total=2)


class Driver:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.calls = 0
        self.answers = threading.Event()

    def measure(self, devices: Devices) -> tuple[DeviceUse, ...]:
        assert list(devices) == DEVICES
        self.calls += 1
        self.answers.wait(60)
        return (USE,)


@pytest.fixture
def driver() -> Driver:
    return Driver()


async def test_a_driver_that_answers_is_believed(driver: Driver) -> None:
    driver.answers.set()
    assert await Meter(DEVICES, measuring=driver.measure).read() == (USE,)


async def test_a_driver_that_hangs_is_said_to_and_is_not_asked_again_until_it_answers(
    driver: Driver,
) -> None:
    meter = Meter(DEVICES, measuring=driver.measure, patience=0.01)
    reads = [await meter.read(), await meter.read(), await meter.read()]
    assert {use.measured for (use,) in reads} == {Measured.UNAVAILABLE}
    assert "did not answer" in reads[0][0].note
    assert driver.calls == 1
    driver.answers.set()


@pytest.mark.promise("IDLE-1")
async def test_a_driver_that_hangs_says_nothing_of_what_can_never_be_measured(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("allotment_server.meter.measure_shown", lambda _: driver.measure(DEVICES))
    for kind in (SlotKind.GPU, SlotKind.MIG):
        meter = Meter(DEVICES, slots=[Slot("gpu-1", kind)], patience=0.01)
        (use,) = await meter.read()
        assert use.measured is Measured.UNAVAILABLE
        assert use.measurable is (kind is SlotKind.GPU)
    driver.answers.set()


async def test_a_driver_that_answers_late_is_believed_from_then_on(driver: Driver) -> None:
    meter = Meter(DEVICES, measuring=driver.measure, patience=0.01)
    await meter.read()
    driver.answers.set()
    meter._patience = 60
    assert await meter.read() == (USE,)


async def test_two_who_look_at_once_share_one_measurement(driver: Driver) -> None:
    meter = Meter(DEVICES, measuring=driver.measure, patience=60)
    both = asyncio.gather(meter.read(), meter.read())
    driver.answers.set()
    assert await both == [(USE,), (USE,)]
    assert driver.calls == 1


async def test_a_fresh_measurement_is_not_repeated(driver: Driver) -> None:
    driver.answers.set()
    meter = Meter(DEVICES, measuring=driver.measure)
    await meter.read()
    await meter.read_if_older(60)
    assert driver.calls == 1


async def test_a_server_without_devices_asks_no_driver(driver: Driver) -> None:
    assert await Meter((), measuring=driver.measure).read() == ()
    assert driver.calls == 0


async def test_closing_waits_for_nothing(driver: Driver) -> None:
    meter = Meter(DEVICES, measuring=driver.measure, patience=0.01)
    await meter.read()
    meter.close()
    driver.answers.set()
