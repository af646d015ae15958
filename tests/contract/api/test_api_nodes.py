"""Nodes as operators and readers see them: devices counted, pods and processes with whose they are."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.inventory.kubernetes.nodes import slots
from allotment.model.devices import Isolation
from allotment.model.nodes import Accelerator, ClusterSight, NodeRule, NodeSight, PodUse
from allotment.model.refusals import Refusal
from allotment.record import cluster

pytestmark = pytest.mark.parametrize("store", ["sqlite"])
GPU = "nvidia.com/gpu"


def see(lab: Any, *pods: PodUse, number: int = 2, **more: Any) -> None:
    kind = Accelerator(GPU, number, number, "L4", 24 << 30, Isolation.EXCLUSIVE)
    node = NodeSight("dgx-1", {"tier": "a"}, (kind,), version="v1.36.0", **more)
    with lab.write("inventory") as writing:
        cluster.observe(writing, slots(node), ClusterSight((node,), pods))


def training(allotment: str = "") -> PodUse:
    return PodUse("vision", "training-0", "dgx-1", "Running", {GPU: 1}, allotment)


@pytest.mark.promise("CLUSTER-1")
def test_a_node_is_told_with_its_devices_and_the_pods_on_it(api: Any, lab: Any) -> None:
    see(lab, training())
    with api.client("olga+") as olga:
        node, device = olga.nodes.get("dgx-1"), olga.devices.get("dgx-1-gpu-0")
    assert (node.state, node.version, node.labels) == ("ready", "v1.36.0", {"tier": "a"})
    assert [one.model for one in node.resources] == ["L4"]
    assert (node.devices.total, node.devices.free, node.devices.taken) == (2, 1, 1)
    (pod,) = node.occupants
    assert (pod.kind, pod.name, pod.server) == ("pod", "vision/training-0", None)
    assert (device.state, device.taken_by) == ("taken", "pod vision/training-0")


@pytest.mark.promise("CLUSTER-1")
@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({}, "ready"),
        ({"cordon": "The node is cordoned in its cluster."}, "cordoned"),
        ({"problem": "The node is not ready."}, "not ready"),
    ],
)
def test_a_node_says_how_it_is(api: Any, lab: Any, more: dict[str, str], state: str) -> None:
    see(lab, **more)
    with api.client("olga+") as olga:
        assert olga.nodes.get("dgx-1").state == state


@pytest.mark.promise("CLUSTER-1")
def test_a_machine_that_is_no_clusters_is_listed_with_its_devices(api: Any, lab: Any) -> None:
    see(lab)
    with api.client("olga+") as olga:
        found = {one.name: one for one in olga.nodes.all().items}
    assert {name: one.state for name, one in found.items()} == {"dgx-1": "ready", "n1": "machine"}
    assert found["n1"].devices.total > 0


@pytest.mark.promise("CLUSTER-1")
def test_a_servers_pod_is_told_with_its_server_and_its_person(api: Any, lab: Any) -> None:
    see(lab)
    lab.profile("l4", devices=1, pool={"model": "L4"})
    lab.people("kim")
    see(lab, training(lab.granted("kim", "l4")))
    with api.client("olga+") as olga:
        (pod,) = olga.nodes.get("dgx-1").occupants
    assert (pod.person, pod.server) == ("kim", "hub~kim~")


@pytest.mark.promise("POOL-1")
def test_a_pod_on_what_a_server_holds_is_an_alert(api: Any, lab: Any) -> None:
    see(lab, number=1)
    lab.profile("l4", devices=1, pool={"model": "L4"})
    lab.people("kim")
    lab.granted("kim", "l4")
    see(lab, training(), number=1)
    with api.client("olga+") as olga:
        alerts = {alert.subject: alert.message for alert in olga.overview().alerts}
    assert "pod vision/training-0" in alerts["dgx-1-gpu-0"]


@pytest.mark.promise("POOL-3")
def test_a_pool_of_nodes_is_made_and_made_an_ordinary_one(api: Any, lab: Any) -> None:
    see(lab)
    rule = NodeRule(selector={"tier": "a"})
    with api.client("olga+") as olga:
        made = olga.pools.create("l4", nodes=rule)
        assert (made.nodes, made.devices) == (rule, ("dgx-1-gpu-0", "dgx-1-gpu-1"))
        with pytest.raises(Refusal, match="come from its nodes"):
            olga.pools.edit("l4", [], revision=made.revision)
        plain = olga.pools.set_nodes("l4", None, revision=made.revision)
    assert (plain.nodes, plain.devices) == (None, made.devices)


@pytest.mark.promise("POOL-6")
def test_what_ails_a_whole_node_is_one_alert(api: Any, lab: Any) -> None:
    see(lab, problem="The node is not ready.")
    with api.client("olga+") as olga:
        told = [alert for alert in olga.overview().alerts if alert.kind == "device"]
    assert [(alert.subject, alert.message) for alert in told] == [
        ("dgx-1", "2 devices on dgx-1 are not healthy: The node is not ready.")
    ]
