"""Events: reading them, and following them as they happen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import httpx
from pydantic import ValidationError

from allotment.client.connection import Connection, ControlPlaneAway, away, problem
from allotment.model.documents import Event, EventListing, TicketPlace, UseReport
from allotment.model.refusals import AllotmentError, RecordUnavailable

SILENCE = 30.0
"""Seconds without a word after which a stream counts as broken; the control plane speaks every five."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0


class Events:
    """``client.events``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def after(
        self, sequence: int | None = None, *, limit: int = 500, wait: float = 0
    ) -> EventListing:
        """Events after a sequence, in order; None: the newest ones.

        ``wait``: how many seconds (at most 25) to wait for one where there is none yet. Resume
        after the answer's ``sequence``.
        """
        return self._connection.read(
            EventListing, "/events", after=sequence, limit=limit, wait=wait
        )

    def follow(
        self,
        after: int,
        *,
        use: bool = False,
        queue: bool = False,
        on_trouble: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[Event | UseReport | TicketPlace]:
        """Every event after a sequence, as it happens, for ever.

        With ``use`` also servers' reports, with ``queue`` where tickets stand as that changes. Resumes where it was after every interruption; events are never missed and never told
        twice, reports and places may be missed. ``on_trouble`` is told in words when the control plane does
        not answer, and with an empty text when it does again. ``stop`` ends it within seconds.

        Raises:
            Refusal: the token may not (any longer) read events.
        """
        stop = stop or threading.Event()
        topics = ",".join(["events", *(["use"] if use else []), *(["queue"] if queue else [])])
        pause, troubled = _FIRST_PAUSE, False
        while not stop.is_set():
            try:
                for item in self._stream(after, stop, topics):
                    if troubled and on_trouble:
                        on_trouble("")
                    pause, troubled = _FIRST_PAUSE, False
                    if item is None:
                        continue
                    if isinstance(item, Event):
                        after = item.sequence
                    yield item
            except (ControlPlaneAway, RecordUnavailable) as error:
                troubled = True
                if on_trouble:
                    on_trouble(str(error))
            stop.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _stream(
        self, after: int, stop: threading.Event, topics: str
    ) -> Iterator[Event | UseReport | TicketPlace | None]:
        """Items of one stream; None whenever the control plane says that it is still there."""
        query: dict[str, str | int] = {"topics": topics, "after": after}
        try:
            with self._connection.stream("/events", query, {}, SILENCE) as response:
                if not response.is_success:
                    response.read()
                    raise problem(response)
                yield from _items(response, stop)
        except httpx.HTTPError as error:
            raise away(self._connection.url, error) from error


def _items(
    response: httpx.Response, stop: threading.Event
) -> Iterator[Event | UseReport | TicketPlace | None]:
    topic, data = "", ""
    for line in response.iter_lines():
        if stop.is_set():
            return
        if line.startswith("event: "):
            topic = line.removeprefix("event: ")
        elif line.startswith("data: "):
            data += line.removeprefix("data: ")
        elif line.startswith(":"):
            yield None
        elif not line and data:
            yield _item(topic, data)
            topic = data = ""


def _item(topic: str, data: str) -> Event | UseReport | TicketPlace | None:
    try:
        if topic == "queue":
            return TicketPlace.model_validate_json(data)
        if topic == "use":
            return UseReport.model_validate_json(data)
        if topic == "event":
            return Event.model_validate_json(data)
    except ValidationError as error:
        message = f"The control plane sent a {topic} that cannot be read."
        raise AllotmentError(message) from error
    return None
