"""The kubelet of the tests' cluster runs pods as processes, and tells their end as a real one does."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from kubernetes_asyncio import client

from cluster import Cluster

Pod = Callable[..., dict[str, Any]]


@pytest.fixture
def node(kubernetes: Cluster, namespace: str) -> Any:
    """A node of this test's own; its pods name it."""
    kubernetes.add_node(namespace)
    yield namespace
    if any(one["metadata"]["name"] == namespace for one in kubernetes.nodes()):
        kubernetes.remove_node(namespace)


@pytest.fixture
def phase(core: client.CoreV1Api, namespace: str, eventually: Any) -> Any:
    """Wait until a pod is in a phase, and return it."""

    async def reached(name: str, *phases: str) -> Any:
        async def asked() -> Any:
            found = await core.read_namespaced_pod(name, namespace)
            return found if found.status.phase in phases else None

        return await eventually(asked)

    return reached


def ended(found: Any) -> Any:
    """How the pod's container ended."""
    return found.status.container_statuses[0].state.terminated


@pytest.mark.parametrize(
    ("script", "phase_", "reason", "code"),
    [("exit 0", "Succeeded", "Completed", 0), ("exit 3", "Failed", "Error", 3)],
)
async def test_a_process_that_ends_says_how(  # noqa: PLR0913, PLR0917 - fixtures and the row
    core: client.CoreV1Api,
    namespace: str,
    pod: Pod,
    node: str,
    phase: Any,
    script: str,
    phase_: str,
    reason: str,
    code: int,
) -> None:
    wanted = pod("one", "sh", "-c", script, nodeName=node, restartPolicy="Never")
    await core.create_namespaced_pod(namespace, wanted)

    found = await phase("one", "Succeeded", "Failed")

    assert found.status.phase == phase_
    assert (ended(found).reason, ended(found).exit_code) == (reason, code)


async def test_the_environment_comes_from_fields_secrets_and_maps(
    core: client.CoreV1Api, namespace: str, pod: Pod, node: str, phase: Any
) -> None:
    await core.create_namespaced_secret(
        namespace, {"metadata": {"name": "s"}, "stringData": {"k": "v"}}
    )
    secret = {"secretKeyRef": {"name": "s", "key": "k"}}
    variables = [
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "SECRET", "valueFrom": secret},
        {"name": "URL", "value": "http://0.0.0.0:8888/$(NAME)"},
    ]
    script = "echo $NAME $ADDRESS $SECRET $URL"
    made = pod("one", "sh", "-c", script, nodeName=node, restartPolicy="Never")
    made["spec"]["containers"][0]["env"] = variables
    await core.create_namespaced_pod(namespace, made)

    found = await phase("one", "Succeeded")
    written = (await core.read_namespaced_pod_log("one", namespace)).split()

    address = found.status.pod_ip
    assert re.fullmatch(r"127(\.\d+){3}", address)
    assert written == ["one", address, "v", f"http://{address}:8888/one"]


async def test_a_secret_that_is_missing_keeps_the_container_waiting(
    core: client.CoreV1Api, namespace: str, pod: Pod, node: str, eventually: Any
) -> None:
    made = pod("one", nodeName=node)
    made["spec"]["containers"][0]["envFrom"] = [{"secretRef": {"name": "none"}}]
    await core.create_namespaced_pod(namespace, made)

    async def waits() -> Any:
        found = await core.read_namespaced_pod("one", namespace)
        states = found.status.container_statuses or []
        waiting = states[0].state.waiting if states else None
        return waiting if waiting and waiting.message else None

    waiting = await eventually(waits)
    assert waiting.reason == "CreateContainerConfigError"
    assert waiting.message == 'secret "none" not found'


async def test_an_image_that_does_not_exist_is_told_in_state_and_events(
    kubernetes: Cluster,
    core: client.CoreV1Api,
    namespace: str,
    pod: Pod,
    node: str,
    eventually: Any,
) -> None:
    made = pod("one", nodeName=node, container={"image": "registry.example.org/does/not-exist:1"})
    await core.create_namespaced_pod(namespace, made)

    async def backs_off() -> Any:
        found = await core.read_namespaced_pod("one", namespace)
        states = found.status.container_statuses or []
        waiting = states[0].state.waiting if states else None
        return waiting if waiting and waiting.reason == "ImagePullBackOff" else None

    await eventually(backs_off)
    reasons = [one["reason"] for one in kubernetes.events("one", namespace)]
    assert {"Pulling", "Failed", "BackOff"} <= set(reasons)


async def test_a_deleted_pod_has_its_grace_and_is_then_gone(
    core: client.CoreV1Api, namespace: str, pod: Pod, node: str, phase: Any, eventually: Any
) -> None:
    script = "trap 'echo asked; exit 0' TERM; echo ready; while true; do sleep 0.05; done"
    await core.create_namespaced_pod(namespace, pod("one", "sh", "-c", script, nodeName=node))
    await phase("one", "Running")

    async def ready() -> bool:
        return "ready" in await core.read_namespaced_pod_log("one", namespace)

    async def gone() -> bool:
        return not (await core.list_namespaced_pod(namespace)).items

    await eventually(ready)
    marked = await core.delete_namespaced_pod("one", namespace)
    await eventually(gone)

    assert marked.metadata.deletion_grace_period_seconds == 2


