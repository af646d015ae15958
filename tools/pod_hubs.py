"""Real hubs whose servers are pods of a cluster of the tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hubs
from allotment.inventory.kubernetes.connecting import Cluster as Connection
from allotment.inventory.kubernetes.inventory import KubernetesInventory
from allotment.model.allotments import Allotment
from allotment.model.groups import Share
from allotment.model.nodes import NodeRule
from allotment.model.pods import LABEL_ALLOTMENT
from allotment.model.profiles import Profile
from allotment.record import Writing, groups, people, pools, profiles, servers
from allotment.settings.kubernetes import KubernetesSettings
from allotment.work.hub_api import HubApi
from allotment.work.kubernetes_servers import KubernetesServers
from allotment.work.observing import take_in
from allotment.work.reconciling import Reconciled, reconcile
from cluster import Cluster, Image

GPU = "nvidia.com/gpu"
LABELS = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB", "nvidia.com/gpu.memory": "81920"}
PROFILES: list[dict[str, Any]] = [
    {"name": "small", "title": "Small", "cpu": 0.5, "memory": "256MiB"},
    {"name": "gpu", "title": "One GPU", "devices": 1, "cpu": 1, "memory": "1GiB"},
    {"name": "four", "title": "Four GPUs", "devices": 4, "priority": "low"},
    {"name": "missing", "title": "An image that is not there", "image": "does/not-exist:1"},
]
"""What people of the tests may launch. ``does/not-exist`` is no image of the tests' cluster."""

CONFIGURATION = """
from pathlib import Path
from allotment.settings.kubernetes import KubernetesSettings
from allotment_hub import kubernetes
from allotment.settings import Settings
cluster = KubernetesSettings.model_validate_json({cluster!r})
kubernetes.connect(Settings(kubernetes=cluster))
kubernetes.servers_as_pods(c, cluster)
c.AllotmentKubeSpawner.ending_patience = 5
{more}
"""


class PodHub(hubs.HubUnderTest):
    """A hub whose servers are pods of ``cluster``, in a namespace of its own."""

    def __init__(
        self, folder: Path, cluster: Cluster, namespace: str, *, more: str = "", **said: Any
    ) -> None:
        self.cluster, self.namespace = cluster, namespace
        wanted = {
            "namespace": namespace,
            "image": "quay.io/jupyter/base-notebook:tests",
            "kubeconfig": str(cluster.kubeconfig),
        }
        self.settings = KubernetesSettings.model_validate_json(json.dumps(wanted | said))
        # An image that runs what it is told, as those of Jupyter do.
        cluster.images[self.settings.image] = Image(command=("env",))
        document = self.settings.model_dump_json(exclude_defaults=True)
        extra = CONFIGURATION.format(cluster=document, more=more)
        super().__init__(folder, hubs.TINY, extra)

    def look(self) -> None:
        """Take in the cluster's devices, as the control plane does."""
        inventory = KubernetesInventory(self.settings)
        try:
            found = inventory.observe()
        finally:
            inventory.close()
        with self.record.writing("inventory", hubs.now()) as writing:
            take_in(writing, found)

    def seed(self) -> None:
        """A pool of what the cluster has for vision (ada, ben) and language (kim), an elastic one for peaks (mia)."""
        self.look()
        self.change(_seed)

    def servers(self) -> KubernetesServers:
        """Where the control plane looks for this hub's servers."""
        return KubernetesServers("hub", self.namespace, Connection(self.settings), patience=5)

    def reconcile(self) -> Reconciled:
        """Reconcile as the control plane does."""
        hub_api, place = HubApi(self.servers_see, hubs.ADMIN), self.servers()
        try:
            return reconcile(self.record, hub_api, place, hub="hub", now=hubs.now())
        finally:
            hub_api.close()
            place.cluster.close()

    def pods(self) -> list[dict[str, Any]]:
        """The pods of its servers."""
        found = self.cluster.pods(self.namespace)
        return [one for one in found if LABEL_ALLOTMENT in one["metadata"].get("labels", {})]

    def pod_of(self, allotment: Allotment) -> dict[str, Any]:
        """The pod of an allotment, as the record names it."""
        place = allotment.pod
        found = None if place is None else self.cluster.pod(place.name, place.namespace)
        if found is None:
            raise LookupError(f"the cluster has no pod of {allotment}")
        return found

    def homes(self) -> set[str]:
        """The claims of storage in its namespace, by name."""
        return {one["metadata"]["name"] for one in self.cluster.claims(self.namespace)}

    def server_names(self, person: str) -> set[str]:
        """The servers that the record says somebody has, stopped ones too."""
        with self.record.reading() as reading:
            return {one.name for one in servers.all_servers(reading, person=person)}

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait for something that the hub does; say what it wrote where it does not come."""
        return hubs.until(condition, f"{what}; the hub said:\n{self.log()[-6000:]}")


def _seed(writing: Writing) -> None:
    groups.create(writing, "vision", wanted=[Share("vision", "default", 4, 4)])
    people.onboard(writing, ["olga"], role="operator")
    groups.create(writing, "language", wanted=[Share("language", "default", 1, 1)])
    rule = NodeRule(selector={"tier": "burst"}, maximum=2)
    pools.create(writing, "burst", (), "NVIDIA-L4", nodes=rule)
    groups.create(writing, "peaks", wanted=[Share("peaks", "burst", 2, 2)])
    people.onboard(writing, ["mia"], group="peaks")
    people.onboard(writing, ["ada", "ben"], group="vision")
    people.onboard(writing, ["kim"], group="language")
    people.onboard(writing, ["cy"])
    for document in PROFILES:
        profiles.publish(writing, Profile.model_validate(document), "tests", document["name"])
