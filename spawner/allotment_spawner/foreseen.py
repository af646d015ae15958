"""Prospects for the hub's pages: what is known is shown at once, what is not is looked up meanwhile.

Running the queue forward takes longer than a page should: a page shows what was found last, and
fetches its live parts again soon. One look at a time, in a thread of the record, never in the hub's loop.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from allotment.record import Record
from allotment.record.prospects import Outlook, Prospects, Question
from allotment_spawner.asking import AsyncRecord

REST = 1.0
"""Rests after each look for this part of the time that it took: the hub has other things to do."""
PATIENCE = 10.0
"""Seconds that one look takes at most: nobody waits for it, and what is not reached is left out."""
MOST_WANTED = 100
"""Questions that wait for their look; what is asked beyond them is asked again by its page."""
DRAWN_AGAIN = 5.0
"""Seconds after which pages that look are drawn again, for what they show grows old without an event."""
LOOKS_FOR = 60.0
"""Seconds for which a person's pages count as looking after a question."""
Look = Callable[[Question], Outlook | None]
"""What is known of a question; None: nothing yet."""


class Foreseen:
    """What is known, and what is to be looked up. One for a hub."""

    def __init__(self, record: AsyncRecord, prospects: Prospects | None = None) -> None:
        self._record, self._prospects = record, prospects or Prospects(patience=PATIENCE)
        self._lock = threading.Lock()
        self._wanted: dict[Question, None] = {}
        self._busy = False
        self._resting = threading.Event()
        self._asked: dict[str, float] = {}
        self.version = 0
        """Grows whenever an answer has changed: part of what tells a page to draw itself again."""

    def look(self, question: Question) -> Outlook | None:
        """What was found last. Where that is nothing, or a while ago, it is looked up meanwhile."""
        self._asked[question.person] = time.monotonic()
        if self._prospects.due(question):
            with self._lock:
                if len(self._wanted) < MOST_WANTED:
                    self._wanted[question] = None
                begin, self._busy = not self._busy, True
            if begin:
                self._record.later(self._work)
        return self._prospects.known(question)

    def state(self, person: str) -> str:
        """Changes when a person's pages that look should be drawn again."""
        asked = self._asked.get(person)
        if asked is None:
            return ""
        if time.monotonic() - asked > LOOKS_FOR:
            self._asked.pop(person, None)
            return ""
        return f"{self.version}-{time.monotonic() // DRAWN_AGAIN:.0f}"

    def _work(self, record: Record) -> None:
        try:
            while (question := self._next()) is not None:
                began, before = time.monotonic(), self._prospects.known(question)
                with record.reading() as reading:
                    found = self._prospects.find(reading, question, datetime.now(UTC))
                if found != before:
                    self.version += 1
                self._resting.wait(REST * (time.monotonic() - began))
        except BaseException:
            with self._lock:
                self._busy = False
            raise

    def _next(self) -> Question | None:
        with self._lock:
            question = next(iter(self._wanted), None)
            if question is None:
                self._busy = False
            else:
                del self._wanted[question]
            return question
