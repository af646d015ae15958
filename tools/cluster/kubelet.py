"""The kubelet of all nodes: starts the pods that are bound, follows them, ends those that are deleted."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import kinds
from .containers import Image
from .events import Recorder
from .pod_run import PodRun
from .registry import Registry
from .statuses import Document
from .store import Change
from .volumes import TokenGiver, Volumes


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
        # What went wrong in here: a test must not go on as if nothing had.
        self.broken: list[BaseException] = []

    def round(self, changes: Sequence[Change]) -> None:
        """Begin what is new, end what is to end."""
        for change in changes:
            if change.key == kinds.PODS.key:
                self._look_at(change)
            elif change.key == kinds.NODES.key and change.type == "ADDED":
                # One that joins, or joins again, reports.
                self.hear_again(change.document["metadata"]["name"])

    def _look_at(self, change: Change) -> None:
        pod = change.document
        run = self.runs.get(pod["metadata"]["uid"])
        if change.type != "DELETED":
            self._see(pod)
        elif run is not None and run.node not in self.silent:
            run.stop(0)

    def _look_at_all(self, node: str) -> None:
        for pod in self.registry.store.all(kinds.PODS):
            if pod["spec"].get("nodeName") == node:
                self._see(pod)

    def _see(self, pod: Document) -> None:
        node = pod["spec"].get("nodeName", "")
        here = node and self.registry.store.find(kinds.NODES, "", node) is not None
        if not here or node in self.silent:
            return
        run = self.runs.get(pod["metadata"]["uid"])
        if run is None:
            self._begin(pod)
        elif "deletionTimestamp" in pod["metadata"]:
            run.stop(pod["metadata"].get("deletionGracePeriodSeconds", 0))

    def _begin(self, pod: Document) -> None:
        metadata = pod["metadata"]
        newest = self.registry.store.find(kinds.PODS, metadata["namespace"], metadata["name"])
        if newest is None or newest["metadata"]["uid"] != metadata["uid"]:
            return
        if newest["status"].get("phase") in ("Succeeded", "Failed"):
            return
        run = PodRun(self, newest)
        self.runs[metadata["uid"]] = run
        run.begin()
        if "deletionTimestamp" in newest["metadata"]:
            run.stop(newest["metadata"].get("deletionGracePeriodSeconds", 0))

    def hear_again(self, node: str) -> None:
        """A node reports again: what it has done meanwhile, and what it finds to do."""
        self.silent.discard(node)
        there = {pod["metadata"]["uid"] for pod in self.registry.store.all(kinds.PODS)}
        for uid, run in list(self.runs.items()):
            if run.node == node:
                if uid not in there:
                    run.stop(0)
                run.tell()
        self._look_at_all(node)

    def note_end(self, task: asyncio.Task[None]) -> None:
        """Keep what a pod's task broke of."""
        problem = None if task.cancelled() else task.exception()
        if problem is not None:
            self.broken.append(problem)

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
        runs = list(self.runs.values())
        for run in runs:
            run.stop(0)
        tasks = [run.task for run in runs if run.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=20)
