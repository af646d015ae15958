"""Profiles: what is offered, what is wrong with a file, who holds one; disabled, and revoked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from allotment.model.profiles import Profile
from allotment.record import allotments, profiles
from control_planes import Platform

OpenConsole = Callable[..., Any]


@pytest.mark.promise("PROFILE-2")
def test_a_broken_file_is_named_with_its_line_and_what_was_expected(
    open_console: OpenConsole,
) -> None:
    page = open_console(panel="profiles")

    page.sees("profiles/tensorflow.yaml:4: devices: expected a whole number from 0 to 1024")

    page.sees("The last good version stays in force.")
    page.has_row("Profiles", "tensorflow", state="kept")


@pytest.mark.promise("PROFILE-5")
def test_disabling_says_who_keeps_the_profile_and_new_servers_cannot_have_it(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="profiles")
    page.select("Profiles", "pytorch-quad")
    page.act("Profiles", "disable")
    page.sees("mei/pretrain")

    page.press("Disable")
    page.has_row("Profiles", "pytorch-quad", state="disabled")

    with platform.record.reading() as reading:
        assert not profiles.get(reading, "pytorch-quad").enabled
        assert any(one.profile == "pytorch-quad" for one in allotments.active(reading))


@pytest.mark.promise("PROFILE-5")
def test_a_disabled_profile_is_offered_again(open_console: OpenConsole) -> None:
    page = open_console(panel="profiles")
    page.select("Profiles", "minimal")
    page.act("Profiles", "disable")
    page.press("Disable")
    page.has_row("Profiles", "minimal", state="disabled")

    page.act("Profiles", "enable")
    page.press("Enable")

    page.has_row("Profiles", "minimal", state="offered")


@pytest.mark.promise("PROFILE-5")
def test_revoking_needs_a_reason_and_stops_who_holds_the_profile(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="profiles")
    page.select("Profiles", "pytorch-quad")
    page.act("Profiles", "revoke")
    page.until(lambda: page.button("Revoke pytorch-quad", disabled=True))

    page.fill("Why? Their users read it.", "A flaw in its image")
    page.press("Revoke pytorch-quad")
    page.sees("pytorch-quad is no longer offered.")

    with platform.record.reading() as reading:
        mei = allotments.latest(reading, "hub", "mei", "pretrain")
        assert mei is not None
        assert mei.stop_reason == "A flaw in its image"


def test_the_selected_profile_says_who_holds_it(open_console: OpenConsole) -> None:
    page = open_console(panel="profiles")

    page.select("Profiles", "pytorch-quad")

    page.sees("servers still hold it")
    page.sees("<li>mei/pretrain</li>")


@pytest.mark.promise("PROFILE-6")
def test_a_profile_that_was_replaced_names_its_successor_with_the_message(
    open_console: OpenConsole, platform: Platform
) -> None:
    old = Profile(
        name="torch-1",
        title="PyTorch 1",
        successor="pytorch-gpu",
        successor_message="CUDA 11 <ends>.",
    )
    with platform.record.writing("operator", datetime.now(UTC)) as writing:
        profiles.publish(writing, old, "profiles/torch-1.yaml", "1" * 64)
    page = open_console(panel="profiles")

    page.select("Profiles", "torch-1")

    page.sees("pytorch-gpu replaces it. CUDA 11 &lt;ends&gt;.")
