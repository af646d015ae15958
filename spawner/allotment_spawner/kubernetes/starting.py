"""KubeSpawner with its start watched, its end believed only when the cluster says so, and never forced.

Nothing here knows of admission: see :mod:`allotment_spawner.kubernetes.spawner`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from time import time
from typing import Any

import aiohttp
from kubernetes_asyncio.client.exceptions import ApiException
from kubespawner.reflector import ResourceReflector
from kubespawner.spawner import EventReflector, KubeSpawner, PodReflector
from traitlets import Float, Instance

from allotment.inventory.kubernetes import pods
from allotment.inventory.kubernetes.connecting import ClusterAway
from allotment.inventory.kubernetes.identity import is_elsewhere
from allotment.settings.kubernetes import KubernetesSettings
from allotment_spawner.kubernetes import ends, refusals
from allotment_spawner.kubernetes.ends import Hold, Pod, Waiting
from allotment_spawner.kubernetes.kueue import KueueWord
from allotment_spawner.kubernetes.reflecting import (
    EventsByPod,
    EventsOfOnePod,
    RememberingPods,
    has_given_up,
)

_OURS = {PodReflector: RememberingPods, EventReflector: EventsByPod}
"""Which watch takes the place of KubeSpawner's."""
_LOOK_EVERY = 1.0
"""Seconds between two looks at a pod that is starting."""

_starting: ContextVar[object] = ContextVar("starting", default=None)
"""Whose start this is a part of. KubeSpawner starts tasks in the midst of it, which inherit it."""


class PodServer(KubeSpawner):
    """One server in one pod."""

    cluster = Instance(KubernetesSettings, help="The cluster, as the settings file says it.").tag(
        config=True
    )

    end_words = ""
    """Why the pod ended, as far as it or the cluster has said."""
    ending_patience = Float(
        20.0,
        help="Seconds that a stop waits for a pod's end before its devices stay held until it is seen to be gone.",
    ).tag(config=True)
    lost_after = Float(
        30.0,
        help="Seconds after the end of its grace from which a pod that is still there counts as lost with its node.",
    ).tag(config=True)
    pod_cluster = ""
    """Which cluster its pod is in; empty where that is not known."""
    unanswered: float | None = None
    """When the cluster was last asked to make its pod and was not heard to answer, in seconds since the epoch."""
    _held_up = ""
    """What holds its start up, in the cluster's own words."""
    _seen = ""
    """The uid of its pod, once it was seen in this start."""

    # What KubeSpawner watches.

    async def _start_reflector(
        self,
        kind: str,
        reflector_class: type[ResourceReflector],
        replace: bool = False,  # noqa: FBT001, FBT002 - KubeSpawner's signature
        **more: Any,
    ) -> ResourceReflector:
        """Start KubeSpawner's shared watch as one of ours, and anew where it had given up."""
        reflector_class = _OURS.get(reflector_class, reflector_class)
        known = self.reflectors.get(self._get_reflector_key(kind))
        replace = replace or has_given_up(known)
        started: ResourceReflector = await super()._start_reflector(
            kind, reflector_class, replace=replace, **more
        )
        return started

    @property
    def event_reflector(self) -> EventsOfOnePod | None:
        """What KubeSpawner reads events from: of all those that are watched, its pod's."""
        watched = super().event_reflector
        return watched.of_pod(self.pod_name) if isinstance(watched, EventsByPod) else watched

    @property
    def _pod_key(self) -> str:
        return f"{self.namespace}/{self.pod_name}"

    @property
    def _last_pod(self) -> dict[str, Any] | None:
        """The pod as it is, or as it was before it went; None where it was never seen."""
        reflector = self.pod_reflector
        return None if reflector is None else reflector.last_word(self._pod_key)

    # Starting.

    async def start(self) -> Any:
        """Start the pod, and give it up by policy, with the cluster's own word for why.

        Raises:
            LaunchRefused: it ended, it waited longer than the settings allow, or the cluster did not answer.
        """
        self.end_words = self._held_up = self._seen = ""
        self.unanswered = None
        token = _starting.set(self)
        try:
            begun = super().start()
        finally:
            _starting.reset(token)
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

    @property
    def within_start(self) -> bool:
        """Whether KubeSpawner itself calls, in the midst of a start: it stops what is in its way."""
        return _starting.get() is self

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

    # Running and ending.

    async def poll(self) -> int | None:
        """Whether the pod runs (None), else its exit status. What nobody answers counts as running.

        KubeSpawner's watch may be behind or begin anew: that a pod is gone is asked of the cluster.
        """
        try:
            status: int | None = await super().poll()
            pod = self.pod_reflector.pods.get(self._pod_key)
            if pod is None:
                pod = await self._read_pod()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no news of the pod
            self.log.warning("The pod %s is not known to have ended: %s", self._pod_key, error)
            return None
        if pod is None:
            self.end_words = self._words_of_a_deleted_pod()
            return status or 1
        if ends.is_lost(pod, datetime.now(UTC), timedelta(seconds=self.lost_after)):
            self.end_words = ends.lost_words(pod)
            return status or 1
        if not ends.is_over(pod):
            return None
        self.end_words = ends.end_words(pod)
        return 1 if status is None else status

    async def _read_pod(self) -> dict[str, Any] | None:
        """The pod as the cluster has it now; None where it answers that there is none.

        Raises:
            ClusterAway: another cluster answers than the one that has it.
        """
        try:
            found = await self.api.read_namespaced_pod(
                self.pod_name, self.namespace, _request_timeout=self.k8s_api_request_timeout
            )
        except ApiException as error:
            if not pods.is_not_there(error, self.pod_name):
                raise
            if await is_elsewhere(self.api, self.pod_cluster, self.cluster.gone_clusters):
                message = f"another cluster answers than {self.pod_cluster}, where it is"
                raise ClusterAway(message) from None
            return None
        return dict(self.api.api_client.sanitize_for_serialization(found))

    def _words_of_a_deleted_pod(self) -> str:
        last = self._last_pod
        words = ends.end_words(last) if last else ""
        return words or ends.DELETED

    async def stop(self, now: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - JupyterHub's signature
        """Delete the pod, always with its grace: one that is deleted at once is forgotten while it runs.

        One that does not end in time is left to whoever proves it gone: KubeSpawner would wait as long
        as a start may take, and fail.
        """
        ending = super().stop(False)  # noqa: FBT003 - KubeSpawner's signature
        if self.within_start:
            await ending
            return
        try:
            await asyncio.wait_for(ending, self.ending_patience + self.delete_grace_period)
        except TimeoutError:
            self.log.warning("The pod %s has not ended in time.", self._pod_key)

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over a server that an earlier run of the hub started."""
        super().load_state(state)
        self.pod_cluster = str(state.get("pod_cluster", ""))

    def get_state(self) -> dict[str, Any]:
        """What JupyterHub stores: which cluster the pod is in, too."""
        state: dict[str, Any] = super().get_state()
        return state | ({"pod_cluster": self.pod_cluster} if self.pod_cluster else {})


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
