"""Devices that are parts of one say so wherever the console shows them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from allotment.model.devices import DeviceOrigin, Isolation
from allotment.model.documents import Device
from allotment_widgets.panels.pools import shared_html
from allotment_widgets.picture import Picture
from allotment_widgets.server_rows import device_plot


def device(isolation: Isolation) -> Device:
    return Device(
        id="gpu-0",
        node="dgx-1",
        model="A100",
        memory=10 << 30,
        uuid="GPU-0",
        origin=DeviceOrigin.NVML,
        simulated=False,
        isolation=isolation,
        isolation_words=isolation.words,
        pool="a100",
        state="free",
        healthy=True,
        present=True,
        health_note="",
        revision=1,
    )


@pytest.mark.promise("POOL-7")
@pytest.mark.parametrize(
    ("isolation", "title"),
    [
        (Isolation.TIME_SLICE, "dgx-1 gpu-0, Time slice: memory is shared with others"),
        (Isolation.MIG, "dgx-1 gpu-0, MIG slice with memory of its own"),
        (Isolation.EXCLUSIVE, "dgx-1 gpu-0"),
        (Isolation.COOPERATIVE, "dgx-1 gpu-0"),
    ],
)
def test_a_plot_says_that_it_is_a_part_of_a_device(isolation: Isolation, title: str) -> None:
    plot = device_plot(device(isolation), Picture(), datetime.now(UTC), section="a100")

    assert plot.title == title


@pytest.mark.promise("POOL-7")
def test_the_panel_says_what_time_slices_share() -> None:
    devices = [device(Isolation.TIME_SLICE), device(Isolation.TIME_SLICE)]

    assert shared_html(devices) == "<p>Time slice: memory is shared with others.</p>"
    assert shared_html([device(Isolation.EXCLUSIVE)]) == ""
