"""Why a pod has ended, and what keeps one from starting, in words that its user can read.

Pods are read as the cluster's own documents, for that is what KubeSpawner keeps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from allotment.model.amounts import format_memory
from allotment.model.pods import KUEUE_GATE, NOTEBOOK

Pod = Mapping[str, Any]

_OVER = frozenset({"Failed", "Succeeded"})
_DISRUPTED = ("DisruptionTarget", "TerminationTarget")
"""Conditions by which a pod says that somebody else than its owner ends it."""
_DISRUPTIONS = {
    "EvictionByEvictionAPI": "Its node is being emptied",
    "DeletionByTaintManager": "Its node does not let it stay",
    "DeletionByPodGC": "Its node is gone",
    "PreemptionByScheduler": "It made room for a pod of higher priority",
    "TerminationByKubelet": "Its node ended it",
    "StoppedByKueue": "Kueue gave its place to another",
}
DELETED = "Its pod was deleted by somebody outside of the platform."
_IMAGE = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
_LONGEST = 400


class Waiting(StrEnum):
    """What a pod that does not run yet waits for."""

    QUEUE = "queue"
    """Kueue has not admitted it."""
    NODE = "node"
    """No node has room for it, or nobody has looked yet."""
    SERVER = "server"
    """It has a node: its image, its volumes and its container are made ready."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What a pod waits for, and the cluster's own word about it; empty where it has none."""

    waiting: Waiting
    words: str = ""


def is_over(pod: Pod) -> bool:
    """Whether the pod has ended for good, its server with it."""
    return _phase(pod) in _OVER or _terminated(pod) is not None


def is_lost(pod: Pod, now: datetime, slack: timedelta) -> bool:
    """Whether the pod should have ended by now and nobody says that it has: its node does not answer.

    ``slack`` is what the clocks of hub and cluster may differ by, and what an end may take.
    """
    until = (pod.get("metadata") or {}).get("deletionTimestamp")
    return until is not None and now > datetime.fromisoformat(str(until)) + slack


def lost_words(pod: Pod) -> str:
    """The same for its user: why it was to end, and that its devices are not free."""
    return (
        f"{end_words(pod)} Its node has not said that it ended: what it holds is free when it has."
    )


def end_words(pod: Pod) -> str:
    """Why a pod has ended, or is being ended by others than its owner; empty where it says nothing."""
    status = pod.get("status") or {}
    if status.get("reason"):
        return _evicted(str(status["reason"]), str(status.get("message") or ""))
    ended = _terminated(pod)
    if ended is not None and ended.get("reason") == "OOMKilled":
        return _out_of_memory(pod)
    for condition in status.get("conditions") or ():
        if condition.get("type") in _DISRUPTED and condition.get("status") == "True":
            return _disrupted(condition)
    if (pod.get("metadata") or {}).get("deletionTimestamp"):
        return DELETED
    return "" if ended is None else _exited(ended)


def hold_of(pod: Pod) -> Hold | None:
    """What a pod waits for that does not run yet; None once its server's container runs."""
    waits = next(_waits(pod), None)
    if _phase(pod) == "Running" and waits is None:
        return None
    gates = (pod.get("spec") or {}).get("schedulingGates") or ()
    if any(one.get("name") == KUEUE_GATE for one in gates):
        return Hold(Waiting.QUEUE, "It waits for Kueue's admission.")
    scheduled = _condition(pod, "PodScheduled")
    if scheduled.get("status") != "True":
        return Hold(Waiting.NODE, _short(scheduled.get("message")))
    return Hold(Waiting.SERVER, waits or "")


def _waits(pod: Pod) -> Iterator[str]:
    """Why containers wait that do not for long in the usual course, in the kubelet's words."""
    for container in (pod.get("status") or {}).get("containerStatuses") or ():
        waiting = (container.get("state") or {}).get("waiting")
        if waiting is None:
            continue
        reason, message = str(waiting.get("reason") or ""), _short(waiting.get("message"))
        if reason in _IMAGE:
            yield f"The image {container.get('image')} cannot be had ({reason}). {message}".strip()
        elif message:
            yield f"{reason}: {message}"


def _evicted(reason: str, message: str) -> str:
    said = _short(message)
    if reason == "Evicted":
        return f"It was evicted: {said}" if said else "It was evicted from its node."
    return f"Its node ended it ({reason}): {said}" if said else f"Its node ended it ({reason})."


def _disrupted(condition: Mapping[str, Any]) -> str:
    reason, said = str(condition.get("reason") or ""), _short(condition.get("message"))
    words = _DISRUPTIONS.get(reason, f"The cluster ended it ({reason})")
    return f"It was evicted: {words[0].lower()}{words[1:]}. {said}".strip()


def _out_of_memory(pod: Pod) -> str:
    limit = next(
        (
            ((one.get("resources") or {}).get("limits") or {}).get("memory")
            for one in (pod.get("spec") or {}).get("containers") or ()
            if one.get("name") == NOTEBOOK
        ),
        None,
    )
    had = f" ({_amount(str(limit))})" if limit else ""
    return f"It ran out of memory{had}. Launch a larger size, or load less at once."


def _amount(written: str) -> str:
    return format_memory(int(written)) if written.isdecimal() else written


def _exited(ended: Mapping[str, Any]) -> str:
    code, said = ended.get("exitCode"), _short(ended.get("message"))
    if ended.get("reason") == "StartError":
        return f"Its container could not be started: {said}"
    return f"It ended by itself (exit status {code})." if code else "It ended by itself."


def _terminated(pod: Pod) -> Mapping[str, Any] | None:
    for container in (pod.get("status") or {}).get("containerStatuses") or ():
        if container.get("name") == NOTEBOOK:
            found: Mapping[str, Any] | None = (container.get("state") or {}).get("terminated")
            return found
    return None


def _condition(pod: Pod, kind: str) -> Mapping[str, Any]:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one.get("type") == kind), {})


def _phase(pod: Pod) -> str:
    return str((pod.get("status") or {}).get("phase") or "")


def _short(text: object) -> str:
    said = " ".join(str(text or "").split())
    return said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"
