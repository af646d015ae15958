"""A server that was deleted in the hub while the record was away no longer counts among those that exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from allotment.record import servers
from allotment.work.forgetting import forget_deleted
from allotment.work.hub_api import HubServer

Key = tuple[str, str]


@dataclass
class Hub:
    """What the hub lists, and what it has when it is asked about one server."""

    listed: frozenset[Key] = frozenset()
    known: frozenset[Key] = frozenset()

    def existing_servers(self) -> frozenset[Key]:
        return self.listed

    def server(self, person: str, name: str) -> HubServer | None:
        return HubServer(person, name, False, "") if (person, name) in self.known else None


def existing(lab: Any) -> set[Key]:
    with lab.record.reading() as reading:
        return {(one.person, one.name) for one in servers.all_servers(reading)}


def forget(lab: Any, hub: Hub) -> tuple[str, ...]:
    return forget_deleted(lab.record, hub, hub="hub", now=lab.later(minutes=1))


@pytest.fixture
def stopped(lab: Any) -> Any:
    """Ann has two servers, both stopped."""
    for name in ("train", "write"):
        lab.end(lab.granted("ann", "gpu", name))
    return lab


@pytest.mark.promise("LIMIT-1", "SERVER-3")
def test_a_server_that_the_hub_no_longer_has_is_forgotten(stopped: Any) -> None:
    both = frozenset({("ann", "train")})

    assert forget(stopped, Hub(both, both)) == ("ann/write",)
    assert existing(stopped) == {("ann", "train")}
    assert forget(stopped, Hub(both, both)) == ()


def test_a_server_that_the_list_missed_is_kept(stopped: Any) -> None:
    assert forget(stopped, Hub(frozenset(), frozenset({("ann", "train"), ("ann", "write")}))) == ()
    assert len(existing(stopped)) == 2


def test_a_server_that_is_being_launched_is_kept(stopped: Any) -> None:
    stopped.granted("ann", "gpu", "train")

    assert forget(stopped, Hub()) == ("ann/write",)
    assert existing(stopped) == {("ann", "train")}


def test_servers_of_another_hub_are_not_ours_to_forget(stopped: Any) -> None:
    done = forget_deleted(stopped.record, Hub(), hub="another", now=stopped.now)

    assert done == ()
    assert len(existing(stopped)) == 2
