"""Asking a driver that may never answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Patient(Generic[T]):
    """Runs a call in a daemon thread and waits for it so long and no longer.

    A driver that hangs cannot be interrupted. It is not asked again before it has answered, so that
    one thread at most is stuck in it, and no program has to wait for that thread to end.
    """

    def __init__(self, call: Callable[[], T], patience: float) -> None:
        self._call = call
        self._patience = patience
        self._lock = threading.Lock()
        self._under_way: Future[T] | None = None

    def ask(self) -> T:
        """The call's answer. Blocks for ``patience`` seconds at most.

        Raises:
            TimeoutError: it has not answered yet.
        """
        with self._lock:
            if self._under_way is None or self._under_way.done():
                self._under_way = Future()
                threading.Thread(
                    target=self._run, args=(self._under_way,), name="driver", daemon=True
                ).start()
            under_way = self._under_way
        return under_way.result(self._patience)

    def _run(self, answer: Future[T]) -> None:
        try:
            answer.set_result(self._call())
        except Exception as error:  # noqa: BLE001 - raised where the answer is waited for
            answer.set_exception(error)
