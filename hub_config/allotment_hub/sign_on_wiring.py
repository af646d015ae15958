"""What JupyterHub must be told to sign people in through a provider."""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path
from typing import Any

from traitlets.config import Config

from allotment.model.refusals import SettingsInvalid
from allotment.settings import Settings
from allotment.settings.sign_on_references import CALLBACK_PATH
from allotment_hub.launch.place import Place
from allotment_hub.sign_on import SignOn
from allotment_hub.sign_on_checks import check, problem_lines, remember, remembered
from allotment_hub.sign_on_endpoints import Endpoints
from allotment_hub.sign_on_kinds import GitHubAuthenticator, OpenIdAuthenticator

log = logging.getLogger(__name__)

KEY_VARIABLE = "JUPYTERHUB_CRYPT_KEY"
"""Where JupyterHub itself looks for the keys with which it encrypts what it keeps of people."""


def endpoints_of(settings: Settings, place: Place) -> Endpoints:
    """Where the provider answers, once everything that can be looked at was found right.

    A provider that is away stops no hub that knew it before with just these settings: people who
    work would be stopped for it.

    Raises:
        SettingsInvalid: something is not right, or the provider is away and was never seen.
    """
    found = check(settings.sign_in, callback_of(settings, place))
    if found.problems:
        raise SettingsInvalid(tuple(problem_lines(found, settings.where)))
    for note in found.notes:
        log.warning("Signing in: %s.", note)
    known = place.known_provider
    if found.endpoints is not None and not found.away:
        remember(known, settings.sign_in, found.endpoints)
        return found.endpoints
    before = remembered(known, settings.sign_in)
    if before is None:
        where = settings.where(("sign_in", "issuer"))
        message = f"{where}: {found.away}; the provider must answer when the hub starts with it for the first time"
        raise SettingsInvalid((message,))
    log.warning("Signing in waits for the provider: %s.", found.away)
    return before


def callback_of(settings: Settings, place: Place) -> str:
    """Where the provider sends people back to.

    Raises:
        SettingsInvalid: the settings must say it, because people reach the hub from elsewhere.
    """
    said = settings.sign_in.callback
    if said is not None:
        return said
    if not settings.loopback_only:
        where = settings.where(("sign_in", "callback"))
        message = (
            f"is missing: https://, the name by which people reach the hub, and {CALLBACK_PATH}"
        )
        raise SettingsInvalid((f"{where}: {message}",))
    return f"{place.public_url}{CALLBACK_PATH}"


def wire_sign_on(c: Config, settings: Settings, place: Place, endpoints: Endpoints) -> None:
    """Write everything about the provider into JupyterHub's configuration."""
    said = settings.sign_in
    c.JupyterHub.authenticator_class = (
        GitHubAuthenticator if said.kind == "github" else OpenIdAuthenticator
    )
    mine: Any = c.ProviderAuthenticator
    mine.sign_on = SignOn(said, endpoints, said.vouched(settings.declared_people))
    mine.client_id = said.client_id
    mine.client_secret = said.client_secret()
    mine.authorize_url = endpoints.authorize
    mine.token_url = endpoints.token
    mine.userdata_url = endpoints.userinfo
    mine.basic_auth = endpoints.client_secret_in_header
    mine.oauth_callback_url = callback_of(settings, place)
    mine.scope = list(said.wanted_scopes)
    mine.login_service = said.service or said.variant.service
    mine.extra_authorize_params = dict(said.variant.asked_with)
    mine.enable_auth_state = True
    # The record admits each launch; asking the provider first would make a launch wait for it.
    mine.refresh_pre_spawn = False
    # Keys that a deployer gave, such as those of the chart's Secret, outlive the hub's own folder.
    if not os.environ.get(KEY_VARIABLE) and not c.CryptKeeper.get("keys"):
        c.CryptKeeper.keys = [own_key(place.people_key)]


def own_key(file: Path) -> bytes:
    """The key with which the hub encrypts people's tokens, made at the first start; readable by its owner only."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_bytes(secrets.token_bytes(32).hex().encode())
    return bytes.fromhex(file.read_text())
