"""How devices are used: as the machine measured it, else by the word of the server that holds them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.model.reports import DeviceUse, Measured
from allotment.record import devices
from allotment.work.live_use import STALE_AFTER

pytestmark = pytest.mark.parametrize("store", ["sqlite"])
TOTAL = 80 << 30


def used(device: str, percent: float, memory: int = 0) -> DeviceUse:
    return DeviceUse(
        id=device,
        measured=Measured.NVML,
        utilisation=percent,
        memory_used=memory,
        memory_total=TOTAL,
    )


def alerts(api: Any) -> list[str]:
    with api.client("olga+") as olga:
        return [alert.subject for alert in olga.overview().alerts]


@pytest.mark.promise("POOL-1")
def test_a_device_that_nobody_holds_is_measured_too(api: Any, lab: Any) -> None:
    api.plane.use.observe([used("gpu-0", 3)], lab.now)
    with api.client("olga+") as olga:
        device = olga.devices.get("gpu-0")
    assert (device.holder, device.use, device.used_at) == (None, used("gpu-0", 3), lab.now)


@pytest.mark.promise("POOL-1")
def test_what_was_measured_long_ago_is_not_shown(api: Any, lab: Any) -> None:
    api.plane.use.observe([used("gpu-0", 3)], lab.now - STALE_AFTER - timedelta(seconds=1))
    with api.client("olga+") as olga:
        assert olga.devices.get("gpu-0").use is None


@pytest.mark.parametrize(
    ("use", "alerted"),
    [
        (used("gpu-0", 57), True),
        (used("gpu-0", 0, TOTAL // 2), True),
        (used("gpu-0", 2, TOTAL // 100), False),
    ],
)
def test_a_free_device_that_something_uses_is_an_alert(
    api: Any, lab: Any, use: DeviceUse, alerted: bool
) -> None:
    api.plane.use.observe([use], lab.now)
    assert ("gpu-0" in alerts(api)) is alerted


def test_a_held_device_that_is_used_is_none(api: Any, lab: Any) -> None:
    lab.granted("ann", "gpu")
    api.plane.use.observe([used("gpu-0", 100, TOTAL)], lab.now)
    assert "gpu-0" not in alerts(api)


@pytest.mark.promise("POOL-6")
def test_a_gpu_that_the_driver_lost_is_an_alert_until_it_is_back(api: Any, lab: Any) -> None:
    spec = DeviceSpec("gpu-9", "n1", "A100", TOTAL, "GPU-9", DeviceOrigin.NVML)
    seen = []
    for found in ([spec], [], [spec]):
        with lab.write() as writing:
            devices.observe(writing, found, DeviceOrigin.NVML)
        seen.append("gpu-9" in alerts(api))
    assert seen == [False, True, False]


@pytest.mark.promise("POOL-6")
def test_an_unhealthy_device_is_an_alert_with_its_reason(api: Any, lab: Any) -> None:
    with lab.write() as writing:
        devices.set_health(writing, "gpu-0", healthy=False, note="The driver asks for a reset")
    with api.client("olga+") as olga:
        messages = [alert.message for alert in olga.overview().alerts]
    assert any("gpu-0" in message and "asks for a reset" in message for message in messages)
