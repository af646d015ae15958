"""Events: a list that can wait for the next one, and a stream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from allotment.api.answering import answer
from allotment.api.plane import Asker, ControlPlane, Plane
from allotment.api.views.happenings import event_document, events_after
from allotment.api.views.launching import report_document
from allotment.api.views.tickets import place_document
from allotment.model import documents
from allotment.model.refusals import AllotmentError
from allotment.record import events
from allotment.record.places import Place
from allotment.rules.permission import Caller, Sight, sight
from allotment.work.live_use import Reported

router = APIRouter(prefix="/events", tags=["events"])

STREAM = "text/event-stream"
HEARTBEAT = 5.0
"""Seconds of silence after which a stream says that it is still there, and asks who listens anew."""
LONGEST_WAIT = 25.0
_BATCH = 500
_BACKLOG = 10_000

Topics = Annotated[
    str,
    Query(
        pattern=r"^(events|use|queue)(,(events|use|queue)){0,2}$",
        description="Of a stream: events, servers' reports of use, places in the queue; or several, by commas",
    ),
]


@router.get(
    "",
    response_model=documents.EventListing,
    summary="Read or follow events",
    responses={200: {"content": {STREAM: {"schema": {"type": "string"}}}}},
)
async def list_events(
    request: Request,
    plane: Plane,
    caller: Asker,
    after: Annotated[
        int | None, Query(ge=0, le=2**53, description="Events after this sequence; else the newest")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 100,
    wait: Annotated[
        float,
        Query(ge=0, le=LONGEST_WAIT, allow_inf_nan=False, description="Seconds to wait for one"),
    ] = 0,
    topics: Topics = "events",
) -> Response:
    """Events that concern the caller, in order; all for those who see everything.

    With ``Accept: text/event-stream`` a stream that does not end: its events are named ``event``
    (with their sequence as id), ``use`` and ``queue``. ``Last-Event-ID`` resumes like ``after``.
    """
    after = _resumed(request, after)
    if STREAM in request.headers.get("accept", ""):
        wanted = frozenset(topics.split(","))
        follower = Follower(plane, request, caller, after, wanted)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(follower.lines(), media_type=STREAM, headers=headers)
    seen = sight(caller)
    listing = await to_thread.run_sync(_listing, plane, seen, after, limit)
    until = time.monotonic() + wait
    while after is not None and not listing.items and (left := until - time.monotonic()) > 0:
        if not await plane.feed.wait(listing.sequence, left):
            break
        listing = await to_thread.run_sync(_listing, plane, seen, listing.sequence, limit)
    return answer(listing)


def _resumed(request: Request, after: int | None) -> int | None:
    last = request.headers.get("last-event-id", "")
    return int(last) if last.isascii() and last.isdigit() and len(last) <= 15 else after  # noqa: PLR2004 - what a sequence's column can hold


def _listing(
    plane: ControlPlane, seen: Sight, after: int | None, limit: int
) -> documents.EventListing:
    with plane.record.reading() as reading:
        start = max(0, events.latest_sequence(reading) - limit) if after is None else after
        found, sequence = events_after(reading, seen, start, limit)
    return documents.EventListing(
        items=tuple(event_document(event) for event in found), sequence=sequence
    )


class Follower:
    """One stream: events from the record, reports and places from memory, and a word when there is silence."""

    def __init__(
        self,
        plane: ControlPlane,
        request: Request,
        caller: Caller,
        after: int | None,
        topics: frozenset[str],
    ) -> None:
        self._plane = plane
        self._request = request
        self._sight = sight(caller)
        self._after = after
        self._topics = topics
        self._said: asyncio.Queue[Reported | Place] = asyncio.Queue(_BACKLOG)

    async def lines(self) -> AsyncIterator[str]:
        """The stream's text, until the listener goes, may no longer listen, or the control plane ends."""
        loop = asyncio.get_running_loop()

        def hand_over(said: Reported | Place) -> None:
            loop.call_soon_threadsafe(self._take, said)

        stops = []
        if "use" in self._topics:
            stops.append(self._plane.use.listen(hand_over))
        if "queue" in self._topics:
            stops.append(self._plane.queueing.places.listen(hand_over))
        try:
            if self._after is None:
                self._after = (await self._read()).sequence
            yield ": following\n\n"
            checked = time.monotonic()
            while not self._plane.feed.ending.is_set():
                lines = await self._next()
                yield "".join(lines) or ": still here\n\n"
                if time.monotonic() - checked >= HEARTBEAT:
                    checked = time.monotonic()
                    if not await self._still_allowed():
                        return
        finally:
            for stop in stops:
                stop()

    def _take(self, said: Reported | Place) -> None:
        whose = said if isinstance(said, Reported) else said.ticket
        if self._sight.sees(whose.person, (whose.group,)):
            if self._said.full():
                self._said.get_nowait()  # the last value counts; an old one may go
            self._said.put_nowait(said)

    async def _next(self) -> list[str]:
        """What there is to say now, or after waiting; nothing after a time of silence."""
        if self._said.empty():
            await self._wait()
        lines = []
        while not self._said.empty():
            said = self._said.get_nowait()
            if isinstance(said, Reported):
                lines.append(_line("use", report_document(said)))
            else:
                lines.append(_line("queue", place_document(said)))
        if "events" in self._topics:
            listing = await self._read()
            lines += [_line("event", event, event.sequence) for event in listing.items]
            self._after = listing.sequence
        return lines

    async def _wait(self) -> None:
        """Wait for an event or a report, at most one heartbeat."""
        waits: list[asyncio.Future[bool]] = [asyncio.ensure_future(self._plane.feed.ending.wait())]
        if "events" in self._topics:
            waits.append(asyncio.ensure_future(self._plane.feed.wait(self._after or 0, HEARTBEAT)))
        if self._topics - {"events"}:
            waits.append(asyncio.ensure_future(self._something_said()))
        try:
            await asyncio.wait(waits, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()

    async def _something_said(self) -> bool:
        said = await self._said.get()
        self._said.put_nowait(said)
        return True

    async def _read(self) -> documents.EventListing:
        after = self._after
        limit = 1 if after is None else _BATCH
        return await to_thread.run_sync(_listing, self._plane, self._sight, after, limit)

    async def _still_allowed(self) -> bool:
        """Ask anew who listens: a role may have changed, a token may have ended."""
        authenticator = self._request.app.state.authenticator
        try:
            caller = await to_thread.run_sync(authenticator.caller_of, self._request)
        except AllotmentError:
            return False
        self._sight = sight(caller)
        return True


def _line(topic: str, document: BaseModel, sequence: int | None = None) -> str:
    number = "" if sequence is None else f"id: {sequence}\n"
    return f"{number}event: {topic}\ndata: {document.model_dump_json()}\n\n"
