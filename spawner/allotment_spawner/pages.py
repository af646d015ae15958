"""The data of the hub's pages: read in a thread with a time limit, for the hub's event loop never waits.

JupyterHub calls every callable of ``template_vars`` itself, so an async function there would reach
the template as a coroutine: :func:`pages_of` makes a plain function, and what that returns has async
methods that a template calls.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from prometheus_client import Histogram

from allotment.model.claims import Claim
from allotment.model.refusals import RecordUnavailable
from allotment.record import Reading, Record, events
from allotment_spawner.asking import AsyncRecord
from allotment_spawner.foreseen import Foreseen
from allotment_spawner.pages_home import HomeView, home_view
from allotment_spawner.pages_launch import LaunchView, launch_view
from allotment_spawner.pages_waiting import place_state

PATIENCE = 5.0
"""Seconds that a page waits for the record before it says that there is no answer."""

TAKES = Histogram("allotment_page_seconds", "Seconds until a page's data are there", ["page"])
Answer = TypeVar("Answer")


class Pages:
    """The pages of one person; templates call these methods.

    Each answers None where the record did not answer in time: the page says so, and stays.
    """

    def __init__(self, record: AsyncRecord, hub: str, user: Any, foreseen: Foreseen) -> None:
        self._record, self._hub, self._user = record, hub, user
        self._foreseen = foreseen

    @property
    def person(self) -> str:
        """Whose pages these are."""
        return str(self._user.name)

    async def launch(
        self, server: str = "", profile: str = "", group: str = "", software: str = ""
    ) -> LaunchView | None:
        """The launch page for a server's name, with a card, a paying group and software asked for."""
        claim = Claim(self._hub, self._user.name, server, profile, group or None, software=software)
        now = datetime.now(UTC)
        with TAKES.labels("launch").time():
            return await self._ask(
                lambda reading: launch_view(reading, claim, now, self._foreseen.look)
            )

    async def home(self) -> HomeView | None:
        """The home page."""
        hub, name, now = self._hub, self._user.name, datetime.now(UTC)
        # The hub's own database may be read in its loop only.
        known = [
            (server, spawner.display_name or "")
            for server, spawner in self._user.orm_user.orm_spawners.items()
        ]
        with TAKES.labels("home").time():
            return await self._ask(
                lambda reading: home_view(reading, hub, name, known, now, self._foreseen.look)
            )

    async def state(self) -> str | None:
        """While it stays the same, no page changes: events, places in the queue, what is foreseen."""
        hub, name = self._hub, self._user.name
        foreseen = self._foreseen.state(name)
        found = await self._ask(
            lambda reading: (events.latest_sequence(reading), place_state(reading, hub, name))
        )
        return None if found is None else f"{found[0]}-{foreseen}-{found[1]}"

    async def _ask(self, question: Callable[[Reading], Answer]) -> Answer | None:
        def read(record: Record) -> Answer:
            with record.reading() as reading:
                return question(reading)

        try:
            return await self._record.ask(read, limit=PATIENCE)
        except RecordUnavailable:
            return None


def pages_of(record: AsyncRecord, hub: str) -> Callable[[Any], Pages | None]:
    """Make the callable for ``template_vars``: from a hub's user to that user's pages."""
    foreseen = Foreseen(record)

    def pages(user: Any) -> Pages | None:
        # Signed out there is no user; a service that fetches a page has no servers.
        if getattr(user, "orm_user", None) is None:
            return None
        return Pages(record, hub, user, foreseen)

    return pages
