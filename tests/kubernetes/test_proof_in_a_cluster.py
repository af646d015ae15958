"""What a cluster's word proves of a pod, and what it does not: of another cluster, of a pod that may yet come."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from time import time
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes_asyncio.client import CoreV1Api
from kubespawner.spawner import KubeSpawner
from traitlets.config import Config

from allotment.inventory.kubernetes.connecting import Cluster as Connection
from allotment.inventory.kubernetes.identity import cluster_of
from allotment.inventory.kubernetes.pods import GRACE, LANDS_WITHIN, prove_gone, unanswered_since
from allotment.inventory.kubernetes.watching import Watched
from allotment.model.allotments import Allotment, ServerPod, State
from allotment.model.pods import LABEL_ALLOTMENT
from allotment.settings.kubernetes import KubernetesSettings
from allotment_spawner.kubernetes.living import LivingPod
from cluster import Cluster
from hubs import until


async def proof(core: Any, pod: ServerPod, **more: Any) -> str | None:
    return await prove_gone(core, "a-1", pod, pod.namespace, patience=5, **more)


@pytest.mark.promise("LIMIT-3")
async def test_another_cluster_proves_nothing_of_a_pod(
    core: CoreV1Api, own_core: CoreV1Api, namespace: str
) -> None:
    there = await cluster_of(core)
    assert there not in {"", await cluster_of(own_core)}
    pod = ServerPod(namespace, "jupyter-ada", "1234", cluster=there)

    assert await proof(own_core, pod) is None
    assert await proof(core, pod) == f"The cluster has no pod {namespace}/jupyter-ada."


@pytest.mark.promise("LIMIT-3")
async def test_the_pods_of_a_cluster_that_an_operator_calls_gone_are_gone(
    core: CoreV1Api, own_core: CoreV1Api, namespace: str
) -> None:
    there = await cluster_of(core)

    said = await proof(own_core, ServerPod(namespace, "jupyter-ada", cluster=there), gone=(there,))

    assert said == f"The cluster has no pod {namespace}/jupyter-ada."


@pytest.mark.promise("LIMIT-3")
async def test_who_may_not_ask_which_cluster_it_is_believes_it_of_no_pod_whose_cluster_is_known(
    as_account: Any, kubernetes: Cluster, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "delete"]}]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": rules}
    kubernetes.apply(role | {"metadata": {"name": "pods"}}, namespace)
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "pods"},
        "subjects": [{"kind": "ServiceAccount", "name": "narrow", "namespace": namespace}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "pods"},
    }
    kubernetes.apply(binding, namespace)
    narrow = CoreV1Api(await as_account("narrow"))

    assert await cluster_of(narrow) == ""
    known = ServerPod(namespace, "jupyter-ada", cluster=f"of-{namespace}")
    assert await proof(narrow, known) is None
    assert await proof(narrow, known) is None
    (said,) = (one.getMessage() for one in caplog.records if known.cluster in one.getMessage())
    assert "kube-system may not be read" in said
    assert await proof(narrow, known, gone=(known.cluster,))
    assert await proof(narrow, ServerPod(namespace, "jupyter-ada"))


@pytest.mark.promise("POOL-8")
async def test_a_pod_whose_making_nobody_answered_is_gone_only_when_it_cannot_come_any_more(
    core: CoreV1Api, kubernetes: Cluster, namespace: str
) -> None:
    pod = ServerPod(namespace, "jupyter-ada")

    assert await proof(core, pod, unanswered=time()) is None
    assert await proof(core, pod, unanswered=time() - LANDS_WITHIN)

    make_pod(kubernetes, namespace)
    assert await proof(core, pod, unanswered=time()) is None
    assert kubernetes.pods(namespace) == []


def make_pod(cluster: Cluster, namespace: str, allotment: str = "a-1") -> str:
    """A pod of an allotment; returns its uid."""
    made = cluster.apply(pod_document(allotment), namespace)
    return str(made["metadata"]["uid"])


def pod_document(allotment: str = "a-1") -> dict[str, Any]:
    metadata = {"name": "jupyter-ada", "labels": {LABEL_ALLOTMENT: allotment}}
    container = {"name": "notebook", "image": "busybox", "command": ["sleep", "infinity"]}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 1}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


@pytest.mark.promise("POOL-8", "LIMIT-3")
async def test_another_pod_of_the_same_allotment_is_no_proof_and_is_ended(
    core: CoreV1Api, kubernetes: Cluster, namespace: str
) -> None:
    make_pod(kubernetes, namespace)

    said = await proof(core, ServerPod(namespace, "jupyter-ada", "the first"))

    assert said == f"The cluster has no pod {namespace}/jupyter-ada."
    assert kubernetes.pods(namespace) == []


@pytest.mark.promise("LIMIT-3")
async def test_a_pod_of_somebody_else_under_its_name_proves_that_it_is_gone_and_stays(
    core: CoreV1Api, kubernetes: Cluster, namespace: str
) -> None:
    uid = make_pod(kubernetes, namespace, "a-2")

    said = await proof(core, ServerPod(namespace, "jupyter-ada", "1234"))

    assert said == f"The pod {namespace}/jupyter-ada is another now."
    assert [one["metadata"]["uid"] for one in kubernetes.pods(namespace)] == [uid]


@pytest.mark.promise("POOL-8", "LIMIT-3")
async def test_while_a_second_pod_may_come_the_end_of_the_first_proves_nothing(
    own_core: CoreV1Api, own_cluster: Cluster
) -> None:
    first = ServerPod("default", "jupyter-ada", make_pod(own_cluster, "default"))
    with own_cluster.late():
        asked = time()
        with pytest.raises(TimeoutError):
            await own_core.create_namespaced_pod("default", pod_document(), _request_timeout=1)
        assert await proof(own_core, first, unanswered=asked) is None
        assert own_cluster.pods("default") == []
    until(lambda: own_cluster.pods("default"), "the second pod")

    assert await proof(own_core, first, unanswered=asked) is None
    assert own_cluster.pods("default") == []
    assert await proof(own_core, first, unanswered=asked - LANDS_WITHIN)


NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.promise("POOL-8")
@pytest.mark.parametrize(
    ("pod", "ran", "expected"),
    [
        (None, None, None),
        (ServerPod("jupyter", "jupyter-ada", "1234"), NOW, None),
        (ServerPod("jupyter", "jupyter-ada", "1234"), None, NOW.timestamp()),
        (ServerPod("jupyter", "jupyter-ada"), None, NOW.timestamp()),
    ],
    ids=["never asked for", "its server ran", "seen", "asked for"],
)
def test_a_pod_of_a_hub_that_was_killed_may_come_if_it_was_asked_for_and_its_server_never_ran(
    pod: ServerPod | None, ran: datetime | None, expected: float | None
) -> None:
    whose = ("hub", "ada", "", "vision", "default", "gpu", State.STOPPING)
    allotment = Allotment("a-1", *whose, {}, (), NOW, running_at=ran, stopping_at=NOW, place=pod)

    assert unanswered_since(allotment) == expected


@pytest.mark.promise("SERVER-7")
@pytest.mark.parametrize("elsewhere", [True, False], ids=["another cluster", "its own"])
async def test_a_server_counts_as_running_while_another_cluster_says_that_it_has_no_pod(
    core: CoreV1Api, namespace: str, monkeypatch: pytest.MonkeyPatch, elsewhere: bool
) -> None:
    for connects in ("load_config", "shared_client"):  # the cluster is asked through this client
        monkeypatch.setattr(f"kubespawner.spawner.{connects}", lambda *_, **__: None)
    c = Config()
    c.LivingPod.cluster = KubernetesSettings(namespace=namespace, image="lab:1")
    server: Any = LivingPod(_mock=True, config=c)  # type: ignore[no-untyped-call]  # KubeSpawner's
    server.api, server.namespace, server.pod_name = core, namespace, "jupyter-ada"
    server.pod_cluster = "another" if elsewhere else await cluster_of(core)
    monkeypatch.setattr(KubeSpawner, "poll", _gone)
    monkeypatch.setattr(
        LivingPod, "pod_reflector", SimpleNamespace(pods={}, last_word=lambda _: None)
    )

    assert await server.poll() == (None if elsewhere else 1)


async def _gone(_server: object) -> int:
    return 1


@pytest.mark.promise("LIMIT-3")
async def test_a_pod_is_given_less_time_to_end_than_its_end_is_waited_for(
    core: CoreV1Api, kubernetes: Cluster, namespace: str
) -> None:
    kubernetes.add_node(f"node-of-{namespace}", labels={"only": namespace})
    selected = {"nodeSelector": {"only": namespace}, "terminationGracePeriodSeconds": 30}
    stubborn = ("sh", "-c", "trap '' TERM; while true; do sleep 1; done")
    made = kubernetes.add_pod("jupyter-ada", namespace, command=stubborn, **selected)
    until(lambda: kubernetes.pod("jupyter-ada", namespace)["status"]["phase"] == "Running", "it")  # type: ignore[index]  # it is there
    pod = ServerPod(namespace, "jupyter-ada", made["metadata"]["uid"])

    assert await prove_gone(core, "a-1", pod, namespace, patience=0) is None

    ending = kubernetes.pod("jupyter-ada", namespace)
    assert ending is not None
    assert ending["metadata"]["deletionGracePeriodSeconds"] == GRACE
    kubernetes.delete_pod("jupyter-ada", namespace, grace=0)
    kubernetes.remove_node(f"node-of-{namespace}")


@pytest.mark.promise("POOL-6")
def test_a_cluster_that_has_not_come_as_far_as_it_once_had_is_listed_anew(
    own_cluster: Cluster,
) -> None:
    own_cluster.add_node("there")
    connection = Connection(settings(own_cluster.kubeconfig))
    lists: list[str] = []

    def restored(client: Any) -> Any:
        """The first list is of before the cluster was restored from a backup, and of a later version."""

        async def listing(**asked: Any) -> Any:
            if asked.get("watch") and len(lists) < 2:
                asked["resource_version"] = "999999999"
            if not asked.get("watch"):
                lists.append("")
            return await CoreV1Api(client).list_node(**asked)

        return listing

    nodes = Watched(connection, restored, lambda found: str(found["metadata"]["name"]))
    nodes.begin()
    assert nodes.seen(10).values == ("there",)
    own_cluster.add_node("since")

    until(lambda: set(nodes.seen().values) == {"there", "since"}, "the list to be made anew")
    nodes.end()
    connection.close()


def settings(kubeconfig: Path) -> KubernetesSettings:
    return KubernetesSettings(namespace="jupyter", image="lab:1", kubeconfig=kubeconfig)


@pytest.mark.promise("SERVER-7")
def test_a_token_that_ended_is_replaced_once_for_all_who_ask_and_a_watch_goes_on(
    own_cluster: Cluster,
) -> None:
    file = own_cluster.kubeconfig_of("inventory", "default")
    _allow_everything(own_cluster)
    connection = Connection(settings(file))
    nodes = Watched(connection, lambda client: CoreV1Api(client).list_node, lambda found: found)
    nodes.begin()
    assert nodes.seen(10).listed
    before = connection._client

    _renew(own_cluster, file)
    answers = [connection.begin(connection.ask(_nodes)) for _ in range(4)]
    assert [len(one.result(10).items) for one in answers] == [0] * 4
    after = connection._client
    own_cluster.add_node("late")
    until(lambda: len(nodes.seen().values) == 1, "the watch to go on")

    assert after is not before
    assert len(connection._closing) == 1
    assert nodes.seen().problem == ""
    nodes.end()
    connection.close()
    assert connection._closing == set()


async def _nodes(client: Any) -> Any:
    found = await CoreV1Api(client).list_node()
    await asyncio.sleep(0)
    return found


def _allow_everything(running: Cluster) -> None:
    document = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "inventory"},
        "subjects": [{"kind": "ServiceAccount", "name": "inventory", "namespace": "default"}],
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "cluster-admin",
        },
    }
    running.apply(document)


def _renew(running: Cluster, kubeconfig: Path) -> None:
    """Let the token of a kubeconfig end, and write another into it."""
    old = next(
        line.split()[-1].strip('",')
        for line in kubeconfig.read_text().splitlines()
        if "token" in line
    )
    running._tokens.revoke(old)
    running.kubeconfig_of("inventory", "default")


@pytest.mark.promise("POOL-6")
def test_what_a_watch_has_missed_is_found_by_the_next_list(own_cluster: Cluster) -> None:
    own_cluster.add_node("there")
    connection = Connection(settings(own_cluster.kubeconfig))
    nodes = Watched(
        connection,
        lambda client: CoreV1Api(client).list_node,
        lambda found: str(found["metadata"]["name"]),
        list_again=0.0,
    )
    nodes.begin()
    assert nodes.seen(10).values == ("there",)
    nodes._values["", "gone"] = "gone"

    def found_again() -> bool:
        own_cluster.drop_watches()  # of a watch that had not begun yet nothing was dropped
        return nodes.seen().values == ("there",)

    until(found_again, "the list to be made anew")
    nodes.end()
    connection.close()
