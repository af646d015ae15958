"""Homes of people who have no server: kept, announced, then removed or packed away; restored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from allotment.inventory.home_folders import HomeFolders
from allotment.inventory.packing import NotPacked
from allotment.model.claims import Claim, Granted
from allotment.model.homes import Archive, ArchiveAsk, Home, HomeEnd, HomeTerms
from allotment.model.profiles import Profile
from allotment.model.refusals import Refusal
from allotment.record import (
    Record,
    claims,
    events,
    home_archives,
    homes,
    open_record,
    people,
    profiles,
    servers,
)
from allotment.rules.telling import telling
from allotment.work.home_keeping import HomeKeeping

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TERMS = HomeTerms(keep=90 * DAY, warn=14 * DAY)


class Lab:
    """A record with ann and bob, and the step over a folder of homes."""

    def __init__(self, folder: Path, record: Record) -> None:
        self.record, self.terms = record, TERMS
        self.folders = HomeFolders(folder / "homes", folder / "archives")
        self.folders.folder.mkdir()
        self.step = HomeKeeping(record, "hub", lambda: self.folders, lambda: self.terms)

    def home(self, person: str) -> Path:
        """Somebody's home, with a file in it."""
        folder = self.folders.folder / person
        folder.mkdir(exist_ok=True)
        (folder / "notes.txt").write_text(person)
        return folder

    def known(self) -> dict[str, Home]:
        with self.record.reading() as reading:
            return {one.place: one for one in homes.all_homes(reading)}

    def archives(self) -> tuple[Archive, ...]:
        with self.record.reading() as reading:
            return home_archives.all_archives(reading)

    def kinds(self) -> list[str]:
        with self.record.reading() as reading:
            found = events.after(reading, 0, 1000)
        return [one.kind for one in found if one.kind.startswith("home.")]

    def round(self, days: float) -> str:
        """A round so many days after the beginning."""
        return self.step.round(NOW + days * DAY)

    def launch(self, person: str, days: float = 0) -> None:
        outcome = claims.admit(self.record, Claim("hub", person, "", "cpu"), NOW + days * DAY)
        assert isinstance(outcome, Granted)

    def ask(self, place: str, what: HomeEnd | None) -> None:
        with self.record.writing("olga", NOW) as writing:
            homes.ask(writing, homes.get(writing, "hub", place), what)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    opened = open_record(f"sqlite:///{tmp_path}/record.sqlite", migrate=True)
    with opened.writing("operator", NOW) as writing:
        people.onboard(writing, ["ann", "bob"], None, "data-scientist")
        profile = Profile(name="cpu", title="CPU")
        profiles.publish(writing, profile, "cpu.yaml", "0" * 64)
    yield Lab(tmp_path, opened)
    opened.close()


@pytest.mark.promise("SERVER-10")
def test_a_home_is_kept_then_announced_then_removed(lab: Lab) -> None:
    home = lab.home("ann")
    lab.round(0)
    assert lab.known()["ann"].ends_at == NOW + 90 * DAY
    lab.round(75)
    assert lab.kinds() == []

    lab.round(76)

    assert lab.kinds() == ["home.warned"]
    with lab.record.reading() as reading:
        (event,) = (one for one in events.after(reading, 0, 100) if one.kind == "home.warned")
    told = telling(event, UTC)
    assert told is not None
    assert (told.whose, told.subject) == ("ann", "Your home is removed on 30 May 2026")
    lab.round(89)
    assert (home / "notes.txt").exists()
    assert lab.round(90) == "remove ann."
    assert not home.exists()
    assert (lab.known(), lab.kinds()) == ({}, ["home.warned", "home.removed"])


@pytest.mark.promise("SERVER-10")
def test_a_home_is_used_as_long_as_its_person_has_a_server_stopped_or_not(lab: Lab) -> None:
    lab.home("ann")
    lab.launch("ann")
    with lab.record.reading() as reading:
        (server,) = servers.all_servers(reading)
    claims.mark_stopping(lab.record, server.allotment.id, "", "ann", NOW)
    claims.release(lab.record, server.allotment.id, "It is gone.", NOW)
    lab.round(0)
    lab.round(500)
    assert lab.known()["ann"].used

    with lab.record.writing("ann", NOW) as writing:
        servers.forget(writing, "hub", "ann", "")
    lab.round(500)

    assert lab.known()["ann"].unused_since == NOW + 500 * DAY
    lab.launch("ann", 501)
    lab.round(501)
    assert lab.known()["ann"].ends_at is None


@pytest.mark.promise("SERVER-10")
def test_a_home_is_packed_away_and_comes_back(lab: Lab) -> None:
    lab.terms = HomeTerms(90 * DAY, 14 * DAY, HomeEnd.ARCHIVE)
    home = lab.home("ann")
    for day in (0, 80, 94):
        lab.round(day)
    assert not home.exists()
    (archive,) = lab.archives()
    assert (archive.person, archive.entries) == ("ann", 1)

    with lab.record.writing("olga", NOW) as writing:
        home_archives.ask(writing, archive.id, ArchiveAsk.RESTORE)
    lab.round(95)

    assert (home / "notes.txt").read_text() == "ann"
    (archive,) = lab.archives()
    assert archive.restored_at == NOW + 95 * DAY
    with lab.record.writing("olga", NOW) as writing:
        home_archives.ask(writing, archive.id, ArchiveAsk.REMOVE)
    lab.round(96)
    assert lab.archives() == ()
    assert list((lab.folders.archives or home).iterdir()) == []


