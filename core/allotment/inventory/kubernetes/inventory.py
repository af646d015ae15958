"""The devices of a cluster, looked at again and again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from itertools import chain
from typing import Any

from kubernetes_asyncio.client import ApiClient, CoreV1Api

from allotment.inventory.discovery import Discovery
from allotment.inventory.kubernetes.accelerators import Reading
from allotment.inventory.kubernetes.connecting import Access, Cluster, ClusterProblem
from allotment.inventory.kubernetes.identity import PATIENCE as IDENTITY_PATIENCE
from allotment.inventory.kubernetes.identity import cluster_of
from allotment.inventory.kubernetes.listing import Listing
from allotment.inventory.kubernetes.nodes import fits_record, read_node, read_pod, slots
from allotment.inventory.kubernetes.watching import Seen, Watched
from allotment.model.amounts import counted
from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.model.nodes import ClusterSight, NodeSight, PodUse

log = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds that the first look may take."""
STALE = 60.0
"""Seconds after which what was seen last is no longer written anew: who uses what may have changed."""


def _nodes(client: ApiClient) -> Listing:
    return CoreV1Api(client).list_node


def _pods(client: ApiClient) -> Listing:
    return CoreV1Api(client).list_pod_for_all_namespaces


class KubernetesInventory:
    """The devices of a cluster's nodes, and who uses them.

    Nothing is asked before the first look. While the API is away the last look stays, with a note:
    nothing is called missing because nobody could say that it is there.

    Args:
        access: which cluster.
        others: resources that are devices and not known by themselves, by name.
        patience: seconds that the first look may take.
    """

    def __init__(
        self,
        access: Access,
        others: Mapping[str, Reading] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._cluster = Cluster(access)
        known = dict(others or {})
        self._patience = patience
        self._nodes = Watched(self._cluster, _nodes, lambda found: read_node(found, known))
        self._pods = Watched(self._cluster, _pods, lambda found: read_pod(found, known))

    def observe(self) -> Discovery:
        """Look now. Blocks until the cluster was listed once, ``patience`` seconds at most."""
        self._nodes.begin()
        self._pods.begin()
        nodes, pods = self._nodes.seen(self._patience), self._pods.seen(self._patience)
        found = tuple(chain.from_iterable(slots(node) for node in sorted(nodes.values, key=_name)))
        fitting = tuple(spec for spec in found if fits_record(spec))
        which = self._which() if _fresh(nodes) else None
        sight = ClusterSight(
            tuple(sorted(nodes.values, key=_name)),
            pods.values if _fresh(pods) else None,
            which or "",
        )
        return Discovery(
            devices=fitting,
            origin=DeviceOrigin.KUBERNETES,
            note=_note(nodes, pods, found, fitting),
            complete=which is not None,
            cluster=sight,
        )

    def _which(self) -> str | None:
        """Which cluster it is that was seen, asked after it was; None where that is not answered now."""
        try:
            return self._cluster.call(_identity, IDENTITY_PATIENCE)
        except ClusterProblem as problem:
            log.warning("which cluster answers could not be asked: %s", problem)
            return None

    def close(self) -> None:
        """Watch no longer, and end the connection."""
        self._nodes.end()
        self._pods.end()
        self._cluster.close()


async def _identity(client: ApiClient) -> str:
    return await cluster_of(CoreV1Api(client))


def _fresh(seen: Seen[Any]) -> bool:
    """Whether it may be written down: old word of who uses what would give a device to two, or to nobody."""
    return seen.listed and seen.age < STALE


def _name(node: NodeSight) -> str:
    return node.name


def _note(
    nodes: Seen[NodeSight],
    pods: Seen[PodUse],
    found: tuple[DeviceSpec, ...],
    fitting: tuple[DeviceSpec, ...],
) -> str:
    """What people must know of a look."""
    notes = []
    if nodes.problem and not nodes.listed:
        notes.append(f"The cluster could not be asked: {_sentence(nodes.problem)}")
    elif nodes.problem:
        age = f"{nodes.age:.0f} seconds" if nodes.age else "now"
        notes.append(
            f"The cluster cannot be asked, since {age}: {_sentence(nodes.problem)} What was seen last stays."
        )
    elif pods.problem and not pods.listed:
        notes.append(
            f"Which devices other pods use is not known: {_sentence(pods.problem)} The control plane must be allowed to list and watch pods."
        )
    elif not _fresh(pods):
        notes.append(
            f"Which devices other pods use is not known, since {pods.age:.0f} seconds: {_sentence(pods.problem)} What was known stays."
        )
    if len(found) > len(fitting):
        notes.append(
            f"{counted(len(found) - len(fitting), 'device')} cannot be used: the names of their nodes are too long."
        )
    if nodes.listed and not found:
        notes.append("None of the cluster's nodes has a device that is known.")
    return " ".join(notes)


def _sentence(words: str) -> str:
    return f"{words.rstrip('.')}."
