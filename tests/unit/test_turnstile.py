"""Turns of processes at one file: each :class:`Turnstile` here stands for a process of its own."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path

import pytest

from allotment.model.refusals import RecordUnavailable
from allotment.record.turnstile import Turns, Turnstile


def held(file: Path) -> bool:
    """Whether somebody has locked a file."""
    with file.open("rb") as mine:
        try:
            fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_who_has_had_the_turn_does_not_come_in_again_before_one_that_waits(tmp_path: Path) -> None:
    first, second = Turnstile(tmp_path / "record"), Turnstile(tmp_path / "record")
    came, may_go = threading.Event(), threading.Event()

    def wait() -> None:
        assert second.enter(60)
        came.set()
        may_go.wait(60)
        second.leave()

    assert first.enter(60)
    waiting = threading.Thread(target=wait)
    waiting.start()
    while not held(tmp_path / "record-door"):
        threading.Event().wait(0.001)

    first.leave()
    assert not first.enter(0)

    assert came.wait(60)
    may_go.set()
    assert first.enter(60)
    waiting.join(60)
    first.close()


def test_a_turn_ends_with_its_process(tmp_path: Path) -> None:
    first, second = Turnstile(tmp_path / "record"), Turnstile(tmp_path / "record")
    assert first.enter(60)
    assert not second.enter(0)
    first.close()
    assert second.enter(60)
    second.close()


def test_who_gets_no_turn_in_time_is_told_and_the_next_thread_may_try(tmp_path: Path) -> None:
    other, mine = Turnstile(tmp_path / "record"), Turns(str(tmp_path / "record"), 0.01)
    assert other.enter(60)
    with pytest.raises(RecordUnavailable, match="busy"):
        mine.enter()
    other.leave()
    mine.enter()
    assert not other.enter(0)
    mine.leave()
    mine.close()
    other.close()


def test_where_nothing_may_be_written_beside_the_record_its_own_lock_is_enough(
    tmp_path: Path,
) -> None:
    turns = Turns(str(tmp_path / "missing" / "record"), 0.01)
    turns.enter()
    assert not (tmp_path / "missing").exists()
    turns.leave()
    turns.close()
