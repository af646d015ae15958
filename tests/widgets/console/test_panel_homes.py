"""Homes, as an operator keeps, packs and restores them in the console."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from allotment.model.homes import FoundHome, HomeEnd, Packed
from allotment.record import home_archives, homes, leaving, storage
from control_planes import Platform

OpenConsole = Callable[..., Any]
HOMES, ARCHIVES = "Homes", "Packed away"


@pytest.fixture
def two_homes(platform: Platform) -> None:
    """Erin's is used; mei's ends in ten days, and one of hers was packed away."""
    now = datetime.now(UTC)
    with platform.record.writing("homes", now) as writing:
        found = [FoundHome("erin", "erin"), FoundHome("mei", "mei")]
        homes.seen(writing, "lab", found)
        storage.measured(writing, "lab", "mei", 3 << 30, complete=True)
        meis = homes.get(writing, "lab", "mei")
        homes.warned(writing, meis, now + timedelta(days=10), HomeEnd.REMOVE)
        home_archives.made(writing, "a1", meis, "mei-1.tar.gz", Packed(1 << 20, 7), "homes")


@pytest.mark.promise("SERVER-10", "ADMIN-3")
@pytest.mark.usefixtures("two_homes")
def test_a_home_is_kept_and_packed_away_after_the_form_said_what_that_does(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="homes")
    page.has_row(HOMES, "lab~mei", person="mei", used=3 << 30, state="ends")
    page.select(HOMES, "lab~mei")
    page.act(HOMES, "keep")
    page.sees("mei is told anew before it ends.")
    page.press("Keep")
    page.has_row(HOMES, "lab~mei", state="unused")

    page.act(HOMES, "archive")
    page.sees("Everything in it (3 GiB) is packed into a file")
    page.press("Pack away")

    page.has_row(HOMES, "lab~mei", state="busy")
    with platform.record.reading() as reading:
        assert homes.get(reading, "lab", "mei").asked is HomeEnd.ARCHIVE


@pytest.mark.promise("SERVER-10", "ADMIN-3")
@pytest.mark.usefixtures("two_homes")
def test_what_was_packed_is_restored(open_console: OpenConsole) -> None:
    page = open_console(panel="homes")
    page.has_row(ARCHIVES, "a1", person="mei", size=1 << 20, state="kept")
    page.select(ARCHIVES, "a1")
    page.act(ARCHIVES, "restore")
    page.sees("Where there are files already, nothing is done.")

    page.press("Restore")

    page.has_row(ARCHIVES, "a1", state="busy")


@pytest.mark.promise("AUTH-5", "SERVER-10")
@pytest.mark.usefixtures("two_homes")
def test_a_home_that_its_heir_has_not_got_yet_is_shown_as_due(
    open_console: OpenConsole, platform: Platform
) -> None:
    with platform.record.writing("olga", datetime.now(UTC)) as writing:
        leaving.leave(writing, "mei", heir="erin")
        homes.due(writing, homes.get(writing, "lab", "mei"))

    page = open_console(panel="homes")

    why = "mei has left. Move what is in it to erin, then remove it."
    page.has_row(HOMES, "lab~mei", state="due", why=why, ends=None)


@pytest.mark.promise("SERVER-10", "USER-7")
@pytest.mark.usefixtures("two_homes")
def test_a_reader_sees_homes_and_changes_none(open_console: OpenConsole) -> None:
    page = open_console("auditor", panel="homes")
    page.has_row(HOMES, "lab~mei", person="mei")

    assert page.buttons() == []
