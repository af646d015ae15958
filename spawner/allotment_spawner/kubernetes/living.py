"""A server's pod while it lives: what is known of it, whether it runs, and its end.

Its end is believed only when the cluster says so, and never forced.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any

from kubernetes_asyncio.client.exceptions import ApiException
from kubespawner.reflector import ResourceReflector
from kubespawner.spawner import EventReflector, KubeSpawner, PodReflector
from traitlets import Float, Instance

from allotment.inventory.kubernetes import pods
from allotment.inventory.kubernetes.connecting import ClusterAway
from allotment.inventory.kubernetes.identity import may_be_elsewhere
from allotment.settings.kubernetes import KubernetesSettings
from allotment_spawner.kubernetes import ends
from allotment_spawner.kubernetes.reflecting import (
    EventsByPod,
    EventsOfOnePod,
    RememberingPods,
    has_given_up,
)

_OURS = {PodReflector: RememberingPods, EventReflector: EventsByPod}
"""Which watch takes the place of KubeSpawner's."""

starting: ContextVar[object] = ContextVar("starting", default=None)
"""Whose start this is a part of. KubeSpawner starts tasks in the midst of it, which inherit it."""


class LivingPod(KubeSpawner):
    """KubeSpawner's pod, looked at with what the platform knows of clusters."""

    cluster = Instance(KubernetesSettings, help="The cluster, as the settings file says it.").tag(
        config=True
    )
    ending_patience = Float(
        20.0,
        help="Seconds that a stop waits for a pod's end before its devices stay held until it is seen to be gone.",
    ).tag(config=True)
    lost_after = Float(
        30.0,
        help="Seconds after the end of its grace from which a pod that is still there counts as lost with its node.",
    ).tag(config=True)
    end_words = ""
    """Why the pod ended, as far as it or the cluster has said."""
    pod_cluster = ""
    """Which cluster its pod is in; empty where that is not known."""

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

    @property
    def within_start(self) -> bool:
        """Whether KubeSpawner itself calls, in the midst of a start: it stops what is in its way."""
        return starting.get() is self

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
        if ends.is_over(pod):
            self.end_words = ends.end_words(pod)
            return 1 if status is None else status
        if ends.is_lost(pod, datetime.now(UTC), timedelta(seconds=self.lost_after)):
            self.end_words = ends.lost_words(pod)
            return status or 1
        return None

    async def _read_pod(self) -> dict[str, Any] | None:
        """The pod as the cluster has it now; None where it answers that there is none.

        Raises:
            ClusterAway: another cluster may answer than the one that has it.
        """
        try:
            found = await self.api.read_namespaced_pod(
                self.pod_name, self.namespace, _request_timeout=self.k8s_api_request_timeout
            )
        except ApiException as error:
            if not pods.is_not_there(error, self.pod_name):
                raise
            if await may_be_elsewhere(self.api, self.pod_cluster, self.cluster.gone_clusters):
                message = f"another cluster may answer than {self.pod_cluster}, where it is"
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
