"""What JupyterHub is told where people's servers are pods."""

from __future__ import annotations

from traitlets.config import Config

from allotment.model.refusals import AllotmentError, SettingsInvalid
from allotment.settings import Settings
from allotment.settings.kubernetes import KubernetesSettings
from allotment_hub.launch.place import SERVICE_PREFIX, Place

_HOME = "home"
SLACK = 30
"""Seconds that the hub waits for a start beyond what the spawner does: whose words say why are the spawner's."""


def connect(settings: Settings) -> None:
    """Let the hub's spawners speak with the cluster of the settings, where they name one.

    Raises:
        SettingsInvalid: its configuration cannot be used.
    """
    cluster = settings.kubernetes
    if cluster is None:
        return
    # Not needed, and perhaps not installed, where servers are processes.
    from allotment_spawner.kubernetes import connecting  # noqa: PLC0415

    try:
        connecting.connect(cluster.kubeconfig, cluster.context)
    except AllotmentError as error:
        where = settings.where(("kubernetes",))
        raise SettingsInvalid((f"{where}: {error}",)) from None


def servers_as_pods(c: Config, cluster: KubernetesSettings) -> None:
    """Write into JupyterHub's configuration how servers become pods.

    What else a deployer wants of KubeSpawner stands beside it, in a configuration of the deployer's own.
    """
    from allotment_spawner.kubernetes.spawner import AllotmentKubeSpawner  # noqa: PLC0415 - as above

    c.JupyterHub.spawner_class = AllotmentKubeSpawner
    c.AllotmentKubeSpawner.cluster = cluster
    c.KubeSpawner.namespace = cluster.namespace
    c.KubeSpawner.image = cluster.image
    c.KubeSpawner.image_pull_policy = cluster.pull_policy
    c.KubeSpawner.image_pull_secrets = list(cluster.pull_secrets)
    c.KubeSpawner.service_account = cluster.service_account
    # KubeSpawner's, not Spawner's: the chart sets KubeSpawner's own, which would win.
    c.KubeSpawner.start_timeout = int(cluster.longest_start.total_seconds()) + SLACK
    # A pod may wait for minutes, for a node, its image or Kueue. Where a hundred do (the chart says 64),
    # JupyterHub would refuse everybody else's launch; how many there may be is the rules' to say.
    c.JupyterHub.concurrent_spawn_limit = 0
    if cluster.hub_url is not None:
        c.JupyterHub.hub_connect_url = cluster.hub_url
    _homes(c, cluster)


def _homes(c: Config, cluster: KubernetesSettings) -> None:
    home = cluster.home
    if home.kind == "none":
        return
    c.KubeSpawner.storage_pvc_ensure = True
    # KubeSpawner's own default deletes the home of a server with the server: homes outlive servers here.
    c.KubeSpawner.delete_pvc = False
    c.KubeSpawner.storage_capacity = str(home.size)
    c.KubeSpawner.storage_class = home.storage_class
    c.KubeSpawner.storage_access_modes = list(home.access_modes)
    claim = {"name": _HOME, "persistentVolumeClaim": {"claimName": "{pvc_name}"}}
    c.KubeSpawner.volumes = [claim]
    c.KubeSpawner.volume_mounts = [{"name": _HOME, "mountPath": home.path}]


def api_url(cluster: KubernetesSettings, place: Place) -> str:
    """The control plane's API as pods reach it."""
    if cluster.public_url is None:
        return place.api_url
    return f"{cluster.public_url}{SERVICE_PREFIX}api/v1"
