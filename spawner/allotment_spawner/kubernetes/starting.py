"""KubeSpawner with its start watched, and given up by policy with the cluster's own word for why.

Nothing here knows of admission: see :mod:`allotment_spawner.kubernetes.spawner`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from time import time
from typing import Any

import aiohttp
from kubernetes_asyncio.client.exceptions import ApiException

from allotment_spawner.kubernetes import ends, refusals
from allotment_spawner.kubernetes.ends import Hold, Pod, Waiting
from allotment_spawner.kubernetes.kueue import KueueWord
from allotment_spawner.kubernetes.living import LivingPod, starting

_LOOK_EVERY = 1.0
"""Seconds between two looks at a pod that is starting."""


class PodServer(LivingPod):
    """One server in one pod."""

    unanswered: float | None = None
    """When the cluster was last asked to make its pod and was not heard to answer, in seconds since the epoch."""
    _held_up = ""
    """What holds its start up, in the cluster's own words."""
    _seen = ""
    """The uid of its pod, once it was seen in this start."""

    async def start(self) -> Any:
        """Start the pod, and give it up by policy, with the cluster's own word for why.

        Raises:
            LaunchRefused: it ended, it waited longer than the settings allow, or the cluster did not answer.
        """
        self.end_words = self._held_up = self._seen = ""
        self.unanswered = None
        token = starting.set(self)
        try:
            begun = super().start()
        finally:
            starting.reset(token)
        watching = asyncio.create_task(self._watch_start())
        try:
            await asyncio.wait({begun, watching}, return_when=asyncio.FIRST_COMPLETED)
            if not begun.done():
                watching.result()  # it ends by raising only
            return await begun
        except ApiException as error:
            raise refusals.not_created(error) from error
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            raise refusals.away(type(error).__name__) from error
        finally:
            for task in (begun, watching):
                task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await asyncio.gather(begun, watching, return_exceptions=True)

    async def _watch_start(self) -> None:
        """Look at the pod until it has waited too long, or ended.

        Raises:
            LaunchRefused: it did.
        """
        loop = asyncio.get_running_loop()
        since: dict[Waiting, float] = {}
        kueue = KueueWord()
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            pod = self.pod_reflector and self.pod_reflector.pods.get(self._pod_key)
            if not pod:
                continue
            await self._note_seen(pod)
            if ends.is_over(pod):
                raise refusals.ended_early(ends.end_words(pod))
            hold = await self._hold(pod, kueue)
            await self._held_up_by(hold.words if hold else "")
            if hold is None:
                continue
            began = since.setdefault(hold.waiting, loop.time())
            limit = self._patience(hold)
            if loop.time() - began > limit.total_seconds():
                raise refusals.given_up(hold, limit)

    async def _note_seen(self, pod: Pod) -> None:
        uid = str(pod["metadata"]["uid"])
        if uid != self._seen:
            self._seen = uid
            await self.note_seen()

    async def note_seen(self) -> None:
        """Tell others which pod it is, while it starts."""

    async def _make_create_pod_request(self, pod: Any, request_timeout: float) -> bool:
        """KubeSpawner's call that makes the pod; what nobody answers may be carried out later."""
        before, self.unanswered = self.unanswered, time()
        try:
            made: bool = await super()._make_create_pod_request(pod, request_timeout)
        except ApiException as error:
            if not refusals.is_away(error):
                self.unanswered = before
            raise
        if made:
            self.unanswered = before
        return made

    async def _hold(self, pod: Pod, kueue: KueueWord) -> Hold | None:
        """What the pod waits for, with Kueue's word where it is Kueue's to say."""
        hold = ends.hold_of(pod)
        if hold is None or hold.waiting is not Waiting.QUEUE:
            return hold
        now = asyncio.get_running_loop().time()
        return Hold(hold.waiting, await kueue.about(self.api.api_client, pod, now))

    async def _held_up_by(self, words: str) -> None:
        if words != self._held_up:
            self._held_up = words
            await self.note_wait(words)

    async def note_wait(self, words: str) -> None:
        """Tell others what holds the start up; empty: nothing does any more."""

    def _patience(self, hold: Hold) -> timedelta:
        if hold.waiting is Waiting.QUEUE and self.cluster.kueue is not None:
            return self.cluster.kueue.patience
        return self.cluster.starting if hold.waiting is Waiting.SERVER else self.cluster.pending

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """KubeSpawner's stream of the pod's events, and what it waits for where no event says it."""
        told = ""
        async for one in _with_ticks(super().progress(), _LOOK_EVERY):
            if one is not None:
                yield one
            if self._held_up and self._held_up != told:
                told = self._held_up
                yield {"message": told}


async def _with_ticks(
    stream: AsyncIterator[dict[str, Any]], every: float
) -> AsyncIterator[dict[str, Any] | None]:
    """A stream with None in it whenever it has been silent for so many seconds."""
    following = aiter(stream)
    coming = asyncio.ensure_future(anext(following))
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=every)
            if not done:
                yield None
                continue
            try:
                one = coming.result()
            except StopAsyncIteration:
                return
            yield one
            coming = asyncio.ensure_future(anext(following))
    finally:
        coming.cancel()
