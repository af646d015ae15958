"""Work that blocks, out of the event loop's way and never in the way of a server that ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

T = TypeVar("T")


async def in_background(call: Callable[[], T]) -> T:
    """Run a call that blocks in a daemon thread of its own.

    The event loop's own executor is waited for when Python ends; a call that hangs in a driver
    would keep the server from ending.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def work() -> None:
        try:
            tell = partial(_succeed, outcome, call())
        except Exception as error:  # noqa: BLE001 - raised where it is awaited
            tell = partial(_fail, outcome, error)
        with suppress(RuntimeError):  # the loop ended meanwhile, and nobody waits
            loop.call_soon_threadsafe(tell)

    threading.Thread(target=work, name="allotment", daemon=True).start()
    return await outcome


def _succeed(outcome: asyncio.Future[T], result: T) -> None:
    if not outcome.done():
        outcome.set_result(result)


def _fail(outcome: asyncio.Future[T], error: Exception) -> None:
    if not outcome.done():
        outcome.set_exception(error)
