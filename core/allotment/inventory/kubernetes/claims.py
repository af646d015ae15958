"""Homes as claims of storage, found by the labels that the hub's spawner gives them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from kubernetes_asyncio.client import (
    ApiClient,
    CoreV1Api,
    V1DeleteOptions,
    V1PersistentVolumeClaim,
    V1Preconditions,
)

from allotment.inventory.kubernetes.connecting import (
    Cluster,
    ClusterProblem,
    ConflictingChange,
    NotThere,
)
from allotment.inventory.packing import NotPacked
from allotment.model.homes import FoundHome, Packed
from allotment.model.pods import LABEL_HUB

_ENDING = 5.0
"""Seconds that the deletion of a claim may take: nobody is admitted meanwhile."""
_LABELS = "component=singleuser-storage"
_PERSON, _SERVER = "hub.jupyter.org/username", "hub.jupyter.org/servername"
_UNITS = {
    "": 1,
    **{f"{letter}i": 1024**power for power, letter in enumerate("KMGTPE", start=1)},
    **{letter: 1000**power for power, letter in enumerate("kMGTPE", start=1)},
}
_NOT_HERE = (
    "Claims of storage are not packed into files: keep what the storage itself can keep (a snapshot), "
    "or let the claim be removed"
)


@dataclass(frozen=True, slots=True)
class ClaimedPlaces:
    """The claims of one hub's people. ``shared``: all servers of a person have one."""

    hub: str
    namespace: str
    cluster: Cluster
    shared: bool

    def homes(self) -> tuple[FoundHome, ...]:
        """Every home that there is. Blocks.

        Raises:
            ClusterProblem: the cluster did not say.
        """

        async def ask(client: ApiClient) -> list[V1PersistentVolumeClaim]:
            api = CoreV1Api(client)
            found = await api.list_namespaced_persistent_volume_claim(
                self.namespace, label_selector=_LABELS
            )
            return list(found.items)

        found = (self._home(one) for one in self.cluster.call(ask))
        return tuple(one for one in found if one is not None)

    def _home(self, claim: V1PersistentVolumeClaim) -> FoundHome | None:
        """A claim as a home; None where it is another hub's, is no person's, or is going."""
        metadata = claim.metadata
        said, labels = metadata.annotations or {}, metadata.labels or {}
        person = said.get(_PERSON)
        ours = bool(person) and labels.get(LABEL_HUB, self.hub) == self.hub
        if not ours or getattr(metadata, "deletion_timestamp", None) is not None:
            return None
        requested = (claim.spec.resources.requests or {}).get("storage")
        server = None if self.shared else said.get(_SERVER, "")
        return FoundHome(metadata.name, str(person), size_of(requested), server, metadata.uid)

    def archive(self, home: FoundHome, file: str) -> Packed:
        """Nothing: see the message.

        Raises:
            NotPacked: always.
        """
        message = f"{home.place} cannot become {file}. {_NOT_HERE}."
        raise NotPacked(message)

    def aside(self, home: FoundHome) -> None:
        """Delete the claim that was found, and no other of its name.

        From then on no launch uses it: one that finds it going waits until it is gone, and makes another.

        Raises:
            NotPacked: the cluster does not do it, or it is another claim by now.
        """
        options = V1DeleteOptions(preconditions=V1Preconditions(uid=home.uid))

        async def ask(client: ApiClient) -> None:
            await CoreV1Api(client).delete_namespaced_persistent_volume_claim(
                home.place, self.namespace, body=options
            )

        try:
            self.cluster.call(ask, _ENDING)
        except NotThere:
            return
        except ConflictingChange as problem:
            message = f"The claim {home.place} is another one than was found: {problem}"
            raise NotPacked(message) from problem
        except ClusterProblem as problem:
            message = f"The claim {home.place} could not be deleted: {problem}"
            raise NotPacked(message) from problem

    def back(self, home: FoundHome) -> None:
        """Nothing: what is deleted stays so. Nobody was admitted who could count on it."""

    def finish(self, home: FoundHome) -> None:
        """Nothing is left: the cluster keeps a claim that was deleted only while a pod uses it."""

    def tidy(self, known: Collection[str]) -> None:
        """Nothing is ever left."""

    def restore(self, file: str, place: str) -> None:
        """Nothing: there are no archives.

        Raises:
            NotPacked: always.
        """
        message = f"{place} cannot be restored from {file}. {_NOT_HERE}."
        raise NotPacked(message)

    def forget(self, file: str) -> None:
        """Nothing: there is none."""


def size_of(quantity: str | None) -> int | None:
    """An amount of storage in Kubernetes' words, such as ``10Gi``, in bytes; None where it is none."""
    if not quantity:
        return None
    number = quantity.rstrip("KMGTPEkim")
    unit = quantity[len(number) :]
    try:
        return int(float(number) * _UNITS[unit])
    except (KeyError, ValueError):
        return None
