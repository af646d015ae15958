"""Tells listeners of this process where tickets stand, as the queue says it: places change without an event."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

from allotment.record import Record, places
from allotment.record.places import Place

Listener = Callable[[Place], None]


class Places:
    """Who listens. Safe to use from several threads."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell every new place to ``listener``, in the queue's thread; returns how to stop."""
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock:
                self._listeners.remove(listener)

        return stop

    def tell(self, tickets: Collection[str]) -> None:
        """These tickets were told something new: tell where they stand, if anybody listens."""
        with self._lock:
            listeners = tuple(self._listeners)
        if not listeners or not tickets:
            return
        with self._record.reading() as reading:
            found = places.of_tickets(reading, tickets)
        for place in found:
            for listener in listeners:
                listener(place)
