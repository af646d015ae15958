"""Servers as pods of a cluster, in a real hub: from the launch to the proof that the devices are free."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest

import pod_hubs
from allotment.inventory.kubernetes.connecting import ClusterProblem
from allotment.inventory.kubernetes.pods import LANDS_WITHIN
from allotment.model.allotments import Allotment
from allotment.record import claims, platform
from allotment.record.schema import allotments
from cluster import Cluster, cluster
from pod_hubs import GPU, PodHub

NAMESPACE = "jupyter"
MORE = """
from allotment_spawner.kubernetes.starting import PodServer
async def stop(self, now=False, *, stop=PodServer.stop):
    if self.name == "stubborn":
        raise RuntimeError("The stop failed.")
    await stop(self, now)
PodServer.stop = stop
c.AllotmentKubeSpawner.lost_after = 1
c.KubeSpawner.extra_pod_config = {"terminationGracePeriodSeconds": 1}
c.KubeSpawner.k8s_api_request_timeout = 1
c.KubeSpawner.k8s_api_request_retry_timeout = 2
"""
"""Servers of one name cannot be stopped; what takes half a minute takes a second."""


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with two nodes of four GPUs each."""
    with cluster(tmp_path_factory.mktemp("cluster")) as running:
        running.add_namespace(NAMESPACE)
        for node in ("gpu-1", "gpu-2"):
            running.add_node(node, {GPU: 4}, labels=pod_hubs.LABELS)
        running.install_kueue()
        yield running


@pytest.fixture(scope="module")
def hub_of_module(machines: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PodHub]:
    kueue = {"queues": {"language": "language-queue"}, "patience": "3s"}
    waits = {"pending": "2s", "starting": "20s", "kueue": kueue}
    hub = PodHub(tmp_path_factory.mktemp("hub"), machines, NAMESPACE, more=MORE, **waits)
    hub.seed()
    try:
        hub.start()
        yield hub
    finally:
        hub.close()


@pytest.fixture
def hub(hub_of_module: PodHub) -> Iterator[PodHub]:
    """A hub that runs, without servers before and after."""
    yield hub_of_module
    for person in ("ada", "ben"):
        hub_of_module.api("DELETE", f"/users/{person}/server")
    hub_of_module.until(lambda: not hub_of_module.held(), "all servers to be gone")


def launched(hub: PodHub, person: str = "ada", profile: str = "gpu") -> Allotment:
    hub.launch(person, profile=profile).raise_for_status()
    hub.ready(person)
    (allotment,) = hub.held(person)
    return allotment


def ended(hub: PodHub, allotment: Allotment) -> Allotment:
    hub.until(lambda: not hub.held(allotment.person), "the devices to be free")
    return hub.latest(allotment.person)


def pass_a_minute(hub: PodHub) -> None:
    """As if the stops of all that is held had begun a minute ago: no call of before is carried out any more."""
    began = hub.now() - timedelta(seconds=LANDS_WITHIN)
    change = allotments.update().where(allotments.c.state == "stopping").values(stopping_at=began)
    hub.change(lambda writing: writing.run(change))


@pytest.mark.promise("SERVER-3")
@pytest.mark.promise("LIMIT-3")
def test_a_launch_is_a_pod_on_its_node_and_its_devices_are_free_when_the_cluster_has_it_no_more(
    hub: PodHub,
) -> None:
    allotment = launched(hub)

    pod = hub.pod_of(allotment)
    (container,) = pod["spec"]["containers"]
    assert container["resources"]["limits"][GPU] == "1"
    assert pod["spec"]["nodeName"] == allotment.devices[0].node
    assert pod["metadata"]["labels"]["allotment.dev/allotment"] == allotment.id
    assert allotment.pod is not None
    assert allotment.pod.uid == pod["metadata"]["uid"]
    address = f"http://{pod['status']['podIP']}:8888/user/ada/env"
    told: dict[str, Any] = httpx.get(address, trust_env=False).json()
    assert told["ALLOTMENT_DEVICES"] == allotment.devices[0].id
    assert told["ALLOTMENT_DEVICE_KINDS"] == "gpu"
    assert "CUDA_VISIBLE_DEVICES" not in told

    hub.stop("ada")

    over = ended(hub, allotment)
    assert (over.state, over.stop_reason) == ("released", "It was stopped.")
    assert hub.pods() == []


def test_a_claim_of_four_takes_four_of_one_node(hub: PodHub) -> None:
    allotment = launched(hub, "ben", "four")

    (node,) = {one.node for one in allotment.devices}
    pod = hub.pod_of(allotment)
    assert pod["spec"]["nodeName"] == node
    assert pod["spec"]["containers"][0]["resources"]["limits"][GPU] == "4"


def _out_of_memory(machines: Cluster, pod: str) -> None:
    machines.out_of_memory(pod, NAMESPACE)


def _evicted(machines: Cluster, pod: str) -> None:
    machines.evict(pod, NAMESPACE)


def _deleted(machines: Cluster, pod: str) -> None:
    machines.delete_pod(pod, NAMESPACE)


