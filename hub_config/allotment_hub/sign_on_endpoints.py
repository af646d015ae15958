"""Where an identity provider answers: read from its discovery document, and found to fit together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from allotment.settings.sign_on import SignIn
from allotment.settings.sign_on_references import is_safe

DISCOVERY = "/.well-known/openid-configuration"
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""How an id token may be signed: with a key whose other half only the provider has. Never with the
client's secret, and never not at all."""


class DiscoveryWrong(Exception):
    """A discovery document that cannot be used; the message says why, and repeats little of it."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a provider signs people in. What it does not have is empty."""

    issuer: str
    authorize: str
    token: str
    userinfo: str = ""
    keys: str = ""
    end_session: str = ""
    algorithms: tuple[str, ...] = ()
    client_secret_in_header: bool = False
    """Whether the client shows its secret by HTTP Basic: what OpenID Connect takes where nothing is said."""

    def document(self) -> dict[str, Any]:
        """As the record keeps it for a start at which the provider does not answer."""
        return asdict(self)

    @classmethod
    def of_document(cls, said: Mapping[str, Any]) -> Endpoints:
        """What :meth:`document` was.

        Raises:
            TypeError, KeyError: it is something else, of another version.
        """
        return cls(**{**said, "algorithms": tuple(said["algorithms"])})


def discovery_url(settings: SignIn) -> str:
    """Where the provider describes itself."""
    return settings.provider_issuer.rstrip("/") + DISCOVERY


def github(settings: SignIn) -> Endpoints:
    """The endpoints of GitHub, or of a GitHub Enterprise Server: it has no discovery document."""
    web = settings.provider_issuer.rstrip("/")
    api = "https://api.github.com" if web == "https://github.com" else f"{web}/api/v3"
    return Endpoints(
        issuer=web,
        authorize=f"{web}/login/oauth/authorize",
        token=f"{web}/login/oauth/access_token",
        userinfo=f"{api}/user",
    )


def discovered(settings: SignIn, said: object) -> Endpoints:
    """What a discovery document says, where it is consistent with the settings and with itself.

    Raises:
        DiscoveryWrong: it is not.
    """
    if not isinstance(said, dict):
        raise DiscoveryWrong("is no JSON object")
    issuer = said.get("issuer")
    # OpenID Connect Discovery 1.0, section 4.3: exactly the issuer that was asked, to the slash.
    if issuer != settings.provider_issuer:
        raise DiscoveryWrong(
            f"is of the issuer {str(issuer)[:200]!r}: write it so, to the last slash"
        )
    _needs(said, "response_types_supported", "code", "the authorization code flow")
    _needs(said, "code_challenge_methods_supported", "S256", "PKCE", where_said=True)
    for scope in settings.wanted_scopes:
        _needs(said, "scopes_supported", scope, f"the scope {scope!r}", where_said=True)
    return Endpoints(
        issuer=settings.provider_issuer,
        authorize=_address(said, "authorization_endpoint"),
        token=_address(said, "token_endpoint"),
        userinfo=_address(said, "userinfo_endpoint", needed=False),
        keys=_address(said, "jwks_uri"),
        end_session=_address(said, "end_session_endpoint", needed=False),
        algorithms=_algorithms(said),
        client_secret_in_header=_secret_in_header(said),
    )


def _words(said: Mapping[str, Any], key: str) -> list[str] | None:
    found = said.get(key)
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise DiscoveryWrong(f"says {key} in a way that nobody understands")
    return found


def _needs(
    said: Mapping[str, Any], key: str, word: str, what: str, *, where_said: bool = False
) -> None:
    found = _words(said, key)
    if found is None and where_said:
        return
    if word not in (found or ()):
        raise DiscoveryWrong(f"does not offer {what}: {key} lacks {word!r}")


def _address(said: Mapping[str, Any], key: str, *, needed: bool = True) -> str:
    found = said.get(key)
    if found is None and not needed:
        return ""
    if not isinstance(found, str) or urlsplit(found).scheme not in {"https", "http"}:
        raise DiscoveryWrong(f"names no {key}")
    if not is_safe(found):
        raise DiscoveryWrong(f"names a {key} without https://")
    return found


def _algorithms(said: Mapping[str, Any]) -> tuple[str, ...]:
    offered = _words(said, "id_token_signing_alg_values_supported") or ["RS256"]
    usable = tuple(sorted(ALGORITHMS & set(offered)))
    if not usable:
        raise DiscoveryWrong(
            f"signs id tokens with {', '.join(offered)[:100]}, none of which proves who signed"
        )
    return usable


def _secret_in_header(said: Mapping[str, Any]) -> bool:
    # OpenID Connect Discovery 1.0, section 3: left out, it is client_secret_basic.
    offered = _words(said, "token_endpoint_auth_methods_supported")
    if offered is None or "client_secret_basic" in offered:
        return True
    if "client_secret_post" not in offered:
        raise DiscoveryWrong(
            "takes no client secret: neither client_secret_basic nor client_secret_post"
        )
    return False
