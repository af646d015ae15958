"""Having the hub start the servers whose turn has come."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime

from allotment.model.tickets import Ticket
from allotment.record import Record, offers, tickets
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

    def start(self, offered: Iterable[str]) -> None:
        """Have these tickets' servers started, as far as they are not under way. They are all of this hub that are offered."""
        known = dict.fromkeys(offered)
        self._asked = {
            key: (future, began)
            for key, (future, began) in self._asked.items()
            if key in known or not future.done()
        }
        for ticket in known:
            future, began = self._asked.get(ticket, (None, 0.0))
            if future is None or (future.done() and time.monotonic() - began > START_AGAIN):
                self._asked[ticket] = (self._threads.submit(self._start, ticket), time.monotonic())

    def close(self) -> None:
        """Start nothing more; what is under way is left to end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _start(self, ticket_id: str) -> None:
        """Ask the hub. What it will not start goes back; what it cannot start now is asked again."""
        with self._record.reading() as reading:
            ticket = tickets.get(reading, ticket_id)
        options = {"ticket": ticket_id}
        try:
            self._hub_api.start_server(
                ticket.person, ticket.server, options, display_name=ticket.display_name
            )
        except HubAway as away:
            log.warning("%s/%s is started later: %s", ticket.person, ticket.server, away)
        except HubRefused as refused:
            self._give_back(ticket, str(refused))

    def _give_back(self, ticket: Ticket, why: str) -> None:
        try:
            server = self._hub_api.server(ticket.person, ticket.server)
            if server is not None and server.pending:
                return  # an earlier question of ours, or its stop, is under way
        except HubRefused:
            log.warning("%s/%s cannot be looked at", ticket.person, ticket.server)
        except HubAway as away:
            log.warning("%s/%s is looked at later: %s", ticket.person, ticket.server, away)
            return
        if offers.withdraw(self._record, ticket.id, why, datetime.now(UTC)):
            log.warning("%s/%s is not started: %s", ticket.person, ticket.server, why)
