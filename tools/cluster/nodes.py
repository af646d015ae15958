"""The documents of nodes, as their kubelets register them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .endpoint import HOST
from .statuses import Document

NODE_INFO = {
    "machineID": "",
    "systemUUID": "",
    "bootID": "",
    "kernelVersion": "6.12.0",
    "osImage": "Debian GNU/Linux 13 (trixie)",
    "containerRuntimeVersion": "containerd://2.2.1",
    "kubeletVersion": "v1.36.1",
    "kubeProxyVersion": "",
    "operatingSystem": "linux",
    "architecture": "amd64",
}


def node_document(
    name: str,
    resources: Mapping[str, int],
    labels: Mapping[str, str],
    cpu: str,
    memory: str,
    taints: Sequence[Document],
) -> Document:
    """A node as its kubelet registers it."""
    own = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": "amd64",
    }
    capacity = {"cpu": cpu, "memory": memory, "pods": "110", "ephemeral-storage": "100Gi"}
    capacity |= {key: str(value) for key, value in resources.items()}
    spec = {"taints": list(taints)} if taints else {}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {**own, **labels}},
        "spec": spec,
        "status": {
            "capacity": capacity,
            "allocatable": dict(capacity),
            "addresses": [
                {"type": "InternalIP", "address": HOST},
                {"type": "Hostname", "address": name},
            ],
            "nodeInfo": NODE_INFO,
        },
    }


def apply_labels(node: Document, labels: Mapping[str, str | None]) -> None:
    """Set labels; none removes one."""
    kept = node["metadata"].setdefault("labels", {})
    for key, value in labels.items():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = value
