"""Nodes: how each is, whose pods are on it, and what others than the platform use there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from allotment.inventory.kubernetes.nodes import slots
from allotment.model.devices import Isolation
from allotment.model.nodes import Accelerator, ClusterSight, NodeSight, PodUse
from allotment.record import cluster
from control_planes import Platform

OpenConsole = Callable[..., Any]
GPU = "nvidia.com/gpu"


def see(platform: Platform, *pods: PodUse, **more: Any) -> None:
    kind = Accelerator(GPU, 4, 4, "NVIDIA-L40S", 48 << 30, Isolation.EXCLUSIVE)
    node = NodeSight("gpu-node-1", {"tier": "a"}, (kind,), version="v1.36.0", **more)
    with platform.record.writing("inventory", datetime.now(UTC)) as writing:
        cluster.observe(writing, slots(node), ClusterSight((node,), pods))


@pytest.mark.promise("CLUSTER-1")
def test_nodes_are_listed_with_their_devices_and_what_runs_there(
    open_console: OpenConsole, platform: Platform
) -> None:
    see(platform, PodUse("vision", "training-0", "gpu-node-1", "Running", {GPU: 3}))
    page = open_console(panel="nodes")
    page.has_row("Nodes", "gpu-node-1", state="ready", models="NVIDIA-L40S", free=1, taken=3)
    page.has_row(
        "Pods and processes", "gpu-node-1/pod/vision/training-0", whose="others", devices=3
    )
    page.has_row("Nodes", "dgx-1", state="machine")


@pytest.mark.promise("CLUSTER-1", "ADMIN-2")
def test_a_node_that_is_not_ready_any_more_shows_by_itself(
    open_console: OpenConsole, platform: Platform
) -> None:
    see(platform)
    page = open_console(panel="nodes")
    page.has_row("Nodes", "gpu-node-1", state="ready", ailing=0)
    see(platform, problem="The node is not ready (KubeletNotReady).")
    page.has_row("Nodes", "gpu-node-1", state="not ready", ailing=4)


@pytest.mark.promise("POOL-1")
def test_the_overview_counts_what_others_use(open_console: OpenConsole, platform: Platform) -> None:
    see(platform, PodUse("vision", "training-0", "gpu-node-1", "Running", {GPU: 3}))
    page = open_console()
    page.sees("3 used by others")
