"""What JupyterHub must be told because of where it runs: ports, files, proxy."""

from traitlets.config import Config

from allotment_hub.launch.place import LOOPBACK, Place
from allotment_hub.launch.programs import proxy_command


def wire(c: Config, place: Place) -> None:
    """Write ports, files and the proxy of one hub into JupyterHub's configuration.

    Raises:
        ProgramMissingError: there is no proxy to start.
    """
    c.JupyterHub.bind_url = f"{place.bind_url}/"
    c.JupyterHub.hub_bind_url = f"http://{LOOPBACK}:{place.ports.hub}"
    c.JupyterHub.db_url = f"sqlite:///{place.hub_database}"
    c.JupyterHub.cookie_secret_file = str(place.cookie_secret)

    c.ConfigurableHTTPProxy.command = proxy_command()
    c.ConfigurableHTTPProxy.api_url = f"http://{LOOPBACK}:{place.ports.proxy_api}"
    c.ConfigurableHTTPProxy.auth_token = place.proxy_token.read_text().strip()
    c.ConfigurableHTTPProxy.pid_file = str(place.proxy_pid)
