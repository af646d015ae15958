"""The record is asked in threads: the event loop never waits for it, and no answer is lost."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from allotment.model.refusals import RecordUnavailable
from allotment.record import Record, open_record
from allotment_spawner.asking import AsyncRecord


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[AsyncRecord]:
    url = f"sqlite:///{tmp_path}/record.sqlite"
    open_record(url, migrate=True).close()
    asked = AsyncRecord(url, threads=2)
    yield asked
    asked.close()


async def test_an_answer_comes_back(asked: AsyncRecord) -> None:
    assert await asked.ask(lambda record: record.dialect) == "sqlite"


async def test_an_error_comes_back_as_itself(asked: AsyncRecord) -> None:
    def fail(_record: Record) -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        await asked.ask(fail)


async def test_a_look_comes_before_every_question(asked: AsyncRecord) -> None:
    looks: list[Record] = []
    asked.look_first(looks.append)

    assert await asked.ask(lambda _record: len(looks)) == 1
    assert await asked.ask(lambda _record: len(looks)) == 2


async def test_a_look_that_fails_leaves_no_question_unasked(asked: AsyncRecord) -> None:
    def fail(_record: Record) -> None:
        raise LookupError("nothing there")

    asked.look_first(fail)

    assert await asked.ask(lambda record: record.dialect) == "sqlite"


async def test_the_event_loop_goes_on_while_the_record_is_slow(asked: AsyncRecord) -> None:
    release = threading.Event()
    question = asyncio.create_task(asked.ask(lambda _record: release.wait(10)))

    for _ in range(100):
        await asyncio.sleep(0)
    assert not question.done()

    release.set()
    assert await question is True


async def test_a_question_has_a_time_limit_and_a_late_answer_is_handed_over(
    asked: AsyncRecord,
) -> None:
    release, handed_over = threading.Event(), asyncio.Event()
    late: list[object] = []
    loop = asyncio.get_running_loop()

    def slow(_record: Record) -> str:
        release.wait(10)
        return "decided"

    def take(record: Record, answer: str) -> None:
        late.append((record.dialect, answer))
        loop.call_soon_threadsafe(handed_over.set)

    with pytest.raises(RecordUnavailable, match=r"within 0\.05 s"):
        await asked.ask(slow, limit=0.05, late=take)
    assert late == []

    release.set()
    await asyncio.wait_for(handed_over.wait(), 10)
    assert late == [("sqlite", "decided")]


async def test_the_answer_to_somebody_who_was_cancelled_is_handed_over(asked: AsyncRecord) -> None:
    begun, release, handed_over = threading.Event(), threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(_record: Record) -> str:
        begun.set()
        release.wait(10)
        return "decided"

    def take(_record: Record, _answer: str) -> None:
        loop.call_soon_threadsafe(handed_over.set)

    question = asyncio.create_task(asked.ask(slow, late=take))
    await asyncio.to_thread(begun.wait, 10)
    question.cancel()
    with pytest.raises(asyncio.CancelledError):
        await question

    release.set()
    await asyncio.wait_for(handed_over.wait(), 10)


async def test_a_question_that_was_never_put_is_never_answered(asked: AsyncRecord) -> None:
    release, put = threading.Event(), []
    busy = [asyncio.create_task(asked.ask(lambda _record: release.wait(10))) for _ in range(2)]
    await asyncio.sleep(0)

    with pytest.raises(RecordUnavailable):
        await asked.ask(put.append, limit=0.05)
    release.set()
    await asyncio.gather(*busy)
    await asked.ask(lambda _record: None)

    assert put == []


async def test_a_record_that_cannot_be_opened_is_told_at_the_first_question(tmp_path: Path) -> None:
    nowhere = AsyncRecord(f"sqlite:///{tmp_path}/no/such/folder/record.sqlite")

    began = time.monotonic()
    with pytest.raises(RecordUnavailable):
        await nowhere.ask(lambda record: record.dialect)

    assert time.monotonic() >= began
