"""Calls to sources: a slow one holds up neither the others nor the API."""

from __future__ import annotations

import asyncio
import threading

import pytest

from allotment.data.problems import SourceProblem
from allotment.work.outside import OF_ONE, Outside


async def test_so_many_calls_to_one_source_wait_and_the_next_is_refused() -> None:
    outside, go = Outside(), threading.Event()
    waiting = [asyncio.create_task(outside.call("slow", go.wait)) for _ in range(OF_ONE)]
    await asyncio.sleep(0)

    with pytest.raises(SourceProblem, match="slow answers slowly"):
        await outside.call("slow", lambda: None)
    assert await outside.call("quick", lambda: 1) == 1

    go.set()
    await asyncio.gather(*waiting)
    assert await outside.call("slow", lambda: 2) == 2


async def test_a_call_that_fails_gives_its_turn_back() -> None:
    outside = Outside()

    def fail() -> None:
        message = "It broke."
        raise SourceProblem(message)

    for _ in range(OF_ONE + 1):
        with pytest.raises(SourceProblem, match="broke"):
            await outside.call("one", fail)
