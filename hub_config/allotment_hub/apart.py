"""A control plane that the hub does not start: how the hub is told of it."""

from __future__ import annotations

from typing import Any

from allotment.model.refusals import SettingsInvalid
from allotment.settings import Settings
from allotment_hub.launch.place import SERVICE_PREFIX
from allotment_hub.roles import SERVICE


def service_apart(settings: Settings) -> dict[str, Any] | None:
    """The hub's service for a control plane in a place of its own; None where the hub starts it.

    Raises:
        SettingsInvalid: there is no token where the settings say that it is.
    """
    plane = settings.control_plane
    if plane is None:
        return None
    try:
        token = plane.token()
    except (OSError, ValueError) as error:
        where = settings.where(("control_plane",))
        raise SettingsInvalid((f"{where}: the token cannot be read: {error}",)) from error
    return {
        "name": SERVICE,
        "url": plane.url,
        "api_token": token,
        "display": False,
        "oauth_no_confirm": True,
        # As the control plane says it. With host names for servers the hub would expect one before it.
        "oauth_redirect_uri": f"{SERVICE_PREFIX}oauth_callback",
    }
