"""What a provider's words make of somebody, and which words prove nothing."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.settings.sign_on import ProviderGroup, SignIn
from allotment_hub.sign_on_claims import ClaimsWrong, claim, identity, merged

MAPPED = (ProviderGroup(name="vision", role="reader"),)
TENANT = "11111111-2222-3333-4444-555555555555"
OF_KIND: dict[str, dict[str, Any]] = {
    "oidc": {"issuer": "https://id.example.org"},
    "keycloak": {"issuer": "https://id.example.org/realms/work"},
    "okta": {"issuer": "https://work.okta.com"},
    "azuread": {"tenant": TENANT},
    "google": {"hosted_domains": ("example.org",)},
    "github": {},
}
SAID: dict[str, Any] = {
    "sub": "s-1",
    "oid": "o-1",
    "id": 17,
    "login": "Ada",
    "preferred_username": "Ada",
    "email": "ada@example.org",
    "email_verified": True,
    "hd": "example.org",
    "groups": ["vision", "other"],
}


def settings(kind: str, **more: Any) -> SignIn:
    """Settings of a kind of provider, as a file would say them."""
    said = {"kind": kind, "operators": ("olga",), "groups": MAPPED, **OF_KIND[kind], **more}
    return SignIn.model_validate(said)


@pytest.mark.promise("AUTH-1", "AUTH-4")
@pytest.mark.parametrize(
    ("kind", "subject", "name"),
    [
        ("oidc", "s-1", "ada"),
        ("keycloak", "s-1", "ada"),
        ("okta", "s-1", "ada"),
        ("azuread", "o-1", "ada"),
        ("google", "s-1", "ada@example.org"),
        ("github", "17", "ada"),
    ],
)
def test_each_kind_of_provider_knows_people_by_what_stays_the_same(
    kind: str, subject: str, name: str
) -> None:
    found = identity(settings(kind), "the-issuer", SAID)

    assert (found.issuer, found.subject, found.name) == ("the-issuer", subject, name)


@pytest.mark.promise("AUTH-2")
@pytest.mark.parametrize(
    ("kind", "issuer"),
    [
        ("azuread", f"https://login.microsoftonline.com/{TENANT}/v2.0"),
        ("google", "https://accounts.google.com"),
        ("github", "https://github.com"),
        ("keycloak", "https://id.example.org/realms/work"),
    ],
)
def test_each_kind_of_provider_has_its_issuer(kind: str, issuer: str) -> None:
    assert settings(kind).provider_issuer == issuer


@pytest.mark.promise("GROUP-1")
@pytest.mark.parametrize(
    ("said", "more", "groups"),
    [
        ({"groups": ["b", "a", "a", 5]}, {}, ("a", "b")),
        ({"groups": "single"}, {}, ("single",)),
        ({"groups": {"no": "list"}}, {}, ()),
        ({"groups": None}, {}, ()),
        ({"realm_access": {"roles": ["r"]}}, {"groups_claim": "realm_access.roles"}, ("r",)),
        (
            {"https://example.org/groups": ["n"]},
            {"groups_claim": "https://example.org/groups"},
            ("n",),
        ),
        ({"realm_access": "none"}, {"groups_claim": "realm_access.roles"}, ()),
        ({"groups": ["a"]}, {"groups": ()}, ()),
    ],
)
def test_groups_are_read_from_the_claim_that_the_settings_name(
    said: dict[str, Any], more: dict[str, Any], groups: tuple[str, ...]
) -> None:
    chosen = settings("oidc").model_copy(update=more)

    assert identity(chosen, "i", {**SAID, **said}).groups == groups


@pytest.mark.promise("AUTH-1")
@pytest.mark.parametrize(
    ("kind", "said", "word"),
    [
        ("oidc", {"sub": ""}, "subject"),
        ("oidc", {"sub": True}, "subject"),
        ("oidc", {"sub": ["s-1"]}, "subject"),
        ("oidc", {"preferred_username": None}, "username"),
        ("oidc", {"preferred_username": "  "}, "username"),
        ("oidc", {"preferred_username": "\u212aim"}, "letters"),
        ("oidc", {"preferred_username": "kim\u3000"}, "letters"),
        ("azuread", {"oid": None}, "subject"),
        ("azuread", {"_claim_names": {"groups": "src1"}}, "too many"),
        ("azuread", {"hasgroups": True}, "too many"),
        ("google", {"hd": "elsewhere.org"}, "domain"),
        ("google", {"hd": None}, "domain"),
        ("google", {"email_verified": False}, "verified"),
        ("google", {"email_verified": None}, "verified"),
    ],
)
def test_words_that_say_too_little_are_nobodys(kind: str, said: dict[str, Any], word: str) -> None:
    with pytest.raises(ClaimsWrong, match=word) as refused:
        identity(settings(kind), "i", {**SAID, **said})

    assert "ada" not in f"{refused.value} {refused.value.told}".lower()


@pytest.mark.promise("AUTH-1")
@pytest.mark.parametrize(
    ("said", "email"),
    [
        ({}, "ada@example.org"),
        ({"email_verified": False}, ""),
        ({"email_verified": {"odd": 1}}, ""),
        ({"email": None}, ""),
    ],
)
def test_an_address_that_the_provider_has_not_verified_is_not_taken(
    said: dict[str, Any], email: str
) -> None:
    assert identity(settings("oidc"), "i", {**SAID, **said}).email == email


@pytest.mark.promise("AUTH-1")
def test_the_userinfo_of_another_subject_is_refused() -> None:
    with pytest.raises(ClaimsWrong):
        merged({"sub": "one"}, {"sub": "two"})

    assert merged({"sub": "one"}, {"sub": "one", "name": "n"}) == {"sub": "one", "name": "n"}
    assert merged({"sub": "one"}, {}) == {"sub": "one"}


@pytest.mark.promise("AUTH-4")
def test_a_name_in_letters_of_another_script_stays_another_name() -> None:
    """An operator may link it; it becomes nobody's name by itself."""
    found = identity(settings("oidc"), "i", {**SAID, "preferred_username": "JÜRGEN"})

    assert found.name == "jürgen"


def test_a_claim_whose_own_name_has_dots_is_found_first() -> None:
    assert claim({"a.b": 1, "a": {"b": 2}}, "a.b") == 1
    assert claim({"a": {"b": 2}}, "a.b") == 2
    assert claim({"a": 3}, "a.b") is None
