"""The loop: pieces of periodic work, each by its own clock. A failure of one stops no other.

Of several control planes of one hub one does the work; the others stand by, and do only what each
must do for itself.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from allotment.model.refusals import RecordUnavailable
from allotment.work.tenure import Tenure

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of periodic work. ``every`` is the pause in seconds between two runs.

    ``run`` blocks, gets the time, and says in words what it did; empty: nothing to tell.
    ``after_failure`` is the least pause in seconds after a run that failed. ``everywhere``: each
    control plane does it, for it is about what that process remembers.
    """

    name: str
    every: float
    run: Callable[[datetime], str]
    after_failure: float = 0.0
    everywhere: bool = False


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
    """Runs steps in threads of their own until told to stop. Without a ``tenure`` it is always its turn."""

    def __init__(
        self,
        steps: Sequence[Step],
        clock: Callable[[], datetime],
        tenure: Tenure | None = None,
    ) -> None:
        self._steps = tuple(steps)
        self._clock = clock
        self._tenure = tenure
        self._turn = asyncio.Event()
        self._over = asyncio.Event()
        self._lock = threading.Lock()
        self._progress = {step.name: Progress(step.name, step.every) for step in steps}
        self._ending = asyncio.Event()

    def progress(self) -> tuple[Progress, ...]:
        """How each step goes, in the steps' order."""
        with self._lock:
            return tuple(self._progress[step.name] for step in self._steps)

    @property
    def on_duty(self) -> bool:
        """Whether the periodic work is done here, and not by another control plane of the same hub."""
        return self._tenure is None or self._tenure.held

    async def run(self) -> None:
        """Run every step by its clock until :meth:`end`; the step under way is waited for."""
        turns = asyncio.create_task(self._take_turns())
        try:
            async with asyncio.TaskGroup() as tasks:
                for step in self._steps:
                    tasks.create_task(self._repeat(step))
        finally:
            self._over.set()
            await turns

    def end(self) -> None:
        """Start no further run."""
        self._ending.set()
        self._turn.set()  # whoever waits for the turn sees that there is no more

    async def _take_turns(self) -> None:
        """Keep the turn until every step is over. In a thread of its own: it must never wait for one."""
        if self._tenure is None:
            self._turn.set()
            return
        asyncio_loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="tenure") as thread:
            while not self._over.is_set():
                if await asyncio_loop.run_in_executor(thread, self._tenure.keep):
                    self._turn.set()
                elif not self._ending.is_set():
                    self._turn.clear()
                await _pause(self._over, self._tenure.every)
            await asyncio_loop.run_in_executor(thread, self._tenure.give_up)

    async def _repeat(self, step: Step) -> None:
        while not self._ending.is_set():
            if not step.everywhere:
                await self._turn.wait()
                if self._ending.is_set():
                    return
                if not self.on_duty:  # it has run out since
                    self._turn.clear()
                    continue
            worked = await asyncio.to_thread(self.run_once, step)
            pause = step.every if worked else max(step.every, step.after_failure)
            await _pause(self._ending, pause)

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
        elif isinstance(error, RecordUnavailable):
            # Every step says so, and where it stood says nothing.
            log.warning("%s waits for the record: %s", step.name, error)
        else:
            log.error("%s failed", step.name, exc_info=error)

    def _note(self, step: Step, *, started_at: datetime) -> None:
        with self._lock:
            self._progress[step.name] = replace(self._progress[step.name], started_at=started_at)


async def _pause(end: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until the end."""
    with suppress(TimeoutError):
        await asyncio.wait_for(end.wait(), seconds)
