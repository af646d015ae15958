"""Everything that a JupyterHub must be told to be an Allotment hub, from the settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from traitlets.config import Config

from allotment.model.currency import write_money_in
from allotment.model.refusals import AllotmentError, SettingsInvalid
from allotment.settings import Settings
from allotment.settings.catalogue import Catalogue
from allotment.settings.sign_on import LOCAL
from allotment_hub import files, kubernetes, roles
from allotment_hub.apart import service_apart
from allotment_hub.first_start import prepare_record
from allotment_hub.host_names import host_name
from allotment_hub.identity import identity_of
from allotment_hub.launch.place import Place
from allotment_hub.logs import log_variables, write_logs
from allotment_hub.sign_in import LocalAuthenticator
from allotment_spawner.access import refuse_shares_of_the_console
from allotment_spawner.asking import record_at
from allotment_spawner.local import AllotmentLocalSpawner, AllotmentSystemUserSpawner
from allotment_spawner.pages import pages_of

JUPYTER_SERVERS = frozenset({"jupyterhub-singleuser", "jupyter-labhub"})
"""Commands that understand Jupyter's options; what else a platform starts may not."""
SIGNED_OUT_WITHIN = 60
"""Seconds after which somebody who was removed, or changed the password, is known to be so everywhere."""
ANSWERS_WITHIN = 120
"""Seconds that a server may take to answer. The hub's own 30 were too few for four JupyterLabs that started
at once on two busy cores; a server whose process is gone is found by reconciling, long before."""


def configure(c: Config, settings: Settings, place: Place) -> None:
    """Write everything but ports, files and the proxy into JupyterHub's configuration.

    The record is opened and brought up to date, devices and profiles are taken in, and what the
    settings declare is made: errors come before anybody is served.

    Raises:
        SystemExit: it cannot be; what standard error says names the setting.
    """
    try:
        check_system_users(settings)
        kubernetes.connect(settings)
        apart = service_apart(settings)
        sign_in = way_in(settings, place)
        identity = identity_of(settings, place)
        first = place.first_passwords if place.lasts else None
        prepare_record(settings, first, datetime.now(UTC), place.state, identity=identity)
    except AllotmentError as error:
        sys.stderr.write(f"The hub cannot start.\n{error}\n")
        raise SystemExit(2) from None
    write_money_in(settings.money)
    write_logs(c, settings.logs)
    publish_profiles_as_they_change(settings)
    _access(c, settings)
    sign_in(c)
    _spawner(c, settings, place)
    c.PeopleOfTheRecord.hub_name = settings.hub
    c.PeopleOfTheRecord.hub_identity = identity
    c.JupyterHub.services = [apart or managed_service(settings, place, identity)]
    _pages(c, settings)


def publish_profiles_as_they_change(settings: Settings) -> None:
    """Have this process look at the folders of profiles before it asks the record anything.

    So a profile is offered at once, and its launch admitted, also while the control plane is down.
    """
    catalogue = Catalogue(settings.profiles)
    record_at(settings.record).look_first(
        lambda record: catalogue.refresh(record, datetime.now(UTC))
    )


def check_system_users(settings: Settings) -> None:
    """Check that the hub can start servers under other system users, where the settings ask for it.

    Raises:
        SettingsInvalid: it cannot.
    """
    if settings.servers.system_users and os.geteuid() != 0:
        where = settings.where(("servers", "system_users"))
        message = f"{where}: needs a hub that runs as root; expected false, or start it as root"
        raise SettingsInvalid((message,))


def way_in(settings: Settings, place: Place) -> Callable[[Config], None]:
    """What tells a hub how people sign in. A provider is asked everything that can be asked before that.

    Raises:
        SettingsInvalid: the settings and the provider do not fit together.
    """
    if settings.sign_in.kind == LOCAL:
        return wire_local
    from allotment_hub.sign_on_wiring import way_of, wire_sign_on  # noqa: PLC0415 - few need it

    return partial(wire_sign_on, settings=settings, place=place, way=way_of(settings, place))


def wire_local(c: Config) -> None:
    """People sign in with passwords of the platform's own."""
    c.JupyterHub.authenticator_class = LocalAuthenticator


def _access(c: Config, settings: Settings) -> None:
    c.PeopleOfTheRecord.any_allow_config = True  # the record allows: see check_allowed
    c.PeopleOfTheRecord.record_url = settings.record
    c.PeopleOfTheRecord.manage_groups = True
    c.PeopleOfTheRecord.auth_refresh_age = SIGNED_OUT_WITHIN
    c.PeopleOfTheRecord.auth_refresh_strict = True
    c.JupyterHub.admin_access = False
    c.JupyterHub.custom_scopes = roles.CUSTOM_SCOPES
    c.JupyterHub.extra_user_scopes = set(roles.USER_SCOPES)
    c.JupyterHub.load_roles = roles.roles()


