"""Watches: what happened since a version, as it happens, one JSON document a line."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from aiohttp import web

from . import kinds
from .addresses import TRUE, Address
from .events import as_new_event
from .kinds import Kind
from .listing import selection, version_of
from .statuses import ApiError, Cause, Document, invalid, too_old, whole_number
from .store import Change, Store

BOOKMARK_SECONDS = 60.0
SHORTEST, LONGEST = 1800, 3600


class Watching:
    """Serves watches, and can cut them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: dict[asyncio.Task[None], web.Request] = {}
        self.gone_as_status = False

    def drop(self) -> None:
        """Cut the connection of each watch, as a server does that is restarted."""
        for task, request in list(self._open.items()):
            task.cancel()
            if request.transport is not None:
                request.transport.abort()

    async def stream(self, request: web.Request, address: Address) -> web.StreamResponse:
        """Answer a watch until its time is over.

        Raises:
            ApiError: 400, 403, 504, or 410 where that is asked for.
        """
        kind = address.kind
        assert kind is not None  # noqa: S101 - watches are of kinds
        watch = Watch(self._store, kind, address, dict(request.query))
        if watch.refusal is not None and self.gone_as_status:
            raise watch.refusal
        response = web.StreamResponse(headers={"Cache-Control": "no-cache, private"})
        response.content_type = "application/json"
        response.enable_chunked_encoding()
        await response.prepare(request)
        changed = self._store.listen()
        serving = asyncio.create_task(self._serve(response, watch, changed))
        self._open[serving] = request
        try:
            await asyncio.wait({serving}, timeout=watch.seconds)
        finally:
            serving.cancel()
            del self._open[serving]
            self._store.leave(changed)
        if serving.done() and not serving.cancelled():
            serving.result()
        with suppress(ConnectionError):
            await response.write_eof()
        return response

    async def _serve(
        self, response: web.StreamResponse, watch: Watch, changed: asyncio.Event
    ) -> None:
        with suppress(ConnectionError):
            for line in watch.first():
                await response.write(line)
            while watch.refusal is None:
                changed.clear()
                for line in watch.news():
                    await response.write(line)
                await watch.pause(changed)
                for line in watch.bookmark():
                    await response.write(line)


class Watch:
    """One watch: where it stands, and what it shows."""

    def __init__(
        self, store: Store, kind: Kind, address: Address, query: Mapping[str, str]
    ) -> None:
        self._store = store
        self._kind = kind
        self._meant: Callable[[Document], bool] = selection(kind, address.asked, query)
        self._bookmarks = query.get("allowWatchBookmarks", "") in TRUE
        self._whole = query.get("sendInitialEvents", "") in TRUE
        check_initial(query)
        asked = version_of(store, query)
        self._from_now = asked == 0 or self._whole
        self._at = store.version if self._from_now else asked
        self._marked = self._at
        self.refusal: ApiError | None = None
        if not self._from_now and asked < store.compacted:
            self.refusal = too_old(asked, store.compacted)
        given = whole_number(query, "timeoutSeconds")
        self.seconds = float(given or SHORTEST + secrets.randbelow(LONGEST - SHORTEST))

    def first(self) -> Iterator[bytes]:
        """What is there already, where no version was named; or that the version is too old."""
        if self.refusal is not None:
            yield line("ERROR", self.refusal.document())
        elif self._from_now:
            for document in self._store.all(self._kind):
                if self._meant(document):
                    yield line("ADDED", self._shown(document))
            if self._whole:
                yield self._bookmark({"k8s.io/initial-events-end": "true"})

    def news(self) -> Iterator[bytes]:
        """What happened since."""
        if self._at < self._store.compacted:
            # What was forgotten before it was sent: a server says so and ends the watch.
            self.refusal = too_old(self._at, self._store.compacted)
            yield line("ERROR", self.refusal.document())
            return
        for change in self._store.since(self._at):
            self._at = change.version
            if change.key == self._kind.key and (shown := self._seen(change)):
                yield line(*shown)

    async def pause(self, changed: asyncio.Event) -> None:
        """Wait for news, or for the time of a bookmark."""
        with suppress(TimeoutError):
            await asyncio.wait_for(changed.wait(), BOOKMARK_SECONDS)

    def bookmark(self) -> Iterator[bytes]:
        """From time to time how far it has come, where that is wanted."""
        if self._bookmarks and self._store.version == self._at and self._marked != self._at:
            self._marked = self._at
            yield self._bookmark({})

    def _seen(self, change: Change) -> tuple[str, Document] | None:
        """A change as this watch sees it: what leaves the selection is deleted, what enters is new."""
        was = change.before is not None and self._meant(change.before)
        is_ = change.type != "DELETED" and self._meant(change.document)
        if was and not is_:
            gone = change.document if change.type == "DELETED" else change.before or {}
            version = {"resourceVersion": str(change.version)}
            return "DELETED", self._shown({**gone, "metadata": gone["metadata"] | version})
        if not is_:
            return None
        return "MODIFIED" if was else "ADDED", self._shown(change.document)

    def _shown(self, document: Document) -> Document:
        return as_new_event(document) if self._kind is kinds.NEW_EVENTS else document

    def _bookmark(self, annotations: Document) -> bytes:
        metadata: Document = {"resourceVersion": str(self._at), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        document = {
            "kind": self._kind.kind,
            "apiVersion": self._kind.api_version,
            "metadata": metadata,
        }
        return line("BOOKMARK", document)


def check_initial(query: Mapping[str, str]) -> None:
    """A watch that begins with what is there says that it wants nothing older.

    Raises:
        ApiError: 422.
    """
    if query.get("sendInitialEvents") and query.get("resourceVersionMatch") != "NotOlderThan":
        why = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        cause = Cause("FieldValueForbidden", "resourceVersionMatch", why)
        raise invalid("meta.k8s.io", "ListOptions", "", [cause])


def line(type_: str, document: Document) -> bytes:
    """One event of a watch."""
    return json.dumps({"type": type_, "object": document}, separators=(",", ":")).encode() + b"\n"
