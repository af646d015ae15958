"""What a cluster has of one kind, kept up to date: listed once, watched from there on.

A watch that is too old (410) is followed by a new list; one that breaks off, or an API that is away,
by another try after a while. What was seen last stays, and says since when it is not up to date.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from random import Random
from time import monotonic
from typing import Any, Generic, TypeVar

import aiohttp
from kubernetes_asyncio.client import ApiClient

from allotment.inventory.kubernetes.connecting import (
    Ask,
    Cluster,
    ClusterAway,
    ClusterProblem,
    ClusterRefused,
    problem,
)
from allotment.inventory.kubernetes.listing import PAGE, Listing, document_of

log = logging.getLogger(__name__)

V = TypeVar("V")
Endpoint = Callable[[ApiClient], Listing]
Key = tuple[str, str]
"""Namespace and name."""

WATCH = 55
"""Seconds after which the API ends a watch: a connection that died unseen is known to be dead soon after."""
TRIAL = 5
"""The same after a failure: that nothing is said is known to be well only when the API itself ends the watch."""
SILENCE = 75.0
"""Seconds without a word from a watch after which its connection counts as dead."""
SHORTEST = 1.0
"""Seconds that a watch lasts at least where all is well."""
LONGEST_PAUSE = 20.0
MANY_FAILURES = 3
"""Failures in a row after which a version is not asked for again: a cluster that was restored from a backup, or is another
one now, has not come that far, and answers (504) as one that is away."""
LIST_AGAIN = 600.0
"""Seconds after which everything is listed anew, though nothing is known to be missing: what was missed is found."""
_GONE = 410


@dataclass(frozen=True, slots=True)
class Seen(Generic[V]):
    """What there is, as far as is known. ``problem`` is empty while it is up to date.

    ``listed`` is False until it was seen once. ``age`` is how long ago it was up to date, in seconds.
    """

    values: tuple[V, ...]
    listed: bool
    problem: str
    age: float


class Watched(Generic[V]):
    """Everything of one kind in a cluster.

    Args:
        cluster: where.
        endpoint: the listing of the client, such as ``CoreV1Api(client).list_node``.
        read: makes a value of a document, or None of one that does not matter.
        random: spreads the tries of many programs after an outage.
        list_again: seconds after which everything is listed anew in any case.
    """

    def __init__(
        self,
        cluster: Cluster,
        endpoint: Endpoint,
        read: Callable[[Mapping[str, Any]], V | None],
        random: Random | None = None,
        *,
        list_again: float = LIST_AGAIN,
    ) -> None:
        self._cluster, self._endpoint, self._read = cluster, endpoint, read
        self._random = random or Random()  # noqa: S311 - no secret
        self._changed = threading.Condition()
        self._values: dict[Key, V] = {}
        self._listed = False
        self._problem = "It was not asked yet."
        self._fresh_at = monotonic()
        self._pause, self._failures = 0.0, 0
        self._list_again, self._listed_at = list_again, 0.0
        self._following: Future[None] | None = None

    def begin(self) -> None:
        """Begin to watch, unless it is watched already."""
        with self._changed:
            if self._following is None or self._following.done():
                self._following = self._cluster.begin(self._follow())

    def end(self) -> None:
        """Watch no longer."""
        with self._changed:
            following, self._following = self._following, None
        if following is not None:
            following.cancel()

    def seen(self, patience: float = 0.0) -> Seen[V]:
        """What there is; waits ``patience`` seconds at most for the first list or the first failure."""
        with self._changed:
            self._changed.wait_for(self._answered, patience)
            age = monotonic() - self._fresh_at if self._problem else 0.0
            return Seen(tuple(self._values.values()), self._listed, self._problem, age)

    def _answered(self) -> bool:
        return self._listed or self._problem != "It was not asked yet."

    async def _follow(self) -> None:
        version = ""
        while True:
            try:
                if not version or monotonic() - self._listed_at > self._list_again:
                    version = await self._list()
                version = await self._watch(version)
            except ClusterProblem as failed:
                if isinstance(failed, ClusterRefused):
                    version = ""
                self._failures += 1
                if self._failures >= MANY_FAILURES:
                    version = ""
                # What is too old is not out of date yet: it is listed anew at once.
                if not isinstance(failed, ClusterRefused) or failed.status != _GONE:
                    self._note(str(failed))
                await asyncio.sleep(self._next_pause())
            except Exception as error:
                # A document that cannot be read must not end the watch for good, unseen.
                log.exception("a cluster's answer could not be used")
                version = ""
                self._note(f"Its answer could not be used: {type(error).__name__}.")
                await asyncio.sleep(self._next_pause())

    def _next_pause(self) -> float:
        self._pause = min(LONGEST_PAUSE, max(0.5, self._pause * 2))
        return self._pause * self._random.uniform(0.5, 1.0)

    def _note(self, problem: str) -> None:
        with self._changed:
            if not self._problem:
                self._fresh_at = monotonic()
            self._problem = problem
            self._changed.notify_all()

    def _up_to_date(self) -> None:
        with self._changed:
            self._problem = ""
            self._changed.notify_all()

    # Listing.

    async def _list(self) -> str:
        """List everything, page by page. Returns the version that the list is of."""
        found: dict[Key, V] = {}
        following = ""
        while True:
            page = await self._cluster.ask(self._page(following))
            for document in page.get("items") or ():
                self._take(found, document)
            metadata = page.get("metadata") or {}
            following = str(metadata.get("continue") or "")
            if not following:
                break
        with self._changed:
            self._values, self._listed, self._problem = found, True, ""
            self._listed_at, self._failures = monotonic(), 0
            self._changed.notify_all()
        return str(metadata.get("resourceVersion") or "")

    def _page(self, following: str) -> Ask[Mapping[str, Any]]:
        arguments: dict[str, Any] = {"limit": PAGE, "_preload_content": False}
        if following:
            arguments["_continue"] = following

        async def page(client: ApiClient) -> Mapping[str, Any]:
            response = await self._endpoint(client)(**arguments)
            async with response:
                return document_of(response, await response.read())

        return page

    def _take(self, values: dict[Key, V], document: Mapping[str, Any]) -> None:
        value = self._read(document)
        if value is None:
            values.pop(_key(document), None)
        else:
            values[_key(document)] = value

    # Watching.

    async def _watch(self, version: str) -> str:
        """Follow what changes since a version, until the API ends it. Returns the version after that.

        That it begins says nothing yet: a proxy may answer for an API that is away, and break off.
        """
        response = await self._cluster.ask(
            lambda client: self._endpoint(client)(
                watch=True,
                resource_version=version,
                allow_watch_bookmarks=True,
                timeout_seconds=TRIAL if self._problem else WATCH,
                _preload_content=False,
                _request_timeout=aiohttp.ClientTimeout(total=None, sock_read=SILENCE),
            )
        )
        began = monotonic()
        async with response:
            if not response.ok:
                document_of(response, await response.read())
            async for event in _events(response):
                version = self._happened(event) or version
                self._pause, self._failures = 0.0, 0
                self._up_to_date()
        self._up_to_date()
        if monotonic() - began < SHORTEST:
            # An API that ends every watch at once is not to be asked without end.
            await asyncio.sleep(self._next_pause())
        else:
            self._pause, self._failures = 0.0, 0
        return version

    def _happened(self, event: Mapping[str, Any]) -> str:
        """Take in one event; returns its version."""
        kind, document = event.get("type"), event.get("object") or {}
        if kind == "ERROR":
            raise problem(int(document.get("code") or 0), document)
        if kind != "BOOKMARK":
            with self._changed:
                if kind == "DELETED":
                    self._values.pop(_key(document), None)
                else:
                    self._take(self._values, document)
                self._changed.notify_all()
        return str((document.get("metadata") or {}).get("resourceVersion") or "")


def _key(document: Mapping[str, Any]) -> Key:
    metadata = document.get("metadata") or {}
    return str(metadata.get("namespace") or ""), str(metadata.get("name") or "")


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[Mapping[str, Any]]:
    """The events of a watch, one a line.

    Raises:
        ClusterAway: the connection broke off.
    """
    try:
        while line := await response.content.readline():
            yield json.loads(line)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise ClusterAway(f"The watch broke off: {type(error).__name__}."[:400]) from None
