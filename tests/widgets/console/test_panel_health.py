"""Health: each part of the platform in words, which version it is, what is new."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from allotment.model.documents import NewsSection, Release
from allotment.record import upkeep
from allotment_widgets.part_rows import NEWEST, news_html
from control_planes import Platform

OpenConsole = Callable[..., Any]
PARTS = "Parts of the platform"


@pytest.mark.promise("CLUSTER-1", "ADMIN-2")
def test_each_part_says_how_it_is_and_a_backup_shows_by_itself(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="health")
    page.has_row(PARTS, "record", state="ok")
    page.has_row(PARTS, "mail", state="off")
    page.has_row(PARTS, "backup", state="unknown")
    with platform.record.writing("root@machine", datetime.now(UTC)) as writing:
        upkeep.note_backup(writing, 412)
    page.has_row(PARTS, "backup", state="ok")


@pytest.mark.promise("CLUSTER-1")
def test_the_chosen_part_tells_all_that_is_known_of_it(open_console: OpenConsole) -> None:
    page = open_console(panel="health")
    page.select(PARTS, "record")
    page.sees("events</li>")


@pytest.mark.promise("CLUSTER-1")
def test_parts_that_want_an_eye_are_told_in_full_while_none_is_chosen(
    open_console: OpenConsole,
) -> None:
    page = open_console(panel="health")
    page.sees("<h3>Inventory</h3><p>Nobody looks now.")


@pytest.mark.promise("CLUSTER-2")
def test_version_licence_and_what_is_new_are_told(open_console: OpenConsole) -> None:
    page = open_console(panel="health")
    page.sees("Open use needs no licence key.")
    page.sees("What is new")
    page.sees("<h3>0.1.0 <span class=quiet>not released yet</span></h3>")


@pytest.mark.promise("CLUSTER-2")
def test_what_is_new_is_shown_as_words_and_not_as_a_page_of_whoever_wrote_it() -> None:
    notes = ("`a < b` by [x](docs/x.md)", "<script>alert(1)</script>", *"n" * NEWEST)
    sections = (NewsSection(title="Added", notes=notes),)
    page = news_html([Release(version="1", released="today", sections=sections)])
    assert "<code>a &lt; b</code> by x" in page
    assert "<script>" not in page
    assert "<summary>2 more</summary>" in page
