"""Where one hub lives: its folder, its settings file and its addresses."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

LOOPBACK = "127.0.0.1"
SERVICE_PREFIX = "/services/allotment/"


def _in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


@dataclass(frozen=True)
class Ports:
    """The TCP ports of one hub, all on the loopback address."""

    public: int
    """What people open: the proxy."""
    hub: int
    """The hub's own API; running servers know it, so it is kept from one start to the next."""
    proxy_api: int
    """Where the hub tells the proxy its routes."""
    service: int
    """The control plane."""


@dataclass(frozen=True)
class Place:
    """Where one hub lives. ``state`` holds every file that it writes; both paths are absolute."""

    state: Path
    settings: Path
    ports: Ports
    bind: str = LOOPBACK
    """The address on which people reach it: loopback, or what the settings allow."""
    lasts: bool = True
    """Whether the folder outlives the hub's process: that of a pod does not."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Place":
        """Read what the launcher left in the environment of the hub and of the control plane.

        Raises:
            KeyError: this process was not started by ``python -m allotment_hub.launch``.
        """
        return cls(
            state=Path(environment["ALLOTMENT_STATE"]),
            settings=Path(environment["ALLOTMENT_SETTINGS"]),
            bind=environment["ALLOTMENT_BIND"],
            ports=Ports(
                public=int(environment["ALLOTMENT_PORT"]),
                hub=int(environment["ALLOTMENT_HUB_PORT"]),
                proxy_api=int(environment["ALLOTMENT_PROXY_API_PORT"]),
                service=int(environment["ALLOTMENT_SERVICE_PORT"]),
            ),
        )

    def to_environment(self) -> dict[str, str]:
        """What `from_environment` reads; it also marks the processes of this hub as its own."""
        return {
            "ALLOTMENT_STATE": str(self.state),
            "ALLOTMENT_SETTINGS": str(self.settings),
            "ALLOTMENT_BIND": self.bind,
            "ALLOTMENT_PORT": str(self.ports.public),
            "ALLOTMENT_HUB_PORT": str(self.ports.hub),
            "ALLOTMENT_PROXY_API_PORT": str(self.ports.proxy_api),
            "ALLOTMENT_SERVICE_PORT": str(self.ports.service),
        }

    @property
    def bind_url(self) -> str:
        """Where the proxy listens."""
        return f"http://{_in_url(self.bind)}:{self.ports.public}"

    @property
    def public_url(self) -> str:
        """What people on this machine open in a browser."""
        host = LOOPBACK if ip_address(self.bind).is_unspecified else self.bind
        return f"http://{_in_url(host)}:{self.ports.public}"

    @property
    def service_url(self) -> str:
        """Where the control plane listens; people and servers reach it through the proxy."""
        return f"http://{LOOPBACK}:{self.ports.service}"

    @property
    def api_url(self) -> str:
        """The control plane's API as servers are told it (``ALLOTMENT_API_URL``)."""
        return f"{self.public_url}{SERVICE_PREFIX}api/v1"

    @property
    def hub_database(self) -> Path:
        """JupyterHub's own database: users, servers, tokens."""
        return self.state / "jupyterhub.sqlite"

    @property
    def cookie_secret(self) -> Path:
        """What signs people's cookies (mode 0600)."""
        return self.state / "cookie-secret"

    @property
    def people_key(self) -> Path:
        """What encrypts the tokens that an identity provider gave for people (mode 0600)."""
        return self.state / "people-key"

    @property
    def identity(self) -> Path:
        """What tells this hub from another one of its name (mode 0600)."""
        return self.state / "hub-identity"

    @property
    def proxy_token(self) -> Path:
        """The word between hub and proxy (mode 0600)."""
        return self.state / "proxy-token"

    @property
    def proxy_pid(self) -> Path:
        """Process id of the proxy."""
        return self.state / "proxy.pid"

    @property
    def pid(self) -> Path:
        """Process id of the hub, as long as it runs."""
        return self.state / "hub.pid"

    @property
    def lock(self) -> Path:
        """Locked by the hub as long as it runs."""
        return self.state / "hub.lock"

    @property
    def known_ports(self) -> Path:
        """The ports of the last start."""
        return self.state / "ports.json"

    @property
    def homes(self) -> Path:
        """One folder per person, and one per console."""
        return self.state / "homes"

    @property
    def logs(self) -> Path:
        """What hub, proxy, control plane and servers say."""
        return self.state / "logs"

    @property
    def first_passwords(self) -> Path:
        """A line ``name: password`` for every person that the settings declare (mode 0600)."""
        return self.state / "first-passwords"
