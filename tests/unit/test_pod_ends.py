"""Why a pod has ended and what it waits for are told in the cluster's own words, for its user."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from allotment_spawner.kubernetes.ends import (
    Hold,
    Waiting,
    end_words,
    hold_of,
    is_lost,
    is_over,
    lost_words,
)

UNSCHEDULABLE = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."


def pod(
    phase: str = "Running", state: dict[str, Any] | None = None, **status: Any
) -> dict[str, Any]:
    statuses = [] if state is None else [{"name": "notebook", "image": "lab:1", "state": state}]
    container = {"name": "notebook", "resources": {"limits": {"memory": "17179869184"}}}
    return {
        "spec": {"containers": [container]},
        "status": {"phase": phase, "containerStatuses": statuses, **status},
    }


def ended(reason: str, code: int, message: str = "") -> dict[str, Any]:
    return {"terminated": {"reason": reason, "exitCode": code, "message": message}}


def disrupted(reason: str, message: str) -> list[dict[str, str]]:
    return [{"type": "DisruptionTarget", "status": "True", "reason": reason, "message": message}]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (pod("Failed", ended("OOMKilled", 137)), "It ran out of memory (16 GiB)."),
        (pod("Failed", ended("Error", 3)), "It ended by itself (exit status 3)."),
        (pod("Succeeded", ended("Completed", 0)), "It ended by itself."),
        (
            pod("Failed", ended("StartError", 128, "exec: no such file")),
            "Its container could not be started: exec: no such file",
        ),
        (
            pod("Failed", reason="Evicted", message="The node was low on resource: memory. "),
            "It was evicted: The node was low on resource: memory.",
        ),
        (
            pod("Failed", reason="UnexpectedAdmissionError", message="Allocate failed"),
            "Its node ended it (UnexpectedAdmissionError): Allocate failed",
        ),
        (
            pod(conditions=disrupted("EvictionByEvictionAPI", "Eviction API: evicting")),
            "It was evicted: its node is being emptied. Eviction API: evicting",
        ),
        (
            pod(conditions=disrupted("PreemptionByScheduler", "preempting to accommodate")),
            "It was evicted: it made room for a pod of higher priority. preempting to accommodate",
        ),
        (
            pod("Succeeded", ended("Completed", 0)) | {"metadata": {"deletionTimestamp": "now"}},
            "Its pod was deleted by somebody outside of the platform.",
        ),
        (pod(state={"running": {}}), ""),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "pod",
)
def test_its_user_reads_why_a_pod_ended(found: dict[str, Any], words: str) -> None:
    said = end_words(found)

    assert said.startswith(words)
    assert bool(said) is bool(words)


@pytest.mark.parametrize(
    ("found", "over"),
    [
        (pod("Failed"), True),
        (pod("Succeeded"), True),
        (pod("Running", ended("Error", 1)), True),
        (pod("Running", {"running": {}}), False),
        (pod("Pending"), False),
    ],
    ids=["failed", "succeeded", "container ended", "runs", "pending"],
)
def test_a_pod_is_over_when_its_server_is(found: dict[str, Any], over: bool) -> None:
    assert is_over(found) is over


def scheduled(status: str, message: str = "") -> list[dict[str, str]]:
    return [{"type": "PodScheduled", "status": status, "message": message}]


def test_a_pod_without_a_node_says_what_the_scheduler_said() -> None:
    found = pod("Pending", conditions=scheduled("False", UNSCHEDULABLE))

    assert hold_of(found) == Hold(Waiting.NODE, UNSCHEDULABLE)


def test_a_pod_that_kueue_has_not_admitted_waits_for_its_turn() -> None:
    found = pod("Pending", conditions=scheduled("False", "Scheduling is blocked"))
    found["spec"]["schedulingGates"] = [{"name": "kueue.x-k8s.io/admission"}]

    hold = hold_of(found)

    assert hold is not None
    assert hold.waiting is Waiting.QUEUE
    assert "Kueue" in hold.words


def test_an_image_that_cannot_be_had_is_named() -> None:
    state = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}

    hold = hold_of(pod("Pending", state, conditions=scheduled("True")))

    assert hold is not None
    assert hold.waiting is Waiting.SERVER
    assert hold.words.startswith("The image lab:1 cannot be had (ImagePullBackOff).")


def test_a_pod_that_runs_waits_for_nothing() -> None:
    assert hold_of(pod("Running", {"running": {}}, conditions=scheduled("True"))) is None


@pytest.mark.parametrize(
    ("until", "lost"),
    [
        (None, False),
        ("2026-11-23T10:00:30Z", False),
        ("2026-11-23T09:59:30Z", False),
        ("2026-11-23T09:59:29Z", True),
        ("2026-11-23T09:59:29+00:00", True),
    ],
)
def test_a_pod_is_lost_that_should_have_ended_half_a_minute_ago(
    until: str | None, lost: bool
) -> None:
    found = pod() | {"metadata": {"deletionTimestamp": until} if until else {}}
    now = datetime(2026, 11, 23, 10, tzinfo=UTC)

    assert is_lost(found, now, timedelta(seconds=30)) == lost


def test_a_lost_pod_says_why_it_was_to_end_and_that_nobody_knows_whether_it_has() -> None:
    message = "Taint manager: deleting due to NoExecute taint"
    found = pod(conditions=disrupted("DeletionByTaintManager", message))

    words = lost_words(found | {"metadata": {"deletionTimestamp": "2026-11-23T09:00:00Z"}})

    assert words.startswith(f"It was evicted: its node does not let it stay. {message}")
    assert words.endswith("Its node has not said that it ended: what it holds is free when it has.")
