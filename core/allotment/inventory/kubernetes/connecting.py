"""Speaking with a cluster's API from programs that block: one thread with its own event loop."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from pathlib import Path
from typing import Any, Protocol, TypeVar

import aiohttp
from kubernetes_asyncio import config as kubernetes_config
from kubernetes_asyncio.client import ApiClient, Configuration, VersionApi
from kubernetes_asyncio.client.exceptions import ApiException

from allotment.model.refusals import AllotmentError

T = TypeVar("T")
Ask = Callable[[ApiClient], Awaitable[T]]
"""What is asked of the cluster, through a client."""

PATIENCE = 15.0
"""Seconds that one call may take, where nobody says otherwise."""
_WATCHES_END = 90.0
"""Seconds after which nothing goes on any more that was begun before."""
_AWAY = frozenset({0, 408, 429})
"""Answers, beside those that are the server's fault, that say nothing about what was asked: the API is away, restarting, or has too much to do."""
_SERVERS_FAULT = 500
_UNAUTHORISED, _FORBIDDEN, _NOT_FOUND, _CONFLICT = 401, 403, 404, 409


class Access(Protocol):
    """Which cluster. Both None: the one that this program runs in, else what ``KUBECONFIG`` says."""

    @property
    def kubeconfig(self) -> Path | None:
        """The file that says where the cluster is and who asks."""

    @property
    def context(self) -> str | None:
        """The context in it; None is its current one."""


class ClusterProblem(AllotmentError):
    """The cluster did not do what was asked; the text says why, and holds no secret."""


class ClusterAway(ClusterProblem):
    """Nobody answered, or nobody who could: nothing is known of what was asked."""


