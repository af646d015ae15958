"""Tells listeners of this process where tickets stand, as the queue says it: places change without an event."""

from __future__ import annotations

from collections.abc import Callable, Collection

from allotment.record import Record, places
from allotment.record.places import Place
from allotment.work.listeners import Listeners

Listener = Callable[[Place], None]


class Places:
    """Who listens. Safe to use from several threads."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._listeners: Listeners[Place] = Listeners()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell every new place to ``listener``, in the queue's thread; returns how to stop."""
        return self._listeners.add(listener)

    def tell(self, tickets: Collection[str]) -> None:
        """These tickets were told something new: tell where they stand, if anybody listens."""
        if not self._listeners or not tickets:
            return
        with self._record.reading() as reading:
            found = places.of_tickets(reading, tickets)
        self._listeners.tell(found)
