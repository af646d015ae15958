"""Where the control plane lives: what its hub tells it, or, in a place of its own, the settings file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from allotment.model.refusals import AllotmentError, SettingsInvalid
from allotment.settings import Settings, load_settings

PREFIX = "/services/allotment/"
PORT = 8787
"""Where a control plane in a place of its own listens, on all addresses, unless told otherwise."""


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
    managed: bool = True
    """Whether the hub started it, so that it ends with the hub."""
    hub_identity: str = ""
    """What tells its hub from another one of the same name; empty where nobody said it."""

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> ServiceEnvironment:
        """Read the environment of a service that the hub manages, or of one that stands alone.

        One that stands alone is told by its settings file, whose section ``control_plane`` says so.

        Raises:
            AllotmentError: something is missing; the message names all of it.
        """
        alone = None if environment.get("ALLOTMENT_RECORD_URL") else _settings(environment)
        if alone is not None:
            environment = _told_by(alone, environment)
        needed = (
            "JUPYTERHUB_API_TOKEN",
            "JUPYTERHUB_API_URL",
            "JUPYTERHUB_SERVICE_URL",
            "JUPYTERHUB_SERVICE_PREFIX",
            "ALLOTMENT_RECORD_URL",
        )
        missing = [name for name in needed if not environment.get(name)]
        if missing:
            raise AllotmentError(_MISSING.format(", ".join(missing)))
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
            managed=alone is None,
            hub_identity=environment.get("ALLOTMENT_HUB_IDENTITY", ""),
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


_MISSING = (
    "Not set: {}. The hub says so where it starts the control plane. In a place of its own, name the "
    "settings file in ALLOTMENT_SETTINGS; its section control_plane says the rest, and "
    "JUPYTERHUB_API_URL where the hub's API is."
)


def _settings(environment: Mapping[str, str]) -> Settings | None:
    """The settings of a control plane that stands alone; None where they do not say that it does."""
    file = _path(environment, "ALLOTMENT_SETTINGS")
    if file is None:
        return None
    settings = load_settings(file, _path(environment, "ALLOTMENT_STATE"))
    return settings if settings.control_plane is not None else None


def _told_by(settings: Settings, environment: Mapping[str, str]) -> Mapping[str, str]:
    """The environment that the hub would have given it. What is set there already stays.

    Raises:
        SettingsInvalid: there is no token where the settings say that it is.
    """
    plane = settings.control_plane
    if plane is None:
        return environment
    try:
        token = plane.token(environment)
    except (OSError, ValueError) as error:
        problem = f"{settings.where(('control_plane',))}: the token cannot be read: {error}"
        raise SettingsInvalid((problem,)) from error
    told = {
        "JUPYTERHUB_API_TOKEN": token,
        "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
        "JUPYTERHUB_SERVICE_URL": f"http://0.0.0.0:{PORT}",
        "ALLOTMENT_API_URL": f"{plane.public_url}{PREFIX}api/v1",
        "ALLOTMENT_RECORD_URL": settings.record,
        "ALLOTMENT_HUB": settings.hub,
        "ALLOTMENT_HUB_IDENTITY": plane.identity(environment),
    }
    return told | {name: value for name, value in environment.items() if value}


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    value = environment.get(name)
    return Path(value) if value else None