class ClusterRefused(ClusterProblem):
    """The cluster answered, and refused. ``status`` is that of HTTP, ``reason`` the cluster's own word."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        self.status, self.reason = status, reason
        super().__init__(message)


class NotThere(ClusterRefused):
    """404: there is no such thing. This is an answer, and may be relied on."""


class ConflictingChange(ClusterRefused):
    """409: it is there already, or was changed meanwhile."""


class NotAllowed(ClusterRefused):
    """401 or 403: who asks may not, or a quota of the namespace is used up."""


_KINDS: dict[int, type[ClusterRefused]] = {
    _UNAUTHORISED: NotAllowed,
    _FORBIDDEN: NotAllowed,
    _NOT_FOUND: NotThere,
    _CONFLICT: ConflictingChange,
}


class Cluster:
    """One cluster, asked by any thread. Nothing is connected before the first call.

    The client and its connections live in one daemon thread: asyncio's objects belong to one loop.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: ApiClient | None = None
        self._connecting: asyncio.Lock | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def call(self, ask: Ask[T], timeout: float = PATIENCE) -> T:
        """Ask the cluster and wait for its answer, ``timeout`` seconds at most. Not from an event loop's thread.

        Raises:
            ClusterAway: it did not answer in time, or could not be reached.
            ClusterRefused: it answered, and refused; see its kinds.
        """
        under_way = self.begin(self.ask(ask, timeout))
        try:
            return under_way.result(timeout + 1)
        except NotInTime:
            under_way.cancel()
            raise _late(timeout) from None

    def begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Let a coroutine run in the cluster's thread, beside whoever calls; cancel what this returns to end it."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(
                    target=_serve, args=(self._loop,), name="cluster", daemon=True
                ).start()
            loop = self._loop
        return asyncio.run_coroutine_threadsafe(work, loop)

    async def ask(self, ask: Ask[T], patience: float | None = PATIENCE) -> T:
        """The same for what runs in the cluster's thread; ``patience`` None is for what never ends.

        Raises:
            ClusterAway, ClusterRefused: as :meth:`call`.
        """
        client = await self._connected()
        try:
            return await self._answer(ask, client, patience)
        except NotAllowed as refused:
            if refused.status != _UNAUTHORISED:
                raise
        # What a kubeconfig's command or provider issued may have ended: it is asked for anew, once.
        await self._retire(client)
        return await self._answer(ask, await self._connected(), patience)

    async def _answer(self, ask: Ask[T], client: ApiClient, patience: float | None) -> T:
        try:
            return await asyncio.wait_for(ask(client), patience)
        except TimeoutError:
            raise _late(patience) from None
        except ApiException as error:
            raise problem_of(error) from None
        except (aiohttp.ClientError, OSError, ssl.SSLError) as error:
            raise ClusterAway(f"{type(error).__name__}: {error}"[:400]) from None

    async def _connected(self) -> ApiClient:
        if self._connecting is None:
            self._connecting = asyncio.Lock()
        async with self._connecting:
            if self._client is None:
                self._client = await _client(self._access)
            return self._client

    async def _retire(self, client: ApiClient) -> None:
        """Ask through another client from now on. What still goes on through this one may end in its time.

        Whoever was refused at the same time finds the other one in place, and leaves it there.
        """
        if self._client is not client:
            return
        self._client = None
        closing = asyncio.create_task(_close_later(client))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def close(self) -> None:
        """End everything that was begun, and the thread. It may be asked again afterwards."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is None:
            return
        asyncio.run_coroutine_threadsafe(self._end(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        self._connecting = None

    async def _end(self) -> None:
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._disconnect()


async def _close_later(client: ApiClient) -> None:
    """Close a client when the longest that was begun through it, a watch, is over; at once where that is waited for no more."""
    try:
        await asyncio.sleep(_WATCHES_END)
    finally:
        await client.close()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()


async def _client(access: Access) -> ApiClient:
    """A client for the cluster.

    Raises:
        ClusterAway: the file, or what a pod is given, cannot be used; the text names it.
    """
    configuration = Configuration()
    inside = access.kubeconfig is None and access.context is None and in_cluster()
    try:
        if inside:
            load: Any = kubernetes_config.load_incluster_config
            load(client_configuration=configuration)
        else:
            await kubernetes_config.load_kube_config(
                config_file=None if access.kubeconfig is None else str(access.kubeconfig),
                context=access.context,
                client_configuration=configuration,
                persist_config=False,
            )
        # Reconnecting and proxies are aiohttp's; its session asks the environment by itself.
        return ApiClient(configuration=configuration)
    except (kubernetes_config.ConfigException, OSError, ValueError, ssl.SSLError) as error:
        where = "the pod's service account" if inside else str(access.kubeconfig or "KUBECONFIG")
        raise ClusterAway(f"{where} cannot be used: {error}"[:400]) from None


def version_of(cluster: Cluster, patience: float = 5.0) -> str:
    """Which version of Kubernetes answers, in so many seconds.

    Raises:
        ClusterProblem: none does.
    """
    return cluster.call(_git_version, patience)


async def _git_version(client: ApiClient) -> str:
    found = await VersionApi(client).get_code()
    return str(found.git_version)


def in_cluster() -> bool:
    """Whether this program runs in a pod of a cluster."""
    return bool(os.environ.get("KUBERNETES_SERVICE_HOST"))


def problem_of(error: ApiException) -> ClusterProblem:
    """The cluster's answer as one of ours, with its own words."""
    try:
        body = json.loads(error.body or "{}")
    except ValueError:
        body = {}
    said = body if isinstance(body, dict) else {}
    return problem(error.status or 0, said, str(error.reason or ""))


def problem(status: int, said: Mapping[str, Any], reason: str = "") -> ClusterProblem:
    """What a status says: the document that the API answers with where it does not do what was asked."""
    reason = str(said.get("reason") or reason)
    words = str(said.get("message") or reason or f"The cluster answered {status}.")[:400]
    if status in _AWAY or status >= _SERVERS_FAULT:
        return ClusterAway(words)
    return _KINDS.get(status, ClusterRefused)(status, reason, words)


def _late(patience: float | None) -> ClusterAway:
    return ClusterAway(f"The cluster's API did not answer for {patience or 0:g} seconds.")
