"""The hub as people get it, whose servers are pods of a cluster of the tests: pages, proxy, real JupyterLab."""

from __future__ import annotations

import sys
from pathlib import Path

from cluster import Cluster, Image
from page_hubs import HERE, PROFILES, PageHub

NAMESPACE = "servers"
GPU = "nvidia.com/gpu"
A100 = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB", "nvidia.com/gpu.memory": "81920"}
SLICED = {
    "nvidia.com/gpu.product": "NVIDIA-L40S-SHARED",
    "nvidia.com/gpu.memory": "46068",
    "nvidia.com/gpu.replicas": "2",
    "nvidia.com/gpu.sharing-strategy": "time-slicing",
}
LAB, TINY, NEWER = "example.org/lab:1", "example.org/tiny:1", "example.org/tiny:2"
SETTINGS = f"""
organisation: Example Research
sign_in: {{kind: local, operators: [olga]}}
kubernetes:
  namespace: {NAMESPACE}
  image: {TINY}
  kubeconfig: KUBECONFIG
  kueue: {{queues: {{language: language-queue}}, patience: PATIENCE}}
pools:
  - {{name: a100, nodes: {{selector: {{nvidia.com/gpu.product: {A100["nvidia.com/gpu.product"]}}}}}}}
  - {{name: slices, nodes: {{selector: {{nvidia.com/gpu.product: {SLICED["nvidia.com/gpu.product"]}}}}}}}
groups:
  - {{name: vision, shares: [{{pool: a100, guaranteed: 4, ceiling: 4}}], members: [ada, ben]}}
  - {{name: language, shares: [{{pool: slices, guaranteed: 2, ceiling: 2}}], members: [kim, lee]}}
profiles: [profiles]
"""
SIZES = {
    "small": PROFILES["small"],
    "lab": f"title: JupyterLab\ndevices: 1\npool: any\nprice: 3600\nimage: {LAB}\n",
    "gpu": "title: One GPU\ndevices: 1\npool: any\nprice: 2.40\n",
}
CONFIG = """
c.AllotmentKubeSpawner.ending_patience = 5
c.Spawner.poll_interval = 1
"""


class PodPageHub(PageHub):
    """A hub of one module, on a cluster with a node of whole GPUs and one of time slices.

    Pods of the group language wait for Kueue's admission, ``patience`` at most.
    """

    def __init__(self, folder: Path, cluster: Cluster, *, patience: str = "10m") -> None:
        self.cluster = cluster
        cluster.add_namespace(NAMESPACE)
        cluster.add_node("dgx-1", {GPU: 4}, labels=A100)
        cluster.add_node("box-1", {GPU: 2}, labels=SLICED)
        cluster.install_kueue()
        # A container's root may run it, as a container's own user does.
        cluster.images[LAB] = Image(command=("sh", "-c", 'exec "$@" --allow-root', "lab"))
        for image in (TINY, NEWER):
            cluster.images[image] = Image(command=(sys.executable, str(HERE / "tiny_server.py")))
        settings = SETTINGS.replace("KUBECONFIG", str(cluster.kubeconfig))
        super().__init__(
            folder,
            settings=settings.replace("PATIENCE", patience),
            profiles=SIZES,
            config=CONFIG,
        )