def _spawner(c: Config, settings: Settings, place: Place) -> None:
    refuse_shares_of_the_console()
    c.JupyterHub.allow_named_servers = True
    c.JupyterHub.default_url = "/hub/home"
    c.JupyterHub.subdomain_hook = host_name
    c.JupyterHub.implicit_spawn_seconds = 0
    c.Spawner.cmd = list(settings.servers.command)
    if Path(settings.servers.command[0]).name in JUPYTER_SERVERS:
        c.Spawner.args = [f"--HubOAuth.cache_max_age={SIGNED_OUT_WITHIN}"]
    c.Spawner.http_timeout = ANSWERS_WITHIN
    c.Spawner.default_url = "/lab"
    # Never empty: with an empty form a visit to the launch page would start a server.
    c.Spawner.options_form = "The form is drawn by the page itself."
    c.AllotmentMixin.record_url = settings.record
    c.AllotmentMixin.hub_id = settings.hub
    if settings.kubernetes is not None:
        c.AllotmentMixin.allotment_api_url = kubernetes.api_url(settings.kubernetes, place)
        kubernetes.servers_as_pods(c, settings.kubernetes)
        return
    kind = AllotmentSystemUserSpawner if settings.servers.system_users else AllotmentLocalSpawner
    c.JupyterHub.spawner_class = kind
    c.AllotmentMixin.allotment_api_url = place.api_url
    c.LocalServer.python_environments = [str(one) for one in settings.servers.python_environments]
    c.LocalServer.group_folders = str(settings.homes.groups or "")
    c.LocalServer.console_homes = str(place.homes / "consoles")
    c.LocalServer.console_notebook = console_notebook()
    c.SimpleLocalProcessSpawner.home_dir_template = f"{place.homes}/people/{{username}}"


def console_notebook() -> str:
    """The path of the operator console's notebook; empty where the notebook extra is not installed."""
    package = find_spec("allotment_widgets")
    folders = package.submodule_search_locations or () if package else ()
    found = (path for folder in folders for path in Path(folder).rglob("operator-console.ipynb"))
    return str(next(found, ""))


def managed_service(settings: Settings, place: Place, identity: str) -> dict[str, Any]:
    """The control plane as a service that the hub starts, and that ends with it."""
    return {
        "name": roles.SERVICE,
        "url": place.service_url,
        "command": [sys.executable, "-m", "allotment.api"],
        "display": False,
        "oauth_no_confirm": True,
        "environment": {
            "ALLOTMENT_RECORD_URL": settings.record,
            "ALLOTMENT_HUB": settings.hub,
            "ALLOTMENT_HUB_IDENTITY": identity,
            "ALLOTMENT_SETTINGS": str(place.settings),
            "ALLOTMENT_STATE": str(place.state),
            "ALLOTMENT_API_URL": place.api_url,
            **log_variables(settings.logs),
            **_surroundings(settings, place),
            **_secrets(settings),
        },
    }


def _surroundings(settings: Settings, place: Place) -> dict[str, str]:
    """What the control plane must find: people's homes, and how boto3 is told who asks AWS."""
    own = {} if settings.servers_apart else {"ALLOTMENT_HOMES": f"{place.homes}/people"}
    # Quotas are read with them, and sources in S3 that name no key of their own are opened.
    names = sorted(name for name in os.environ if name.startswith("AWS_") or name == "HOME")
    return {**own, **{name: os.environ[name] for name in names}}


def _secrets(settings: Settings) -> dict[str, str]:
    """Variables that hold passwords and the keys of secrets: JupyterHub hands a service none by itself."""
    mail = settings.mail.password_variable if settings.mail else None
    names = (mail, settings.data.keys_variable, settings.record_password_variable)
    return {name: os.environ[name] for name in names if name and name in os.environ}


def _pages(c: Config, settings: Settings) -> None:
    c.JupyterHub.jinja_environment_options = {"trim_blocks": True, "lstrip_blocks": True}
    c.JupyterHub.template_paths = [str(files.TEMPLATES)]
    c.JupyterHub.template_vars = page_variables(settings)
    c.JupyterHub.logo_file = str(files.STATIC / "mark.svg")


def page_variables(settings: Settings) -> dict[str, Any]:
    """What every template sees. JupyterHub copies it deeply: plain values and functions only."""
    return {
        "allotment": pages_of(record_at(settings.record), settings.hub),
        "allotment_files": f"/hub/allotment/static/{files.version()}/",
        "local_sign_in": settings.sign_in.kind == LOCAL,
        "keep_passwords": settings.sign_in.local,
        "shared_user": not settings.servers_apart,
        "organisation": settings.organisation,
        "sends_mail": settings.mail is not None,
        "token_choices": roles.token_choices(),
        "kubeconfigs": settings.kubernetes.kubeconfigs if settings.kubernetes else None,
    }