@pytest.mark.promise("SERVER-10")
def test_a_home_that_cannot_be_packed_stays_and_says_why(lab: Lab) -> None:
    lab.folders = HomeFolders(lab.folders.folder, None)
    home = lab.home("ann")
    lab.round(0)
    lab.ask("ann", HomeEnd.ARCHIVE)
    lab.round(1)
    assert home.exists()
    assert "no place for archives" in lab.known()["ann"].problem


@pytest.mark.promise("SERVER-10")
def test_who_comes_back_while_the_home_is_packed_keeps_it(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = lab.home("ann")
    lab.round(0)
    lab.ask("ann", HomeEnd.ARCHIVE)
    pack = HomeFolders.archive

    def launched_meanwhile(*arguments: object) -> object:
        packed = pack(*arguments)  # type: ignore[arg-type] - whatever it is called with
        lab.launch("ann", 1)
        return packed

    monkeypatch.setattr(HomeFolders, "archive", launched_meanwhile)
    lab.round(1)
    assert (home / "notes.txt").exists()
    assert lab.archives() == ()
    assert list((lab.folders.archives or home).iterdir()) == []


@pytest.mark.promise("SERVER-10")
def test_an_operator_keeps_a_home_longer(lab: Lab) -> None:
    lab.home("ann")
    lab.round(0)
    lab.round(77)
    with lab.record.writing("olga", NOW + 78 * DAY) as writing:
        homes.keep(writing, homes.get(writing, "hub", "ann"), NOW + 200 * DAY)
    lab.round(91)
    assert lab.known()["ann"].ends_at == NOW + 200 * DAY
    lab.round(186)
    lab.round(200)
    assert lab.known() == {}
    assert lab.kinds() == ["home.warned", "home.kept", "home.warned", "home.removed"]


@pytest.mark.promise("SERVER-10")
def test_a_home_in_use_is_neither_removed_nor_kept_by_an_operator(lab: Lab) -> None:
    lab.home("ann")
    lab.round(0)
    lab.launch("ann")
    with pytest.raises(Refusal, match="has a server on hub"):
        lab.ask("ann", HomeEnd.REMOVE)


@pytest.mark.parametrize("known", [True, False])
def test_a_home_that_was_on_its_way_out_when_its_process_died_is_as_the_record_says(
    lab: Lab, *, known: bool
) -> None:
    home = lab.home("ann")
    lab.round(0)
    (found,) = lab.folders.homes()
    lab.folders.aside(found)
    if not known:
        with lab.record.writing("homes", NOW) as writing:
            homes.gone(writing, homes.get(writing, "hub", "ann"), "homes", None)
    lab.round(1)
    assert home.exists() is known
    assert list(lab.folders.folder.glob(".*")) == []


@pytest.mark.promise("SERVER-10")
def test_who_launches_before_a_home_came_back_loses_neither_of_the_two(lab: Lab) -> None:
    home = lab.home("ann")
    lab.round(0)
    (found,) = lab.folders.homes()
    lab.folders.aside(found)  # and the process dies before it is written
    home.mkdir()
    lab.ask("ann", HomeEnd.REMOVE)

    with pytest.raises(NotPacked, match="ann has two homes"):
        lab.round(1)

    assert "ann has two homes" in lab.known()["ann"].problem
    home.rmdir()
    lab.round(2)
    assert (home / "notes.txt").read_text() == "ann"


@pytest.mark.promise("SERVER-10")
@pytest.mark.parametrize("others", [True, False], ids=["others are there", "no home is there"])
def test_a_home_that_is_kept_until_a_time_is_so_after_it_was_out_of_sight(
    lab: Lab, tmp_path: Path, *, others: bool
) -> None:
    home = lab.home("ann")
    lab.round(0)
    with lab.record.writing("olga", NOW) as writing:
        homes.keep(writing, homes.get(writing, "hub", "ann"), NOW + 700 * DAY)
    home.rename(tmp_path / "away")
    if others:
        lab.home("bob")

    lab.round(1)
    (tmp_path / "away").rename(home)
    lab.round(2)
    assert lab.known()["ann"].keep_until == NOW + 700 * DAY


@pytest.mark.promise("SERVER-10")
def test_where_no_home_is_seen_none_is_forgotten_or_ended(lab: Lab, tmp_path: Path) -> None:
    home = lab.home("ann")
    lab.round(0)
    home.rename(tmp_path / "away")

    for day in (1, 80, 200):
        lab.round(day)
    assert lab.known()["ann"].unused_since == NOW
    assert lab.known()["ann"].problem == ""


def test_a_home_that_is_gone_is_forgotten(lab: Lab) -> None:
    lab.home("bob")
    lab.round(0)
    (lab.home("ann") / "notes.txt").unlink()
    lab.round(0)
    (lab.folders.folder / "ann").rmdir()
    lab.round(1)
    assert set(lab.known()) == {"bob"}


def test_the_last_home_that_is_gone_is_forgotten_when_an_operator_has_it_removed(
    lab: Lab, tmp_path: Path
) -> None:
    home = lab.home("ann")
    lab.round(0)
    home.rename(tmp_path / "away")
    lab.ask("ann", HomeEnd.REMOVE)
    lab.round(1)
    assert lab.known() == {}


def test_links_and_files_among_homes_are_nobodys(lab: Lab, tmp_path: Path) -> None:
    (lab.folders.folder / "link").symlink_to(tmp_path)
    (lab.folders.folder / "file").write_text("")
    lab.home("ann")
    lab.round(0)
    assert set(lab.known()) == {"ann"}


def test_one_that_is_asked_back_is_not_removed(lab: Lab) -> None:
    home = lab.home("ann")
    lab.round(0)
    lab.ask("ann", HomeEnd.REMOVE)
    lab.ask("ann", None)
    lab.round(1)
    assert home.exists()
