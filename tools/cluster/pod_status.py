"""The status of a pod as the kubelet writes it: phases, conditions, states of containers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .statuses import Document


@dataclass
class ContainerState:
    """Where a container stands."""

    name: str
    image: str
    state: Document = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last: Document = field(default_factory=dict)
    ready: bool = False
    restarts: int = 0
    container_id: str = ""

    def document(self) -> Document:
        """As one of containerStatuses."""
        found: Document = {
            "name": self.name,
            "state": self.state,
            "lastState": self.last,
            "ready": self.ready,
            "restartCount": self.restarts,
            "image": self.image,
            "imageID": f"{self.image}@sha256:{'0' * 64}" if self.container_id else "",
            "started": "running" in self.state,
        }
        if self.container_id:
            found["containerID"] = self.container_id
        return found


def terminated(
    code: int, reason: str, started: str, finished: str, container_id: str, message: str = ""
) -> Document:
    """The state of a container that has ended."""
    state: Document = {
        "exitCode": code,
        "reason": reason,
        "startedAt": started,
        "finishedAt": finished,
        "containerID": container_id,
    }
    if message:
        state["message"] = message
    return {"terminated": state}


def phase_of(states: Sequence[ContainerState], policy: str) -> str:
    """The phase that the states of the containers make."""
    ended = [one.state["terminated"]["exitCode"] for one in states if "terminated" in one.state]
    if len(ended) == len(states) and policy != "Always":
        if not any(ended):
            return "Succeeded"
        return "Running" if policy == "OnFailure" else "Failed"
    if any("running" in one.state or one.restarts for one in states):
        return "Running"
    return "Running" if ended else "Pending"


def conditions_of(
    phase: str, states: Sequence[ContainerState], at: str, before: Sequence[Document]
) -> list[Document]:
    """The conditions that the kubelet sets; those of others stay."""
    unready = [one.name for one in states if not one.ready]
    finished = phase in ("Succeeded", "Failed")
    started = any(one.container_id for one in states)
    reason = (
        "PodCompleted"
        if phase == "Succeeded"
        else "PodFailed"
        if finished
        else "ContainersNotReady"
    )
    message = f"containers with unready status: [{' '.join(unready)}]"
    not_ready: Document = {"status": "False", "reason": reason}
    if reason == "ContainersNotReady":
        not_ready["message"] = message
    ready = {"status": "True"} if not unready and phase == "Running" else not_ready
    initialized: Document = {"status": "True"}
    if phase == "Succeeded":
        initialized["reason"] = "PodCompleted"
    wanted: list[Document] = [
        {
            "type": "PodReadyToStartContainers",
            "status": "True" if started and not finished else "False",
        },
        {"type": "Initialized"} | initialized,
        {"type": "Ready"} | ready,
        {"type": "ContainersReady"} | ready,
    ]
    return [*(dated(one, at, before) for one in wanted), *others(before)]


def dated(condition: Document, at: str, before: Sequence[Document]) -> Document:
    """A condition with the time when its status last changed."""
    old = next((one for one in before if one["type"] == condition["type"]), None)
    since = old["lastTransitionTime"] if old and old["status"] == condition["status"] else at
    return condition | {"lastProbeTime": None, "lastTransitionTime": since}


OWN = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady")


def others(before: Sequence[Document]) -> list[Document]:
    """The conditions that the kubelet does not set."""
    return [one for one in before if one["type"] not in OWN]
