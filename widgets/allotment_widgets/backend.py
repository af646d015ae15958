"""A thread of the console's own: it keeps its beat while a cell of the notebook runs."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, ParamSpec, TypeVar

log = logging.getLogger(__name__)

_CALLS_AT_ONCE = 8
_STOP_SECONDS = 2.0

P = ParamSpec("P")
T = TypeVar("T")


class Backend:
    """A daemon thread with an event loop. Everything that the console does after a click happens there.

    Callbacks of widgets run in whatever thread reads the page's messages, and must not block it:
    they only call :meth:`start`. Calls of the client block, so they are made by :meth:`call`.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._calls = ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="allotment-call")
        self._running: set[asyncio.Future[Any]] = set()
        self._closing, self._closed = threading.Lock(), False
        self._thread = threading.Thread(target=self._run, name="allotment-console", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Begin some work in the backend's thread; from any thread, without waiting."""
        if self._closed:
            work.close()
            return
        self.soon(lambda: self._begin(work))

    def soon(self, work: Callable[[], object]) -> None:
        """Do something short in the backend's thread; from any thread, without waiting."""
        # The loop may end between the question and the call: then there is nobody left to do it for.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(work)

    def _begin(self, work: Coroutine[Any, Any, Any]) -> None:
        task = self._loop.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Refusals are said where they happen; whatever comes this far is a fault of the console.
            log.error("the console failed", exc_info=error)

    async def call(self, blocking: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Make a call that blocks, in a thread of its own, and wait for what it returns."""
        return await self._loop.run_in_executor(self._calls, partial(blocking, *given, **named))

    def close(self) -> None:
        """End everything that runs; from any other thread, more than once if need be."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._end()

    def _end(self) -> None:
        asyncio.run_coroutine_threadsafe(self._cancel(), self._loop).result(_STOP_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)
        self._calls.shutdown(wait=False, cancel_futures=True)
        if not self._thread.is_alive():
            self._loop.close()

    async def _cancel(self) -> None:
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
