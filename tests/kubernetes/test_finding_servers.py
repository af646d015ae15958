"""How the servers that are pods are found: all of them, however many, as the cluster's own documents."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Self

import pytest

from allotment.inventory.kubernetes import listing
from allotment.inventory.kubernetes.connecting import Cluster as Connection
from allotment.inventory.kubernetes.connecting import ClusterRefused
from allotment.model.allotments import Allotment, ServerPod, State
from allotment.model.pods import PodMark
from allotment.work.kubernetes_servers import KubernetesServers
from cluster import Cluster


def make_server(cluster: Cluster, namespace: str, allotment: str, hub: str = "hub") -> None:
    mark = PodMark(allotment, hub, "ada", allotment, "small", "vision", None, ("a", "b"), "0" * 64)
    document = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"server-{allotment}",
            "labels": mark.labels,
            "annotations": mark.annotations,
        },
        "spec": {"containers": [{"name": "notebook", "image": "busybox:1.37"}]},
    }
    cluster.apply(document, namespace)


@pytest.fixture
def servers(kubernetes: Cluster, namespace: str) -> Any:
    connection = Connection(SimpleNamespace(kubeconfig=kubernetes.kubeconfig, context=None))
    yield KubernetesServers("hub", namespace, connection)
    connection.close()


@pytest.mark.promise("SERVER-7")
def test_all_servers_of_a_hub_are_found_page_by_page(
    kubernetes: Cluster,
    namespace: str,
    servers: KubernetesServers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    for name in ("one", "two", "three", "four", "five"):
        make_server(kubernetes, namespace, name)
    make_server(kubernetes, namespace, "other", hub="another-hub")

    found = {one.allotment: one for one in servers.running()}

    assert found.keys() == {"one", "two", "three", "four", "five"}
    assert (found["one"].person, found["one"].devices) == ("ada", ("a", "b"))
    pod = kubernetes.pod("server-one", namespace)
    assert pod is not None
    assert found["one"].place.uid == pod["metadata"]["uid"]


@pytest.mark.promise("SERVER-7", "LIMIT-3")
def test_a_pod_that_was_made_after_the_one_on_the_record_is_ended_though_its_allotment_is_released(
    kubernetes: Cluster, namespace: str, servers: KubernetesServers
) -> None:
    make_server(kubernetes, namespace, "one")
    whose = ("hub", "ada", "one", "vision", None, "small", State.RELEASED)
    first = ServerPod(namespace, "server-one", "another uid")
    then = datetime(2026, 11, 23, tzinfo=UTC)
    stray = Allotment("one", *whose, {}, (), then, stopping_at=then, place=first)

    assert servers.end(stray)

    assert kubernetes.pods(namespace) == []


class Forgetful:
    """A cluster that has forgotten the rest of a list when it is asked for the next page."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def __call__(self, **asked: Any) -> Any:
        self.asked.append(asked)
        if "_continue" in asked:
            raise ClusterRefused(410, "Expired", "The provided continue parameter is too old.")
        following = "more" if "limit" in asked else ""
        body = b'{"items": [{"one": 1}], "metadata": {"continue": "%s"}}' % following.encode()
        return Answer(body)


class Answer:
    """A response that is well."""

    ok, status, reason = True, 200, "OK"

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is left open."""

    async def read(self) -> bytes:
        return self._body


@pytest.mark.promise("SERVER-7")
async def test_a_list_whose_next_page_is_gone_is_read_as_a_whole() -> None:
    cluster = Forgetful()

    assert await listing.listed_documents(cluster, namespace="people") == [{"one": 1}]
    assert cluster.asked[-1] == {"namespace": "people", "_preload_content": False}