def _drained(machines: Cluster, pod: str) -> None:
    found = machines.pod(pod, NAMESPACE)
    assert found is not None
    node = found["spec"]["nodeName"]
    machines.drain(node)
    machines.change_node(node, unschedulable=False)


@pytest.mark.promise("SERVER-7")
@pytest.mark.parametrize(
    ("misfortune", "words"),
    [
        (_out_of_memory, "It ran out of memory (1 GiB)."),
        (_evicted, "It was evicted: The node was low on resource: memory."),
        (_deleted, "Its pod was deleted by somebody outside of the platform."),
        (_drained, "It was evicted: its node is being emptied."),
    ],
    ids=["out of memory", "evicted", "deleted by hand", "drained"],
)
def test_what_ends_a_pod_is_what_its_user_reads_and_its_devices_are_free(
    hub: PodHub, misfortune: Any, words: str
) -> None:
    allotment = launched(hub)
    assert allotment.pod is not None

    misfortune(hub.cluster, allotment.pod.name)

    over = ended(hub, allotment)
    assert over.stop_reason.startswith(words)
    assert hub.pods() == []


def test_a_pod_that_finds_no_node_is_given_up_with_the_schedulers_own_word(hub: PodHub) -> None:
    for number in range(2):
        hub.cluster.add_pod(f"other-{number}", resources={GPU: 4})

    answer = hub.launch("ada", profile="gpu")

    refusal = hub.latest("ada").stop_reason if answer.is_success else answer.json()["message"]
    for number in range(2):
        hub.cluster.delete_pod(f"other-{number}", grace=0)
    assert "The cluster found no node for it within 2 seconds." in refusal
    assert "nodes are available" in refusal
    over = ended(hub, hub.latest("ada"))
    assert "nodes are available" in over.stop_reason
    assert hub.pods() == []


def test_a_pod_that_kueue_does_not_admit_is_given_up_with_kueues_own_word(hub: PodHub) -> None:
    words = "LocalQueue language-queue doesn't exist"
    with ThreadPoolExecutor(1) as thread:
        launch = thread.submit(hub.launch, "kim", profile="gpu")
        (pod,) = hub.until(hub.pods, "the pod")
        hub.cluster.kueue_says(pod["metadata"]["name"], words, NAMESPACE)
        answer = launch.result()

    over = ended(hub, hub.latest("kim"))
    assert answer.status_code == 503

    assert "Kueue did not admit it within 3 seconds." in over.stop_reason
    assert "Kueue: LocalQueue language-queue doesn't exist." in over.stop_reason
    assert over.running_at is None
    assert hub.pods() == []


@pytest.mark.promise("SERVER-7")
def test_while_the_api_is_away_nothing_is_released_and_servers_go_on(hub: PodHub) -> None:
    allotment = launched(hub)

    with hub.cluster.away():
        with pytest.raises(ClusterProblem):
            hub.reconcile()
        place = hub.servers()
        assert place.end(allotment) is None
        place.cluster.close()
        assert [one.id for one in hub.held()] == [allotment.id]

    assert not hub.reconcile().released
    assert hub.ready("ada")["ready"]
    assert hub.pod_of(allotment)["metadata"]["uid"] == allotment.pod.uid  # type: ignore[union-attr]  # launched


@pytest.mark.promise("SERVER-7")
def test_a_hub_that_is_killed_in_mid_start_leaves_a_pod_that_reconciling_ends(hub: PodHub) -> None:
    with ThreadPoolExecutor(1) as thread:
        launch = thread.submit(hub.launch, "ada", profile="missing")
        hub.until(hub.pods, "the pod")
        (held,) = hub.held("ada")
        assert held.pod is not None
        hub.kill()
        assert isinstance(launch.exception(), httpx.TransportError)

    hub.start()
    hub.until(lambda: hub.reconcile().lingering and not hub.pods(), "the pod to be ended")
    pass_a_minute(hub)
    hub.bring_together()

    assert hub.pods() == []
    assert hub.latest("ada").state == "released"


@pytest.mark.promise("SERVER-7", "LIMIT-3")
def test_a_stop_that_fails_leaves_no_pod_and_no_device_held(hub: PodHub) -> None:
    hub.launch("ada", "stubborn", profile="gpu").raise_for_status()
    hub.ready("ada", "stubborn")
    (held,) = hub.held("ada")

    hub.api("DELETE", "/users/ada/servers/stubborn")

    hub.until(lambda: not hub.held("ada"), "the device to be free")
    assert hub.latest("ada", "stubborn").id == held.id
    assert hub.pods() == []
    hub.until(lambda: not hub.active_in_hub("ada", "stubborn"), "the hub to know")


