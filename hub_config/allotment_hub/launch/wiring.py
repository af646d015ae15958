"""What JupyterHub must be told because of where it runs: ports, files, proxy."""

from urllib.parse import urlsplit

from traitlets.config import Config

from allotment.settings.kubernetes import KubernetesSettings
from allotment_hub.launch.hub_database import engine_options
from allotment_hub.launch.place import LOOPBACK, Place
from allotment_hub.launch.programs import proxy_command


def wire(c: Config, place: Place, cluster: KubernetesSettings | None = None) -> None:
    """Write ports, files and the proxy of one hub into JupyterHub's configuration.

    Raises:
        ProgramMissingError: there is no proxy to start.
    """
    c.JupyterHub.bind_url = f"{place.bind_url}/"
    c.JupyterHub.hub_bind_url = _hub_listens_at(place, cluster)
    c.JupyterHub.db_url = f"sqlite:///{place.hub_database}"
    c.JupyterHub.db_kwargs = engine_options()
    c.JupyterHub.cookie_secret_file = str(place.cookie_secret)

    c.ConfigurableHTTPProxy.command = proxy_command()
    c.ConfigurableHTTPProxy.api_url = f"http://{LOOPBACK}:{place.ports.proxy_api}"
    c.ConfigurableHTTPProxy.auth_token = place.proxy_token.read_text().strip()
    c.ConfigurableHTTPProxy.pid_file = str(place.proxy_pid)


def _hub_listens_at(place: Place, cluster: KubernetesSettings | None) -> str:
    """On loopback; on every address where the settings say at which of them pods reach the hub."""
    if cluster is None or cluster.hub_url is None:
        return f"http://{LOOPBACK}:{place.ports.hub}"
    return f"http://0.0.0.0:{urlsplit(cluster.hub_url).port or place.ports.hub}"
