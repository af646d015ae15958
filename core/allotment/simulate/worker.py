"""``python -m allotment.simulate.worker``: one replay in a process of its own.

It reads one task (JSON) from its standard input and writes lines of JSON: ``{"progress": 0.25}`` now and
then, and at last ``{"found": …}``. It knows nothing of the platform, so that whoever asked can end it at
any time; when nobody reads any more it ends by itself.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from pydantic import BaseModel, ConfigDict

from allotment.model.simulation import (
    LetInTable,
    Result,
    SimulationPolicy,
    SimulationQuestion,
)
from allotment.simulate.let_in import let_in
from allotment.simulate.playing import replay
from allotment.simulate.trace import Job

LET_IN_SECONDS = 60.0
"""For how long single changes are tried; what was not tried then is told."""
_STEPS = 200


class Task(BaseModel):
    """What is to be replayed: launches, and the policies to compare (or the present one alone)."""

    model_config = ConfigDict(frozen=True)

    question: SimulationQuestion
    jobs: tuple[Job, ...]
    policies: tuple[SimulationPolicy, ...]


class Answer(BaseModel):
    """What was found: a result for each policy, or single changes."""

    model_config = ConfigDict(frozen=True)

    results: tuple[Result, ...] = ()
    let_in: LetInTable | None = None


class Line(BaseModel):
    """One line of what a worker writes."""

    model_config = ConfigDict(frozen=True)

    progress: float = 0.0
    found: Answer | None = None


def work(task: Task, tell: Callable[[float], None]) -> Answer:
    """Replay what was asked for; ``tell`` is told how far it is, from 0 to 1."""
    if task.question is SimulationQuestion.LET_IN:
        deadline = time.monotonic() + LET_IN_SECONDS
        found = let_in(
            task.jobs, task.policies[0], more_time=lambda: time.monotonic() < deadline, tell=tell
        )
        return Answer(let_in=found)
    return Answer(results=_each(task.jobs, task.policies, tell))


def _each(
    jobs: Sequence[Job], policies: Sequence[SimulationPolicy], tell: Callable[[float], None]
) -> tuple[Result, ...]:
    total, placed = max(1, len(jobs) * len(policies)), 0

    def progress(more: int) -> None:
        nonlocal placed
        placed += more
        tell(min(1.0, placed / total))

    return tuple(replay(jobs, policy, progress) for policy in policies)


def main() -> int:
    """Do the task on the standard input."""
    with suppress(OSError):
        os.nice(10)  # whoever works with the platform comes first
    task = Task.model_validate_json(sys.stdin.buffer.read())
    said = 0

    def tell(part: float) -> None:
        nonlocal said
        if int(part * _STEPS) > said:
            said = int(part * _STEPS)
            _write(Line(progress=part))

    try:
        _write(Line(progress=1.0, found=work(task, tell)))
    except BrokenPipeError:
        os._exit(1)  # nobody reads: there is nobody to tell, and nothing to flush
    return 0


def _write(line: BaseModel) -> None:
    sys.stdout.write(line.model_dump_json() + "\n")
    sys.stdout.flush()


def encoded(task: dict[str, Any]) -> bytes:
    """A task as a worker reads it."""
    return Task.model_validate(task).model_dump_json().encode()


if __name__ == "__main__":
    sys.exit(main())
