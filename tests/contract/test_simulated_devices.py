"""Simulated devices give way to real ones."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.inventory.simulated import simulated_devices
from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.record import devices

REAL = DeviceSpec("gpu-1", "laptop", "A100", 80 << 30, "GPU-1", DeviceOrigin.NVML)


def take_in(world: Any, *found: DeviceSpec) -> None:
    with world.write() as writing:
        for origin in (DeviceOrigin.NVML, DeviceOrigin.SIMULATED):
            devices.observe(writing, [spec for spec in found if spec.origin is origin], origin)


def ids(world: Any) -> list[tuple[str, bool]]:
    with world.record.reading() as reading:
        return [(device.id, device.present) for device in devices.all_devices(reading)]


@pytest.mark.promise("POOL-1")
def test_they_are_forgotten_once_a_real_device_is_found(world: Any) -> None:
    take_in(world, *simulated_devices("laptop"))
    take_in(world, REAL)
    assert ids(world) == [("gpu-1", True)]
    assert world.sound()


@pytest.mark.promise("POOL-6")
def test_one_that_a_server_holds_stays_until_it_is_released(world: Any) -> None:
    take_in(world, *simulated_devices("laptop"))
    world.people("ann")
    world.profile("gpu", devices=1)
    holder = world.granted("ann", "gpu")
    take_in(world, REAL)
    assert ids(world) == [("gpu-1", True), ("sim-0", False)]
    world.end(holder)
    take_in(world, REAL)
    assert ids(world) == [("gpu-1", True)]
    assert world.sound()
