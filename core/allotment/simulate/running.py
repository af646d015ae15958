"""Replays that people asked for: one at a time, each in a process of its own, kept for a while.

What they found can be computed again, so it is kept in memory: a control plane that is started anew has
none.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from allotment.model.documents.simulations import (
    Simulation,
    SimulationQuestion,
    SimulationState,
)
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import AllotmentError, NotFound, Refusal
from allotment.model.simulation import SimulationPolicy
from allotment.record import Record
from allotment.record.ids import new_id
from allotment.simulate.own_history import History, own_history
from allotment.simulate.present import with_spent
from allotment.simulate.trace import Job
from allotment.simulate.worker import Answer, Line, encoded

log = logging.getLogger(__name__)

MOST_WAITING = 5
"""Replays that wait or run; more are refused."""
MOST_KEPT = 30
MOST_SECONDS = 600.0
"""For how long one may run."""
MOST_JOBS = 250_000
_PASSED_ON = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ")
WORKER = (sys.executable, "-m", "allotment.simulate.worker")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for. ``jobs`` None: the platform's own history from ``begin`` to ``end``."""

    question: SimulationQuestion
    policies: tuple[SimulationPolicy, ...]
    begin: datetime
    end: datetime
    jobs: Sequence[Job] | None = None


class Simulations:
    """All replays of one control plane. Safe to use from many threads."""

    def __init__(self, record: Record, worker: Sequence[str] = WORKER) -> None:
        self._record, self._worker = record, tuple(worker)
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="simulate")
        self._lock = threading.Condition()
        self._kept: dict[str, Simulation] = {}
        self._process: tuple[str, subprocess.Popen[bytes]] | None = None

    def start(self, wanted: Wanted, by: str, now: datetime) -> Simulation:
        """Let one wait for its turn.

        Raises:
            Refusal: too many wait already.
        """
        with self._lock:
            waiting = sum(not one.state.ended for one in self._kept.values())
            if waiting >= MOST_WAITING:
                raise _too_many(waiting)
            made = Simulation(
                id=new_id(now),
                question=wanted.question,
                state=SimulationState.WAITING,
                progress=0,
                asked_by=by,
                asked_at=now,
                own=wanted.jobs is None,
                begin=wanted.begin,
                end=wanted.end,
                present_policy=wanted.policies[0],
                changed_policy=wanted.policies[1] if len(wanted.policies) > 1 else None,
            )
            self._kept[made.id] = made
            self._forget()
        self._threads.submit(self._run, made.id, wanted, now)
        return made

    def get(self, name: str) -> Simulation:
        """One replay.

        Raises:
            NotFound: there is none, or it was forgotten.
        """
        with self._lock:
            found = self._kept.get(name)
        if found is None:
            what = "replay"
            raise NotFound(what, name)
        return found

    def ended(self, name: str, seconds: float) -> Simulation:
        """One replay as soon as it has ended, or as it is after so many seconds.

        Raises:
            NotFound: there is none, or it was forgotten.
        """

        def over() -> bool:
            known = self._kept.get(name)
            return known is None or known.state.ended

        with self._lock:
            self._lock.wait_for(over, seconds)
        return self.get(name)

    def all(self) -> tuple[Simulation, ...]:
        """Those that are kept, the newest first."""
        with self._lock:
            return tuple(reversed(self._kept.values()))

    def cancel(self, name: str) -> Simulation:
        """End one that waits or runs; one that has ended stays as it is.

        Raises:
            NotFound: there is none.
        """
        found = self.get(name)
        if not found.state.ended:
            self._put(name, state=SimulationState.CANCELLED, ended_at=datetime.now(UTC))
        with self._lock:
            running = self._process
        if running is not None and running[0] == name:
            running[1].kill()
        return self.get(name)

    def close(self) -> None:
        """End all, and take no more."""
        for one in self.all():
            self.cancel(one.id)
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _forget(self) -> None:
        ended = [name for name, one in self._kept.items() if one.state.ended]
        for name in ended[: max(0, len(self._kept) - MOST_KEPT)]:
            del self._kept[name]

    def _put(self, name: str, **changes: object) -> bool:
        """Change what is known of one that has not ended; False where it has."""
        with self._lock:
            known = self._kept.get(name)
            if known is None or known.state.ended:
                return False
            self._kept[name] = known.model_copy(update=changes)
            self._lock.notify_all()
            return True

    def _run(self, name: str, wanted: Wanted, now: datetime) -> None:
        if not self._put(name, state=SimulationState.RUNNING):
            return
        try:
            found = self._found(name, wanted, now)
        except AllotmentError as error:
            self._fail(name, str(error))
        except Exception:
            log.exception("a replay failed")
            self._fail(name, "It failed; the control plane's log says how.")
        else:
            done = {"state": SimulationState.DONE, "progress": 1.0, "ended_at": datetime.now(UTC)}
            self._put(name, **done, **found)

    def _fail(self, name: str, problem: str) -> None:
        ended = {"state": SimulationState.FAILED, "ended_at": datetime.now(UTC)}
        self._put(name, problem=problem, **ended)

    def _found(self, name: str, wanted: Wanted, now: datetime) -> dict[str, object]:
        """Read what is to be replayed, and have it replayed."""
        policies = wanted.policies
        if wanted.jobs is None:
            with self._record.reading() as reading:
                history = own_history(reading, wanted.begin, wanted.end, now)
                policies = tuple(with_spent(reading, one, wanted.begin, now) for one in policies)
        else:
            history = History(tuple(wanted.jobs))
        there = {pool.name for pool in policies[0].pools}
        # A trace may name no pools, or others: then all go to the first. Own pools that are gone do not.
        jobs = tuple(job for job in history.jobs if wanted.jobs is not None or job.pool in there)
        if len(jobs) > MOST_JOBS:
            message = f"These are {len(jobs):,} launches; at most {MOST_JOBS:,} are replayed here. Choose a shorter period."
            raise AllotmentError(message)
        self._put(name, launches=len(jobs), refused_otherwise=dict(history.refused_otherwise))
        if not jobs:
            return {}
        task = {"question": wanted.question, "jobs": jobs, "policies": policies}
        answer = self._ask(name, encoded(task))
        results = (*answer.results, None, None)
        return {"present": results[0], "changed": results[1], "let_in": answer.let_in}

    def _ask(self, name: str, task: bytes) -> Answer:
        """Have a worker do it, until it is done, takes too long, or is ended from outside."""
        process = subprocess.Popen(
            self._worker, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_few_words()
        )
        with self._lock:
            self._process = name, process
        late = threading.Timer(MOST_SECONDS, process.kill)
        late.start()
        try:
            if self.get(name).state.ended:
                process.kill()
            return _answer(process, task, lambda part: self._put(name, progress=part))
        finally:
            late.cancel()
            with self._lock:
                self._process = None


