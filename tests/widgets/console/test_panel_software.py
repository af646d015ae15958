"""Software: versions that profiles name, and the servers that are behind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from allotment.model.profiles import Profile
from allotment.record import profiles
from control_planes import Platform

OpenConsole = Callable[..., Any]
SOFTWARE = "Software"
NAME = "pytorch-gpu"


@pytest.mark.promise("SOFT-3", "SOFT-1")
def test_the_panel_says_which_servers_run_which_version(
    open_console: OpenConsole, platform: Platform
) -> None:
    with platform.record.reading() as reading:
        old = profiles.get(reading, NAME).profile
    assert old is not None
    said = {"image": "lab:2", "version": "2026.11", "notes": "<b>CUDA</b> 13"}

    page = open_console(panel="software")
    page.has_row(SOFTWARE, NAME, behind=0, state="current")
    new = Profile.model_validate(old.model_dump() | said)
    with platform.record.writing("catalogue", datetime.now(UTC)) as writing:
        profiles.publish(writing, new, "profiles/pytorch-gpu.yaml", "digest")

    page.has_row(SOFTWARE, NAME, version="2026.11", state="behind")
    page.select(SOFTWARE, NAME)
    page.sees("&lt;b&gt;CUDA&lt;/b&gt; 13")


@pytest.mark.promise("ADMIN-2")
def test_a_list_that_is_still_read_does_not_say_that_there_is_nothing(
    wire: Any, open_console: OpenConsole
) -> None:
    page = open_console(panel="software")
    page.has_row(SOFTWARE, NAME, state="current")
    told = [each for each in wire.sent(page.grid(SOFTWARE)) if each.kind == "snapshot"]
    assert all(each.rows() for each in told)
