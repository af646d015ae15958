"""Whose turn it is to do a hub's periodic work: one control plane's at a time, by a lease in the record.

Several may serve one hub; the others stand by. Whoever does the work says so every few seconds, and is
followed when it has not for a while: at once where it is known to have ended, within fifteen seconds
otherwise. A turn that overlaps with the next (a machine that slept) does no harm: every piece of the
work asks the record again before it changes anything.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from allotment.model.refusals import RecordUnavailable
from allotment.record import Record, hubs, leases
from allotment.work.holders import known_to_be_gone

log = logging.getLogger(__name__)

_PACES = {"postgresql": (timedelta(seconds=10), 2.5), "sqlite": (timedelta(seconds=40), 10.0)}
"""How long a turn outlasts the last word of whoever has it, and the seconds between two words, or two looks of
those who stand by: on PostgreSQL a turn that ended is taken 12.5 s after the last word at the latest. One machine
knows its processes, so that its disk need not be written to as often."""
_ACTOR = "work"


def lease_name(hub: str) -> str:
    """The lease of a hub's periodic work."""
    return f"work:{hub}"


class Tenure:
    """The turn of one process. ``held`` may be asked in any thread; the rest blocks: use it from one.

    ``clock`` counts seconds and never goes back; ``every`` is the pause
    in seconds between two calls of :meth:`keep`, ``lasts`` for how long one holds. ``identity`` tells
    the hub from another one of its name: where that has the name, nothing is done here.
    """

    def __init__(
        self,
        record: Record,
        hub: str,
        holder: str,
        *,
        gone: Callable[[str], bool] = known_to_be_gone,
        clock: Callable[[], float] = time.monotonic,
        identity: str = "",
    ) -> None:
        self._record, self._hub, self._holder = record, hub, holder
        self._lease, self._identity = lease_name(hub), identity
        self._gone, self._clock = gone, clock
        self.lasts, self.every = _PACES[record.dialect]
        self._until = 0.0
        self.anothers = False
        """Whether the hub's name stands for another hub: then it is never this process's turn."""

    @property
    def held(self) -> bool:
        """Whether it is this process's turn. It ends here before it ends in the record."""
        return self._clock() < self._until

    def keep(self) -> bool:
        """Take the turn where it is free, or keep it. Returns whether it is this process's now.

        While the record is away the turn goes on until it runs out.
        """
        asked_at, before = self._clock(), self.held
        try:
            with self._record.writing(_ACTOR, datetime.now(UTC), configuration=False) as writing:
                anothers = bool(self._identity) and hubs.is_anothers(
                    writing, self._hub, self._identity
                )
                mine = not anothers and leases.take(
                    writing, self._lease, self._holder, self.lasts, gone=self._gone
                )
        except RecordUnavailable as error:
            log.warning("whose turn the periodic work is could not be asked: %s", error)
            return self.held
        self._note(anothers=anothers)
        self._until = asked_at + self.lasts.total_seconds() if mine else 0.0
        if mine != before:
            log.info("the periodic work is %s", "done here" if mine else "done by another")
        return self.held

    def _note(self, *, anothers: bool) -> None:
        if anothers and not self.anothers:
            log.error(
                "another hub is called %s in this record: no periodic work is done here", self._hub
            )
        self.anothers = anothers

    def give_up(self) -> None:
        """End the turn in good order: another takes it as soon as it looks."""
        self._until = 0.0
        try:
            with self._record.writing(_ACTOR, datetime.now(UTC), configuration=False) as writing:
                leases.give_up(writing, self._lease, self._holder)
        except RecordUnavailable as error:
            log.warning("the turn of the periodic work ends by itself: %s", error)
