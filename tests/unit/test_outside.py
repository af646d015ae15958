"""Calls to sources: a slow one holds up neither the others nor the API."""

from __future__ import annotations

import asyncio
import threading

import pytest

from allotment.data.problems import SourceProblem
from allotment.model.refusals import Refusal
from allotment.work.outside import OF_ONE, OF_PERSON, Outside


async def test_so_many_calls_to_one_source_wait_and_the_next_is_refused() -> None:
    outside, go = Outside(), threading.Event()
    waiting = [
        asyncio.create_task(outside.call(f"person-{one}", "source", "slow", go.wait))
        for one in range(OF_ONE)
    ]
    await asyncio.sleep(0)

    with pytest.raises(SourceProblem, match="slow answers slowly"):
        await outside.call("ann", "source", "slow", lambda: None)
    assert await outside.call("ann", "source", "quick", lambda: 1) == 1

    go.set()
    await asyncio.gather(*waiting)
    assert await outside.call("ann", "source", "slow", lambda: 2) == 2


@pytest.mark.promise("DATA-4")
async def test_nobody_takes_every_turn() -> None:
    outside, go = Outside(), threading.Event()
    waiting = [
        asyncio.create_task(outside.call("ann", "source", f"slow-{one}", go.wait))
        for one in range(OF_PERSON)
    ]
    await asyncio.sleep(0)

    with pytest.raises(Refusal, match="calls of yours") as refused:
        await outside.call("ann", "source", "quick", lambda: None)
    assert await outside.call("bob", "source", "quick", lambda: 1) == 1
    reason = refused.value.reasons[0]
    assert (reason.limit, reason.used, reason.asked) == (OF_PERSON, OF_PERSON, 1)

    go.set()
    await asyncio.gather(*waiting)
    assert await outside.call("ann", "source", "quick", lambda: 2) == 2


async def test_things_of_different_kinds_may_have_one_name() -> None:
    outside, go = Outside(), threading.Event()
    waiting = [
        asyncio.create_task(outside.call(f"person-{one}", "source", "sales", go.wait))
        for one in range(OF_ONE)
    ]
    await asyncio.sleep(0)

    assert await outside.call("ann", "dataset", "sales", lambda: 1) == 1

    go.set()
    await asyncio.gather(*waiting)


async def test_a_call_that_fails_gives_its_turn_back() -> None:
    outside = Outside()

    def fail() -> None:
        message = "It broke."
        raise SourceProblem(message)

    for _ in range(OF_ONE + 1):
        with pytest.raises(SourceProblem, match="broke"):
            await outside.call("ann", "source", "one", fail)
