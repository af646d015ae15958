"""Targets of versions: set up by a form, tested, disabled, deleted only while nothing names them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from allotment.model.versions import ContentsKind, MetadataKind, VersionTarget
from allotment.record import leftovers, targets
from allotment.record.leftovers import Leftover, LeftoverKind
from control_planes import Platform
from example_data import add_data

OpenConsole = Callable[..., Any]
TARGETS = "Targets"


@pytest.mark.promise("SET-4")
def test_a_target_is_set_up_tested_and_disabled(
    open_console: OpenConsole, platform: Platform
) -> None:
    place = platform.folder / "data" / "kept"
    place.mkdir()
    page = open_console(panel="targets")
    page.until(lambda: "Press Set up" in page.grid(TARGETS).empty)
    page.act(TARGETS, "add")
    page.sees("Still needed: Name")
    page.fill("Name", "history")
    folders = [each for each in page.shown() if getattr(each, "description", "") == "Folder"]
    assert len(folders) == 2
    for number, field in enumerate(folders):
        (place / str(number)).mkdir()
        page.write(field, str(place / str(number)))
    page.press("Set up")
    page.has_row(TARGETS, "history", state="works", history="A folder")
    page.select(TARGETS, "history")
    page.act(TARGETS, "test")
    page.until(lambda: page.console._head.said.startswith("history: "))
    page.act(TARGETS, "disable")
    page.sees("Those that it keeps can still be loaded.")
    page.press("Disable")
    page.has_row(TARGETS, "history", state="disabled")
    with platform.record.reading() as reading:
        assert not targets.get(reading, "history").enabled


@pytest.mark.promise("SET-4", "DATA-5")
def test_the_form_asks_for_a_bucket_and_keeps_its_secret_out_of_the_page(
    open_console: OpenConsole,
) -> None:
    page = open_console(panel="targets")
    page.act(TARGETS, "add")
    page.fill("Files are kept in", "s3")
    page.fill("Bucket", "versions")
    secret = page.field("Secret key")
    page.fill("Secret key", "never-shown")
    page.press("Cancel")
    page.until(lambda: secret.value == "", "the secret gone")


def test_a_target_that_datasets_name_is_not_deleted(
    open_console: OpenConsole, platform: Platform
) -> None:
    add_data(platform.record, datetime.now(UTC))
    page = open_console(panel="targets")
    page.has_row(TARGETS, "history", datasets=1)
    page.select(TARGETS, "history")
    page.act(TARGETS, "delete")
    page.sees("It cannot be deleted now: 1 dataset names it: sales.")


@pytest.mark.promise("SET-4")
def test_what_a_target_keeps_for_nobody_is_told_and_removed(
    open_console: OpenConsole, platform: Platform
) -> None:
    place, now = platform.folder / "data" / "kept", datetime.now(UTC)
    left = place / "contents" / "old-0f" / "files" / "md5" / "aa" / "bb"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"1" * 2048)
    target = VersionTarget(
        "history",
        MetadataKind.FOLDER,
        ContentsKind.FOLDER,
        metadata={"path": str(place / "histories")},
        contents={"path": str(place / "contents")},
    )
    gone = Leftover("history", LeftoverKind.SPACE, "old-0f", "dataset old", now)
    with platform.record.writing("operator", now) as writing:
        targets.create(writing, target, {})
        leftovers.note(writing, gone)
    page = open_console(panel="targets")
    page.select(TARGETS, "history")
    page.act(TARGETS, "clean")
    page.sees("Of dataset old: 1 file, 2 KiB.")
    page.press("Remove")
    page.until(lambda: page.console._head.said == "1 file removed from history.")
    assert not left.exists()
    page.act(TARGETS, "clean")
    page.sees("Nothing can be removed because all that it keeps is needed.")


@pytest.mark.promise("USER-7")
def test_a_reader_sees_targets_and_is_offered_no_change(
    open_console: OpenConsole, platform: Platform
) -> None:
    add_data(platform.record, datetime.now(UTC))
    page = open_console("auditor", panel="targets")
    page.has_row(TARGETS, "history", datasets=1)
    assert page.buttons() == []
