"""The servers of one hub that run as pods of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubernetes_asyncio.client import CoreV1Api

from allotment.inventory.kubernetes import pods
from allotment.inventory.kubernetes.connecting import Cluster, ClusterProblem
from allotment.inventory.kubernetes.listing import listed_documents
from allotment.model.allotments import Allotment, ServerPod
from allotment.model.pods import LABEL_ALLOTMENT, LABEL_HUB, PodMark, read_mark
from allotment.record.adopting import RunningServer

_OVER = frozenset({"Failed", "Succeeded"})
_MORE = 15.0
"""Seconds that the cluster may take to answer, beside those that a pod may take to end."""


@dataclass(frozen=True, slots=True)
class KubernetesServers:
    """Found by their labels, which name the hub. ``patience`` is in seconds: how long an end is waited for.

    ``gone`` are clusters that an operator has said to be gone for good, with all of their pods.
    """

    hub: str
    namespace: str
    cluster: Cluster
    patience: float = 20.0
    gone: tuple[str, ...] = ()

    def running(self) -> tuple[RunningServer, ...]:
        """One entry an allotment. Blocks.

        Raises:
            ClusterProblem: the cluster did not say; nothing is known of what runs.
        """
        wanted = f"{LABEL_HUB}={self.hub},{LABEL_ALLOTMENT}"
        found = self.cluster.call(
            lambda client: listed_documents(
                CoreV1Api(client).list_namespaced_pod,
                namespace=self.namespace,
                label_selector=wanted,
            )
        )
        marked = (
            (one["metadata"], _mark_of(one["metadata"]))
            for one in found
            if one["status"].get("phase") not in _OVER
        )
        return tuple(_running(one, mark) for one, mark in marked if mark is not None)

    def end(self, allotment: Allotment) -> str | None:
        """Delete the pod of an allotment, and prove that it is gone. Blocks.

        None while it is not, and where the cluster does not answer: a call that failed proves nothing.
        None as well while the pod of a hub that was killed in mid-start may yet be made.
        """
        try:
            return self.cluster.call(
                lambda client: pods.prove_gone(
                    CoreV1Api(client),
                    allotment.id,
                    allotment.pod,
                    self.namespace,
                    patience=self.patience,
                    unanswered=pods.unanswered_since(allotment),
                    gone=self.gone,
                ),
                self.patience + _MORE,
            )
        except ClusterProblem:
            return None


def _mark_of(metadata: Mapping[str, Any]) -> PodMark | None:
    return read_mark(metadata.get("labels") or {}, metadata.get("annotations") or {})


def _running(metadata: Mapping[str, Any], mark: PodMark) -> RunningServer:
    began = datetime.fromisoformat(metadata["creationTimestamp"]).timestamp()
    return RunningServer(
        allotment=mark.allotment,
        hub=mark.hub,
        person=mark.person,
        server=mark.server,
        profile=mark.profile,
        group=mark.group,
        devices=mark.devices,
        place=ServerPod(metadata["namespace"], metadata["name"], metadata["uid"], began),
        token_hash=mark.token_hash,
    )