async def test_a_pod_that_does_not_listen_is_killed_after_its_grace(
    core: client.CoreV1Api, namespace: str, pod: Pod, node: str, phase: Any, eventually: Any
) -> None:
    script = "trap '' TERM; while true; do sleep 0.05; done"
    deaf = pod("one", "sh", "-c", script, nodeName=node, terminationGracePeriodSeconds=1)
    await core.create_namespaced_pod(namespace, deaf)
    await phase("one", "Running")
    begun = time.monotonic()
    await core.delete_namespaced_pod("one", namespace)

    async def gone() -> bool:
        return not (await core.list_namespaced_pod(namespace)).items

    await eventually(gone)
    assert time.monotonic() - begun >= 1


async def test_a_container_without_memory_is_killed_and_says_so(
    kubernetes: Cluster,
    core: client.CoreV1Api,
    namespace: str,
    pod: Pod,
    node: str,
    phase: Any,
) -> None:
    await core.create_namespaced_pod(namespace, pod("one", nodeName=node, restartPolicy="Never"))
    await phase("one", "Running")

    kubernetes.out_of_memory("one", namespace)

    found = await phase("one", "Failed")
    assert (ended(found).reason, ended(found).exit_code) == ("OOMKilled", 137)


async def test_an_evicted_pod_stays_as_failed_with_the_nodes_reason(
    kubernetes: Cluster, core: client.CoreV1Api, namespace: str, pod: Pod, node: str, phase: Any
) -> None:
    await core.create_namespaced_pod(namespace, pod("one", nodeName=node))
    await phase("one", "Running")

    kubernetes.evict("one", namespace)

    found = await phase("one", "Failed")
    assert found.status.reason == "Evicted"
    assert found.status.message == "The node was low on resource: memory. "


async def test_a_container_that_fails_is_started_again_by_its_policy(
    core: client.CoreV1Api, namespace: str, pod: Pod, node: str, eventually: Any
) -> None:
    failing = pod("one", "sh", "-c", "exit 1", nodeName=node, restartPolicy="OnFailure")
    await core.create_namespaced_pod(namespace, failing)

    async def loops() -> Any:
        found = await core.read_namespaced_pod("one", namespace)
        states = found.status.container_statuses or []
        waiting = states[0].state.waiting if states else None
        return states[0] if waiting and waiting.reason == "CrashLoopBackOff" else None

    state = await eventually(loops)
    assert state.restart_count >= 1
    assert state.last_state.terminated.exit_code == 1


async def test_a_drained_node_evicts_its_pods(
    kubernetes: Cluster,
    core: client.CoreV1Api,
    namespace: str,
    pod: Pod,
    node: str,
    phase: Any,
    eventually: Any,
) -> None:
    await core.create_namespaced_pod(namespace, pod("one", nodeName=node))
    await phase("one", "Running")

    kubernetes.drain(node)

    async def gone() -> bool:
        return not (await core.list_namespaced_pod(namespace)).items

    await eventually(gone)
    found = (await core.read_node(node)).spec
    assert found.unschedulable
    assert [taint.key for taint in found.taints] == ["node.kubernetes.io/unschedulable"]


async def test_a_lost_nodes_pods_end_in_time_and_are_gone_when_the_node_is(
    kubernetes: Cluster,
    core: client.CoreV1Api,
    namespace: str,
    pod: Pod,
    node: str,
    phase: Any,
    eventually: Any,
) -> None:
    await core.create_namespaced_pod(namespace, pod("one", nodeName=node))
    await phase("one", "Running")

    kubernetes.change_node(node, ready=False)
    kubernetes.lose_patience(node)
    lost = await core.read_namespaced_pod("one", namespace)
    kubernetes.remove_node(node)

    async def gone() -> bool:
        return not (await core.list_namespaced_pod(namespace)).items

    await eventually(gone)
    conditions = {one.type: one for one in lost.status.conditions}
    assert lost.status.phase == "Running"
    assert lost.metadata.deletion_timestamp is not None
    assert conditions["Ready"].status == "False"
    assert conditions["DisruptionTarget"].reason == "DeletionByTaintManager"


async def test_a_volume_of_a_claim_outlives_the_pod(
    core: client.CoreV1Api, namespace: str, pod: Pod, node: str, phase: Any
) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claim = {"metadata": {"name": "home"}, "spec": spec}
    await core.create_namespaced_persistent_volume_claim(namespace, claim)

    def with_home(name: str, script: str) -> dict[str, Any]:
        made = pod(name, "sh", "-c", script, nodeName=node, restartPolicy="Never")
        made["spec"]["volumes"] = [{"name": "home", "persistentVolumeClaim": {"claimName": "home"}}]
        mount = {"name": "home", "mountPath": "/home/jovyan"}
        made["spec"]["containers"][0] |= {"volumeMounts": [mount], "workingDir": "/home/jovyan"}
        return made

    await core.create_namespaced_pod(namespace, with_home("one", "echo kept > file"))
    await phase("one", "Succeeded")
    await core.create_namespaced_pod(namespace, with_home("two", "cat file"))
    await phase("two", "Succeeded")

    assert await core.read_namespaced_pod_log("two", namespace) == "kept\n"
