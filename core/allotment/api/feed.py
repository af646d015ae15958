"""The feed: tells waiting requests that the record has new events, whoever wrote them."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from allotment.model.refusals import RecordUnavailable
from allotment.record import Record, events

log = logging.getLogger(__name__)

LOOK_EVERY = 0.25
"""Seconds between two looks at the record, while anybody waits."""


class EventFeed:
    """Looks at the record's event counter while requests wait. Use from the event loop only."""

    def __init__(self, record: Record, look_every: float = LOOK_EVERY) -> None:
        self._record = record
        self._look_every = look_every
        self._waiting: dict[asyncio.Event, int] = {}
        self._someone = asyncio.Event()
        self.ending = asyncio.Event()
        """Set when the control plane ends: whoever waits gives up."""
        self._seen: int | None = None

    @property
    def followed(self) -> int | None:
        """The last sequence that those who wait were told; None where nobody waits."""
        return self._seen

    async def run(self) -> None:
        """Look until :meth:`end`. While the record is away everybody waits on."""
        away = False
        while not self.ending.is_set():
            await self._someone.wait()
            try:
                latest = await asyncio.to_thread(self._latest)
            except RecordUnavailable as error:
                if not away:  # once: it is looked at several times a second
                    log.warning("whoever follows events waits: %s", error)
                away = True
            except Exception:
                log.exception("the feed cannot read the record")
            else:
                away = False
                self._wake(latest)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.ending.wait(), self._look_every)

    def end(self) -> None:
        """Let everybody who waits go."""
        self.ending.set()
        self._someone.set()
        self._wake(None)

    async def wait(self, after: int, seconds: float) -> bool:
        """Wait until the record has an event after this sequence; False when it took too long."""
        turn = asyncio.Event()
        self._waiting[turn] = after
        self._someone.set()
        try:
            await asyncio.wait_for(turn.wait(), seconds)
        except TimeoutError:
            return False
        finally:
            self._waiting.pop(turn, None)
            if not self._waiting and not self.ending.is_set():
                self._someone.clear()
                self._seen = None
        return not self.ending.is_set()

    def _latest(self) -> int:
        with self._record.reading() as reading:
            return events.latest_sequence(reading)

    def _wake(self, latest: int | None) -> None:
        self._seen = latest
        for turn, after in list(self._waiting.items()):
            if latest is None or latest > after:
                turn.set()
