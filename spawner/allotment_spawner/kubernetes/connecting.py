"""Which cluster KubeSpawner speaks with: its own rule, or the file and context that the settings name."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kubernetes_asyncio.config import ConfigException, kube_config
from kubespawner import clients

from allotment.model.refusals import AllotmentError
from allotment_spawner.collecting import set_survivors_aside


def connect(kubeconfig: Path | None, context: str | None) -> None:
    """Let every KubeSpawner of this process speak with one cluster. Nothing is asked of it yet.

    KubeSpawner loads its configuration when the first spawner is made, and keeps it. So it is loaded
    here, before: what fails is told before anybody is served. Where the settings name a file or a
    context, that takes the place of what KubeSpawner found.

    A hub with a cluster behind it may have very many servers: what it has in memory is no longer
    searched for garbage as a whole, again and again.

    Raises:
        AllotmentError: there is no such file or context, or it cannot be used.
    """
    set_survivors_aside()
    if kubeconfig is not None:
        # As if KUBECONFIG had said so, which is read when the module is imported.
        kube_config.KUBE_CONFIG_DEFAULT_LOCATION = str(kubeconfig)
    try:
        # With the defaults of KubeSpawner's traits: the answer is kept for a call of the same words.
        clients.load_config(host="", ssl_ca_cert="", verify_ssl=None)
        if kubeconfig is not None or context is not None:
            with ThreadPoolExecutor(1) as thread:
                thread.submit(_load, kubeconfig, context).result()
    except (ConfigException, OSError, ValueError) as error:
        where = "" if kubeconfig is None else f"{kubeconfig}: "
        message = f"{where}the cluster's configuration cannot be used: {error}"
        raise AllotmentError(message) from error


def _load(kubeconfig: Path | None, context: str | None) -> None:
    file = None if kubeconfig is None else str(kubeconfig)
    asyncio.run(kube_config.load_kube_config(config_file=file, context=context))
