"""The work that looks at devices, with a cluster: from its nodes to the record, and through an outage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from allotment.model.devices import Device
from allotment.record import Record, devices, open_record, platform, pools
from allotment.settings import Settings, parse_settings
from allotment.settings.declare import apply_once
from allotment.work.observing import Observer, observer, take_in
from allotment_hub.first_start import observe_devices
from cluster import Cluster
from hubs import until

GPU = "nvidia.com/gpu"
NPU = "example.com/npu"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def settings(own_cluster: Cluster) -> Settings:
    return parse_settings(
        f"""
kubernetes:
  namespace: jupyter
  image: notebook
  kubeconfig: {own_cluster.kubeconfig}
  accelerators: {{{NPU}: {{model: NPU-7, memory: 16GiB}}}}
pools:
  - {{name: a100, nodes: {{selector: {{nvidia.com/gpu.product: A100}}}}}}
groups: [{{name: vision, shares: [{{pool: a100, guaranteed: 2}}]}}]
""",
        "f.yaml",
    )


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    opened = open_record(f"sqlite:///{tmp_path}/record.sqlite", migrate=True)
    yield opened
    opened.close()


@pytest.fixture
def looking(settings: Settings) -> Iterator[Observer]:
    opened = observer(settings, {})
    yield opened
    opened.close()


def look(record: Record, looking: Observer) -> dict[str, Device]:
    with record.writing("inventory", NOW) as writing:
        take_in(writing, looking.observe())
    with record.reading() as reading:
        return {device.id: device for device in devices.all_devices(reading)}


@pytest.mark.promise("POOL-1", "POOL-2", "POOL-3")
def test_settings_and_a_cluster_make_a_platform_with_its_devices(
    own_cluster: Cluster, settings: Settings, record: Record, looking: Observer
) -> None:
    own_cluster.add_node("n1", {GPU: 2}, {"nvidia.com/gpu.product": "A100"})
    own_cluster.add_node("n2", {NPU: 1})
    look(record, looking)
    apply_once(record, settings, NOW)
    with record.reading() as reading:
        assert pools.get(reading, "a100").model == "A100"
    own_cluster.add_node("n3", {GPU: 1}, {"nvidia.com/gpu.product": "A100"})
    until(lambda: "n3-gpu-0" in look(record, looking), "the new node's device")
    found = look(record, looking)
    assert {key: device.pool for key, device in found.items()} == {
        "n1-gpu-0": "a100",
        "n1-gpu-1": "a100",
        "n2-example.com-npu-0": "default",
        "n3-gpu-0": "a100",
    }
    assert found["n2-example.com-npu-0"].memory == 16 << 30


@pytest.mark.promise("POOL-1", "POOL-6")
def test_a_strangers_pod_takes_a_device_and_an_outage_changes_nothing(
    own_cluster: Cluster, record: Record, looking: Observer
) -> None:
    own_cluster.add_node("n1", {GPU: 1}, {"nvidia.com/gpu.product": "A100"})
    own_cluster.add_namespace("vision")
    own_cluster.add_pod("training-0", "vision", {GPU: 1})
    until(lambda: look(record, looking)["n1-gpu-0"].state == "taken", "the pod is counted")
    with own_cluster.away("refuse"):
        own_cluster.drop_watches()
        until(lambda: bool(looking.observe().note), "the outage is noticed")
        assert look(record, looking)["n1-gpu-0"].state == "taken"
        own_cluster.delete_pod("training-0", "vision")
    until(lambda: look(record, looking)["n1-gpu-0"].state == "free", "it is given back")


@pytest.mark.promise("POOL-6")
def test_a_hub_that_sees_another_cluster_starts_and_takes_in_nothing_of_it(
    own_cluster: Cluster,
    record: Record,
    settings: Settings,
    looking: Observer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    own_cluster.add_node("n1", {GPU: 1}, {"nvidia.com/gpu.product": "A100"})
    with record.writing("tests", NOW) as writing:
        platform.count_cluster(writing, "another")

    observe_devices(record, settings, NOW)

    assert "the record counts those of the cluster another" in caplog.text
    with record.writing("tests", NOW) as writing:
        assert devices.all_devices(writing) == ()
        take_in(writing, looking.observe(), gone=("another",))
        assert [one.id for one in devices.all_devices(writing)] == ["n1-gpu-0"]
