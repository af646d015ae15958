"""The loop: pieces of periodic work, each by its own clock. A failure of one stops no other."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of periodic work. ``every`` is the pause in seconds between two runs.

    ``run`` blocks, gets the time, and says in words what it did; empty: nothing to tell.
    ``after_failure`` is the least pause in seconds after a run that failed.
    """

    name: str
    every: float
    run: Callable[[datetime], str]
    after_failure: float = 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How a step goes. ``failures`` counts those in a row; ``seconds`` is how long the last run took."""

    name: str
    every: float
    runs: int = 0
    failures: int = 0
    started_at: datetime | None = None
    succeeded_at: datetime | None = None
    seconds: float | None = None
    problem: str = ""
    note: str = ""


class Loop:
    """Runs steps in threads of their own until told to stop."""

    def __init__(self, steps: Sequence[Step], clock: Callable[[], datetime]) -> None:
        self._steps = tuple(steps)
        self._clock = clock
        self._lock = threading.Lock()
        self._progress = {step.name: Progress(step.name, step.every) for step in steps}
        self._ending = asyncio.Event()

    def progress(self) -> tuple[Progress, ...]:
        """How each step goes, in the steps' order."""
        with self._lock:
            return tuple(self._progress[step.name] for step in self._steps)

    async def run(self) -> None:
        """Run every step by its clock until :meth:`end`; the step under way is waited for."""
        async with asyncio.TaskGroup() as tasks:
            for step in self._steps:
                tasks.create_task(self._repeat(step))

    def end(self) -> None:
        """Start no further run."""
        self._ending.set()

    async def _repeat(self, step: Step) -> None:
        while not self._ending.is_set():
            worked = await asyncio.to_thread(self.run_once, step)
            pause = step.every if worked else max(step.every, step.after_failure)
            try:
                await asyncio.wait_for(self._ending.wait(), pause)
            except TimeoutError:
                continue

    def run_once(self, step: Step) -> bool:
        """Run a step now, and note how it went. Blocks; raises nothing. Returns whether it worked."""
        started, clock = self._clock(), time.monotonic()
        self._note(step, started_at=started)
        try:
            note = step.run(started)
        except Exception as error:  # noqa: BLE001 - whatever happens in one step, the others go on
            self._failed(step, error, time.monotonic() - clock)
            return False
        with self._lock:
            before = self._progress[step.name]
            self._progress[step.name] = replace(
                before,
                runs=before.runs + 1,
                failures=0,
                succeeded_at=self._clock(),
                seconds=time.monotonic() - clock,
                problem="",
                note=note or before.note,
            )
        if before.failures:
            log.info("%s works again after %d failures", step.name, before.failures)
        return True

    def _failed(self, step: Step, error: Exception, seconds: float) -> None:
        problem = f"{type(error).__name__}: {error}"
        with self._lock:
            before = self._progress[step.name]
            self._progress[step.name] = replace(
                before,
                runs=before.runs + 1,
                failures=before.failures + 1,
                seconds=seconds,
                problem=problem[:2000],
            )
        if before.problem == problem[:2000]:
            log.warning("%s failed again: %s", step.name, problem)
        else:
            log.error("%s failed", step.name, exc_info=error)

    def _note(self, step: Step, *, started_at: datetime) -> None:
        with self._lock:
            self._progress[step.name] = replace(self._progress[step.name], started_at=started_at)
