"""Calls to sources: they take their time, and no slow source may hold up the others or the API."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from allotment.data.problems import SourceProblem
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal

AT_ONCE = 16
"""Calls to all sources at the same time; whoever comes later waits for a turn."""
OF_ONE = 6
"""Calls to one source at the same time; whoever comes then is refused, for it answers slowly."""
OF_PERSON = 4
"""Calls of one person at the same time: nobody takes every turn."""
T = TypeVar("T")


class Outside:
    """Runs calls to sources in threads of their own, a few for each. For the API's event loop."""

    def __init__(self) -> None:
        self._limiter: CapacityLimiter | None = None
        self._lock = threading.Lock()
        self._under_way: Counter[tuple[str, str]] = Counter()

    async def call(self, person: str, thing: str, name: str, function: Callable[[], T]) -> T:
        """Run a person's call to what has this name, and wait for it.

        Args:
            person: whose call it is.
            thing: what the name is one of, such as ``source``: each kind of thing has names of its own.
            name: its name.
            function: the call; it blocks.

        Raises:
            SourceProblem: so many calls to it are under way that another would only wait.
            Refusal: so many calls of this person are under way.
        """
        if self._limiter is None:
            self._limiter = CapacityLimiter(AT_ONCE)
        with self._turn(person, thing, name):
            return await to_thread.run_sync(function, limiter=self._limiter)

    @contextmanager
    def _turn(self, person: str, thing: str, name: str) -> Iterator[None]:
        taken = (("person", person), (thing, name))
        with self._lock:
            if self._under_way[taken[0]] >= OF_PERSON:
                raise Refusal(_own(self._under_way[taken[0]]))
            if self._under_way[taken[1]] >= OF_ONE:
                message = f"{name} answers slowly: {OF_ONE} calls to it are under way."
                raise SourceProblem(message, remedy="Try again in a minute.")
            self._under_way.update(taken)
        try:
            yield
        finally:
            with self._lock:
                self._under_way.subtract(taken)
                self._under_way = +self._under_way


def _own(used: int) -> Reason:
    message = f"{used} calls of yours to sources are under way."
    remedy = "Wait until one of them is answered."
    return Reason(Rule.DATA_SOURCE, message, limit=OF_PERSON, used=used, asked=1, remedy=remedy)
