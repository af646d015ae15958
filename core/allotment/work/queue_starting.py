"""Having the hub start the servers whose turn has come."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime

from allotment.record import Record, offers
from allotment.record.offers import Outstanding
from allotment.work.errands import AT_ONCE
from allotment.work.hub_api import HubApi, HubAway, HubRefused

log = logging.getLogger(__name__)

START_AGAIN = 5.0
"""Seconds until the hub is asked again to start what it could not start."""


class Starting:
    """Asks the hub, for some servers at the same time; each again until it is started or refused."""

    def __init__(self, record: Record, hub_api: HubApi) -> None:
        self._record, self._hub_api = record, hub_api
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="starting")
        self._asked: dict[str, tuple[Future[None], float]] = {}

    def start(self, offered: Iterable[Outstanding]) -> None:
        """Have these servers started, as far as they are not under way. They are all of this hub that are offered."""
        known = {one.ticket: one for one in offered}
        self._asked = {
            key: (future, began)
            for key, (future, began) in self._asked.items()
            if key in known or not future.done()
        }
        for ticket, one in known.items():
            future, began = self._asked.get(ticket, (None, 0.0))
            if future is None or (future.done() and time.monotonic() - began > START_AGAIN):
                self._asked[ticket] = (self._threads.submit(self._start, one), time.monotonic())

    def close(self) -> None:
        """Start nothing more; what is under way is left to end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _start(self, one: Outstanding) -> None:
        """Ask the hub. What it will not start goes back; what it cannot start now is asked again."""
        options = {"ticket": one.ticket}
        try:
            self._hub_api.start_server(
                one.person, one.server, options, display_name=one.display_name
            )
        except HubAway as away:
            log.warning("%s/%s is started later: %s", one.person, one.server, away)
        except HubRefused as refused:
            self._give_back(one, str(refused))

    def _give_back(self, one: Outstanding, why: str) -> None:
        try:
            server = self._hub_api.server(one.person, one.server)
            if server is not None and server.pending:
                return  # an earlier question of ours, or its stop, is under way
        except HubRefused:
            log.warning("%s/%s cannot be looked at", one.person, one.server)
        except HubAway as away:
            log.warning("%s/%s is looked at later: %s", one.person, one.server, away)
            return
        if offers.withdraw(self._record, one.ticket, why, datetime.now(UTC)):
            log.warning("%s/%s is not started: %s", one.person, one.server, why)
