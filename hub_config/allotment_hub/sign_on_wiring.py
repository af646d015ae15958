"""What JupyterHub must be told to sign people in through a provider."""

from __future__ import annotations

import logging
import os
import secrets
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from traitlets.config import Config

from allotment.data.assembling import read_vault
from allotment.model.refusals import SettingsInvalid
from allotment.record.sign_in import ReplacedSecret
from allotment.settings import Settings
from allotment.settings.sign_on_references import CALLBACK_PATH
from allotment_hub.launch.place import Place
from allotment_hub.sign_on import SignOn
from allotment_hub.sign_on_checks import Checked, check, problem_lines
from allotment_hub.sign_on_endpoints import Endpoints
from allotment_hub.sign_on_kinds import GitHubAuthenticator, OpenIdAuthenticator
from allotment_hub.sign_on_looking import keep, kept
from allotment_hub.sign_on_secret import ClientSecret

log = logging.getLogger(__name__)

KEY_VARIABLE = "JUPYTERHUB_CRYPT_KEY"
"""Where JupyterHub itself looks for the keys with which it encrypts what it keeps of people."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way in through a provider that was looked at, and found good or known from before."""

    endpoints: Endpoints
    secret: ClientSecret
    in_force: str = field(repr=False)
    callback: str
    found: Checked


@dataclass(frozen=True, slots=True)
class Tried:
    """What was found with the client's secret that is in force; None where the settings' cannot be read.

    ``refused`` says which secret of an operator the provider refused, so that the settings' is in force.
    """

    secret: ClientSecret | None
    in_force: str | None = field(repr=False)
    found: Checked
    refused: str = ""


def way_of(settings: Settings, place: Place) -> Way:
    """The way in, once everything that can be looked at was found right. Nothing is made or changed.

    A provider that is away stops no hub that knew it before with just these settings: people who
    work would be stopped for it.

    Raises:
        SettingsInvalid: something is not right, or the provider is away and was never seen.
        KeysWrong, SourceProblem: an operator replaced the client's secret, and it cannot be decrypted.
        RecordTooNew, RecordUnavailable: the record cannot be used.
    """
    callback, before = callback_of(settings, place), kept(settings)
    tried = try_secrets(settings, place.state, callback, before.replaced)
    secret, in_force, found = tried.secret, tried.in_force, tried.found
    if secret is None or in_force is None or found.problems:
        raise SettingsInvalid(tuple(problem_lines(found, settings.where)))
    if tried.refused:
        found.notes.append(tried.refused)
    for note in found.notes:
        log.warning("Signing in: %s.", note)
    if found.endpoints is not None and not found.away:
        return Way(found.endpoints, secret, in_force, callback, found)
    if before.endpoints is None:
        where = settings.where(("sign_in", "issuer"))
        message = f"{where}: {found.away}; the provider must answer when the hub starts with it for the first time"
        raise SettingsInvalid((message,))
    log.warning("Signing in waits for the provider: %s.", found.away)
    return Way(before.endpoints, secret, in_force, callback, found)


def client_secret_of(settings: Settings, state: Path) -> ClientSecret | None:
    """The client's secret as the settings have it; None where it cannot be read, which the check says."""
    try:
        said = settings.sign_in.client_secret()
    except (OSError, ValueError):
        return None
    return ClientSecret(settings.sign_in, said, partial(read_vault, settings, state))


def try_secrets(
    settings: Settings, state: Path, callback: str, replaced: ReplacedSecret | None
) -> Tried:
    """Ask the provider with the secret in force. Blocks, at most two minutes.

    An operator's that is refused gives way to a good one of the settings: giving another one, or
    withdrawing it, is done at a hub that runs.

    Raises:
        KeysWrong, SourceProblem: an operator replaced the client's secret, and it cannot be decrypted.
    """
    secret = client_secret_of(settings, state)
    in_force = None if secret is None else secret.in_force(replaced)
    found = check(settings.sign_in, callback, in_force)
    if secret is None or replaced is None or in_force == secret.said or not found.refused:
        return Tried(secret, in_force, found)
    own = check(settings.sign_in, callback, secret.said)
    given = f"the secret that {replaced.by} gave on {replaced.at:%Y-%m-%d}"
    if not own.refused and not own.away:
        words = f"{given} is refused by the provider, so that of the settings is used; withdraw it, or give another"
        return Tried(secret.refusing(replaced), secret.said, own, words)
    theirs = f"could not be tried: {own.away}" if own.away else "is refused, too"
    found.problems = [
        (key, f"{said}: tried was {given}; that of the settings {theirs}")
        if key == "client_id"
        else (key, said)
        for key, said in found.problems
    ]
    return Tried(secret, in_force, found)


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


def wire_sign_on(c: Config, settings: Settings, place: Place, way: Way) -> None:
    """Write everything about the provider into JupyterHub's configuration, and what was found into the record."""
    said, endpoints = settings.sign_in, way.endpoints
    keep(settings, way.callback, way.found, replaced=way.in_force != way.secret.said)
    c.JupyterHub.authenticator_class = (
        GitHubAuthenticator if said.kind == "github" else OpenIdAuthenticator
    )
    mine: Any = c.ProviderAuthenticator
    mine.sign_on = SignOn(said, endpoints, way.secret, said.vouched(settings.declared_people))
    mine.client_id = said.client_id
    mine.client_secret = way.in_force
    mine.authorize_url = endpoints.authorize
    mine.token_url = endpoints.token
    mine.userdata_url = endpoints.userinfo
    mine.basic_auth = endpoints.client_secret_in_header
    mine.oauth_callback_url = way.callback
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
