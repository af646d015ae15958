"""A cluster of the tests in a process of its own, whose pods only say that they run.

    python pod_cluster.py FOLDER NODES DEVICES

All pods have one address, at which one small server answers for all of them. The port that it is
found at, the kubeconfig and the process are printed as one line of JSON; the cluster ends when
nobody holds its standard input any more.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from jupyterhub import __version__

from cluster import Cluster, kubelet, pod_run
from cluster.statuses import Document

HOST = "127.0.0.1"
GPU = "nvidia.com/gpu"
LABELS = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB", "nvidia.com/gpu.memory": "81920"}


@dataclass(frozen=True)
class PodCluster:
    """Where a cluster is, as its own process says."""

    kubeconfig: Path
    url: str
    token: str
    port: int
    """At which its pods' servers answer."""
    devices: int
    """On each of its nodes."""


@contextmanager
def pod_cluster(folder: Path, nodes: int, devices: int) -> Iterator[PodCluster]:
    """Run a cluster beside whoever measures, with so many nodes of so many devices each."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, __file__, str(folder), str(nodes), str(devices)]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        )
    try:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        yield PodCluster(
            Path(said["kubeconfig"]), said["url"], said["token"], said["port"], devices
        )
    finally:
        process.communicate(timeout=60)


class Ended:
    """What stands for the process of a container: it ends when it is asked to."""

    pid = 0
    out_of_memory = False

    def __init__(self) -> None:
        self._over = asyncio.Event()

    def ask_to_end(self) -> None:
        """End."""
        self._over.set()

    end = ask_to_end

    async def ended(self) -> int:
        """Wait for the end; the exit code."""
        await self._over.wait()
        return 0


class SaidRun(pod_run.PodRun):
    """A pod that goes through all that a pod goes through, with nothing running in it."""

    def __init__(self, of: kubelet.Kubelet, pod: Document) -> None:
        super().__init__(of, pod)
        self.address = HOST

    async def _process(self, container: Document, state: Any) -> Any:  # noqa: ARG002 - as of a pod that runs
        return Ended()


async def _answer(_: web.Request) -> web.Response:
    return web.json_response({"version": "tiny"}, headers={"X-JupyterHub-Version": __version__})


async def _serve() -> int:
    """Begin to answer for all pods; the port."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", _answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    port: int = runner.addresses[0][1]
    return port


async def _run(folder: Path, nodes: int, devices: int) -> None:
    running = Cluster(folder)
    running.start()
    running.add_namespace("people")
    for number in range(nodes):
        running.add_node(f"node-{number:03}", {GPU: devices}, LABELS, cpu="96", memory="1024Gi")
    said = {
        "kubeconfig": str(running.kubeconfig),
        "url": running.url,
        "token": running.token,
        "port": await _serve(),
    }
    print(json.dumps(said), flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)
    # Its pods are nothing that could be left behind.
    os._exit(0)


if __name__ == "__main__":
    kubelet.PodRun = SaidRun  # type: ignore[misc]  # what the tests' cluster runs, replaced in this process
    asyncio.run(_run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
