"""The kubelet of all nodes: starts the pods that are bound, follows them, ends those that are deleted."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import kinds
from .containers import Image
from .events import Recorder
from .pod_run import PodRun
from .registry import Registry
from .statuses import Document
from .volumes import TokenGiver, Volumes

MISSING = "does/not-exist"


@dataclass
class Machines:
    """What the nodes of this cluster have in common: folders, images, addresses, an API to call."""

    folder: Path
    api: tuple[str, int]
    images: dict[str, Image] = field(default_factory=dict)
    # A network of its own, so that clusters beside each other do not meet.
    network: tuple[int, int] = field(
        default_factory=lambda: (64 + secrets.randbelow(190), secrets.randbelow(256))
    )
    _given: int = 0

    def new_address(self) -> str:
        """An address of this machine that no pod has had."""
        self._given += 1
        low = self._given % 254 + 1
        high = (self.network[1] + self._given // 254) % 256
        return f"127.{self.network[0]}.{high}.{low}"

    def image(self, name: str) -> Image:
        """What is in an image."""
        return self.images.get(name) or Image()


class Kubelet:
    """Runs pods."""

    def __init__(self, registry: Registry, machines: Machines, token: TokenGiver) -> None:
        self.registry = registry
        self.machines = machines
        self.volumes = Volumes(registry.store, machines.folder, token)
        self.recorder = Recorder(registry, "kubelet")
        self.runs: dict[str, PodRun] = {}
        # Nodes that no longer report: their pods run on, and nobody hears of them.
        self.silent: set[str] = set()

    def round(self) -> None:
        """Begin what is new, end what is to end."""
        here = {}
        for pod in self._bound():
            uid = pod["metadata"]["uid"]
            here[uid] = pod
            if pod["spec"]["nodeName"] in self.silent:
                continue
            run = self.runs.get(uid)
            if run is None:
                self._begin(pod)
            elif "deletionTimestamp" in pod["metadata"]:
                run.stop(pod["metadata"].get("deletionGracePeriodSeconds", 0))
        for uid, run in list(self.runs.items()):
            if uid not in here and run.node not in self.silent:
                run.stop(0)
            if run.over:
                del self.runs[uid]

    def _bound(self) -> Iterator[Document]:
        nodes = {node["metadata"]["name"] for node in self.registry.store.all(kinds.NODES)}
        for pod in self.registry.store.all(kinds.PODS):
            if pod["spec"].get("nodeName") in nodes:
                yield pod

    def _begin(self, pod: Document) -> None:
        run = PodRun(self, pod)
        if pod["status"].get("phase") in ("Succeeded", "Failed"):
            return
        self.runs[pod["metadata"]["uid"]] = run
        run.begin()

    def log(self, pod: Document, container: str) -> str:
        """What a container has written."""
        file = self.pod_folder(pod) / f"{container}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def pod_folder(self, pod: Document) -> Path:
        """Where a pod has its files."""
        metadata = pod["metadata"]
        return (
            self.machines.folder
            / "pods"
            / f"{metadata['namespace']}_{metadata['name'][:80]}_{metadata['uid']}"
        )

    async def close(self) -> None:
        """End every process."""
        self.silent.clear()
        for run in self.runs.values():
            run.stop(0)
        tasks = [run.task for run in self.runs.values() if run.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=20)
