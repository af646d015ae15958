"""The scheduler: gives each pod that waits to a node that fits, or says why none does."""

from __future__ import annotations

from collections.abc import Iterable

from . import kinds
from .events import Recorder
from .fitting import Misfit, Room, least_used, misfits, no_fit
from .registry import Registry, stamp
from .statuses import ApiError, Document
from .subresources import Subresources, add_condition

NAME = "default-scheduler"


class Scheduler:
    """Binds pods, those of the highest priority first."""

    def __init__(self, registry: Registry, subresources: Subresources) -> None:
        self._registry = registry
        self._subresources = subresources
        self._recorder = Recorder(registry, NAME)
        self._said: dict[str, str] = {}

    def round(self) -> None:
        """Look at every pod that waits."""
        pods = self._registry.store.all(kinds.PODS)
        waiting = [pod for pod in pods if waits(pod)]
        if not waiting:
            return
        rooms = rooms_of(self._registry.store.all(kinds.NODES), pods)
        waiting.sort(
            key=lambda pod: (
                -pod["spec"].get("priority", 0),
                int(pod["metadata"]["resourceVersion"]),
            )
        )
        for pod in waiting:
            self._place(pod, rooms)

    def _place(self, pod: Document, rooms: list[Room]) -> None:
        if pod["spec"].get("schedulingGates"):
            self._say(
                pod, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates"
            )
            return
        found: dict[str, list[Misfit]] = {room.name: misfits(pod, room) for room in rooms}
        fitting = [room for room in rooms if not found[room.name]]
        if not fitting:
            self._say(pod, "Unschedulable", no_fit(found))
            return
        room = least_used(fitting)
        metadata = pod["metadata"]
        try:
            self._subresources.bind(metadata["namespace"], metadata["name"], room.name)
        except ApiError:
            return
        room.take(pod)
        self._said.pop(metadata["uid"], None)
        message = f"Successfully assigned {metadata['namespace']}/{metadata['name']} to {room.name}"
        self._recorder.note_new(pod, "Normal", "Scheduled", message, "Binding")

    def _say(self, pod: Document, reason: str, message: str) -> None:
        metadata = pod["metadata"]
        if self._said.get(metadata["uid"]) == message:
            return
        self._said[metadata["uid"]] = message
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "lastProbeTime": None,
            "lastTransitionTime": stamp(self._registry.clock()),
            "reason": reason,
            "message": message,
        }
        self._registry.change(
            kinds.PODS,
            metadata["namespace"],
            metadata["name"],
            lambda found: add_condition(found, condition),
            "status",
        )
        if reason == "Unschedulable":
            self._recorder.note_new(pod, "Warning", "FailedScheduling", message, "Scheduling")


def waits(pod: Document) -> bool:
    """Whether a pod is for this scheduler to place."""
    spec = pod["spec"]
    ended = pod["status"].get("phase") in ("Succeeded", "Failed")
    ends = "deletionTimestamp" in pod["metadata"]
    return not spec.get("nodeName") and not ended and not ends and spec.get("schedulerName") == NAME


def rooms_of(nodes: Iterable[Document], pods: Iterable[Document]) -> list[Room]:
    """The nodes with the pods that they have, those excepted that have ended."""
    rooms = {node["metadata"]["name"]: Room(node) for node in nodes}
    for pod in pods:
        node = pod["spec"].get("nodeName")
        if node in rooms and pod["status"].get("phase") not in ("Succeeded", "Failed"):
            rooms[node].take(pod)
    return list(rooms.values())
