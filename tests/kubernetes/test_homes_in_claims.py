"""Homes as claims of storage, in a real hub on a cluster: within one limit, kept, removed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import hubs
from allotment.inventory.kubernetes.claims import ClaimedPlaces
from allotment.inventory.kubernetes.connecting import Cluster as Connection
from allotment.model.homes import Home, HomeTerms
from allotment.model.limits import LimitKind, LimitScope
from allotment.record import homes, limits, servers
from allotment.work.home_keeping import HomeKeeping
from cluster import Cluster
from pod_hubs import GPU, LABELS, PodHub

DAY = timedelta(days=1)


@pytest.fixture
def hub(kubernetes: Cluster, namespace: str, tmp_path: Path) -> Iterator[PodHub]:
    """A hub whose people may hold 15 GiB."""
    kubernetes.add_node(f"node-{namespace}", {GPU: 8}, labels=LABELS)
    hub = PodHub(tmp_path / "hub", kubernetes, namespace, pending="10s", starting="20s")
    hub.seed()
    hub.change(lambda w: limits.put(w, LimitScope.PLATFORM, "", LimitKind.STORAGE, 15))
    try:
        hub.start()
        yield hub
    finally:
        hub.close()
        kubernetes.remove_node(f"node-{namespace}")


def sizes(hub: PodHub) -> list[int]:
    found = hub.cluster.claims(hub.namespace)
    return sorted(int(one["spec"]["resources"]["requests"]["storage"]) for one in found)


def known(hub: PodHub) -> dict[str | None, Home]:
    with hub.record.reading() as reading:
        return {one.server: one for one in homes.all_homes(reading)}


@pytest.mark.promise("LIMIT-5", "SERVER-10")
def test_homes_of_a_person_are_within_one_limit_and_removed_when_nobody_used_them_for_so_long(
    hub: PodHub,
) -> None:
    hub.launch("ada", profile="small").raise_for_status()
    hub.ready("ada")
    hub.launch("ada", "more", profile="small").raise_for_status()
    hub.ready("ada", "more")

    assert sizes(hub) == [5 * 2**30, 10 * 2**30]
    assert {name: one.size for name, one in known(hub).items()} == {
        "": 10 * 2**30,
        "more": 5 * 2**30,
    }
    refused = hub.launch("ada", "third", profile="small")
    assert "Your homes have 15 GiB together and may have 15 GiB" in refused.text
    assert len(hub.homes()) == 2

    for name in ("", "more"):
        hub.stop("ada", name)
    hub.until(lambda: not hub.held(), "all servers to be gone")
    connection = Connection(hub.settings)
    place = ClaimedPlaces("hub", hub.namespace, connection, shared=False)
    terms = HomeTerms(keep=30 * DAY, warn=DAY)
    keeping = HomeKeeping(hub.record, "hub", lambda: place, lambda: terms)
    now = hubs.now()
    keeping.round(now)
    assert all(one.used for one in known(hub).values())
    hub.change(lambda w: servers.forget(w, "hub", "ada", ""))
    for day in (0, 29, 30):
        keeping.round(now + day * DAY)
    connection.close()

    hub.until(lambda: len(hub.homes()) == 1, "the home to be removed")
    assert list(known(hub)) == ["more"]
