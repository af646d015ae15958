"""JupyterHub as Zero to JupyterHub's chart starts it: told the rest of what makes it an Allotment hub.

The chart has told it ports, proxy, database and its own address, from its values. This comes last,
from the chart's ``hub.extraConfig``, so what both say is as the settings say it.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from traitlets.config import Config

from allotment.model.refusals import SettingsInvalid
from allotment.settings import Settings, load_settings
from allotment_hub.configure import configure
from allotment_hub.launch.place import Place, Ports
from allotment_hub.roles import SERVICE

log = logging.getLogger(__name__)

HUB_PORT = 8081
"""Where the chart lets the hub listen."""
_NEEDED = ("kubernetes", "control_plane")
"""Sections of the settings without which a hub in a cluster has no servers, or nobody who minds them."""


SHARED_HOST = (
    "hub.config.JupyterHub.subdomain_host is not set: hub and servers share one host name, so a page of "
    "one person's server acts as whoever opens it"
)


def configure_in_chart(c: Config, environment: Mapping[str, str] = os.environ) -> None:
    """Write into a configuration that the chart has begun.

    ``ALLOTMENT_SETTINGS`` names the settings file, ``ALLOTMENT_STATE`` a folder for what a start needs.

    Raises:
        SystemExit: the hub cannot start; what standard error says names the setting or the variable.
    """
    try:
        place = _place(environment)
        settings = load_settings(place.settings, place.state)
        _check(settings)
    except SettingsInvalid as error:
        sys.stderr.write(f"The hub cannot start.\n{error}\n")
        raise SystemExit(2) from None
    others = [one for one in c.JupyterHub.get("services", []) if one["name"] != SERVICE]
    roles = list(c.JupyterHub.get("load_roles", []))
    configure(c, settings, place)
    if not c.JupyterHub.get("subdomain_host"):
        log.warning(SHARED_HOST)
    # What an operator adds by the chart's own values stays.
    c.JupyterHub.services = [*c.JupyterHub.services, *others]
    c.JupyterHub.load_roles = [*c.JupyterHub.load_roles, *roles]


def _place(environment: Mapping[str, str]) -> Place:
    missing = [
        name for name in ("ALLOTMENT_SETTINGS", "ALLOTMENT_STATE") if not environment.get(name)
    ]
    if missing:
        message = f"{', '.join(missing)}: not set; the chart's hub.extraEnv sets it"
        raise SettingsInvalid((message,))
    state = Path(environment["ALLOTMENT_STATE"])
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    ports = Ports(public=0, hub=HUB_PORT, proxy_api=0, service=0)
    return Place(state, Path(environment["ALLOTMENT_SETTINGS"]), ports, lasts=False)


def _check(settings: Settings) -> None:
    """Check that the settings are those of a hub in a cluster.

    Raises:
        SettingsInvalid: they are not.
    """
    problems = [
        f"{settings.where((section,))}: needed where the hub runs in a cluster; docs/kubernetes.md says how"
        for section in _NEEDED
        if getattr(settings, section) is None
    ]
    if settings.record.startswith("sqlite"):
        where = settings.where(("record",))
        problems.append(
            f"{where}: hub and control plane run in pods of their own and cannot share a file; "
            "expected postgresql://user@host/database"
        )
    if problems:
        raise SettingsInvalid(tuple(problems))
