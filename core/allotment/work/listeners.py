"""Who in this process is told of something as it happens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

News = TypeVar("News")


class Listeners(Generic[News]):
    """Those who listen. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: tuple[Callable[[News], None], ...] = ()

    def __bool__(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def add(self, listener: Callable[[News], None]) -> Callable[[], None]:
        """Tell ``listener`` from now on; returns how to stop."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def stop() -> None:
            with self._lock:
                left = list(self._listeners)
                left.remove(listener)
                self._listeners = tuple(left)

        return stop

    def tell(self, news: Iterable[News]) -> None:
        """Tell each of these to everybody who listens now, in the thread that calls."""
        listeners = self._listeners
        for one in news:
            for listener in listeners:
                listener(one)
