"""Whether a provider can sign people in as the settings say: looked at before the hub opens its port.

``allotment doctor`` asks the same. Each problem names the key of the settings that mends it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import httpx

from allotment.settings.sign_on import SignIn
from allotment_hub.sign_on_asking import OF_THE_CLIENT, read_keys
from allotment_hub.sign_on_endpoints import (
    DiscoveryWrong,
    Endpoints,
    discovered,
    discovery_url,
    github,
)

SECONDS = 10.0
_NOT_YET = frozenset(
    {"login_required", "interaction_required", "consent_required", "account_selection_required"}
)
"""What a provider sends back for nobody's sign-in without a page, where client and callback are right."""

_OF_THE_CODE = frozenset({"invalid_grant", "bad_verification_code"})
"""What is said of a code that nobody was given by who knows the client and its secret."""


class Away(Exception):
    """The provider did not answer; the message says how."""


@dataclass
class Checked:
    """What was found. ``problems`` are pairs of a key of ``sign_in`` and a sentence; ``away``: it did not answer.

    ``refused``: it is the client or its secret that the provider does not take.
    """

    endpoints: Endpoints | None = None
    problems: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    away: str = ""
    refused: bool = False


def check(
    settings: SignIn, callback: str, secret: str | None = None, *, proven: bool = False
) -> Checked:
    """Ask a provider everything that can be asked without a person. Blocks, at most a minute.

    ``secret`` is the client's that is to be tried; None: that of the settings. ``proven``: an answer
    that does not tell whether the secret is good is a problem, and no note.
    """
    found = Checked()
    if secret is None:
        secret = _secret(settings, found)
    context = _trusted(settings, found)
    if found.problems:
        return found
    with httpx.Client(timeout=SECONDS, verify=context or True, trust_env=False) as web:
        try:
            found.endpoints = _endpoints(web, settings, found)
            if found.endpoints is not None:
                _check_keys(web, found.endpoints, found)
                found.endpoints = _check_client(
                    web, settings, found, secret, callback, proven=proven
                )
                _check_callback(web, settings, found, callback)
        except Away as away:
            found.away = str(away)
    return found


def _secret(settings: SignIn, found: Checked) -> str:
    key = "client_secret_variable" if settings.client_secret_variable else "client_secret_file"
    try:
        return settings.client_secret()
    except OSError as error:
        found.problems.append((key, f"cannot be read: {error.strerror}"))
    except ValueError as error:
        found.problems.append((key, str(error)))
    return ""


def _trusted(settings: SignIn, found: Checked) -> ssl.SSLContext | None:
    if settings.certificate_authority is None:
        return None
    try:
        return ssl.create_default_context(cafile=str(settings.certificate_authority))
    except (OSError, ssl.SSLError):
        found.problems.append(("certificate_authority", "is no file with certificates"))
        return None


def _ask(web: httpx.Client, method: str, url: str, **more: Any) -> httpx.Response:
    """Ask the provider.

    Raises:
        Away: it did not answer, or it answered that something is wrong with itself.
    """
    try:
        answer = web.request(method, url, **more)
    except httpx.HTTPError as error:
        raise Away(f"{urlsplit(url).netloc} does not answer: {_cause(error)}") from None
    if answer.is_server_error:
        raise Away(f"{urlsplit(url).netloc} answered {answer.status_code} for {urlsplit(url).path}")
    return answer


def _cause(error: httpx.HTTPError) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "its certificate is not one that this machine trusts (sign_in.certificate_authority names others)"
    return str(error) or type(error).__name__


def _endpoints(web: httpx.Client, settings: SignIn, found: Checked) -> Endpoints | None:
    if settings.kind == "github":
        return github(settings)
    url = discovery_url(settings)
    answer = _ask(web, "GET", url)
    key = "issuer" if settings.issuer is not None or not settings.tenant else "tenant"
    if not answer.is_success:
        found.problems.append(
            (key, f"there is no discovery document at {url} ({answer.status_code})")
        )
        return None
    try:
        return discovered(settings, answer.json())
    except DiscoveryWrong as wrong:
        found.problems.append(
            (_blamed(str(wrong), key), f"the discovery document at {url} {wrong}")
        )
    except ValueError:
        found.problems.append((key, f"what is at {url} is no discovery document"))
    return None


def _blamed(said: str, key: str) -> str:
    return "scopes" if "the scope" in said else key


