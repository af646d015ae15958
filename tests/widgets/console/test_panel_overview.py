"""Overview: everything at one glance, and what wants an eye."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from allotment.model.claims import Claim
from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.record import claims, devices
from allotment.work.loop import Step
from control_planes import Platform
from hubs import until

OpenConsole = Callable[..., Any]


@pytest.mark.promise("ADMIN-1")
def test_facts_count_devices_what_is_held_what_is_idle_and_servers(
    open_console: OpenConsole,
) -> None:
    page = open_console()

    page.sees("<span>devices, 46 healthy</span>")
    page.sees("<span>held, 16 free</span>")
    page.sees('<b class="warn">7</b><span>held but idle over 30 min</span>')
    page.sees("servers running")


@pytest.mark.promise("ADMIN-1", "POOL-6", "PROFILE-2")
@pytest.mark.parametrize(
    "words",
    [
        "<b>gpu-03</b> on dgx-1 is not healthy: ECC: uncorrectable memory errors.",
        "<b>otto/eval-2</b>: runs without an allotment",
        "profiles/tensorflow.yaml:4",
        "<b>erin</b> was refused pytorch-gpu",
    ],
)
def test_what_wants_an_eye_is_listed_with_the_way_to_it(
    open_console: OpenConsole, words: str
) -> None:
    page = open_console()

    page.sees(words)


@pytest.mark.promise("ADMIN-2")
def test_a_launch_that_is_refused_elsewhere_appears_with_its_reason(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console()
    page.sees("held but idle")

    claims.admit(platform.record, Claim("hub", "kim", "big", "pytorch-quad"), datetime.now(UTC))

    page.sees("<b>kim</b> was refused pytorch-quad")


@pytest.mark.promise("ADMIN-4")
def test_the_chart_shows_a_day_of_what_was_held_against_capacity(
    open_console: OpenConsole, wire: Any
) -> None:
    page = open_console()
    chart = page.console._panels["overview"]._chart
    wire.say(chart, kind="ready")

    page.until(lambda: chart._times)

    shown = [each for each in wire.sent(chart) if each.kind == "snapshot"][-1]
    assert shown.content["count"] == 288
    assert set(shown.column("capacity")) == {48}


@pytest.mark.promise("POOL-1")
def test_simulated_devices_are_said_to_be_simulated_wherever_they_are_counted(
    open_console: OpenConsole, platform: Platform
) -> None:
    made_up = DeviceSpec("sim-0", "here", "Simulated", 2**30, "sim-0", DeviceOrigin.SIMULATED)
    with platform.record.writing("inventory", datetime.now(UTC)) as writing:
        devices.observe(writing, [made_up], DeviceOrigin.SIMULATED)

    page = open_console()

    page.sees("1 simulated")
    page.until(lambda: "Devices are simulated." in page.console._rail.foot)


@pytest.mark.promise("ADMIN-1", "CLUSTER-1")
def test_work_that_fails_leads_to_the_panel_that_says_more(
    open_console: OpenConsole, platform: Platform
) -> None:
    def fails(_now: datetime) -> str:
        raise RuntimeError("The driver asks for a reset")

    platform.stop()
    platform.start(Step("devices", 3600.0, fails))
    until(lambda: platform.plane.loop.progress()[0].failures, "the first failure", 20)

    page = open_console()

    page.sees("<b>devices</b> fails (1 time in a row): RuntimeError: The driver asks for a reset")
    page.sees('data-go="health"')
