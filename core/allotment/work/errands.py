"""Errands: calls to the hub that take their time, a few at a time, in threads of their own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Calls to the hub at the same time. Whoever comes later waits for a turn."""
T = TypeVar("T")


class Errands:
    """Runs calls in the background; whoever asked waits for as long as they like."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="errand")

    def run(self, calls: Iterable[Callable[[], T]], seconds: float) -> list[Future[T]]:
        """Start all calls and wait up to ``seconds`` for them; what is not done then goes on."""
        started = [self._threads.submit(call) for call in calls]
        wait(started, timeout=seconds)
        for future in started:
            if not future.done():
                future.add_done_callback(_log_failure)
        return started

    def close(self) -> None:
        """Start no further call; those under way are left to end."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _log_failure(future: Future[T]) -> None:
    if not future.cancelled() and future.exception() is not None:
        log.warning("a call to the hub failed: %s", future.exception())
