"""Which cluster answers: behind the same name and address there may be another one since.

A cluster has no name of its own that could be asked for. What is customary is the uid of its
namespace kube-system: it is made with the cluster, once, and another cluster has another.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from functools import cache
from time import monotonic

from kubernetes_asyncio.client import CoreV1Api
from kubernetes_asyncio.client.exceptions import ApiException

log = logging.getLogger(__name__)

NAMESPACE = "kube-system"
_FORBIDDEN, _NOT_FOUND = 403, 404
PATIENCE = 5.0
"""Seconds that it may take to say."""


async def cluster_of(api: CoreV1Api) -> str:
    """Which cluster answers; empty where who asks may not know.

    Raises:
        ApiException, aiohttp.ClientError, OSError, TimeoutError: nobody answered, or nobody who could.
    """
    try:
        found = await api.read_namespace(NAMESPACE, _request_timeout=PATIENCE)
    except ApiException as error:
        if error.status in {_FORBIDDEN, _NOT_FOUND}:
            return ""
        raise
    return str(found.metadata.uid)


class ThisCluster:
    """Which cluster a program speaks with, asked from time to time: for what is made in it, not for proofs."""

    def __init__(self, asked_every: float = 300.0) -> None:
        self._asked_every = asked_every
        self._name, self._until = "", 0.0

    async def name(self, api: CoreV1Api) -> str:
        """As :func:`cluster_of`, known for ``asked_every`` seconds."""
        if monotonic() >= self._until:
            self._name = await cluster_of(api)
            self._until = monotonic() + self._asked_every
        return self._name


async def may_be_elsewhere(api: CoreV1Api, cluster: str, gone: Collection[str] = ()) -> bool:
    """Whether another cluster may answer than the one that is meant: what it says of its pods is no word of theirs.

    Only its own uid says that it is the one; where that may not be read, nobody knows. ``gone`` are
    clusters that an operator has said to be gone for good, with all of their pods.

    Raises:
        ApiException, aiohttp.ClientError, OSError, TimeoutError: as :func:`cluster_of`.
    """
    if not cluster or cluster in gone:
        return False
    answers = await cluster_of(api)
    if not answers:
        _say_unreadable(cluster)
    elif answers != cluster:
        log.warning(
            "Another cluster answers than %s: it has no word about that one's pods.", cluster
        )
    return answers != cluster


@cache
def _say_unreadable(cluster: str) -> None:
    """Once for a cluster: it is asked again and again, and the answer stays."""
    log.warning(
        "Whether it is the cluster %s that answers is not known: its namespace %s may not be read. "
        "Servers there count as running and hold their devices until 'get' on it is allowed, or "
        "kubernetes.gone_clusters says that the cluster is gone.",
        cluster,
        NAMESPACE,
    )
