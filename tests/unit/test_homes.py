"""What homes hold: measured on the disk, a bounded part at a time, and asked at a launch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from allotment.inventory.homes import measure
from allotment.model.claims import Claim, Granted, Refused
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.profiles import Profile
from allotment.model.reasons import Rule
from allotment.record import Record, claims, limits, open_record, people, profiles, storage
from allotment.work.homes import Homes

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MOST = 10_000


def fill(folder: Path, name: str, size: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_bytes(os.urandom(size))
    return file


def used(folder: Path, most: int = MOST) -> int:
    held = measure(folder, most)
    assert held is not None
    return held.used


@pytest.mark.promise("LIMIT-5")
def test_a_home_holds_what_is_in_all_its_folders(tmp_path: Path) -> None:
    before = used(tmp_path)
    fill(tmp_path, "a", 100_000)
    fill(tmp_path / "deep" / "down", "b", 200_000)
    assert 300_000 <= used(tmp_path) - before <= 350_000


@pytest.mark.promise("LIMIT-5")
def test_links_are_not_followed_and_a_file_of_two_names_counts_once(tmp_path: Path) -> None:
    elsewhere = fill(tmp_path / "elsewhere", "huge", 500_000)
    file = fill(tmp_path / "home", "own", 100_000)
    os.link(file, tmp_path / "home" / "again")
    (tmp_path / "home" / "link").symlink_to(elsewhere)
    (tmp_path / "home" / "folder").symlink_to(elsewhere.parent)
    (tmp_path / "home" / "round").symlink_to(tmp_path / "home")
    assert used(tmp_path / "home") < 150_000


def test_a_sparse_file_counts_what_is_on_the_disk(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as stream:
        stream.truncate(1 << 30)
    assert used(tmp_path) < 1 << 20


@pytest.mark.promise("LIMIT-5")
def test_a_home_of_too_many_files_is_counted_to_there_and_says_so(tmp_path: Path) -> None:
    for number in range(20):
        fill(tmp_path, str(number), 1)
    held = measure(tmp_path, 5)
    assert held is not None
    assert (held.entries, held.complete) == (5, False)


@pytest.mark.parametrize("what", ["nothing", "link", "file"])
def test_only_a_folder_is_a_home(tmp_path: Path, what: str) -> None:
    home = tmp_path / "home"
    if what == "link":
        home.symlink_to(tmp_path)
    elif what == "file":
        home.write_text("no folder")
    assert measure(home, MOST) is None


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    """Ann and bob, a profile, and one to clean up with."""
    opened = open_record(f"sqlite:///{tmp_path}/record.sqlite", migrate=True)
    with opened.writing("operator", NOW) as writing:
        people.onboard(writing, ["ann", "bob"], None, "data-scientist")
        for profile in (
            Profile(name="cpu", title="CPU"),
            Profile(name="clean", title="Clean up", cleans_up=True),
        ):
            profiles.publish(writing, profile, f"{profile.name}.yaml", "0" * 64)
    yield opened
    opened.close()


def known(record: Record) -> dict[str, int]:
    with record.reading() as reading:
        return {person: held.used for person, held in storage.of_everybody(reading).items()}


def homes(record: Record, folder: Path, entries: int = MOST) -> Homes:
    return Homes(record, "hub", lambda person: folder / person, entries=entries)


@pytest.mark.promise("LIMIT-5")
def test_every_home_is_measured_and_again_after_a_while(record: Record, tmp_path: Path) -> None:
    fill(tmp_path / "ann", "model", 100_000)
    steps = homes(record, tmp_path)
    assert steps.round(NOW) == "measured 1 home"
    assert set(known(record)) == {"ann"}
    fill(tmp_path / "ann", "more", 100_000)
    fill(tmp_path / "bob", "first", 10)

    steps.round(NOW + timedelta(minutes=1))
    assert known(record)["ann"] < 150_000
    assert "bob" in known(record)
    steps.round(NOW + timedelta(minutes=10))
    assert known(record)["ann"] > 150_000


@pytest.mark.promise("LIMIT-5")
def test_a_round_looks_at_no_more_than_its_part_and_the_next_goes_on(
    record: Record, tmp_path: Path
) -> None:
    for person in ("ann", "bob"):
        for number in range(6):
            fill(tmp_path / person, str(number), 1)
    steps = homes(record, tmp_path, entries=7)
    steps.round(NOW)
    assert set(known(record)) == {"ann"}
    steps.round(NOW + timedelta(seconds=20))
    assert set(known(record)) == {"ann", "bob"}


def test_a_home_that_is_gone_is_forgotten(record: Record, tmp_path: Path) -> None:
    file = fill(tmp_path / "ann", "a", 10)
    steps = homes(record, tmp_path)
    steps.round(NOW)
    file.unlink()
    file.parent.rmdir()
    steps.round(NOW + timedelta(minutes=10))
    assert known(record) == {}


@pytest.mark.promise("LIMIT-5")
def test_what_others_have_measured_where_this_machine_has_no_homes_stays(record: Record) -> None:
    with record.writing("storage", NOW) as writing:
        storage.measured(writing, "hub", "ann", 100, complete=True)
    Homes(record, "hub", lambda _person: None).round(NOW + timedelta(hours=1))
    assert known(record) == {"ann": 100}


def claim(record: Record, profile: str, server: str = "") -> Granted | Refused:
    outcome = claims.admit(record, Claim("hub", "ann", server, profile), NOW)
    assert isinstance(outcome, Granted | Refused)
    return outcome


@pytest.mark.promise("LIMIT-5")
def test_over_the_limit_a_launch_is_refused_and_the_way_to_clean_up_is_named(
    record: Record,
) -> None:
    with record.writing("operator", NOW) as writing:
        limits.put(writing, LimitScope.PLATFORM, "", LimitKind.STORAGE, 2)
        storage.measured(writing, "hub", "ann", 5 << 29, complete=True)
    outcome = claim(record, "cpu")
    assert isinstance(outcome, Refused)
    (reason,) = outcome.reasons
    assert (reason.rule, reason.limit, reason.used) == (Rule.STORAGE_PERSON, 2, 3)
    assert reason.message == "Your home holds 2.5 GiB and may hold 2 GiB (the platform's default)."
    assert reason.remedy.startswith("Launch clean to delete files (512 MiB at least)")
    assert isinstance(claim(record, "clean", "tidy"), Granted)


@pytest.mark.promise("LIMIT-5")
@pytest.mark.parametrize(("limit", "held"), [(None, 9 << 30), (2, 2 << 30), (2, None)])
def test_within_the_limit_or_unmeasured_nothing_stands_in_the_way(
    record: Record, limit: int | None, held: int | None
) -> None:
    with record.writing("operator", NOW) as writing:
        limits.put(writing, LimitScope.PERSON, "ann", LimitKind.STORAGE, limit)
        if held is not None:
            storage.measured(writing, "hub", "ann", held, complete=True)
    assert isinstance(claim(record, "cpu"), Granted)


@pytest.mark.promise("LIMIT-5")
def test_who_is_over_the_limit_is_measured_again_soon(record: Record, tmp_path: Path) -> None:
    file = fill(tmp_path / "ann", "model", 100_000)
    with record.writing("operator", NOW) as writing:
        limits.put(writing, LimitScope.PERSON, "ann", LimitKind.STORAGE, 0)
    steps = homes(record, tmp_path)
    steps.round(NOW)
    file.unlink()
    steps.round(NOW + timedelta(seconds=60))
    assert known(record)["ann"] < 50_000


def test_homes_on_several_hubs_count_together(record: Record) -> None:
    with record.writing("storage", NOW) as writing:
        storage.measured(writing, "hub", "ann", 100, complete=True)
        storage.measured(writing, "other", "ann", 200, complete=False)
    with record.reading() as reading:
        held = storage.of_everybody(reading)["ann"]
    assert (held.used, held.complete) == (300, False)
