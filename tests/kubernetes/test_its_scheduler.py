"""The scheduler of the tests' cluster places pods, and says why not, as the default scheduler does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from kubernetes_asyncio import client

from cluster import Cluster

Pod = Callable[..., dict[str, Any]]
GPU = "nvidia.com/gpu"
# Nodes of the session's cluster are everybody's: each test has its own, by a label.


@pytest.fixture
def zone(kubernetes: Cluster, namespace: str) -> Any:
    """Nodes that only this test's pods go to: called, it adds one; it is also their selector."""
    names: list[str] = []

    def add(**what: Any) -> str:
        names.append(f"{namespace}-{len(names)}")
        kubernetes.add_node(names[-1], **{"labels": {"zone": namespace}, **what})
        return names[-1]

    yield add
    for name in names:
        kubernetes.remove_node(name)


async def unscheduled(core: client.CoreV1Api, name: str, namespace: str, eventually: Any) -> str:
    """What the scheduler says about a pod."""

    async def said() -> str:
        found = await core.read_namespaced_pod_status(name, namespace)
        conditions = {one.type: one for one in found.status.conditions or []}
        scheduled = conditions.get("PodScheduled")
        return scheduled.message if scheduled and scheduled.status == "False" else ""

    message: str = await eventually(said)
    return message


async def test_a_pod_that_asks_too_much_waits_and_is_told_why_in_an_event_too(
    own_cluster: Cluster, own_core: client.CoreV1Api, pod: Pod, eventually: Any
) -> None:
    own_cluster.add_node("one", {GPU: 1})
    own_cluster.add_node("two", taints=({"key": "gpu", "value": "yes", "effect": "NoSchedule"},))
    own_cluster.add_node("three", {GPU: 4})
    own_cluster.change_node("three", unschedulable=True)
    await own_core.create_namespaced_pod("default", pod("big", limits={GPU: "2"}))

    message = await unscheduled(own_core, "big", "default", eventually)
    events = await own_core.list_namespaced_event(
        "default", field_selector="involvedObject.name=big,reason=FailedScheduling"
    )

    assert message == (
        "0/3 nodes are available: 1 Insufficient nvidia.com/gpu, 1 node(s) had untolerated "
        "taint(s), 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/3 nodes "
        "are available: 3 Preemption is not helpful for scheduling."
    )
    assert events.items[-1].message == message
    assert events.items[-1].type == "Warning"
    assert events.items[-1].reporting_component == "default-scheduler"


async def test_a_pod_is_placed_when_room_comes(
    core: client.CoreV1Api,
    namespace: str,
    pod: Pod,
    zone: Any,
    eventually: Any,
) -> None:
    selector = {"nodeSelector": {"zone": namespace}}
    await core.create_namespaced_pod(namespace, pod("one", limits={GPU: "2"}, **selector))
    await unscheduled(core, "one", namespace, eventually)

    node = zone(resources={GPU: 2})

    async def placed() -> bool:
        found = await core.read_namespaced_pod("one", namespace)
        return bool(found.spec.node_name == node and found.status.phase == "Running")

    await eventually(placed)


async def test_required_affinity_names_the_node(
    core: client.CoreV1Api, namespace: str, pod: Pod, zone: Any, eventually: Any
) -> None:
    zone(resources={GPU: 2})
    wanted = zone(resources={GPU: 2})
    expression = {"key": "kubernetes.io/hostname", "operator": "In", "values": [wanted]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    for name in ("one", "two"):
        await core.create_namespaced_pod(namespace, pod(name, limits={GPU: "1"}, affinity=affinity))

    async def placed() -> list[str]:
        found = await core.list_namespaced_pod(namespace, field_selector=f"spec.nodeName={wanted}")
        return [one.metadata.name for one in found.items] if len(found.items) == 2 else []

    assert await eventually(placed) == ["one", "two"]


@pytest.mark.parametrize(
    ("field", "cause"),
    [
        ({"operator": "In", "values": ["one", "two"]}, "must be only one value"),
        ({"operator": "Exists"}, "not a valid selector operator"),
    ],
    ids=["two names", "no name"],
)
async def test_a_field_of_a_nodes_affinity_has_one_name(
    core: client.CoreV1Api, namespace: str, pod: Pod, field: dict[str, Any], cause: str
) -> None:
    terms = {"nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", **field}]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}

    with pytest.raises(client.ApiException) as refused:
        await core.create_namespaced_pod(namespace, pod("one", affinity=affinity))

    assert (refused.value.status, cause in str(refused.value.body)) == (422, True)


async def test_a_pod_of_more_priority_takes_the_place_of_one_of_less(
    kubernetes: Cluster,
    core: client.CoreV1Api,
    namespace: str,
    pod: Pod,
    zone: Any,
    eventually: Any,
) -> None:
    zone(resources={GPU: 1})
    for name, value in (("low", 10), ("dedicated", 100)):
        class_ = {"metadata": {"name": f"{namespace}-{name}"}, "value": value}
        kubernetes.apply({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", **class_})
    selector = {"nodeSelector": {"zone": namespace}, "limits": {GPU: "1"}}

    async def running(name: str) -> bool:
        found = await core.read_namespaced_pod(name, namespace)
        return bool(found.status.phase == "Running")

    low = pod("low", priorityClassName=f"{namespace}-low", **selector)
    await core.create_namespaced_pod(namespace, low)
    await eventually(lambda: running("low"))
    high = pod("high", priorityClassName=f"{namespace}-dedicated", **selector)
    await core.create_namespaced_pod(namespace, high)
    await eventually(lambda: running("high"))

    left = await core.list_namespaced_pod(namespace)
    preempted = [one for one in kubernetes.events("low", namespace) if one["reason"] == "Preempted"]
    assert [one.metadata.name for one in left.items] == ["high"]
    assert preempted[0]["message"].startswith("Preempted by pod ")


async def test_a_gated_pod_waits_for_its_gate(
    core: client.CoreV1Api, namespace: str, pod: Pod, zone: Any, eventually: Any
) -> None:
    zone()
    gates = [{"name": "kueue.x-k8s.io/admission"}]
    gated = pod("one", schedulingGates=gates, nodeSelector={"zone": namespace})
    await core.create_namespaced_pod(namespace, gated)

    message = await unscheduled(core, "one", namespace, eventually)
    await core.patch_namespaced_pod("one", namespace, {"spec": {"schedulingGates": None}})

    async def runs() -> bool:
        found = await core.read_namespaced_pod("one", namespace)
        return bool(found.status.phase == "Running")

    await eventually(runs)
    assert message == "Scheduling is blocked due to non-empty scheduling gates"


async def test_kueue_gates_the_pods_of_its_queues_until_their_turn(
    own_cluster: Cluster, own_core: client.CoreV1Api, pod: Pod, eventually: Any
) -> None:
    own_cluster.add_node("one")
    own_cluster.install_kueue()
    queued = pod("one")
    queued["metadata"]["labels"] = {"kueue.x-k8s.io/queue-name": "research"}
    made = await own_core.create_namespaced_pod("default", queued)

    async def runs() -> bool:
        found = await own_core.read_namespaced_pod("one", "default")
        return bool(found.status.phase == "Running")

    async def gone() -> bool:
        return not (await own_core.list_namespaced_pod("default")).items

    own_cluster.kueue_admit("one")
    await eventually(runs)
    await own_core.delete_namespaced_pod("one", "default")
    await eventually(gone)

    assert made.spec.scheduling_gates[0].name == "kueue.x-k8s.io/admission"
