"""Work that takes time: done beside the cell, told of while it lasts, ended by an interruption."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from html import escape
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

SAY_AFTER = 1.0
"""Seconds that work may take before anything is said of it."""
SAY_EVERY = 0.25
"""Seconds between two words."""


class Interrupted(Exception):
    """Work ends in mid-way, for nobody waits for it any more."""


@dataclass(slots=True)
class Progress:
    """How far work is. ``total`` is in the same unit as ``done``; None where nobody knows it.

    What the work registers in ``cancel`` is called when it is interrupted; what it does in steps asks
    :meth:`go_on` before each.
    """

    what: str
    unit: str = "bytes"
    total: int | None = None
    done: int = 0
    cancel: list[Callable[[], object]] = field(default_factory=list)
    interrupted: threading.Event = field(default_factory=threading.Event)

    def go_on(self) -> None:
        """Go on only while nobody has interrupted the work.

        Raises:
            Interrupted: somebody has.
        """
        if self.interrupted.is_set():
            raise Interrupted(self.what)

    def add(self, amount: int) -> None:
        """So much more is done."""
        self.done += amount

    def words(self, seconds: float) -> str:
        """One line for people."""
        count = size_words if self.unit == "bytes" else _counted(self.unit)
        if self.total and self.done:
            amount = f"{count(self.done)} of {count(self.total)}"
        elif self.total or self.done:
            amount = count(self.total or self.done)
        else:
            amount = ""
        return " · ".join(part for part in (self.what, amount, f"{seconds:.0f} s") if part)


def carry_out(work: Callable[[], T], progress: Progress) -> T:
    """Do work and tell how far it is; an interruption of the cell ends it.

    Outside of the main thread nothing can be interrupted and nothing is told: it is just done.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    outcome: Future[T] = Future()
    worker = threading.Thread(target=_work, args=(work, outcome), name=progress.what, daemon=True)
    try:
        worker.start()
        return _awaited(outcome, progress)
    except KeyboardInterrupt:
        progress.interrupted.set()
        for cancel in progress.cancel:
            cancel()
        raise


def _work(work: Callable[[], T], outcome: Future[T]) -> None:
    try:
        outcome.set_result(work())
    except BaseException as error:  # noqa: BLE001 - raised where it is awaited
        outcome.set_exception(error)


def _awaited(outcome: Future[T], progress: Progress) -> T:
    began = time.monotonic()
    line: Line | None = None
    pause = SAY_AFTER
    try:
        while True:
            try:
                return outcome.result(timeout=pause)
            except TimeoutError:
                if outcome.done():
                    return outcome.result()
            line, pause = line or _line(), SAY_EVERY
            line.say(progress, time.monotonic() - began)
    finally:
        if line is not None:
            line.clear()


class Line(Protocol):
    """One line that is written again and again, and leaves nothing behind."""

    def say(self, progress: Progress, seconds: float) -> None:
        """Write it."""

    def clear(self) -> None:
        """Take it away."""


class _Quiet:
    """Where nobody looks: a script's output is its own."""

    def say(self, progress: Progress, seconds: float) -> None: ...
    def clear(self) -> None: ...


class _Terminal:
    """The last line of a terminal."""

    def say(self, progress: Progress, seconds: float) -> None:
        sys.stderr.write(f"\r\x1b[2K{progress.words(seconds)}")
        sys.stderr.flush()

    def clear(self) -> None:
        sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()


class _Cell:
    """A line below the cell."""

    def __init__(self, html: Callable[[str], Any], handle: Any) -> None:
        self._html, self._handle = html, handle
        self._write = handle.display

    def say(self, progress: Progress, seconds: float) -> None:
        self._write(self._html(_markup(progress, seconds)))
        self._write = self._handle.update

    def clear(self) -> None:
        self._handle.update(self._html(""))


def _markup(progress: Progress, seconds: float) -> str:
    words = escape(progress.words(seconds))
    known = progress.total if progress.done else None
    bar = f'<progress max="{known}" value="{progress.done}"></progress>' if known else ""
    return f'<div role="status" style="font-size:13px">{bar} {words}</div>'


def _line() -> Line:
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None and hasattr(shell, "kernel"):
        from IPython.display import HTML, DisplayHandle  # noqa: PLC0415 - there is a kernel

        handle: Any = DisplayHandle()  # type: ignore[no-untyped-call]  # IPython has no types here
        return _Cell(HTML, handle)
    return _Terminal() if sys.stderr.isatty() else _Quiet()


def _counted(unit: str) -> Callable[[int], str]:
    return lambda number: f"{number:,} {unit}"


def size_words(size: int) -> str:
    """A number of bytes as people read it: ``187 MB``."""
    amount, names = float(size), ("bytes", "kB", "MB", "GB", "TB", "PB")
    for name in names:
        if amount < 1000 or name == names[-1]:  # noqa: PLR2004 - the next unit
            digits = 0 if name == "bytes" or amount >= 100 else 1  # noqa: PLR2004 - three digits are enough
            return f"{amount:.{digits}f} {name}"
        amount /= 1000
    raise AssertionError(size)
