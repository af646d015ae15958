"""What a hub notes about itself while it is measured: the long turns of its loop, and when it admitted.

Loaded by the configuration of a hub under test; ``noted`` reads what it wrote.
"""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LONG = 0.01
"""Seconds from which on a turn of the loop is noted."""


def note_turns(file: Path) -> None:
    """From now on write each long turn of this process's loops: how long, and how much of it computing."""
    run = asyncio.Handle._run  # noqa: SLF001 - no hook says what one turn took
    output = file.open("a", buffering=1)

    def timed(handle: asyncio.Handle) -> None:
        began, computed = time.perf_counter(), time.thread_time()
        run(handle)
        took = time.perf_counter() - began
        if took > LONG:
            computed = time.thread_time() - computed
            what = repr(handle)[:300]
            output.write(json.dumps(["turn", time.time(), took, computed, what]) + "\n")

    asyncio.Handle._run = timed  # type: ignore[method-assign]  # noqa: SLF001 - as above


def note_collections(file: Path) -> None:
    """Write each collection of garbage that took long: of which generation, how long."""
    output = file.open("a", buffering=1)
    began = 0.0

    def note(phase: str, facts: dict[str, int]) -> None:
        nonlocal began
        if phase == "start":
            began = time.thread_time()
        elif (took := time.thread_time() - began) > LONG:
            output.write(json.dumps(["garbage", time.time(), facts["generation"], took]) + "\n")

    gc.callbacks.append(note)


def note_starts(spawner: type, method: str, file: Path) -> type:
    """A spawner that writes whose server it starts when it comes to a method: admitted, or without admission."""
    output = file.open("a", buffering=1)

    def noting(self: Any, *arguments: Any) -> Any:
        output.write(json.dumps(["start", time.time(), self.user.name]) + "\n")
        return getattr(super(noted, self), method)(*arguments)

    noted = type(f"Noted{spawner.__name__}", (spawner,), {method: noting})
    return noted


def read_notes(file: Path, kind: str, after: float, before: float) -> Iterator[list[Any]]:
    """What was noted of a kind between two times."""
    for line in file.read_text().splitlines():
        note: list[Any] = json.loads(line)
        if note[0] == kind and after <= note[1] <= before:
            yield note[1:]
