"""What a provider says of somebody: its id token checked, its claims read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jwt

from allotment.model.sign_on import ProviderIdentity
from allotment.settings.sign_on import SignIn
from allotment_hub.sign_on_endpoints import Endpoints

LEEWAY = 60
"""Seconds by which the provider's clock and ours may differ."""
MOST_GROUPS = 10_000


class ClaimsWrong(Exception):
    """The provider's answer proves nothing about who signs in.

    ``told`` is for the person, without what the answer held; the message is for the log, likewise.
    """

    def __init__(self, message: str, told: str = "") -> None:
        super().__init__(message)
        self.told = told or "The provider's answer could not be checked, so nobody was signed in."


def check_id_token(
    token: str, endpoints: Endpoints, client_id: str, key_of: Callable[[str | None], Any]
) -> dict[str, Any]:
    """The claims of an id token, once its signature, issuer, audience and times are found right.

    OpenID Connect Core 1.0, section 3.1.3.7. ``key_of`` gives the provider's key of an id, or None.

    Raises:
        ClaimsWrong: something is not right.
    """
    try:
        key = key_of(jwt.get_unverified_header(token).get("kid"))
        if key is None:
            raise ClaimsWrong(
                "The id token is signed with a key that the provider does not publish."
            )
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=list(endpoints.algorithms),
            audience=client_id,
            issuer=endpoints.issuer,
            leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except jwt.InvalidAudienceError:
        told = "The provider signed you in for another program than this one, so nobody was signed in here."
        raise ClaimsWrong("The id token is for another client.", told) from None
    except jwt.PyJWTError as error:  # its words name the claim, never its value
        raise ClaimsWrong(f"The id token is not right: {type(error).__name__}.") from None
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    party = claims.get("azp", client_id if len(audiences) == 1 else None)
    if party != client_id:
        raise ClaimsWrong("The id token was asked for by another client.")
    return claims


def merged(id_claims: Mapping[str, Any], userinfo: Mapping[str, Any]) -> dict[str, Any]:
    """The id token's claims and those of the userinfo endpoint, which must be about the same subject.

    Raises:
        ClaimsWrong: they are about two (OpenID Connect Core 1.0, section 5.3.2).
    """
    if id_claims and userinfo and userinfo.get("sub") != id_claims["sub"]:
        raise ClaimsWrong("The userinfo endpoint answered about another subject.")
    return {**id_claims, **userinfo}


def claim(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by name, or by a way through claims: ``realm_access.roles``. None where there is none."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def identity(settings: SignIn, issuer: str, claims: Mapping[str, Any]) -> ProviderIdentity:
    """Who somebody is, by the claims that the settings name.

    Raises:
        ClaimsWrong: a claim is missing, or says too little.
    """
    variant = settings.variant
    subject = claim(claims, settings.subject_claim or variant.subject_claim)
    name = claim(claims, settings.username_claim or variant.username_claim)
    for what, found in (("subject", subject), ("username", name)):
        if not isinstance(found, str | int) or isinstance(found, bool) or not str(found).strip():
            message = f"The provider said no {what}: sign_in.{what}_claim names a claim that it does not send."
            raise ClaimsWrong(message, "The provider did not say who you are. Tell an operator.")
    _check_domain(settings, claims)
    _check_email_as_name(settings, claims)
    return ProviderIdentity(
        issuer=issuer,
        subject=str(subject),
        name=_lowered(str(name)),
        email=_email(claims),
        groups=_groups(settings, claims),
    )


def _lowered(name: str) -> str:
    """A name in lower case. Letters that only look like ours must not become ours: U+212A is not k."""
    lowered = name.strip().lower()
    if lowered.isascii() and not name.isascii():
        message = "The username has letters that are others' in lower case."
        raise ClaimsWrong(message, "Your name has letters that no name here has. Tell an operator.")
    return lowered


def _check_domain(settings: SignIn, claims: Mapping[str, Any]) -> None:
    """Google signs in whoever has an account; only the domain of an organisation says that it is ours."""
    if settings.hosted_domains and claims.get("hd") not in settings.hosted_domains:
        domains = " or ".join(settings.hosted_domains)
        raise ClaimsWrong(
            "An account of another domain than sign_in.hosted_domains.",
            f"Sign in with an account of {domains}.",
        )


def _check_email_as_name(settings: SignIn, claims: Mapping[str, Any]) -> None:
    if (settings.username_claim or settings.variant.username_claim) != "email":
        return
    if claims.get("email_verified") not in (True, "true"):
        message = "The provider has not verified the address that would be the name."
        raise ClaimsWrong(message, "Verify your e-mail address with the provider first.")


def _email(claims: Mapping[str, Any]) -> str:
    address = claims.get("email")
    verified = claims.get("email_verified", True) in (True, "true")
    return address if isinstance(address, str) and verified else ""


def _groups(settings: SignIn, claims: Mapping[str, Any]) -> tuple[str, ...]:
    name = settings.groups_claim or settings.variant.groups_claim
    if not name or not settings.groups:
        return ()
    # Entra names no group of somebody who is in more than fit into a token; no group would be wrong.
    elsewhere = claims.get("_claim_names")
    if (isinstance(elsewhere, Mapping) and name in elsewhere) or claims.get("hasgroups"):
        raise ClaimsWrong(
            "The provider left the groups out of the token: there are too many. Let it name only those assigned to the application.",
            "You are in more groups than the provider can tell. Tell an operator.",
        )
    found = claim(claims, name)
    if isinstance(found, str):
        found = [found]
    if not isinstance(found, list):
        return ()
    return tuple(sorted({one for one in found[:MOST_GROUPS] if isinstance(one, str)}))
