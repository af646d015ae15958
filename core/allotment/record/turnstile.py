"""Turns to write one SQLite file: of a process's threads, in the order of arrival, then of the processes.

SQLite lets who finds the file locked look again after pauses that grow to a tenth of a second, so a
process that writes all the time leaves another none (seen: 20 ms for each transaction, at worst
seconds). Here each process takes a turn first, by locks of the operating system on two files beside the
record's: who waits for the turn holds the door, so that whoever has had it cannot come in again
before. They are advice only: SQLite's own lock is what keeps the file whole, and whoever does not know
the turnstile still works.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from allotment.model.refusals import RecordUnavailable

_PAUSE = 0.0003
"""Seconds between two looks at a lock that another process holds."""


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where a thread waits."""

    turn: threading.Event
    joins: bool


class FairLock:
    """A lock that serves in the order of arrival.

    Without it some threads wait for seconds while others take the lock again and again.
    """

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._waiting: deque[_Place] = deque()
        self._held = False

    def acquire(self, timeout: float, *, joins: bool = False) -> bool:
        """Take the lock within ``timeout`` seconds, or return False.

        ``joins``: it may be handed on to this one, with what its holder has begun.
        """
        with self._gate:
            if not self._held:
                self._held = True
                return True
            place = _Place(threading.Event(), joins)
            self._waiting.append(place)
        if place.turn.wait(timeout):
            return True
        with self._gate:
            if place.turn.is_set():
                return True
            self._waiting.remove(place)
            return False

    def hand_on(self) -> bool:
        """Hand the lock to whoever has waited longest, if that one joins; else keep it and return False."""
        with self._gate:
            if not self._waiting or not self._waiting[0].joins:
                return False
            self._waiting.popleft().turn.set()
            return True

    def release(self) -> None:
        """Hand the lock to whoever has waited longest."""
        with self._gate:
            if self._waiting:
                self._waiting.popleft().turn.set()
            else:
                self._held = False


class Turnstile:
    """One process's way through. Use it from one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: tuple[int, int] | None = None

    def enter(self, patience: float) -> bool:
        """Take the turn within so many seconds, or return False."""
        deadline = time.monotonic() + patience
        files = self._open()
        if files is None:
            return True
        door, turn = files
        if not _lock(door, deadline):
            return False
        try:
            return _lock(turn, deadline)
        finally:
            fcntl.flock(door, fcntl.LOCK_UN)

    def leave(self) -> None:
        """Give the turn to whoever waits at the door."""
        if self._files is not None:
            fcntl.flock(self._files[1], fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the files; a turn that is held ends."""
        if self._files is not None:
            for one in self._files:
                with suppress(OSError):
                    os.close(one)
            self._files = None

    def _open(self) -> tuple[int, int] | None:
        """Both files, or None where this process may not write beside the record."""
        if self._files is None:
            names = (f"{self._path}-door", f"{self._path}-turn")
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            try:
                door, turn = (os.open(name, flags, 0o600) for name in names)
            except OSError:
                return None
            self._files = door, turn
        return self._files


def _lock(file: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE)
        else:
            return True


class Turns:
    """Both kinds of turns. ``file`` is the database's; one in memory has no other process."""

    def __init__(self, file: str | None, patience: float) -> None:
        self._threads = FairLock()
        self._processes = None if file in {None, "", ":memory:"} else Turnstile(Path(str(file)))
        self._handed_on = False
        self._patience = patience

    def enter(self, *, joins: bool = False) -> None:
        """Take the turn; with ``joins``, perhaps one that its holder hands on.

        Raises:
            RecordUnavailable: it did not come in time.
        """
        if not self._threads.acquire(self._patience, joins=joins):
            raise self._busy()
        if self._handed_on:  # this process has its turn already
            self._handed_on = False
        elif self._processes is not None and not self._processes.enter(self._patience):
            self._threads.release()
            raise self._busy()

    def hand_on(self) -> bool:
        """Give the turn to the thread that has waited longest, if that one joins; else keep it and return False."""
        self._handed_on = True
        if self._threads.hand_on():
            return True
        self._handed_on = False
        return False

    def leave(self) -> None:
        """End the turn."""
        if self._processes is not None:
            self._processes.leave()
        self._threads.release()

    def close(self) -> None:
        """Leave nothing open."""
        if self._processes is not None:
            self._processes.close()

    def _busy(self) -> RecordUnavailable:
        return RecordUnavailable(f"The record was busy for {self._patience:g} s.")
