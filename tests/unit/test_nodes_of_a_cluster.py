"""Documents of nodes and pods, as a cluster gives them, read as slots and as those who use them."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.inventory.kubernetes.accelerators import Reading
from allotment.inventory.kubernetes.nodes import read_node, read_pod, slots
from allotment.model.devices import Isolation
from allotment.model.nodes import NodeRule

A100 = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB", "nvidia.com/gpu.memory": "81920"}
READY = {"type": "Ready", "status": "True"}


def node(
    capacity: dict[str, str],
    labels: dict[str, str] | None = None,
    allocatable: dict[str, str] | None = None,
    conditions: list[dict[str, str]] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    return {
        "metadata": {"name": "n1", "labels": labels or {}},
        "spec": spec,
        "status": {
            "capacity": {"cpu": "8", **capacity},
            "allocatable": {"cpu": "8", **(capacity if allocatable is None else allocatable)},
            "conditions": [READY] if conditions is None else conditions,
            "nodeInfo": {"kubeletVersion": "v1.36.0"},
        },
    }


@pytest.mark.promise("POOL-1")
@pytest.mark.parametrize(
    ("resource", "labels", "model", "gibibytes", "isolation"),
    [
        ("nvidia.com/gpu", A100, "NVIDIA-A100-SXM4-80GB", 80, Isolation.EXCLUSIVE),
        (
            "nvidia.com/gpu",
            A100
            | {"nvidia.com/gpu.replicas": "4", "nvidia.com/gpu.sharing-strategy": "time-slicing"},
            "NVIDIA-A100-SXM4-80GB-SHARED",
            80,
            Isolation.TIME_SLICE,
        ),
        (
            "nvidia.com/gpu.shared",
            A100 | {"nvidia.com/gpu.replicas": "4", "nvidia.com/gpu.sharing-strategy": "mps"},
            "NVIDIA-A100-SXM4-80GB-SHARED",
            20,
            Isolation.TIME_SLICE,
        ),
        (
            "nvidia.com/gpu",
            {
                "nvidia.com/mig.strategy": "single",
                "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB-MIG-1g.10gb",
                "nvidia.com/gpu.memory": "9728",
            },
            "NVIDIA-A100-SXM4-80GB-MIG-1g.10gb",
            9.5,
            Isolation.MIG,
        ),
        (
            "nvidia.com/mig-1g.10gb",
            A100
            | {
                "nvidia.com/mig-1g.10gb.product": "NVIDIA-A100-SXM4-80GB-MIG-1g.10gb",
                "nvidia.com/mig-1g.10gb.memory": "9728",
            },
            "NVIDIA-A100-SXM4-80GB-MIG-1g.10gb",
            9.5,
            Isolation.MIG,
        ),
        ("nvidia.com/mig-3g.40gb", A100, "NVIDIA-A100-SXM4-80GB-MIG-3g.40gb", 40, Isolation.MIG),
        (
            "amd.com/gpu",
            {"amd.com/gpu.product-name": "AMD_Instinct_MI300X", "amd.com/gpu.vram": "192G"},
            "AMD_Instinct_MI300X",
            192,
            Isolation.EXCLUSIVE,
        ),
        ("amd.com/gpu", {"beta.amd.com/gpu.vram.64G": "8"}, "amd.com/gpu", 64, Isolation.EXCLUSIVE),
        (
            "gpu.intel.com/i915",
            {"gpu.intel.com/product": "Max_1550", "gpu.intel.com/memory.max": str(128 << 30)},
            "Max_1550",
            128,
            Isolation.EXCLUSIVE,
        ),
        (
            "nvidia.com/gpu",
            {"cloud.google.com/gke-accelerator": "nvidia-l4"},
            "nvidia-l4",
            0,
            Isolation.EXCLUSIVE,
        ),
        ("habana.ai/gaudi", {}, "habana.ai/gaudi", 0, Isolation.EXCLUSIVE),
    ],
)
def test_labels_say_model_memory_and_isolation(
    resource: str, labels: dict[str, str], model: str, gibibytes: float, isolation: Isolation
) -> None:
    (found,) = read_node(node({resource: "4"}, labels), {}).accelerators
    assert (found.model, found.memory / 2**30, found.isolation) == (model, gibibytes, isolation)


@pytest.mark.promise("POOL-1")
def test_a_resource_that_is_not_known_counts_where_the_settings_name_it() -> None:
    document = node({"example.com/npu": "2"}, {"example.com/npu.kind": "NPU-7"})
    others = {"example.com/npu": Reading(model_label="example.com/npu.kind", memory=8 << 30)}
    assert read_node(document, {}).accelerators == ()
    (found,) = read_node(document, others).accelerators
    assert (found.model, found.memory) == ("NPU-7", 8 << 30)


@pytest.mark.promise("POOL-1")
def test_every_accelerator_of_a_node_is_a_slot_with_a_name_of_its_own() -> None:
    found = slots(read_node(node({"nvidia.com/gpu": "2", "amd.com/gpu": "1"}, A100), {}))
    assert [spec.id for spec in found] == ["n1-amd.com-gpu-0", "n1-gpu-0", "n1-gpu-1"]
    assert {(spec.node, spec.uuid) for spec in found} == {("n1", "")}
    assert [spec.resource for spec in found] == ["amd.com/gpu", "nvidia.com/gpu", "nvidia.com/gpu"]


@pytest.mark.promise("POOL-6")
@pytest.mark.parametrize(
    ("conditions", "healthy"),
    [
        ([READY], True),
        ([], False),
        ([{"type": "Ready", "status": "Unknown"}], False),
        ([READY, {"type": "GpuXidError", "status": "True"}], False),
        ([READY, {"type": "GpuXidError", "status": "False"}], True),
        ([READY, {"type": "GPUHealthy", "status": "False"}], False),
        ([READY, {"type": "AcceleratedHardwareReady", "status": "False"}], False),
        ([READY, {"type": "AcceleratedHardwareReady", "status": "True"}], True),
        ([READY, {"type": "GPUUnhealthy", "status": "True"}], False),
        ([READY, {"type": "GPUUnhealthy", "status": "False"}], True),
        ([READY, {"type": "GpuNotReady", "status": "True"}], False),
        ([READY, {"type": "GpuNotReady", "status": "False"}], True),
        ([READY, {"type": "NvlinkProblem", "status": "True"}], False),
        ([READY, {"type": "AscendNPUProblem", "status": "True"}], False),
        ([READY, {"type": "npu.example.org/Problem", "status": "True"}], False),
        ([READY, {"type": "INPUTInputProblem", "status": "True"}], True),
        ([READY, {"type": "MemoryPressure", "status": "True"}], True),
    ],
)
def test_a_node_that_is_not_ready_or_reports_its_devices_has_unhealthy_ones(
    conditions: list[dict[str, str]], healthy: bool
) -> None:
    (spec,) = slots(read_node(node({"nvidia.com/gpu": "1"}, A100, conditions=conditions), {}))
    assert spec.healthy is healthy
    assert bool(spec.health_note) is not healthy


@pytest.mark.promise("CLUSTER-3")
@pytest.mark.parametrize(
    ("spec", "cordoned"),
    [
        ({}, False),
        ({"unschedulable": True}, True),
        ({"taints": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}]}, False),
        ({"taints": [{"key": "karpenter.sh/disrupted", "effect": "NoSchedule"}]}, True),
        ({"taints": [{"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"}]}, True),
    ],
)
def test_a_node_that_its_cluster_gives_to_nobody_is_cordoned(
    spec: dict[str, Any], cordoned: bool
) -> None:
    (slot,) = slots(read_node(node({"nvidia.com/gpu": "1"}, **spec), {}))
    assert bool(slot.node_cordon) is cordoned


def pod(phase: str = "Running", bound_to: str = "n1", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "vision", "name": "training-0"},
        "spec": {"nodeName": bound_to, **spec},
        "status": {"phase": phase},
    }


def container(number: int, **more: Any) -> dict[str, Any]:
    return {"resources": {"limits": {"nvidia.com/gpu": str(number), "cpu": "1"}}, **more}


@pytest.mark.promise("POOL-1")
@pytest.mark.parametrize(
    ("spec", "number"),
    [
        ({"containers": [container(1), container(2)]}, 3),
        ({"containers": [container(1)], "initContainers": [container(4)]}, 4),
        (
            {
                "containers": [container(1)],
                "initContainers": [container(1, restartPolicy="Always"), container(2)],
            },
            3,
        ),
    ],
)
def test_a_pod_uses_what_the_scheduler_counts_for_it(spec: dict[str, Any], number: int) -> None:
    found = read_pod(pod(**spec), {})
    assert found is not None
    assert dict(found.asks) == {"nvidia.com/gpu": number}


@pytest.mark.promise("POOL-1")
@pytest.mark.parametrize(
    "document",
    [
        pod("Succeeded", containers=[container(1)]),
        pod("Failed", containers=[container(1)]),
        pod("Pending", "", containers=[container(1)]),
        pod(containers=[{"resources": {"limits": {"cpu": "4"}}}]),
    ],
)
def test_a_pod_that_ended_waits_or_uses_no_device_takes_none(document: dict[str, Any]) -> None:
    assert read_pod(document, {}) is None


@pytest.mark.promise("POOL-3")
def test_a_rule_wants_each_of_its_labels_and_one_of_its_names() -> None:
    rule = NodeRule(selector={"zone": "a"}, names=("n1", "n2"))
    assert rule.fits("n1", {"zone": "a", "disk": "ssd"})
    assert not rule.fits("n1", {"zone": "b"})
    assert not rule.fits("n3", {"zone": "a"})
    with pytest.raises(ValueError, match="which nodes"):
        NodeRule()
