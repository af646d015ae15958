"""Transactions that share a commit: each gets all of its own or nothing, on both stores."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from allotment.record import events
from allotment.record.engine import Record, Writing


def tell(writing: Writing, number: int) -> None:
    writing.event("test.told", str(number))
    writing.flush_events()


def told(record: Record) -> list[int]:
    with record.reading() as reading:
        return sorted(int(one.subject) for one in events.after(reading, 0, kind="test.told"))


class Trouble(Exception):
    """What a transaction fails with."""


def together(record: Record, world: Any, number: int, failing: set[int]) -> list[int]:
    """Write from many threads while one holds the turn, so that they share what comes after."""
    holds, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with record.writing("holder", world.now, configuration=False):
            holds.set()
            may_go.wait(60)

    def attempt(one: int) -> None:
        with record.writing("writer", world.now, configuration=one % 5 == 0) as writing:
            tell(writing, one)
            if one in failing:
                raise Trouble

    def write(one: int) -> bool:
        try:
            attempt(one)
        except Trouble:
            return False
        with record.reading() as reading:
            return bool(events.newest(reading, "test.told", 100))

    with ThreadPoolExecutor(number + 1) as threads:
        first = threads.submit(hold)
        holds.wait(60)
        written = [threads.submit(write, one) for one in range(number)]
        may_go.set()
        first.result(60)
        return [one for one, done in enumerate(written) if done.result(60)]


@pytest.mark.promise("LIMIT-2")
def test_what_fails_among_others_leaves_nothing_and_takes_nothing_along(
    record: Record, world: Any
) -> None:
    failing = {0, 3, 4, 9, 17, 18, 19}
    kept = together(record, world, 20, failing)
    assert kept == sorted(set(range(20)) - failing)
    assert told(record) == kept


def test_what_was_written_is_there_when_the_writer_is_let_go(record: Record, world: Any) -> None:
    for _ in range(3):
        together(record, world, 6, set())
    assert told(record) == sorted([*range(6)] * 3)


def test_numbers_of_events_have_no_gaps_though_some_fail(record: Record, world: Any) -> None:
    together(record, world, 12, {1, 2, 11})
    with record.reading() as reading:
        numbers = [one.sequence for one in events.after(reading, 0)]
        assert numbers == list(range(1, events.latest_sequence(reading) + 1))
