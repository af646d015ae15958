"""Homes as claims of storage, in a real hub on a cluster: within one limit, kept, removed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from kubernetes_asyncio.client import CoreV1Api

import hubs
from allotment.inventory.kubernetes.claims import ClaimedPlaces
from allotment.inventory.kubernetes.connecting import Cluster as Connection
from allotment.inventory.packing import NotPacked
from allotment.model.homes import FoundHome, Home, HomeTerms
from allotment.model.limits import LimitKind, LimitScope
from allotment.record import homes, limits, servers
from allotment.work.home_keeping import HomeKeeping
from cluster import Cluster
from pod_hubs import GPU, LABELS, PodHub

DAY = timedelta(days=1)


NAMESPACE = "homes-in-claims"
MORE = "c.KubeSpawner.k8s_api_request_retry_timeout = 1"
"""A claim that is going is waited for no longer."""
TEAM_FILES: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "team-files"},
    "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "50Gi"}}},
}


@pytest.fixture(scope="module")
def hub(kubernetes: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PodHub]:
    """A hub whose people may hold 15 GiB, and whose groups share folders."""
    node = f"node-{NAMESPACE}"
    kubernetes.add_namespace(NAMESPACE)
    kubernetes.add_node(node, {GPU: 8}, labels=LABELS)
    kubernetes.apply(TEAM_FILES, NAMESPACE)
    waits = {"pending": "10s", "starting": "20s"}
    home = {"groups": TEAM_FILES["metadata"]["name"]}
    folder = tmp_path_factory.mktemp("hub")
    hub = PodHub(folder, kubernetes, NAMESPACE, more=MORE, home=home, **waits)
    hub.seed()
    hub.change(lambda w: limits.put(w, LimitScope.PLATFORM, "", LimitKind.STORAGE, 15))
    try:
        hub.start()
        yield hub
    finally:
        hub.close()
        kubernetes.remove_node(node)
        kubernetes.remove_namespace(NAMESPACE)


@pytest.fixture
def place(hub: PodHub) -> Iterator[ClaimedPlaces]:
    """Where the control plane finds the homes."""
    connection = Connection(hub.settings)
    yield ClaimedPlaces("hub", hub.namespace, connection, shared=False)
    connection.close()


def claims_of(hub: PodHub, person: str) -> list[dict[str, Any]]:
    found = hub.cluster.claims(hub.namespace)
    key = "hub.jupyter.org/username"
    return [one for one in found if one["metadata"].get("annotations", {}).get(key) == person]


def sizes(hub: PodHub, person: str) -> list[int]:
    found = claims_of(hub, person)
    return sorted(int(one["spec"]["resources"]["requests"]["storage"]) for one in found)


def hold(place: ClaimedPlaces, name: str, *finalizers: str) -> None:
    """Have the cluster keep a claim that is deleted, as a storage's own parts do; nothing named: let it go."""
    body = {"metadata": {"finalizers": list(finalizers) or None}}
    place.cluster.call(
        lambda client: CoreV1Api(client).patch_namespaced_persistent_volume_claim(
            name, place.namespace, body
        )
    )


def known(hub: PodHub) -> dict[str | None, Home]:
    with hub.record.reading() as reading:
        return {one.server: one for one in homes.all_homes(reading, person="ada")}


@pytest.mark.promise("LIMIT-5", "SERVER-10")
def test_homes_of_a_person_are_within_one_limit_and_removed_when_nobody_used_them_for_so_long(
    hub: PodHub, place: ClaimedPlaces
) -> None:
    hub.launch("ada", profile="small").raise_for_status()
    hub.ready("ada")
    hub.launch("ada", "more", profile="small").raise_for_status()
    hub.ready("ada", "more")

    assert sizes(hub, "ada") == [5 * 2**30, 10 * 2**30]
    assert {name: one.size for name, one in known(hub).items()} == {
        "": 10 * 2**30,
        "more": 5 * 2**30,
    }
    refused = hub.launch("ada", "third", profile="small")
    assert "Your homes have 15 GiB together and may have 15 GiB" in refused.text
    assert len(claims_of(hub, "ada")) == 2

    for name in ("", "more"):
        hub.stop("ada", name)
    hub.until(lambda: not hub.held("ada"), "all servers to be gone")
    terms = HomeTerms(keep=30 * DAY, warn=DAY)
    keeping = HomeKeeping(hub.record, "hub", lambda: place, lambda: terms)
    now = hubs.now()
    keeping.round(now)
    assert all(one.used for one in known(hub).values())
    hub.change(lambda w: servers.forget(w, "hub", "ada", ""))
    for day in (0, 29, 30):
        keeping.round(now + day * DAY)

    hub.until(lambda: len(claims_of(hub, "ada")) == 1, "the home to be removed")
    assert list(known(hub)) == ["more"]


