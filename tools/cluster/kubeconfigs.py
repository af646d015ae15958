"""Kubeconfigs: how to reach the cluster, as whom."""

from __future__ import annotations

import base64
import json
from pathlib import Path


def write(
    file: Path, url: str, authority: str, name: str, token: str, namespace: str = "default"
) -> None:
    """A kubeconfig with one cluster, one user, one context; only its owner may read it."""
    encoded = base64.b64encode(authority.encode()).decode()
    server = {"server": url, "certificate-authority-data": encoded}
    context = {"cluster": "tests", "user": name, "namespace": namespace}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tests", "cluster": server}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": context}],
        "current-context": name,
    }
    # JSON is YAML.
    file.touch(mode=0o600)
    file.write_text(json.dumps(document, indent=2))
