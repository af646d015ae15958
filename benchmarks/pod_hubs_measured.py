"""Hubs with very many pods, made as if they had been launched: ours with its record, and one of stock KubeSpawner.

One server is launched for real. The others are made after it: its pod again on other nodes, its row
in the hub's database, and with ours an allotment of its own. A hub that starts then finds them
running, as after a restart.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

import hubs
from allotment.inventory.kubernetes.inventory import KubernetesInventory
from allotment.model.allotments import Allotment, ServerPod
from allotment.model.claims import Claim, Granted
from allotment.record import claims
from allotment.settings.kubernetes import KubernetesSettings
from allotment.work.observing import take_in
from hub_turns import read_notes
from pod_cluster import PodCluster
from pod_rows import NAMESPACE, PROFILE, add_rows, mark_of, on_node, person, seed

IMAGE = "quay.io/jupyter/base-notebook:2026-11-16"
BOTH = """
import sys
sys.path.insert(0, {here!r})
from pathlib import Path
from hub_turns import note_collections, note_starts, note_turns
note_turns(Path({notes!r}))
note_collections(Path({notes!r}))
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 300, "slow_stop_timeout": 300}}
c.JupyterHub.concurrent_spawn_limit = 0
c.JupyterHub.cleanup_servers = False
c.Spawner.poll_interval = 30
c.Spawner.http_timeout = 120
c.KubeSpawner.port = {port}
"""
OURS = """
from allotment.settings import Settings
from allotment.settings.kubernetes import KubernetesSettings
from allotment_hub import kubernetes
cluster = KubernetesSettings.model_validate_json({cluster!r})
kubernetes.connect(Settings(kubernetes=cluster))
kubernetes.servers_as_pods(c, cluster)
c.JupyterHub.spawner_class = note_starts(c.JupyterHub.spawner_class, "prepare", Path({notes!r}))
c.AllotmentMixin.record_patience = 120  # how long it takes is measured here, and not refused
"""
STOCK = """
from kubernetes_asyncio.config import kube_config
from kubespawner import KubeSpawner
from allotment.settings.kubernetes import KubernetesSettings
from allotment_hub import kubernetes
cluster = KubernetesSettings.model_validate_json({cluster!r})
kube_config.KUBE_CONFIG_DEFAULT_LOCATION = str(cluster.kubeconfig)
# What the platform tells KubeSpawner, without the platform.
kubernetes.servers_as_pods(c, cluster)
c.JupyterHub.spawner_class = note_starts(KubeSpawner, "get_pod_manifest", Path({notes!r}))
c.KubeSpawner.cpu_limit, c.KubeSpawner.cpu_guarantee = 4, 4
c.KubeSpawner.mem_limit = c.KubeSpawner.mem_guarantee = 16 * 2**30
c.KubeSpawner.extra_resource_limits = {{"nvidia.com/gpu": "1"}}
c.KubeSpawner.extra_resource_guarantees = {{"nvidia.com/gpu": "1"}}
"""


@dataclass(frozen=True)
class Burst:
    """What a hub did. Times are in seconds since all were asked for, one a server."""

    admitted: list[float]
    """Until the rules had admitted it; with a stock hub, until KubeSpawner wrote its pod."""
    done: list[float]
    cpu: float
    """Seconds that the hub computed, for all of them."""
    turns: list[tuple[float, float, str]]
    """The long turns of the hub's loop: how long, how much of it computing, what."""


