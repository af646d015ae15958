"""The step ``leaving``: what a hub has of people who left ends, once their servers are gone.

Each hub's control plane works on its own hub. It is done again until it is done: a hub or a record
that is away only puts it off.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from allotment.inventory.handing_over import hand_over
from allotment.model.endings import Cause
from allotment.record import Record, allotments, claims, leaving
from allotment.record.leaving import WHY, Due
from allotment.work.hub_api import HubApi, HubAway, HubRefused

EVERY = 5.0
"""Seconds between two rounds."""
KEPT = "The home is kept."
_ACTOR = "leaving"
log = logging.getLogger(__name__)


class Farewells:
    """Ends one hub's part of people who left. ``home_of`` says where a home is that can be handed over; None: nowhere."""

    def __init__(
        self, record: Record, hub_api: HubApi, hub: str, home_of: Callable[[str], Path | None]
    ) -> None:
        self._record, self._hub_api, self._hub, self._home_of = record, hub_api, hub, home_of

    def round(self, now: datetime) -> str:
        """Stop what still runs; of whom nothing runs, end tokens and shares, and see to the home.

        Raises:
            RecordUnavailable: the record did not answer.
            HubAway: the hub did not; it is asked again in the next round.
        """
        with self._record.reading() as reading:
            due = leaving.due(reading, self._hub)
        done = [one.person for one in due if self._end(one, now)]
        return f"ended what the hub had of {', '.join(done)}" if done else ""

    def _end(self, one: Due, now: datetime) -> bool:
        if self._stop(one.person, now):
            return False
        try:
            # Deleting the hub's user ends tokens, shares and sign-ins; signing in again makes a new one.
            self._hub_api.delete_user(one.person)
        except HubRefused as refused:
            log.warning("the hub does not let %s go yet: %s", one.person, refused)
            return False
        note = self._home(one)
        with self._record.writing(_ACTOR, now) as writing:
            return leaving.said_farewell(writing, one.person, self._hub, note)

    def _stop(self, person: str, now: datetime) -> bool:
        """Stop the person's servers of this hub. Returns whether any is not proven gone."""
        with self._record.reading() as reading:
            own = allotments.active(reading, hub=self._hub, person=person)
        for one in own:
            if not claims.mark_stopping(
                self._record, one.id, WHY, _ACTOR, now, cause=Cause.STOPPED
            ):
                continue  # it is being stopped; reconciling finishes what was interrupted
            try:
                self._hub_api.stop_server(person, one.server)
            except (HubAway, HubRefused) as error:
                log.warning("a server of %s is stopped later: %s", person, error)
        return bool(own)

    def _home(self, one: Due) -> str:
        if one.heir is None:
            return KEPT
        home, heirs = self._home_of(one.person), self._home_of(one.heir)
        if home is None or heirs is None:
            return f"{KEPT} Homes here are moved by whoever runs their storage, to {one.heir}."
        try:
            moved = hand_over(home, heirs, one.person)
        except OSError as error:
            return f"{KEPT} It could not be moved to {one.heir}: {error.strerror or error}"
        return "There was no home." if moved is None else f"The home is {one.heir}'s: {moved.name}"
