"""The scheduler: gives each pod that waits to a node that fits, or says why none does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from . import kinds
from .events import Recorder
from .fitting import Misfit, Room, least_used, misfits, no_fit
from .preempting import NO_VICTIMS_YET, Choice, choose_victims, terminating_for
from .registry import Registry, stamp
from .statuses import ApiError, Document
from .store import Change
from .subresources import Subresources, add_condition

NAME = "default-scheduler"
ENDED = ("Succeeded", "Failed")


class Scheduler:
    """Binds pods, those of the highest priority first."""

    def __init__(self, registry: Registry, subresources: Subresources) -> None:
        self._registry = registry
        self._subresources = subresources
        self._recorder = Recorder(registry, NAME)
        self._waiting: dict[str, Document] = {}
        self._said: dict[str, str] = {}

    def round(self, changes: Sequence[Change]) -> None:
        """Look at every pod that waits, if anything has changed that could matter to it."""
        for change in changes:
            if change.key == kinds.PODS.key:
                self._note(change)
        if not self._waiting or not any(matters(change) for change in changes):
            return
        store = self._registry.store
        rooms = rooms_of(store.all(kinds.NODES), store.all(kinds.PODS))
        for pod in sorted(self._waiting.values(), key=turn):
            self._place(pod, rooms)

    def _note(self, change: Change) -> None:
        uid = change.document["metadata"]["uid"]
        if change.type != "DELETED" and waits(change.document):
            self._waiting[uid] = change.document
        else:
            self._waiting.pop(uid, None)
            self._said.pop(uid, None)

    def _place(self, pod: Document, rooms: list[Room]) -> None:
        if pod["spec"].get("schedulingGates"):
            message = "Scheduling is blocked due to non-empty scheduling gates"
            self._say(pod, "SchedulingGated", message)
            return
        found: dict[str, list[Misfit]] = {room.name: misfits(pod, room) for room in rooms}
        fitting = [room for room in rooms if not found[room.name]]
        if fitting:
            self._bind(pod, least_used(fitting))
        else:
            self._say(pod, "Unschedulable", no_fit(found, self._preempt(pod, rooms, found)))

    def _bind(self, pod: Document, room: Room) -> None:
        metadata = pod["metadata"]
        room.take(pod)
        try:
            self._subresources.bind(metadata["namespace"], metadata["name"], room.name)
        except ApiError:
            # Deleted or bound by somebody else a moment ago: the next round knows.
            return
        message = f"Successfully assigned {metadata['namespace']}/{metadata['name']} to {room.name}"
        self._recorder.note_new(pod, "Normal", "Scheduled", message, "Binding")

    def _preempt(self, pod: Document, rooms: list[Room], found: dict[str, list[Misfit]]) -> str:
        """End pods of less priority for one; what is to be said of it, or nothing special."""
        if pod["spec"].get("preemptionPolicy") == "Never":
            return "preemption: not eligible due to preemptionPolicy=Never."
        nominated = pod["status"].get("nominatedNodeName")
        if terminating_for(pod, nominated, rooms):
            return NO_VICTIMS_YET
        choice = choose_victims(pod, rooms, found)
        if choice is None:
            return ""
        for victim in choice.victims:
            self._end(victim, pod, choice.room.name)
        self._nominate(pod, choice)
        return " "

    def _nominate(self, pod: Document, choice: Choice) -> None:
        metadata = pod["metadata"]
        choice.room.take(pod)

        def nominated(found: Document) -> None:
            found["status"]["nominatedNodeName"] = choice.room.name

        namespace, name = metadata["namespace"], metadata["name"]
        self._registry.change(kinds.PODS, namespace, name, nominated, "status")

    def _end(self, victim: Document, pod: Document, node: str) -> None:
        metadata = victim["metadata"]
        why = {
            "type": "DisruptionTarget",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": stamp(self._registry.clock()),
            "reason": "PreemptionByScheduler",
            "message": f"{NAME}: preempting to accommodate a higher priority pod",
        }
        namespace, name = metadata["namespace"], metadata["name"]
        self._registry.change(
            kinds.PODS, namespace, name, lambda found: add_condition(found, why), "status"
        )
        self._registry.delete(kinds.PODS, namespace, name)
        message = f"Preempted by pod {pod['metadata']['uid']} on node {node}"
        self._recorder.note_new(victim, "Normal", "Preempted", message, "Preempting")

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
        namespace, name = metadata["namespace"], metadata["name"]
        self._registry.change(
            kinds.PODS, namespace, name, lambda found: add_condition(found, condition), "status"
        )
        if reason == "Unschedulable":
            self._recorder.note_new(pod, "Warning", "FailedScheduling", message, "Scheduling")


def turn(pod: Document) -> tuple[int, str, str]:
    """In which order pods are looked at: priority, then age."""
    metadata = pod["metadata"]
    return -pod["spec"].get("priority", 0), metadata["creationTimestamp"], metadata["name"]


def waits(pod: Document) -> bool:
    """Whether a pod is for this scheduler to place."""
    spec = pod["spec"]
    ended = pod["status"].get("phase") in ENDED
    ends = "deletionTimestamp" in pod["metadata"]
    return not spec.get("nodeName") and not ended and not ends and spec.get("schedulerName") == NAME


def matters(change: Change) -> bool:
    """Whether a change can make a difference to where pods fit."""
    if change.key not in (kinds.PODS.key, kinds.NODES.key):
        return False
    if change.before is None or change.type == "DELETED":
        return True
    what = pod_facts if change.key == kinds.PODS.key else node_facts
    return what(change.before) != what(change.document)


def pod_facts(pod: Document) -> tuple[object, ...]:
    """What of a pod the scheduler looks at."""
    spec, ended = pod["spec"], pod["status"].get("phase") in ENDED
    gates = spec.get("schedulingGates")
    return spec.get("nodeName"), ended, gates, "deletionTimestamp" in pod["metadata"]


def node_facts(node: Document) -> tuple[object, ...]:
    """What of a node the scheduler looks at."""
    return node.get("spec"), node["metadata"].get("labels"), node["status"].get("allocatable")


def rooms_of(nodes: Iterable[Document], pods: Iterable[Document]) -> list[Room]:
    """The nodes with the pods that they have, those excepted that have ended."""
    rooms = {node["metadata"]["name"]: Room(node) for node in nodes}
    for pod in pods:
        node = pod["spec"].get("nodeName")
        if node in rooms and pod["status"].get("phase") not in ENDED:
            rooms[node].take(pod)
    return list(rooms.values())