class MeasuredHub(hubs.HubUnderTest):
    """A hub whose servers are the pods of a cluster of its own. Without a record it is a stock one."""

    def __init__(self, folder: Path, cluster: PodCluster, record: str = "") -> None:
        self.cluster, self.ours = cluster, bool(record)
        self.notes = folder / "notes"
        self.settings = KubernetesSettings(
            namespace=NAMESPACE, image=IMAGE, kubeconfig=cluster.kubeconfig
        )
        told = {
            "here": str(Path(__file__).parent),
            "notes": str(self.notes),
            "port": cluster.port,
            "cluster": self.settings.model_dump_json(exclude_defaults=True),
        }
        extra = (BOTH + (OURS if record else STOCK)).format(**told)
        super().__init__(folder, hubs.TINY, extra, shared=record)
        self.cluster_api = httpx.Client(
            base_url=cluster.url,
            headers={"Authorization": f"Bearer {cluster.token}"},
            verify=False,  # noqa: S501 - a cluster of this very run on loopback
            timeout=120,
        )

    # What it has at first.

    def seed_record(self, number: int) -> None:
        """Devices of the cluster's nodes, groups that may use all of them, and so many people."""
        inventory = KubernetesInventory(self.settings, patience=120)
        try:
            found = inventory.observe()
        finally:
            inventory.close()
        with self.record.writing("inventory", hubs.now()) as writing:
            take_in(writing, found)
        self.change(lambda writing: seed(writing, len(found.devices), number))

    def seed_users(self, number: int) -> None:
        """Let so many people have signed in before."""
        for first in range(0, number, 100):
            some = [person(one) for one in range(first, min(first + 100, number))]
            self.api("POST", "/users", {"usernames": some}).raise_for_status()

    def fill(self, number: int) -> None:
        """Let so many servers run: one is launched, the others are made after it, and the hub starts anew."""
        first = person(0)
        self.api("POST", f"/users/{first}/server", self._options).raise_for_status()
        self.ready(first)
        (pod,) = self._pods()
        numbers = range(1, number)
        allotments = [self._admitted(person(one)) if self.ours else None for one in numbers]
        with ThreadPoolExecutor(8) as threads:
            pods = list(
                threads.map(lambda *one: self._make(one[0], pod, one[1]), numbers, allotments)
            )
        made = list(zip(pods, allotments, strict=True))
        for one, allotment in made:
            if allotment is not None:
                self._placed(one, allotment)
        self.kill()
        add_rows(
            self.folder / "hub.sqlite",
            [(one["metadata"]["name"], allotment) for one, allotment in made],
        )
        self.start()
        hubs.until(lambda: self._running() == number, "all servers to be found running", 600)

    def _running(self) -> int:
        headers = {
            "Authorization": f"token {hubs.ADMIN}",
            "Accept": "application/jupyterhub-pagination+json",
        }
        found = self.web.get("/api/users?state=ready&limit=1", headers=headers)
        return int(found.json()["_pagination"]["total"]) if found.is_success else 0

    def _pods(self, more: str = "") -> list[dict[str, Any]]:
        answer = self.cluster_api.get(f"/api/v1/namespaces/{NAMESPACE}/pods?limit=5000{more}")
        found: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
        return found

    def _admitted(self, name: str) -> Allotment:
        claim = Claim(self.hub, name, "", PROFILE, token_hash=claims.hash_token(name))
        outcome = claims.admit(self.record, claim, hubs.now())
        assert isinstance(outcome, Granted), outcome
        return outcome.allotment

    def _make(
        self, number: int, like: dict[str, Any], allotment: Allotment | None
    ) -> dict[str, Any]:
        """Make a person's pod, on the node that was counted, or the next one."""
        pod, name = deepcopy(like), person(number)
        metadata, spec = pod["metadata"], pod["spec"]
        metadata["name"] = like["metadata"]["name"].replace(person(0), name)
        spec["nodeName"] = f"node-{number // self.cluster.devices:03}"
        marks = {"hub.jupyter.org/username": name}
        if allotment is not None:
            mark = mark_of(allotment)
            metadata["labels"] |= mark.labels
            marks |= mark.annotations
            spec["nodeName"] = allotment.devices[0].node
            spec["affinity"] = on_node(spec["nodeName"])
        metadata["annotations"] |= marks
        answer = self.cluster_api.post(f"/api/v1/namespaces/{NAMESPACE}/pods", json=pod)
        made: dict[str, Any] = answer.raise_for_status().json()
        return made

    def _placed(self, pod: dict[str, Any], allotment: Allotment) -> None:
        metadata, now = pod["metadata"], hubs.now()
        place = ServerPod(NAMESPACE, metadata["name"], metadata["uid"], now.timestamp())
        claims.placed(self.record, allotment.id, place, now)
        claims.mark_running(self.record, allotment.id, now)

    # What it does.

    @property
    def _options(self) -> dict[str, str] | None:
        """What a launch asks for: stock KubeSpawner's only pod is what its configuration says."""
        return {"profile": PROFILE} if self.ours else None

    def launch_and_stop(self, numbers: range) -> tuple[Burst, Burst]:
        """Launch for all of these people at once, wait until all are ready, and stop all again."""
        names = [person(one) for one in numbers]
        return self._all("POST", names), self._all("DELETE", names)

    def _all(self, method: str, names: list[str]) -> Burst:
        assert self.process is not None
        hub = psutil.Process(self.process.pid)
        before, began = computed(hub), time.time()
        times = asyncio.run(self._asked(method, names))
        ended = time.time()
        started = {name: at for at, name in read_notes(self.notes, "start", began, ended)}
        return Burst(
            admitted=[started[name] - began for name in names if name in started],
            done=times,
            cpu=computed(hub) - before,
            turns=[tuple(one[1:]) for one in read_notes(self.notes, "turn", began, ended)],
        )

    async def _asked(self, method: str, names: list[str]) -> list[float]:
        """Ask for all at once; the seconds until each answer, which comes when all is done."""
        headers = {"Authorization": f"token {hubs.ADMIN}"}
        body = self._options if method == "POST" else None
        limits = httpx.Limits(max_connections=len(names))

        async def one(name: str) -> float:
            began = time.perf_counter()
            answer = await web.request(method, f"/api/users/{name}/server", json=body)
            assert answer.status_code in {201, 204}, answer.text
            return time.perf_counter() - began

        async with httpx.AsyncClient(
            base_url=self.web.base_url, headers=headers, timeout=600, limits=limits
        ) as web:
            return await asyncio.gather(*(one(name) for name in names))

    def rest(self, seconds: float) -> Burst:
        """What it does with nobody asking."""
        assert self.process is not None
        hub = psutil.Process(self.process.pid)
        before, began = computed(hub), time.time()
        time.sleep(seconds)
        turns = [tuple(one[1:]) for one in read_notes(self.notes, "turn", began, time.time())]
        return Burst([], [], computed(hub) - before, turns)

    def memory(self) -> int:
        """Bytes that its process has."""
        assert self.process is not None
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def close(self) -> None:
        """End the hub; its pods are the cluster's."""
        self.kill()
        self.cluster_api.close()
        self.web.close()
        self.record.close()


def computed(process: psutil.Process) -> float:
    """Seconds that a process has computed."""
    times = process.cpu_times()
    return float(times.user + times.system)
