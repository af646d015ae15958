"""The control plane of a hub with very many pods: its memory, and how long it keeps people waiting meanwhile."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

import hubs
from allotment.inventory.kubernetes.connecting import Cluster
from allotment.work.kubernetes_servers import KubernetesServers
from pod_hubs_measured import NAMESPACE, MeasuredHub, computed
from table import Row

PREFIX = "/services/allotment/"
WATCHED, QUICK = 70.0, 10.0
"""Seconds: it reconciles once a minute."""
ANSWER_AIM, FOUND_AIM = 500.0, 1.0
"""Milliseconds; seconds of computing."""


def measure(hub: MeasuredHub, folder: Path, servers: int, *, quick: bool) -> list[Row]:
    """Ask a control plane at work, and look for the servers as its reconciling does."""
    with _running(hub, folder) as (process, web):
        times = list(_answers(web, QUICK if quick else WATCHED))
        size = psutil.Process(process.pid).memory_info().rss
        spent = computed(psutil.Process(process.pid))
    longest = max(times) * 1000
    found = _found(hub, servers)
    return [
        Row("memory of the control plane", f"{size / 1e6:.0f} MB"),
        Row(
            "the control plane answers meanwhile, longest",
            f"{longest:.0f} ms",
            f"median {statistics.median(times) * 1000:.0f} ms",
            aim=f"under {ANSWER_AIM:g} ms",
            met=longest < ANSWER_AIM,
        ),
        Row("CPU of the control plane, its start included", f"{spent:.1f} s"),
        Row(
            f"reconciling finds {servers:,} pods, CPU",
            f"{found:.2f} s",
            aim=f"under {FOUND_AIM:g} s",
            met=found < FOUND_AIM,
        ),
    ]


@contextmanager
def _running(
    hub: MeasuredHub, folder: Path
) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    port, state = hubs.free_port(), folder / "state"
    state.mkdir()
    settings = folder / "allotment.yaml"
    told = json.loads(hub.settings.model_dump_json(exclude_defaults=True))
    settings.write_text(json.dumps({"kubernetes": told}))  # JSON is YAML
    environment = os.environ | {
        "JUPYTERHUB_API_TOKEN": hubs.ADMIN,
        "JUPYTERHUB_API_URL": hub.servers_see,
        "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}",
        "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
        "ALLOTMENT_RECORD_URL": hub.record_url,
        "ALLOTMENT_HUB": hub.hub,
        "ALLOTMENT_SETTINGS": str(settings),
        "ALLOTMENT_STATE": str(state),
        "ALLOTMENT_API_URL": f"http://127.0.0.1:{port}{PREFIX}api/v1",
    }
    with (folder / "control-plane.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "allotment.api"], env=environment, stdout=log, stderr=log
        )
    web = httpx.Client(base_url=environment["ALLOTMENT_API_URL"], timeout=60)
    try:
        hubs.until(lambda: _answers_at_all(web, process, log.name), "the control plane", 60)
        yield process, web
    finally:
        web.close()
        process.terminate()
        process.wait(30)


def _answers_at_all(web: httpx.Client, process: subprocess.Popen[bytes], log: str) -> bool:
    if process.poll() is not None:
        raise RuntimeError(Path(log).read_text()[-3000:])
    try:
        return web.get("/health").is_success
    except httpx.TransportError:
        return False


def _answers(web: httpx.Client, seconds: float) -> Iterator[float]:
    """The times of one question after the other, for so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        web.get("/health").raise_for_status()
        yield time.perf_counter() - began
        time.sleep(0.02)


def _found(hub: MeasuredHub, servers: int) -> float:
    """Seconds of computing that it takes to find all servers of the hub."""
    place = KubernetesServers(hub.hub, NAMESPACE, Cluster(hub.settings))
    try:
        place.running()  # connects first
        began = time.process_time()
        found = place.running()
        spent = time.process_time() - began
    finally:
        place.cluster.close()
    assert len(found) == servers, len(found)
    return spent
