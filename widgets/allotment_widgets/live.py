"""Keeping the picture true: what is wanted is read, events say what to read again, reports come as they are sent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Protocol

from allotment.client import AllotmentClient, ControlPlaneAway
from allotment.model.documents import Event, TicketPlace, UseReport
from allotment.model.refusals import AllotmentError, RecordUnavailable, Refusal
from allotment_widgets.backend import Backend
from allotment_widgets.picture import Changed, Picture, Topic, together
from allotment_widgets.reading import ALWAYS, read, touched_by

GATHER = 0.15
"""Seconds in which events are gathered before anything is read again: they come in swarms."""
REPORTS_EVERY = 1.0
"""Seconds in which servers' reports are gathered."""
BEAT = 5.0
"""Seconds between two beats: the clock of what is live, and of what is idle."""
MOMENTS_EVERY = 60.0
LATER = frozenset({Topic.MOMENTS, Topic.REFUSALS, Topic.SOFTWARE, Topic.PARTS, Topic.NEWS})
"""What is dear to read, or looked at second: read when nothing else is waiting."""
AGAIN = 2.0
"""Seconds until a control plane that is away is asked again."""
OWN = frozenset(
    {
        *(Topic.ME, Topic.ABOUT, Topic.SOURCE_FORMS, Topic.SOURCES, Topic.DATASETS),
        *(Topic.VERSIONS, Topic.TARGETS, Topic.MODELS),
    }
)
"""What is answered to everybody, as far as it is theirs; the rest to those who see the whole platform."""

AWAY = (ControlPlaneAway, RecordUnavailable)


class Watcher(Protocol):
    """Whoever is told. All calls come in the backend's thread."""

    def changed(self, changed: Changed) -> None:
        """The picture has changed."""

    def fresh(self, at: datetime) -> None:
        """Everything is as of now."""

    def away(self, trouble: str) -> None:
        """Nobody answers, or this token may not ask (any longer)."""


