"""Room on disks: what is copied leaves some of it free."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from allotment.data import room
from allotment.data.problems import SourceProblem
from allotment.data.room import Room, free_below

pytestmark = pytest.mark.promise("SET-4")

SPARE = 1000
WAIT = 20


class Disk:
    """A disk with so many free bytes."""

    def __init__(self, free: int) -> None:
        self.free = free

    def room(self) -> Room:
        return Room(Path("/"), "The disk", lambda _place: self.free, SPARE)


def test_what_does_not_fit_beside_what_stays_free_is_refused_before_it_is_copied() -> None:
    disk = Disk(SPARE + 10)

    disk.room().ask(10)
    with pytest.raises(SourceProblem, match="The disk has no room for 11 B: 10 B can be"):
        disk.room().ask(11)


def test_files_that_are_copied_at_once_are_not_promised_the_same_room() -> None:
    disk = Disk(SPARE + 10)
    together = disk.room()
    ended, second_began = threading.Event(), threading.Event()

    def second() -> bool:
        with together.file(6):
            second_began.set()
            return ended.is_set()

    with ThreadPoolExecutor(1) as pool:
        with together.file(6) as wrote:
            waits = pool.submit(second)
            wrote(6)
            disk.free -= 6
            assert not second_began.is_set()
            disk.free += 6
            ended.set()
        assert waits.result(WAIT)


def test_a_file_that_has_no_room_alone_is_refused() -> None:
    with pytest.raises(SourceProblem, match="no room"), Disk(SPARE + 10).room().file(11):
        pass


def test_a_file_is_given_up_when_others_fill_the_disk_while_it_is_copied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "_STEP", 4)
    disk = Disk(SPARE + 10)
    together = disk.room()
    with together.file(10) as wrote:
        wrote(4)
        disk.free -= 4
        wrote(3)
        # Another process has written, too.
        disk.free -= 6
        with pytest.raises(SourceProblem, match="no room"):
            wrote(1)
    assert together.left() == 0


def test_a_folder_that_is_yet_to_be_made_lies_where_its_parent_does(tmp_path: Path) -> None:
    assert free_below(tmp_path / "not" / "there") > 0
