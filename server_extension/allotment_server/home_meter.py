"""What this server's home holds, where nobody else can look: counted now and then, and remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from allotment.inventory.homes import Held, measure
from allotment_server.background import in_background

AGAIN_AFTER = 600.0
"""Seconds between two looks; a look takes seconds, in a thread of its own."""
ENTRIES = 400_000
"""Files and folders that one look counts; a home of more holds at least what was counted."""


class HomeMeter:
    """Counts a home of ``folder``, None: somebody else does. A report never waits for it."""

    def __init__(
        self,
        folder: Path | None,
        *,
        measuring: Callable[[Path, int], Held | None] = measure,
        again_after: float = AGAIN_AFTER,
    ) -> None:
        self._folder, self._measuring, self._again_after = folder, measuring, again_after
        self._under_way: asyncio.Task[None] | None = None
        self._at: datetime | None = None
        self._used: int | None = None

    async def read(self) -> int | None:
        """What it held when it was counted last, in bytes; None: it never was, or not here."""
        folder = self._folder
        if folder is not None and self._is_due():
            self._under_way = asyncio.ensure_future(self._count(folder))
        return self._used

    def _is_due(self) -> bool:
        if self._under_way is not None and not self._under_way.done():
            return False
        age = None if self._at is None else (datetime.now(UTC) - self._at).total_seconds()
        return age is None or age >= self._again_after

    async def _count(self, folder: Path) -> None:
        held = await in_background(lambda: self._measuring(folder, ENTRIES))
        self._used, self._at = None if held is None else held.used, datetime.now(UTC)

    def close(self) -> None:
        """Wait for nothing that is under way."""
        if self._under_way is not None:
            self._under_way.cancel()