@pytest.mark.promise("SERVER-10")
def test_a_launch_never_uses_a_home_that_is_being_removed_but_makes_another(
    hub: PodHub, place: ClaimedPlaces
) -> None:
    hub.launch("ben", profile="small").raise_for_status()
    hub.ready("ben")
    hub.stop("ben")
    hub.until(lambda: not hub.held("ben"), "the server to be gone")
    (home,) = (one for one in place.homes() if one.person == "ben")
    hold(place, home.place, "tests.example.org/hold")
    place.aside(home)
    assert home not in place.homes()

    answer = hub.launch("ben", profile="small")
    hub.until(lambda: not hub.held("ben"), "the launch to be refused")
    refusal = hub.latest("ben").stop_reason if answer.is_success else answer.json()["message"]
    assert "Its old home is being removed" in refusal

    hold(place, home.place)
    hub.launch("ben", profile="small").raise_for_status()
    hub.ready("ben")
    (claim,) = claims_of(hub, "ben")
    assert claim["metadata"]["name"] == home.place
    assert claim["metadata"]["uid"] != home.uid


@pytest.mark.promise("SERVER-10")
def test_a_server_that_was_deleted_and_whose_home_was_removed_is_launched_again_with_a_new_home(
    hub: PodHub, place: ClaimedPlaces
) -> None:
    hub.launch("mia", profile="small").raise_for_status()
    hub.ready("mia")
    hub.stop("mia")
    hub.until(lambda: not hub.held("mia"), "the server to be gone")
    hub.change(lambda w: servers.forget(w, "hub", "mia", ""))
    (home,) = (one for one in place.homes() if one.person == "mia")
    place.aside(home)
    hub.kill()
    hub.start()  # it has read from its database that there is a claim

    hub.launch("mia", profile="small").raise_for_status()
    hub.ready("mia")

    (claim,) = claims_of(hub, "mia")
    assert claim["metadata"]["uid"] != home.uid


@pytest.mark.promise("SERVER-10")
def test_a_claim_of_the_same_name_that_came_later_is_not_removed(
    hub: PodHub, place: ClaimedPlaces
) -> None:
    said = {"hub.jupyter.org/username": "kim"}
    document = {**TEAM_FILES, "metadata": {"name": "claim-kim", "annotations": said}}
    hub.cluster.apply(document, hub.namespace)

    with pytest.raises(NotPacked, match="another one than was found"):
        place.aside(FoundHome("claim-kim", "kim", uid="an-earlier-one"))

    assert len(claims_of(hub, "kim")) == 1


@pytest.mark.promise("SERVER-10")
def test_a_pod_has_the_folders_of_its_persons_groups_and_no_other(hub: PodHub) -> None:
    hub.launch("kim", profile="small").raise_for_status()
    hub.ready("kim")

    (shared,) = (
        one for one in hub.cluster.claims(hub.namespace) if one["metadata"]["name"] == "team-files"
    )
    (allotment,) = hub.held("kim")
    (container,) = hub.pod_of(allotment)["spec"]["containers"]
    mounts = {one["mountPath"]: one.get("subPath") for one in container["volumeMounts"]}
    assert mounts["/home/jovyan/shared/language"] == "language"
    assert not any(path.endswith("/vision") for path in mounts)
    assert (hub.cluster.folder / "claims" / shared["metadata"]["uid"] / "language").is_dir()
