"""What the hub knows of a cluster's pods and events follows them without reading all of them again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from kubernetes_asyncio.client import CoreV1Api

from allotment_spawner.kubernetes import following
from allotment_spawner.kubernetes.reflecting import EventsByPod, RememberingPods
from cluster import Cluster

LABELS = {"component": "singleuser-server"}


class Counting:
    """The cluster's API, with a count of the lists that were asked for."""

    def __init__(self, api: CoreV1Api) -> None:
        self._api, self.lists = api, 0

    async def list_namespaced_pod(self, **asked: Any) -> Any:
        self.lists += "watch" not in asked
        return await self._api.list_namespaced_pod(**asked)

    list_namespaced_event = property(lambda self: self._api.list_namespaced_event)


def make_pod(cluster: Cluster, name: str) -> None:
    """A server's pod that no node takes, so that nothing runs."""
    container = {"name": "notebook", "image": "busybox:1.37"}
    document = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": LABELS},
        "spec": {"containers": [container]},
    }
    cluster.apply(document)


async def seen(condition: Callable[[], Any]) -> None:
    """Wait until the watch has come so far."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - KubeSpawner's copy tells nobody that it changed
            await asyncio.sleep(0.01)


@pytest.fixture
async def counted(own_core: CoreV1Api, monkeypatch: pytest.MonkeyPatch) -> Counting:
    counting = Counting(own_core)
    monkeypatch.setattr("kubespawner.reflector.shared_client", lambda _: counting)
    return counting


@pytest.fixture
async def pods(own_cluster: Cluster, counted: Counting) -> AsyncIterator[Any]:
    """The watch of a hub, of two pods: one and two."""
    del counted
    make_pod(own_cluster, "one")
    make_pod(own_cluster, "two")
    watched: Any = RememberingPods(namespace="default", labels=LABELS)
    await watched.start()
    yield watched
    await watched.stop()


@pytest.mark.promise("SERVER-7")
async def test_a_watch_that_ends_goes_on_where_it_was(
    own_cluster: Cluster, counted: Counting, pods: Any
) -> None:
    make_pod(own_cluster, "three")
    await seen(lambda: "default/three" in pods.pods)
    await asyncio.to_thread(own_cluster.drop_watches)
    make_pod(own_cluster, "four")
    await asyncio.to_thread(own_cluster.delete_pod, "one")

    await seen(lambda: pods.pods.keys() == {"default/two", "default/three", "default/four"})
    assert counted.lists == 1
    assert pods.last_word("default/one")["metadata"]["name"] == "one"


@pytest.mark.promise("SERVER-7")
async def test_a_watch_that_is_too_old_begins_with_a_new_list(
    own_cluster: Cluster, counted: Counting, pods: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LONGEST_PAUSE", 0.1)

    def meanwhile() -> None:
        with own_cluster.away("503"):
            own_cluster.delete_pod("two")
            own_cluster.compact()

    await asyncio.to_thread(meanwhile)
    make_pod(own_cluster, "three")

    await seen(lambda: pods.pods.keys() == {"default/one", "default/three"})
    assert counted.lists > 1
    assert pods.last_word("default/two")["metadata"]["name"] == "two"


@pytest.mark.promise("SERVER-7")
async def test_what_was_seen_last_stays_while_the_cluster_is_away(
    own_cluster: Cluster, pods: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LONGEST_PAUSE", 0.1)
    away = own_cluster.away()
    await asyncio.to_thread(away.__enter__)
    assert pods.pods.keys() == {"default/one", "default/two"}
    await asyncio.to_thread(away.__exit__, None, None, None)
    make_pod(own_cluster, "three")

    await seen(lambda: "default/three" in pods.pods)
    assert not pods.watch_task.done()


@pytest.mark.promise("SERVER-7")
async def test_many_pods_are_read_in_pages(
    own_cluster: Cluster, counted: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "PAGE", 2)
    names = {"a", "b", "c", "d", "e"}
    for name in names:
        make_pod(own_cluster, name)
    watched: Any = RememberingPods(namespace="default", labels=LABELS)
    await watched.start()

    assert watched.pods.keys() == {f"default/{name}" for name in names}
    assert counted.lists == 3
    await watched.stop()


@pytest.mark.promise("SERVER-7")
async def test_the_events_of_one_pod_are_found_among_those_of_all(
    own_cluster: Cluster, counted: Counting
) -> None:
    del counted
    watched: Any = EventsByPod(namespace="default")
    await watched.start()
    make_pod(own_cluster, "one")
    make_pod(own_cluster, "two")

    await seen(lambda: watched.of_pod("two").events)
    names = {event["involvedObject"]["name"] for event in watched.of_pod("two").events}
    assert names == {"two"}
    assert watched.of_pod("nobody").events == []
    await watched.stop()
