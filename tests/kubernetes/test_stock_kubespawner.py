"""KubeSpawner as it comes works with the tests' cluster: nothing here is ours but the cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from jupyterhub.objects import Hub, Server
from jupyterhub.orm import Spawner as StoredSpawner
from kubernetes_asyncio.client import Configuration
from kubespawner import KubeSpawner
from kubespawner.clients import load_config

from cluster import Cluster, Image

SLEEPER = Image(command=("sh", "-c", "echo started; sleep 1000"))


class Person:
    """What KubeSpawner asks of a user."""

    id = 1

    def __init__(self, name: str) -> None:
        self.name = self.escaped_name = name
        self.settings: dict[str, Any] = {}
        self.server = Server()
        self.url = f"/user/{name}/"


@pytest.fixture
async def spawners(own_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """Make a spawner for somebody; its reflectors end with the test."""
    own_cluster.add_node("one", {"nvidia.com/gpu": 1})
    own_cluster.images["sleeper"] = SLEEPER
    where = "kubernetes_asyncio.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
    monkeypatch.setattr(where, str(own_cluster.kubeconfig))
    # What it keeps for all spawners of a hub, this test has for itself.
    monkeypatch.setattr(KubeSpawner, "reflectors", {})
    monkeypatch.setattr(Configuration, "_default", None)
    load_config.cache_clear()

    def made(name: str, **settings: Any) -> KubeSpawner:
        return KubeSpawner(
            hub=Hub(public_host="", base_url="/hub/"),
            user=Person(name),
            orm_spawner=StoredSpawner(name=""),
            image="sleeper",
            api_token="of nobody",
            oauth_client_id="unused",
            namespace="default",
            delete_grace_period=1,
            **settings,
        )

    yield made
    for reflector in KubeSpawner.reflectors.values():
        await reflector.stop()


async def test_a_server_starts_is_polled_and_stops(own_cluster: Cluster, spawners: Any) -> None:
    spawner = spawners("ada", extra_resource_limits={"nvidia.com/gpu": "1"})

    url = await spawner.start()
    running = await spawner.poll()
    events = [event async for event in spawner.progress()]
    await spawner.stop()

    assert url.startswith("http://127.")
    assert running is None
    assert any("Successfully assigned" in event["message"] for event in events)
    assert await spawner.poll() is not None
    assert own_cluster.pods("default") == []


async def test_a_server_whose_node_ended_it_is_found_ended(
    own_cluster: Cluster, spawners: Any, eventually: Any
) -> None:
    spawner = spawners("ada")
    await spawner.start()

    own_cluster.evict(spawner.pod_name)

    async def code() -> int | None:
        answer: int | None = await spawner.poll()
        return answer

    # By signal: asked to end, or killed.
    assert await eventually(code) in (143, 137)


async def test_a_pod_of_its_name_that_is_left_over_makes_room(
    own_cluster: Cluster, spawners: Any
) -> None:
    spawner = spawners("ada")
    left = own_cluster.add_pod(spawner.pod_name)

    await spawner.start()

    (pod,) = own_cluster.pods("default")
    assert pod["metadata"]["uid"] != left["metadata"]["uid"]
    await spawner.stop(now=True)


@pytest.mark.parametrize("trouble", ["cut", "forgotten", "away"])
async def test_its_view_of_the_pods_recovers(
    own_cluster: Cluster, spawners: Any, eventually: Any, trouble: str
) -> None:
    spawner = spawners("ada")
    await spawner.start()

    if trouble == "cut":
        own_cluster.drop_watches()
    elif trouble == "forgotten":
        own_cluster.drop_watches()
        own_cluster.compact()
    else:
        with own_cluster.away("refuse"):
            own_cluster.delete_pod(spawner.pod_name, grace=0)
    if own_cluster.pods("default"):
        own_cluster.delete_pod(spawner.pod_name, grace=0)

    async def gone() -> bool:
        return await spawner.poll() is not None

    await eventually(gone)
