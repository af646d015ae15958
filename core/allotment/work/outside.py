"""Calls to sources: they take their time, and no slow source may hold up the others or the API."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from allotment.data.problems import SourceProblem

AT_ONCE = 16
"""Calls to all sources at the same time; whoever comes later waits for a turn."""
OF_ONE = 6
"""Calls to one source at the same time; whoever comes then is refused, for it answers slowly."""
T = TypeVar("T")


class Outside:
    """Runs calls to sources in threads of their own, a few for each. For the API's event loop."""

    def __init__(self) -> None:
        self._limiter: CapacityLimiter | None = None
        self._lock = threading.Lock()
        self._under_way: Counter[str] = Counter()

    async def call(self, name: str, function: Callable[[], T]) -> T:
        """Run a call to the source (or target) of this name, and wait for it.

        Raises:
            SourceProblem: so many calls to it are under way that another would only wait.
        """
        if self._limiter is None:
            self._limiter = CapacityLimiter(AT_ONCE)
        with self._turn(name):
            return await to_thread.run_sync(function, limiter=self._limiter)

    @contextmanager
    def _turn(self, name: str) -> Iterator[None]:
        with self._lock:
            if self._under_way[name] >= OF_ONE:
                message = f"{name} answers slowly: {OF_ONE} calls to it are under way."
                raise SourceProblem(message, remedy="Try again in a minute.")
            self._under_way[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way[name] -= 1
                if not self._under_way[name]:
                    del self._under_way[name]
