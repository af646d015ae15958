"""What the hub tells the control plane in its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from allotment.model.refusals import AllotmentError


@dataclass(frozen=True, slots=True)
class ServiceEnvironment:
    """Where the control plane lives. ``token`` is its own token of the hub's API.

    ``prefix`` is its path behind the proxy, beginning and ending with a slash. ``public_url`` is
    the address of the API as people and servers reach it, empty where nobody said it.
    """

    name: str
    prefix: str
    address: str
    port: int
    hub_api_url: str
    hub_path: str
    hub_host: str
    client_id: str
    callback_url: str
    public_url: str
    record_url: str
    hub: str
    settings: Path | None
    state: Path | None
    token: str = field(repr=False)
    homes: Path | None = None
    """The folder of people's homes on this machine; None: they are elsewhere, or system users'."""

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> ServiceEnvironment:
        """Read the environment of a service that the hub manages.

        Raises:
            AllotmentError: something is missing; the message names all of it.
        """
        needed = (
            "JUPYTERHUB_API_TOKEN",
            "JUPYTERHUB_API_URL",
            "JUPYTERHUB_SERVICE_URL",
            "JUPYTERHUB_SERVICE_PREFIX",
            "ALLOTMENT_RECORD_URL",
        )
        missing = [name for name in needed if not environment.get(name)]
        if missing:
            message = (
                f"The control plane is started by the hub, as a service of it; {', '.join(missing)} "
                f"{'is' if len(missing) == 1 else 'are'} not set."
            )
            raise AllotmentError(message)
        listen = urlsplit(environment["JUPYTERHUB_SERVICE_URL"])
        prefix = "/" + environment["JUPYTERHUB_SERVICE_PREFIX"].strip("/") + "/"
        name = environment.get("JUPYTERHUB_SERVICE_NAME", "allotment")
        return cls(
            name=name,
            prefix=prefix,
            address=listen.hostname or "127.0.0.1",
            port=listen.port or 80,
            hub_api_url=environment["JUPYTERHUB_API_URL"],
            hub_path=environment.get("JUPYTERHUB_BASE_URL", "/").rstrip("/") + "/hub/",
            hub_host=environment.get("JUPYTERHUB_HOST", ""),
            client_id=environment.get("JUPYTERHUB_CLIENT_ID", f"service-{name}"),
            callback_url=environment.get("JUPYTERHUB_OAUTH_CALLBACK_URL")
            or f"{prefix}oauth_callback",
            public_url=environment.get("ALLOTMENT_API_URL", ""),
            record_url=environment["ALLOTMENT_RECORD_URL"],
            hub=environment.get("ALLOTMENT_HUB", "hub"),
            settings=_path(environment, "ALLOTMENT_SETTINGS"),
            state=_path(environment, "ALLOTMENT_STATE"),
            token=environment["JUPYTERHUB_API_TOKEN"],
            homes=_path(environment, "ALLOTMENT_HOMES"),
        )

    @property
    def access_scopes(self) -> frozenset[str]:
        """The scopes of which a token must carry one to be meant for this service."""
        return frozenset({"access:services", f"access:services!service={self.name}"})

    @property
    def public_origin(self) -> str:
        """Scheme and host under which people reach the platform; empty where nobody said it."""
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    value = environment.get(name)
    return Path(value) if value else None
