"""A Kubernetes cluster for tests, in this process: API server, scheduler, kubelet.

It answers as a real one of version 1.36 does, as far as KubeSpawner, the generated client and our own code
can see; pods are processes of this machine. ``running.cluster(folder)`` starts one.
"""

from .containers import Image
from .running import Cluster, cluster

__all__ = ["Cluster", "Image", "cluster"]
