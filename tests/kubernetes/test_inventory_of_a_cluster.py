"""A cluster's devices as the inventory sees them, through all that happens to its API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from allotment.inventory import Discovery
from allotment.inventory.kubernetes.inventory import KubernetesInventory
from cluster import Cluster
from hubs import until

GPU = "nvidia.com/gpu"
A100 = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB", "nvidia.com/gpu.memory": "81920"}


@dataclass(frozen=True)
class Access:
    kubeconfig: Path
    context: str | None = None


@pytest.fixture
def inventory(own_cluster: Cluster) -> Iterator[KubernetesInventory]:
    own_cluster.add_node("n1", {GPU: 2}, A100)
    own_cluster.add_namespace("vision")
    opened = KubernetesInventory(Access(own_cluster.kubeconfig))
    yield opened
    opened.close()


def ids(found: Discovery) -> list[str]:
    return [spec.id for spec in found.devices]


def users(found: Discovery) -> list[str]:
    assert found.cluster is not None
    return sorted(pod.words for pod in found.cluster.pods or ())


@pytest.mark.promise("POOL-1")
def test_nodes_and_pods_are_seen_as_they_come_and_go(
    own_cluster: Cluster, inventory: KubernetesInventory
) -> None:
    first = inventory.observe()
    assert (first.complete, first.note, ids(first)) == (True, "", ["n1-gpu-0", "n1-gpu-1"])
    assert {spec.model for spec in first.devices} == {"NVIDIA-A100-SXM4-80GB"}
    own_cluster.add_node("n2", {GPU: 1}, A100)
    own_cluster.add_pod("training-0", "vision", {GPU: 1})
    until(lambda: users(inventory.observe()) == ["pod vision/training-0"], "the pod is seen")
    until(lambda: len(inventory.observe().devices) == 3, "the node is seen")
    own_cluster.delete_pod("training-0", "vision")
    own_cluster.remove_node("n2")
    until(lambda: not users(inventory.observe()), "the pod has gone")
    until(lambda: len(inventory.observe().devices) == 2, "the node has gone")


@pytest.mark.promise("POOL-6")
def test_what_changes_on_a_node_is_seen(
    own_cluster: Cluster, inventory: KubernetesInventory
) -> None:
    inventory.observe()
    own_cluster.change_node("n1", unschedulable=True)
    until(
        lambda: all(spec.node_cordon for spec in inventory.observe().devices), "the cordon is seen"
    )
    own_cluster.change_node("n1", unschedulable=False, ready=False)
    until(lambda: not any(spec.healthy for spec in inventory.observe().devices), "it is not ready")


@pytest.mark.promise("POOL-6")
@pytest.mark.parametrize("as_status", [False, True])
def test_a_watch_that_is_too_old_is_followed_by_a_new_list(
    own_cluster: Cluster, inventory: KubernetesInventory, as_status: bool
) -> None:
    inventory.observe()
    own_cluster.drop_watches()
    own_cluster.add_node("n2", {GPU: 1}, A100)
    own_cluster.compact(as_status=as_status)
    until(lambda: len(inventory.observe().devices) == 3, "the node is seen")


@pytest.mark.promise("POOL-6")
@pytest.mark.parametrize("way", ["refuse", "503"])
def test_while_the_api_is_away_nothing_is_missing_and_it_is_said(
    own_cluster: Cluster, inventory: KubernetesInventory, way: str
) -> None:
    inventory.observe()
    with own_cluster.away(way):
        own_cluster.drop_watches()
        until(lambda: bool(inventory.observe().note), "it is noticed")
        found = inventory.observe()
        assert "What was seen last stays" in found.note
        assert ids(found) == ["n1-gpu-0", "n1-gpu-1"]
        own_cluster.add_node("n2", {GPU: 1}, A100)
    until(lambda: len(inventory.observe().devices) == 3, "it is up to date again")
    assert inventory.observe().note == ""


@pytest.mark.promise("POOL-6")
def test_a_cluster_that_was_never_seen_says_nothing_about_what_is_missing(
    own_cluster: Cluster,
) -> None:
    unseen = KubernetesInventory(Access(own_cluster.kubeconfig), patience=5)
    with own_cluster.away("refuse"):
        found = unseen.observe()
    unseen.close()
    assert (found.complete, found.devices) == (False, ())
    assert "could not be asked" in found.note


@pytest.mark.promise("POOL-1")
def test_a_kubeconfig_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    wrong = KubernetesInventory(Access(tmp_path / "none.yaml"), patience=5)
    found = wrong.observe()
    wrong.close()
    assert not found.complete
    assert "none.yaml" in found.note


@pytest.mark.promise("POOL-1")
def test_who_may_not_see_pods_is_told_and_sees_nodes(own_cluster: Cluster) -> None:
    own_cluster.add_node("n1", {GPU: 2}, A100)
    own_cluster.add_namespace("vision")
    own_cluster.apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "nodes"},
            "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list", "watch"]}],
        }
    )
    own_cluster.apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "nodes"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "nodes",
            },
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "vision"}],
        }
    )
    limited = KubernetesInventory(Access(own_cluster.kubeconfig_of("default", "vision")))
    found = limited.observe()
    limited.close()
    assert found.complete
    assert found.cluster is not None
    assert found.cluster.pods is None
    assert "must be allowed to list and watch pods" in found.note
