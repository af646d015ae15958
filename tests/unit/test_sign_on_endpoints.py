"""Which discovery documents can be used, and what is said of the others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from allotment.settings.sign_on import SignIn
from allotment_hub.sign_on_asking import read_keys
from allotment_hub.sign_on_endpoints import DiscoveryWrong, Endpoints, discovered, github

ISSUER = "https://id.example.org"
GOOD: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/auth",
    "token_endpoint": f"{ISSUER}/token",
    "userinfo_endpoint": f"{ISSUER}/me",
    "jwks_uri": f"{ISSUER}/keys",
    "response_types_supported": ["code", "id_token"],
    "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
    "scopes_supported": ["openid", "profile", "email"],
}


def settings() -> SignIn:
    return SignIn(kind="oidc", issuer=ISSUER, operators=("olga",))


@pytest.mark.promise("AUTH-2")
def test_a_good_document_says_where_the_provider_answers() -> None:
    found = discovered(settings(), GOOD)

    assert (found.token, found.userinfo, found.keys) == (
        f"{ISSUER}/token",
        f"{ISSUER}/me",
        f"{ISSUER}/keys",
    )
    assert found.algorithms == ("RS256",)
    assert found.client_secret_in_header
    assert Endpoints.of_document(json.loads(json.dumps(found.document()))) == found


@pytest.mark.promise("AUTH-2")
@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"issuer": "https://other.example.org"}, "is of the issuer"),
        ({"issuer": None}, "is of the issuer"),
        ({"token_endpoint": None}, "names no token_endpoint"),
        ({"token_endpoint": "file:///etc/passwd"}, "names no token_endpoint"),
        ({"token_endpoint": "http://id.example.org/token"}, "without https"),
        ({"authorization_endpoint": 5}, "names no authorization_endpoint"),
        ({"jwks_uri": None}, "names no jwks_uri"),
        ({"userinfo_endpoint": "http://10.0.0.1/me"}, "without https"),
        ({"response_types_supported": ["id_token"]}, "authorization code flow"),
        ({"response_types_supported": "code"}, "nobody understands"),
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
        ({"scopes_supported": ["openid"]}, "the scope 'profile'"),
        ({"id_token_signing_alg_values_supported": ["HS256", "none"]}, "none of which proves"),
        ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, "no client secret"),
    ],
)
def test_a_document_that_does_not_fit_is_refused_with_what_does_not(
    changed: dict[str, Any], word: str
) -> None:
    said = {key: value for key, value in {**GOOD, **changed}.items() if value is not None}

    with pytest.raises(DiscoveryWrong, match=word):
        discovered(settings(), said)


@pytest.mark.parametrize("said", [None, [], "text", 5])
def test_what_is_no_document_is_refused(said: object) -> None:
    with pytest.raises(DiscoveryWrong):
        discovered(settings(), said)


@pytest.mark.promise("AUTH-1")
@pytest.mark.parametrize(
    ("issuer", "api"),
    [
        (None, "https://api.github.com/user"),
        ("https://git.example.org", "https://git.example.org/api/v3/user"),
    ],
)
def test_github_and_its_enterprise_server_are_known_without_a_document(
    issuer: str | None, api: str
) -> None:
    assert github(SignIn(kind="github", issuer=issuer, operators=("olga",))).userinfo == api


@pytest.mark.promise("AUTH-1")
def test_keys_that_do_not_sign_or_are_shared_secrets_are_left_out() -> None:
    said = {
        "keys": [
            {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"},
            {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "encrypts", "use": "enc"},
            {"kty": "new", "kid": "unknown"},
            "text",
        ]
    }

    assert read_keys(said) == {}
    assert read_keys({"keys": "none"}) == {}
