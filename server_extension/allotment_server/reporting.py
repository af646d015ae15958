"""Reports to the control plane: what this server does and uses, every half minute.

Nothing is queued: a report that could not be sent is out of date, and the next one says it all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from allotment.model.refusals import AllotmentError
from allotment.model.reports import REPORT_EVERY, ServerReport

LONGEST_PAUSE = 300.0
"""Seconds between two attempts while the control plane is away, at most."""
SPREAD = 0.1
"""Every pause is up to this part longer, so that ten thousand servers do not report at once."""


@dataclass(frozen=True, slots=True)
class Reporting:
    """How reporting goes. ``why`` says what is wrong with the latest report; empty: it arrived."""

    sent_at: datetime | None = None
    failing_since: datetime | None = None
    why: str = ""
    failures: int = 0
    next_at: datetime | None = None


def pause_after(failures: int, chance: float) -> float:
    """Seconds until the next report.

    Args:
        failures: reports that failed in a row; the pause doubles with each from the second on.
        chance: between 0 and 1; spreads the servers.
    """
    doubled = REPORT_EVERY * 2.0 ** min(max(failures - 1, 0), 10)
    return min(doubled, LONGEST_PAUSE) * (1 + SPREAD * chance)


class Reporter:
    """Sends reports until it is stopped.

    Args:
        collect: makes the report to send.
        send: sends it; raises AllotmentError when it did not arrive.
        log: hears of the first failure, of a different one, and of the recovery; nothing between.
        chance: a number between 0 and 1, a new one each time.
        pause: waits; the event loop's sleep, outside of tests.
    """

    def __init__(
        self,
        collect: Callable[[], Awaitable[ServerReport]],
        send: Callable[[ServerReport], Awaitable[None]],
        log: logging.Logger | logging.LoggerAdapter[logging.Logger],
        *,
        chance: Callable[[], float],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._collect, self._send, self._log = collect, send, log
        self._chance, self._pause = chance, pause
        self._task: asyncio.Task[None] | None = None
        self.state = Reporting()

    def start(self) -> None:
        """Begin, in the event loop that runs."""
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        """End at once; a report under way is given up."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        while True:
            self._note(await self._attempt())
            seconds = pause_after(self.state.failures, self._chance())
            self.state = replace(self.state, next_at=datetime.now(UTC) + timedelta(seconds=seconds))
            await self._pause(seconds)

    async def _attempt(self) -> str:
        """Send one report; returns why it did not arrive, or nothing."""
        try:
            await self._send(await self._collect())
        except AllotmentError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - reporting must outlive what nobody foresaw; it is logged once
            return f"{type(error).__name__}: {error}"
        return ""

    def _note(self, why: str) -> None:
        now, before = datetime.now(UTC), self.state
        if why:
            if why != before.why:
                self._log.warning(
                    "The control plane does not take this server's reports: %s Work goes on without it.",
                    why,
                )
            self.state = Reporting(
                before.sent_at, before.failing_since or now, why, before.failures + 1
            )
            return
        if before.why:
            self._log.info("The control plane takes this server's reports again.")
        self.state = Reporting(sent_at=now)
