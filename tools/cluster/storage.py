"""The controllers of storage: claims are bound to volumes, and kept while a pod uses them."""

from __future__ import annotations

from collections.abc import Sequence

from . import kinds
from .registry import Registry
from .statuses import Document
from .store import Change, clone

PROTECTION = "kubernetes.io/pvc-protection"
# A claim that names this class waits for ever, as one does whose class has no provisioner.
NOBODY = "nobody-provides"


class Storage:
    """Binds claims, each to a volume of its own that is as large as was asked."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def round(self, changes: Sequence[Change]) -> None:
        """Look at every claim and volume, if one or a pod has changed."""
        if not any(concerns(change) for change in changes):
            return
        for claim in self._registry.store.all(kinds.CLAIMS):
            metadata = claim["metadata"]
            if "deletionTimestamp" in metadata:
                self._let_go(claim)
            elif claim["status"].get("phase") == "Pending" and self._provided(claim):
                self._bind(claim)
        for volume in self._registry.store.all(kinds.VOLUMES):
            self._reclaim(volume)

    def _provided(self, claim: Document) -> bool:
        """Whether the class of a claim is there; some wait for the first pod that uses it."""
        name = claim["spec"].get("storageClassName")
        class_ = self._registry.store.find(kinds.STORAGE_CLASSES, "", name or "")
        if class_ is None:
            return False
        if class_.get("provisioner") == NOBODY:
            return False
        waits = class_.get("volumeBindingMode") == "WaitForFirstConsumer"
        return not waits or bool(self._users(claim))

    def _users(self, claim: Document) -> list[Document]:
        metadata = claim["metadata"]
        return [
            pod
            for pod in self._registry.store.all(kinds.PODS, metadata["namespace"])
            if metadata["name"] in claims_of(pod)
            and pod["status"].get("phase") not in ("Succeeded", "Failed")
        ]

    def _bind(self, claim: Document) -> None:
        metadata, spec = claim["metadata"], claim["spec"]
        name = f"pvc-{metadata['uid']}"
        storage = spec["resources"]["requests"]["storage"]
        reference = {
            "kind": "PersistentVolumeClaim",
            "apiVersion": "v1",
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        }
        class_ = self._registry.store.get(kinds.STORAGE_CLASSES, "", spec["storageClassName"])
        volume = {
            "metadata": {"name": name},
            "spec": {
                "capacity": {"storage": storage},
                "accessModes": spec["accessModes"],
                "claimRef": reference,
                "storageClassName": spec["storageClassName"],
                "persistentVolumeReclaimPolicy": class_.get("reclaimPolicy", "Delete"),
                "volumeMode": "Filesystem",
                "csi": {"driver": class_["provisioner"], "volumeHandle": metadata["uid"]},
            },
        }
        self._registry.create(kinds.VOLUMES, volume)
        self._phase(kinds.VOLUMES, "", name, {"phase": "Bound"})
        bound = clone(claim)
        bound["spec"]["volumeName"] = name
        self._registry.update(kinds.CLAIMS, bound)
        capacity = {"storage": storage}
        status = {"phase": "Bound", "accessModes": spec["accessModes"], "capacity": capacity}
        self._phase(kinds.CLAIMS, metadata["namespace"], metadata["name"], status)

    def _phase(self, kind: kinds.Kind, namespace: str, name: str, status: Document) -> None:
        self._registry.change(
            kind, namespace, name, lambda found: found.update(status=status), "status"
        )

    def _let_go(self, claim: Document) -> None:
        """A claim that is deleted goes when no pod uses it."""
        metadata = claim["metadata"]
        if PROTECTION in metadata.get("finalizers", []) and not self._users(claim):
            kept = [one for one in metadata["finalizers"] if one != PROTECTION]
            self._registry.change(
                kinds.CLAIMS,
                metadata["namespace"],
                metadata["name"],
                lambda found: found["metadata"].update(finalizers=kept),
            )

    def _reclaim(self, volume: Document) -> None:
        """A volume whose claim is gone is deleted with it, or released, by its policy."""
        reference = volume["spec"].get("claimRef")
        if not reference or volume["status"].get("phase") != "Bound":
            return
        claim = self._registry.store.find(kinds.CLAIMS, reference["namespace"], reference["name"])
        if claim is not None and claim["metadata"]["uid"] == reference["uid"]:
            return
        name = volume["metadata"]["name"]
        if volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            self._registry.delete(kinds.VOLUMES, "", name)
        else:
            self._phase(kinds.VOLUMES, "", name, {"phase": "Released"})


def concerns(change: Change) -> bool:
    """Whether a change can matter to claims: they themselves, or pods that come, go or end."""
    if change.key == kinds.PODS.key:
        ended = change.document["status"].get("phase") in ("Succeeded", "Failed")
        return ended or change.type != "MODIFIED"
    return change.key in (kinds.CLAIMS.key, kinds.VOLUMES.key, kinds.STORAGE_CLASSES.key)


def claims_of(pod: Document) -> set[str]:
    """The names of the claims that a pod uses."""
    volumes = pod["spec"].get("volumes") or []
    named = [one["persistentVolumeClaim"] for one in volumes if "persistentVolumeClaim" in one]
    return {one["claimName"] for one in named}