@pytest.mark.promise("SERVER-7", "LIMIT-3")
def test_a_pod_on_a_lost_node_ends_for_its_user_and_holds_its_device_until_it_is_gone(
    hub: PodHub,
) -> None:
    allotment = launched(hub)
    node = allotment.devices[0].node

    hub.cluster.change_node(node, ready=False)
    hub.cluster.lose_patience(node)

    hub.until(lambda: not hub.active_in_hub("ada"), "the hub to give it up")
    (stopping,) = hub.held("ada")
    assert stopping.state == "stopping"
    assert stopping.stop_reason.startswith("It was evicted: its node does not let it stay.")
    assert "Its node has not said that it ended" in stopping.stop_reason
    assert not hub.reconcile().released
    assert hub.held("ada")

    hub.cluster.remove_node(node)
    hub.until(lambda: not hub.pods(), "the pod to go with its node")
    hub.cluster.add_node(node, {GPU: 4}, labels=pod_hubs.LABELS)
    assert hub.reconcile().released == ("ada/",)


@pytest.mark.promise("POOL-8", "LIMIT-3")
def test_a_pod_that_comes_after_its_start_was_given_up_keeps_its_device_until_it_is_ended(
    hub: PodHub,
) -> None:
    # Its home is there: what is late is the pod.
    before = launched(hub)
    hub.stop("ada")
    ended(hub, before)

    with hub.cluster.late():
        refused = hub.launch("ada", profile="gpu")
        assert refused.status_code == 503
        (held,) = hub.held("ada")
        assert held.state == "stopping"
        assert not hub.reconcile().released
    (pod,) = hub.until(hub.pods, "the pod that nobody waits for")
    assert pod["metadata"]["labels"]["allotment.dev/allotment"] == held.id

    # Of several calls another may be carried out yet.
    assert not hub.reconcile().released
    assert hub.pods() == []
    pass_a_minute(hub)
    assert hub.reconcile().released == ("ada/",)

    assert hub.latest("ada").id == held.id
    assert hub.pods() == []


@pytest.mark.promise("POOL-1")
def test_a_pod_of_an_elastic_pool_brings_its_node_and_takes_no_other(hub: PodHub) -> None:
    with ThreadPoolExecutor(1) as thread:
        launch = thread.submit(hub.launch, "mia", profile="gpu")
        (pod,) = hub.until(hub.pods, "the pod")
        labels = {"nvidia.com/gpu.product": "NVIDIA-L4", "tier": "burst"}
        hub.cluster.add_node("burst-1", {GPU: 1}, labels=labels)
        launch.result().raise_for_status()

    (held,) = hub.held("mia")
    assert [one.node for one in held.devices] == [""]
    assert pod["spec"]["nodeSelector"] == {"tier": "burst"}
    assert hub.pod_of(held)["spec"]["nodeName"] == "burst-1"
    hub.stop("mia")
    ended(hub, held)
    hub.cluster.remove_node("burst-1")


@pytest.mark.promise("SERVER-7")
def test_a_hub_that_is_killed_finds_its_servers_again(hub: PodHub) -> None:
    allotment = launched(hub)

    hub.kill()
    hub.start()
    hub.bring_together()

    assert hub.ready("ada")["ready"]
    assert [one.id for one in hub.held()] == [allotment.id]
    hub.stop("ada")
    assert ended(hub, allotment).stop_reason == "It was stopped."


@pytest.mark.promise("SERVER-7")
def test_a_pod_that_the_record_has_released_wrongly_is_taken_in_again(hub: PodHub) -> None:
    allotment = launched(hub)
    claims.mark_stopping(hub.record, allotment.id, "A mistake.", "olga", hub.now())
    claims.release(hub.record, allotment.id, "Nobody looked.", hub.now())

    done = hub.reconcile()

    (again,) = hub.held("ada")
    assert done.adopted == ("ada/",)
    assert (again.id, again.devices) == (allotment.id, allotment.devices)
    assert again.pod is not None
    assert hub.pod_of(again)["metadata"]["uid"] == again.pod.uid


@pytest.mark.promise("SERVER-3")
def test_a_server_that_is_deleted_counts_no_more_and_the_home_stays(hub: PodHub) -> None:
    hub.launch("ada", "notes", profile="small").raise_for_status()
    hub.ready("ada", "notes")
    homes = hub.homes()

    hub.api("DELETE", "/users/ada/servers/notes", {"remove": True}).raise_for_status()

    hub.until(lambda: "notes" not in hub.server_names("ada"), "the server to be forgotten")
    assert homes
    assert hub.homes() == homes


@pytest.mark.promise("POOL-6")
def test_devices_of_another_cluster_bind_no_pod_here_and_are_free_again(hub: PodHub) -> None:
    with hub.record.reading() as reading:
        own = platform.cluster_counted(reading)
    hub.change(lambda writing: platform.count_cluster(writing, "another"))
    try:
        refused = hub.launch("ada", profile="gpu")
    finally:
        hub.change(lambda writing: platform.count_cluster(writing, own))

    assert refused.status_code == 503
    said = refused.json()["message"]
    assert f"Its devices are in the cluster another, and this hub makes pods in {own}." in said
    assert own
    hub.until(lambda: not hub.held("ada"), "the devices to be free")
    assert not hub.pods()
