"""Where a hub's servers run, by the settings: processes of this machine, or pods of a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from allotment.model.allotments import Allotment
from allotment.model.refusals import SettingsInvalid
from allotment.record.adopting import RunningServer
from allotment.settings import Settings
from allotment.work.local_servers import LocalServers
from allotment.work.reconciling import Place


def place_of(settings: Settings, hub: str, hub_url: str) -> Place:
    """The place of a hub's servers; ``hub_url`` is the hub's API as its servers are told it."""
    cluster = settings.kubernetes
    if cluster is None:
        return LocalServers(hub, hub_url)
    # Not needed, and perhaps not installed, where servers are processes.
    from allotment.inventory.kubernetes.connecting import Cluster  # noqa: PLC0415
    from allotment.work.kubernetes_servers import KubernetesServers  # noqa: PLC0415

    return KubernetesServers(hub, cluster.namespace, Cluster(cluster), gone=cluster.gone_clusters)


@dataclass(frozen=True, slots=True)
class UnknownPlace:
    """Settings that cannot be read any more do not say where servers run: nothing is proven gone."""

    problem: SettingsInvalid

    def running(self) -> Sequence[RunningServer]:
        """Nobody knows.

        Raises:
            SettingsInvalid: always.
        """
        raise self.problem

    def end(self, allotment: Allotment) -> str | None:  # noqa: ARG002 - whichever it is
        """Nothing is ended."""
        return None
