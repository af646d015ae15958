"""The settings' cluster: what contradicts it is named, and what the hub is told follows from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from kubernetes_asyncio.config import kube_config
from traitlets.config import Config

from allotment.model.refusals import SettingsInvalid
from allotment.settings import Settings, parse_settings
from allotment_hub import kubernetes
from allotment_hub.launch.place import Place, Ports
from allotment_spawner.kubernetes.spawner import AllotmentKubeSpawner

CLUSTER = "kubernetes: {namespace: jupyter, image: 'lab:1'"
PLACE = Place(Path("/state"), Path("/settings.yaml"), Ports(8000, 8001, 8002, 8003))


def settings(more: str = "", beside: str = "") -> Settings:
    return parse_settings(f"{CLUSTER}{more}}}\n{beside}", "s.yaml")


def told(more: str = "", c: Config | None = None) -> Config:
    c, cluster = c or Config(), settings(more).kubernetes
    assert cluster is not None
    kubernetes.servers_as_pods(c, cluster)
    return c


@pytest.mark.parametrize(
    ("more", "beside", "problem"),
    [
        ("", "servers: {system_users: true}", "s.yaml:2: servers.system_users: servers are pods"),
        (", pools: {a100: {}}", "", "s.yaml:1: kubernetes.pools.a100: there is no pool 'a100'"),
        (
            ", kueue: {queues: {vision: q}}",
            "",
            "s.yaml:1: kubernetes.kueue.queues.vision: there is no group 'vision'",
        ),
        (", home: {size: much}", "", "s.yaml:1: kubernetes.home.size: "),
        (", hub_url: 'hub:8081'", "", "s.yaml:1: kubernetes.hub_url: expected an address"),
    ],
    ids=["system users", "pool", "group", "size", "address"],
)
def test_what_contradicts_a_cluster_is_named_with_its_line(
    more: str, beside: str, problem: str
) -> None:
    with pytest.raises(SettingsInvalid) as found:
        settings(more, beside)

    assert problem in str(found.value)


def test_where_servers_are_pods_the_hub_may_listen_to_others() -> None:
    assert settings(beside="bind: 0.0.0.0").servers_apart


@pytest.mark.parametrize(
    ("home", "claim"),
    [
        ("", "server"),
        (", home: {access_modes: [ReadWriteMany]}", "person"),
        (", home: {per: person}", "person"),
    ],
    ids=["one node", "many nodes", "said"],
)
def test_a_home_is_a_persons_where_several_nodes_may_mount_it(home: str, claim: str) -> None:
    cluster = settings(home).kubernetes

    assert cluster is not None
    assert cluster.home.shared is (claim == "person")


def test_without_homes_no_storage_is_claimed() -> None:
    assert told().KubeSpawner.storage_pvc_ensure is True
    assert "storage_pvc_ensure" not in told(", home: {kind: none}").KubeSpawner


def test_the_hub_waits_longer_for_a_start_than_the_spawner_whose_words_say_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for connects in ("load_config", "shared_client"):  # no cluster is asked here
        monkeypatch.setattr(f"kubespawner.spawner.{connects}", lambda *_, **__: None)
    c = Config()
    c.KubeSpawner.start_timeout = 300  # as Zero to JupyterHub's chart does before
    told(", pending: 1m, starting: 2m, kueue: {default: everybody, patience: 1h}", c)

    spawner = AllotmentKubeSpawner(_mock=True, config=c)  # type: ignore[no-untyped-call]  # KubeSpawner's

    assert spawner.start_timeout > 63 * 60


def test_pods_that_wait_are_in_nobody_elses_way() -> None:
    c = Config()
    c.JupyterHub.concurrent_spawn_limit = 64  # as the chart does before

    told("", c)

    assert c.JupyterHub.concurrent_spawn_limit == 0


def test_pods_are_told_where_they_reach_hub_and_control_plane() -> None:
    more = ", hub_url: 'http://10.0.0.5:8081', public_url: 'http://10.0.0.5:8000/'"
    cluster = settings(more).kubernetes
    assert cluster is not None

    assert told(more).JupyterHub.hub_connect_url == "http://10.0.0.5:8081"
    assert kubernetes.api_url(cluster, PLACE) == ("http://10.0.0.5:8000/services/allotment/api/v1")


def test_a_kubeconfig_that_cannot_be_used_stops_the_hub_with_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What the client's library would use by itself: put back after the test.
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", "/nowhere")

    with pytest.raises(SettingsInvalid, match=r"s.yaml:1: kubernetes: /does/not/exist"):
        kubernetes.connect(settings(", kubeconfig: /does/not/exist"))
