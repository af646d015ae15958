"""What KubeSpawner knows of a cluster, followed as it changes, without reading all of it again and again.

KubeSpawner lists everything anew after each watch, ten seconds after the last change at the latest:
with a thousand pods and their events that is ten megabytes of JSON, read in the hub's event loop.
Its watch also ends for good after half a minute of failures.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from random import Random
from time import monotonic
from typing import Any

import aiohttp
from kubernetes_asyncio.client.exceptions import ApiException
from kubespawner.reflector import ResourceReflector

PAGE = 100
"""How many objects are read at once: about ten milliseconds of the loop."""
WATCH = 55
"""Seconds after which the API ends a watch, which then goes on where it was."""
SILENCE = 75.0
"""Seconds without a word after which a watch's connection counts as dead."""
LIST_AGAIN = 600.0
"""Seconds after which everything is listed anew although nothing is known to be missing."""
SHORTEST = 1.0
"""Seconds that a watch lasts at least where all is well."""
LONGEST_PAUSE = 20.0
_GONE = 410
_ENDING = 5.0
"""Seconds that the end of a watch is waited for."""

Document = dict[str, Any]


class FollowingReflector(ResourceReflector):
    """KubeSpawner's copy of what there is, listed in pages and watched from there on.

    A watch that ends goes on from the last version that it told. Where that is too old (410), and from
    time to time in any case, everything is listed again. What was seen last stays while the API is away.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._version = ""
        self._listed_at = 0.0
        self._pause = 0.0
        self._random = Random()  # noqa: S311 - no secret: it spreads the tries of many hubs

    # What is taken in; for those that keep more than what there is.

    def take_all(self, found: dict[str, Document]) -> None:
        """Everything that there is, in the place of what was known."""
        self.resources = found

    def take(self, key: str, document: Document) -> None:
        """One that came or changed."""
        self.resources[key] = document

    def drop(self, key: str, document: Document) -> None:
        """One that went, as it was last."""
        del document
        self.resources.pop(key, None)

    # Listing.

    async def _list_and_update(self, resource_version: str | None = None) -> str:
        """List everything; KubeSpawner's version of the cluster's cache is not asked for. Returns the version.

        Raises:
            ApiException, aiohttp.ClientError, OSError: the cluster did not answer.
        """
        del resource_version
        try:
            found, version = await self._listed(PAGE)
        except ApiException as error:
            if error.status != _GONE:
                raise
            # So much has changed meanwhile that the next page is not to be had any more.
            found, version = await self._listed(0)
        self.take_all(found)
        self._version, self._listed_at = version, monotonic()
        if not self.first_load_future.done():
            self.first_load_future.set_result(None)
        return version

    async def _listed(self, page: int) -> tuple[dict[str, Document], str]:
        found: dict[str, Document] = {}
        asked: dict[str, Any] = {"limit": page} if page else {}
        while True:
            async with await self._ask(_request_timeout=self.request_timeout, **asked) as response:
                body = await response.read()
                _require(response, body)
            answer = json.loads(body)
            found |= {_key(one): _slim(one) for one in answer.get("items") or ()}
            metadata = answer.get("metadata") or {}
            asked["_continue"] = metadata.get("continue") or ""
            if not asked["_continue"]:
                return found, str(metadata.get("resourceVersion") or "")

    async def _ask(self, **more: Any) -> aiohttp.ClientResponse:
        arguments = more | ({} if self.omit_namespace else {"namespace": self.namespace})
        response: aiohttp.ClientResponse = await getattr(self.api, self.list_method_name)(
            label_selector=self.label_selector,
            field_selector=self.field_selector,
            _preload_content=False,
            **arguments,
        )
        return response

    # Watching.

    async def _watch_and_update(self) -> None:
        """Follow what changes, until it is cancelled."""
        away = False
        while not self._stopping:
            try:
                if not self._version or monotonic() - self._listed_at > LIST_AGAIN:
                    await self._list_and_update()
                await self._watch()
            except Exception as error:  # noqa: BLE001 - whatever it is, a watch that ends would show the past for ever
                if not _broke_off(error):
                    self._version = ""
                if getattr(error, "status", 0) != _GONE and not away:
                    self.log.warning("The %s cannot be watched, trying on: %r", self.kind, error)
                    away = True
                await asyncio.sleep(self._next_pause())
            else:
                if away:
                    self.log.info("The %s are watched again", self.kind)
                away = False

    async def _watch(self) -> None:
        """Follow what changes since the last version, until the API ends the watch."""
        began = monotonic()
        patience = aiohttp.ClientTimeout(total=None, sock_read=SILENCE)
        watch = await self._ask(
            watch=True,
            resource_version=self._version,
            allow_watch_bookmarks=True,
            timeout_seconds=WATCH,
            _request_timeout=patience,
        )
        async with watch as response:
            if not response.ok:
                _require(response, await response.read())
            async for event in _events(response):
                self._happened(event)
                self._pause = 0.0
        if monotonic() - began < SHORTEST:
            # An API that ends every watch at once is not to be asked without end.
            await asyncio.sleep(self._next_pause())

    def _happened(self, event: Mapping[str, Any]) -> None:
        kind, document = event["type"], event["object"]
        if kind == "ERROR":
            raise ApiException(status=document.get("code"), reason=document.get("message"))
        if kind == "DELETED":
            self.drop(_key(document), _slim(document))
        elif kind != "BOOKMARK":
            self.take(_key(document), _slim(document))
        self._version = document["metadata"]["resourceVersion"]

    async def stop(self) -> None:
        """Follow no longer. KubeSpawner's own would raise what it cancels the watch with."""
        self._stopping = True
        task, self.watch_task = self.watch_task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task}, timeout=_ENDING)

    def _next_pause(self) -> float:
        self._pause = min(LONGEST_PAUSE, max(0.25, self._pause * 2))
        return self._pause * self._random.uniform(0.5, 1.0)


def _broke_off(error: Exception) -> bool:
    """Whether only the connection ended: the watch can go on where it was."""
    return isinstance(error, aiohttp.ClientError | TimeoutError | OSError)


def _require(response: aiohttp.ClientResponse, body: bytes) -> None:
    if not response.ok:
        error = ApiException(status=response.status, reason=response.reason)
        error.body = body
        raise error


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[Mapping[str, Any]]:
    """The events of a watch, one a line."""
    while line := await response.content.readline():
        yield json.loads(line)


def _key(document: Mapping[str, Any]) -> str:
    """KubeSpawner's key of an object."""
    return f"{document['metadata']['namespace']}/{document['metadata']['name']}"


def _slim(document: Document) -> Document:
    """The object without who wrote which of its fields, which is half of it and nobody's concern here."""
    document["metadata"].pop("managedFields", None)
    return document