def _answer(
    process: subprocess.Popen[bytes], task: bytes, tell: Callable[[float], object]
) -> Answer:
    """Hand a task to a worker, and follow it to its end.

    Raises:
        AllotmentError: it ended without an answer.
    """
    assert process.stdin is not None  # noqa: S101 - it was opened with a pipe
    assert process.stdout is not None  # noqa: S101 - likewise
    with suppress(OSError):  # it was ended before it read all
        process.stdin.write(task)
        process.stdin.close()
    answer: Answer | None = None
    for text in process.stdout:
        line = Line.model_validate_json(text)
        answer = line.found or answer
        tell(line.progress)
    process.stdout.close()
    code = process.wait()
    if answer is None:
        minutes = MOST_SECONDS / 60
        message = f"It took longer than {minutes:g} minutes, or was ended. Choose a shorter period."
        if code > 0:
            message = "It failed; the control plane's log says how."
        raise AllotmentError(message)
    return answer


def _few_words() -> dict[str, str]:
    """The environment of a worker: where its parts are, and none of the control plane's secrets."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def _too_many(waiting: int) -> Refusal:
    return Refusal(
        Reason(
            Rule.REQUEST,
            f"{waiting} replays wait or run already.",
            limit=MOST_WAITING,
            used=waiting,
            asked=1,
            remedy="Wait until one has ended, or cancel one.",
        )
    )