def _check_keys(web: httpx.Client, endpoints: Endpoints, found: Checked) -> None:
    if not endpoints.keys:
        return
    answer = _ask(web, "GET", endpoints.keys)
    try:
        usable = answer.is_success and bool(read_keys(answer.json()))
    except (ValueError, AttributeError):
        usable = False
    if not usable:
        found.problems.append(("issuer", f"the provider publishes no key at {endpoints.keys}"))


def _check_client(
    web: httpx.Client,
    settings: SignIn,
    found: Checked,
    secret: str,
    callback: str,
    *,
    proven: bool,
) -> Endpoints:
    """Show the client's id and secret with a code that nobody was given: only the code may be refused.

    They are shown as the provider takes them: by HTTP Basic, or in the form.
    """
    endpoints = found.endpoints
    assert endpoints is not None  # noqa: S101 - asked only where there are some
    unclear = ""
    for in_header in (endpoints.client_secret_in_header, not endpoints.client_secret_in_header):
        said = _shown(web, settings, endpoints, secret, callback, in_header=in_header)
        told = f"the token endpoint answered {said} to a code that nobody was given"
        if said in _OF_THE_CODE:
            return replace(endpoints, client_secret_in_header=in_header)
        if said not in OF_THE_CLIENT:
            if not proven:
                found.notes.append(told)
                return replace(endpoints, client_secret_in_header=in_header)
            unclear = unclear or told
        if settings.kind == "github":
            break
    message = "the provider does not know this client, or the secret is not its own"
    if unclear:
        message = f"{unclear}, which does not prove that the secret is this client's"
    found.problems.append(("client_id", message))
    found.refused = True
    return endpoints


def _shown(
    web: httpx.Client,
    settings: SignIn,
    endpoints: Endpoints,
    secret: str,
    callback: str,
    *,
    in_header: bool,
) -> str:
    asked = {
        "grant_type": "authorization_code",
        "code": f"none-{secrets.token_urlsafe(24)}",
        "redirect_uri": callback,
        "code_verifier": secrets.token_urlsafe(32),
    }
    client = settings.client_id or ""
    auth = (quote_plus(client), quote_plus(secret)) if in_header else None
    if auth is None:
        asked |= {"client_id": client, "client_secret": secret}
    headers = {"Accept": "application/json"}
    answer = _ask(web, "POST", endpoints.token, data=asked, headers=headers, auth=auth)
    try:
        said = answer.json()
    except ValueError:
        said = None
    word = said.get("error") if isinstance(said, dict) else None
    # Only what has the form of OAuth's errors is repeated: what was sent could come back in others.
    known = isinstance(word, str) and re.fullmatch(r"[a-z][a-z_]{0,59}", word) and word != secret
    return str(word) if known else f"{answer.status_code}"


def _check_callback(web: httpx.Client, settings: SignIn, found: Checked, callback: str) -> None:
    """Ask for a sign-in that may show no page: a provider that knows the callback sends one back to it."""
    endpoints = found.endpoints
    if endpoints is None or settings.kind == "github":
        return
    asked = {
        "response_type": "code",
        "client_id": settings.client_id or "",
        "redirect_uri": callback,
        "scope": " ".join(settings.wanted_scopes),
        "state": secrets.token_urlsafe(16),
        "code_challenge": secrets.token_urlsafe(32)[:43],
        "code_challenge_method": "S256",
        "prompt": "none",
    }
    answer = _ask(web, "GET", endpoints.authorize, params=asked)
    target = answer.headers.get("location", "")
    if answer.is_redirect and target.startswith(callback):
        error = parse_qs(urlsplit(target).query).get("error", [""])[0]
        if error == "invalid_scope":
            found.problems.append(("scopes", "the provider refuses them for this client"))
        elif error and error not in _NOT_YET:
            found.problems.append(
                ("client_id", f"the provider refuses a sign-in for it: {error[:60]}")
            )
    elif answer.is_client_error:
        message = f"the provider does not send people back to {callback}: register it for this client there"
        found.problems.append(("callback", message))
    else:
        found.notes.append(f"whether {callback} is registered cannot be seen from here")


def digest_of(settings: SignIn) -> str:
    """By what it is known that a provider was asked with these very settings."""
    return hashlib.sha256(settings.model_dump_json().encode()).hexdigest()


def problem_lines(found: Checked, where: Callable[[tuple[str | int, ...]], str]) -> Iterator[str]:
    """Each problem as a line that names file, line and key."""
    for key, message in found.problems:
        yield f"{where(('sign_in', key))}: {message}"
