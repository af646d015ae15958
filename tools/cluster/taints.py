"""Nodes that are tainted so that pods must leave (NoExecute), at once or after a time."""

from __future__ import annotations

import asyncio

from . import kinds
from .events import Recorder
from .fitting import tolerates
from .registry import Registry, stamp
from .statuses import ApiError, Document
from .subresources import add_condition


class Taints:
    """Deletes the pods that do not tolerate, or no longer."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._recorder = Recorder(registry, "taint-eviction-controller")
        self._timers: dict[tuple[str, str], asyncio.TimerHandle] = {}

    def look(self, node: Document) -> None:
        """See which pods of a node must leave, and when."""
        taints = [one for one in node["spec"].get("taints") or [] if one["effect"] == "NoExecute"]
        for pod in self._registry.store.all(kinds.PODS):
            if pod["spec"].get("nodeName") == node["metadata"]["name"]:
                self.look_at(pod, taints)

    def look_at(self, pod: Document, taints: list[Document]) -> None:
        """See when one pod must leave."""
        uid = pod["metadata"]["uid"]
        for key, timer in list(self._timers.items()):
            if key[0] == uid and all(one["key"] != key[1] for one in taints):
                timer.cancel()
                del self._timers[key]
        for taint in taints:
            seconds = tolerated(pod, taint)
            if seconds == 0:
                self.end(pod)
            elif seconds is not None and (uid, taint["key"]) not in self._timers:
                loop = asyncio.get_running_loop()
                self._timers[uid, taint["key"]] = loop.call_later(seconds, self.end, pod)

    def lose_patience(self, node: str) -> None:
        """Let the time be over that the pods of a node tolerate."""
        for (uid, _), timer in list(self._timers.items()):
            for pod in self._registry.store.all(kinds.PODS):
                if pod["metadata"]["uid"] == uid and pod["spec"].get("nodeName") == node:
                    timer.cancel()
                    self.end(pod)

    def end(self, pod: Document) -> None:
        """Delete a pod, and say why."""
        metadata = pod["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        found = self._registry.store.find(kinds.PODS, namespace, name)
        if found is None or found["metadata"]["uid"] != metadata["uid"]:
            return
        if "deletionTimestamp" in found["metadata"]:
            return
        why = {
            "type": "DisruptionTarget",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": stamp(self._registry.clock()),
            "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint",
        }
        message = f"Marking for deletion Pod {namespace}/{name}"
        self._recorder.note(pod, "Normal", "TaintManagerEviction", message)
        try:
            self._registry.change(
                kinds.PODS, namespace, name, lambda one: add_condition(one, why), "status"
            )
            self._registry.delete(kinds.PODS, namespace, name)
        except ApiError as refusal:
            if refusal.code != 404:  # noqa: PLR2004 - gone meanwhile
                raise

    def close(self) -> None:
        """Wait for nothing more."""
        for timer in self._timers.values():
            timer.cancel()


def tolerated(pod: Document, taint: Document) -> float | None:
    """Seconds that a pod may stay; none where it may for ever."""
    given = [one for one in pod["spec"].get("tolerations") or [] if tolerates(one, taint)]
    if not given:
        return 0
    limits = [one["tolerationSeconds"] for one in given if "tolerationSeconds" in one]
    return max(0.0, float(min(limits))) if limits else None
