"""The volumes of pods, as folders of this machine."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

from . import kinds
from .containers import NotConfigured, Place, field_value
from .statuses import Document
from .store import Store

# Gives a token for a pod's account: the pod, its audience or "".
TokenGiver = Callable[[Document, str], str]


class Volumes:
    """Makes the folders that a pod's volumes are; those of claims outlive the pod."""

    def __init__(self, store: Store, folder: Path, token: TokenGiver) -> None:
        self._store = store
        self._folder = folder
        self._token = token

    def mounts(self, pod: Document, container: Document, own: Path) -> dict[str, Path]:
        """The folders (or files) of a container by the paths that they are mounted at.

        Raises:
            NotConfigured: a secret, config map or claim is not there.
        """
        volumes = {one["name"]: one for one in pod["spec"].get("volumes") or []}
        found = {}
        for mount in container.get("volumeMounts") or []:
            folder = self.folder_of(pod, volumes[mount["name"]], own)
            if sub := mount.get("subPath"):
                folder = folder / sub
                if not folder.exists():
                    folder.mkdir(parents=True)
            found[mount["mountPath"].rstrip("/") or "/"] = folder
        return found

    def folder_of(self, pod: Document, volume: Document, own: Path) -> Path:
        """The folder of one volume."""
        namespace = pod["metadata"]["namespace"]
        if "hostPath" in volume:
            return Path(volume["hostPath"]["path"])
        if claim := (volume.get("persistentVolumeClaim") or {}).get("claimName"):
            bound = self._store.find(kinds.CLAIMS, namespace, claim)
            if bound is None:
                raise NotConfigured(f'persistentvolumeclaim "{claim}" not found')
            folder = self.claimed(bound)
        else:
            folder = own / "volumes" / volume["name"]
        folder.mkdir(parents=True, exist_ok=True)
        self._fill(pod, volume, folder)
        return folder

    def claimed(self, claim: Document) -> Path:
        """The folder of a claim of storage: another one for another claim of the same name."""
        return self._folder / "claims" / str(claim["metadata"]["uid"])

    def _fill(self, pod: Document, volume: Document, folder: Path) -> None:
        for source in (volume.get("projected") or {}).get("sources") or [volume]:
            for name in ("secret", "configMap"):
                if name in source:
                    self._write_data(pod, name, source[name], folder)
            for one in (source.get("downwardAPI") or {}).get("items") or []:
                text = field_value(pod, one["fieldRef"]["fieldPath"], Place("", folder, {}))
                (folder / one["path"]).write_text(text)
            if token := source.get("serviceAccountToken"):
                path = folder / token["path"]
                path.write_text(self._token(pod, token.get("audience", "")))

    def _write_data(self, pod: Document, source: str, reference: Document, folder: Path) -> None:
        namespace = pod["metadata"]["namespace"]
        kind = kinds.SECRETS if source == "secret" else kinds.CONFIG_MAPS
        name = reference.get("secretName") or reference.get("name", "")
        found = self._store.find(kind, namespace, name)
        if found is None:
            if reference.get("optional"):
                return
            raise NotConfigured(f'{kind.plural[:-1]} "{name}" not found')
        data = {key: value.encode() for key, value in (found.get("data") or {}).items()}
        if source == "secret":
            data = {key: base64.b64decode(value) for key, value in data.items()}
        items = {one["key"]: one["path"] for one in reference.get("items") or []}
        for key, value in data.items():
            if not items or key in items:
                path = folder / items.get(key, key)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(value)
