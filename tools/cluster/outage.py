"""An API server that is away: nobody listens, it hangs, or answers 503, as a test asks; or late with what it makes."""

from __future__ import annotations

import asyncio
from typing import Literal

from aiohttp import web

from .statuses import away

Way = Literal["refuse", "hang", "503", "late"]


class Outage:
    """Whether the server is away, and how."""

    def __init__(self) -> None:
        self._way: Way | None = None
        self._back = asyncio.Event()
        self._back.set()

    def begin(self, way: Way) -> None:
        """Be away."""
        self._way = way
        self._back.clear()

    def end(self) -> None:
        """Be back."""
        self._way = None
        self._back.set()

    async def stand(self, request: web.Request) -> None:
        """Let a request through, or treat it as a server does that is away.

        Raises:
            ApiError: 503.
        """
        if self._way == "503":
            raise away()
        if self._way == "refuse":
            # A connection that was still being made when the server stopped to listen.
            if request.transport is not None:
                request.transport.abort()
            raise away()
        if self._way == "late":
            if request.method != "POST":
                return
            # What was asked for is carried out in the end, though whoever asked has gone.
            await request.read()
        await self._back.wait()
