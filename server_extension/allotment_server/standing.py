"""What the control plane says of this server's owner: asked when somebody looks, remembered while it is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from allotment.client import AllotmentClient
from allotment.model.documents import Me
from allotment.model.refusals import AllotmentError
from allotment_server.background import in_background

FRESH = 2.0
"""Seconds for which an answer is good: many open pages ask once."""

NO_CONTROL_PLANE = (
    "This server was started without a control plane: ALLOTMENT_API_URL or JUPYTERHUB_API_TOKEN is not set. "
    "Limits and what you hold cannot be told here."
)


class Standing:
    """Limits, servers and notices of the server's owner.

    ``me`` is what was told last, ``told_at`` when; ``why`` says why the latest question had no
    answer, and is empty when it had one.
    """

    def __init__(self, ask: Callable[[], Me] | None) -> None:
        self._ask = ask
        self._asking = asyncio.Lock()
        self.me: Me | None = None
        self.told_at: datetime | None = None
        self.asked_at: datetime | None = None
        self.why = "" if ask else NO_CONTROL_PLANE

    @property
    def configured(self) -> bool:
        """Whether there is a control plane to ask."""
        return self._ask is not None

    @classmethod
    def by(cls, client: AllotmentClient | None) -> Standing:
        """Ask with this client; None: there is no control plane."""
        return cls(client.me if client else None)

    async def refresh(self) -> None:
        """Ask, unless that was done a moment ago. Never fails: see ``why``."""
        if self._ask is None:
            return
        async with self._asking:
            if self.asked_at and (datetime.now(UTC) - self.asked_at).total_seconds() < FRESH:
                return
            try:
                self.me = await in_background(self._ask)
                self.told_at, self.why = datetime.now(UTC), ""
            except AllotmentError as error:
                self.why = str(error)
            self.asked_at = datetime.now(UTC)