class Live:
    """Follows the platform. Its methods are called in the backend's thread; :meth:`run` is its work."""

    def __init__(
        self, client: AllotmentClient, backend: Backend, picture: Picture, watcher: Watcher
    ) -> None:
        self._client = client
        self._backend = backend
        self._picture = picture
        self._watcher = watcher
        self._wanted: frozenset[Topic] = ALWAYS
        self._allowed = False
        self._stale: set[Topic] = set(Topic) - {Topic.CLOCK}
        self._wake = asyncio.Event()
        self._reports: dict[str, UseReport] = {}
        self._places: dict[str, TicketPlace] = {}
        self._trouble = ""
        self._listening = threading.Event()
        self._stop = threading.Event()

    def want(self, topics: Iterable[Topic]) -> None:
        """Keep these true from now on, beside those that always are."""
        self._wanted = ALWAYS | frozenset(topics)
        self._wake.set()

    def see_all(self, *, allowed: bool) -> None:
        """Whether everything may be read, or only what is a person's own."""
        if allowed != self._allowed:
            self._allowed = allowed
            self._wake.set()

    def again(self, *topics: Topic) -> None:
        """Read these again, because of something that was just done."""
        self._stale.update(topics)
        self._wake.set()

    def close(self) -> None:
        """End what listens; from any thread. The rest ends with the backend."""
        self._stop.set()
        self._listening.set()

    async def run(self) -> None:
        """Read, follow, and read again, for ever."""
        await self._until_known()
        await asyncio.gather(self._listen(), self._keep(), self._beat(), self._take_reports())

    async def _until_known(self) -> None:
        """Who this is comes first: events are followed from then on, and all lists are read later."""
        while self._picture.me is None:
            try:
                await self._read({Topic.ME, Topic.ABOUT})
            except AWAY as error:
                self._lost(str(error))
                await asyncio.sleep(AGAIN)
            except Refusal as error:
                self._lost(str(error))
                await asyncio.sleep(BEAT)

    async def _keep(self) -> None:
        while True:
            topics = self._due()
            if topics:
                await self._refresh(topics)
            else:
                await self._wake.wait()
                self._wake.clear()
                await asyncio.sleep(GATHER)

    def _due(self) -> set[Topic]:
        """What has to be read now."""
        topics = self._stale & self._wanted
        if not self._allowed:
            return topics & OWN
        if self._picture.overview is None:
            # Groups have their colours from here, and counts are there before long lists.
            return topics & ALWAYS
        return topics - LATER or topics

    async def _refresh(self, topics: set[Topic]) -> None:
        self._stale -= topics
        try:
            await self._read(topics)
        except AWAY as error:
            self._stale |= topics
            self._lost(str(error))
            await asyncio.sleep(AGAIN)
        except Refusal as error:
            self._stale |= topics
            self._lost(str(error))
            await asyncio.sleep(BEAT)

    async def _read(self, topics: Iterable[Topic]) -> None:
        """Read at the same time, told as each arrives: counts need not wait for long lists."""

        async def one(topic: Topic) -> None:
            self._watcher.changed(await read(topic, self._client, self._backend, self._picture))

        await asyncio.gather(*(one(topic) for topic in sorted(topics)))
        self._found()

    def _lost(self, trouble: str) -> None:
        self._trouble = trouble
        self._watcher.away(trouble)

    def _found(self) -> None:
        if self._trouble:
            # What happened meanwhile is told by the stream, but it waits between two tries.
            self._listening.set()
        self._trouble = ""
        self._watcher.fresh(datetime.now(UTC))

    async def _listen(self) -> None:
        after = self._picture.me.sequence if self._picture.me else 0
        thread = threading.Thread(
            target=self._hear, args=(after,), name="allotment-events", daemon=True
        )
        thread.start()

    def _hear(self, after: int) -> None:
        """Follow events and reports; in a thread of its own, for the stream blocks."""
        while not self._stop.is_set():
            self._listening.clear()
            if self._stop.is_set():
                return
            try:
                following = self._client.events.follow(
                    after,
                    use=True,
                    queue=True,
                    on_trouble=self._heard_trouble,
                    stop=self._listening,
                )
                for item in following:
                    if isinstance(item, Event):
                        after = item.sequence
                    self._soon(self._heard, item)
            except AllotmentError as error:
                self._heard_trouble(str(error))
            self._stop.wait(AGAIN)

    def _soon(self, call: Callable[..., None], *given: object) -> None:
        if not self._stop.is_set():
            self._backend.soon(lambda: call(*given))

    def _heard(self, item: Event | UseReport | TicketPlace) -> None:
        if isinstance(item, UseReport):
            self._reports[item.server] = item
            return
        if isinstance(item, TicketPlace):
            self._places[item.ticket] = item
            return
        self._stale |= touched_by(item, self._picture)
        self._wake.set()

    def _heard_trouble(self, trouble: str) -> None:
        self._soon(self._stream_trouble, trouble)

    def _stream_trouble(self, trouble: str) -> None:
        if trouble:
            self._lost(trouble)
        # Asking for what is always wanted finds out whether it is only the stream.
        self._stale |= ALWAYS
        self._wake.set()

    async def _take_reports(self) -> None:
        while True:
            await asyncio.sleep(REPORTS_EVERY)
            reports, self._reports = self._reports, {}
            places, self._places = self._places, {}
            for changed in (
                self._picture.take_reports(reports.values()),
                self._picture.take_places(places),
            ):
                if changed.topics:
                    self._watcher.changed(changed)

    async def _beat(self) -> None:
        since = 0.0
        while True:
            await asyncio.sleep(BEAT)
            since += BEAT
            if since >= MOMENTS_EVERY:
                since = 0.0
                # Not every event is told to everybody: what is a person's own is asked again.
                self.again(Topic.MOMENTS, *(() if self._allowed else OWN))
            if not self._trouble:
                self._watcher.fresh(datetime.now(UTC))
                self._watcher.changed(together([Changed.all_of([Topic.CLOCK])]))
