"""What a sign-in section may say for each kind of provider, and how the rest is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from allotment.model.refusals import SettingsInvalid
from allotment.model.sign_on import MappedGroup
from allotment.settings import parse_settings
from allotment.settings.sign_on import VARIANTS

EXAMPLES = Path(__file__).parents[2] / "hub_config" / "sso"
TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "client_id: c, client_secret_file: s, operators: [olga], accept_shared_user: true"


def refused(text: str) -> list[str]:
    with pytest.raises(SettingsInvalid) as error:
        parse_settings(text, "f.yaml")
    return list(error.value.problems)


@pytest.mark.promise("AUTH-1")
@pytest.mark.parametrize(
    "said",
    [
        f"kind: oidc, issuer: 'https://id.example.org', {CLIENT}",
        f"kind: keycloak, issuer: 'https://id.example.org/realms/r', {CLIENT}",
        f"kind: okta, issuer: 'https://work.okta.com', {CLIENT}",
        f"kind: azuread, tenant: {TENANT}, {CLIENT}",
        f"kind: google, hosted_domains: [example.org], {CLIENT}",
        f"kind: github, {CLIENT}",
        f"kind: oidc, issuer: 'http://127.0.0.1:9000', {CLIENT}",
    ],
)
def test_each_kind_needs_little(said: str) -> None:
    parse_settings(f"sign_in: {{{said}}}", "f.yaml")


@pytest.mark.promise("AUTH-2")
@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (f"kind: oidc, {CLIENT}", "issuer: is missing; the kind 'oidc' needs it"),
        (f"kind: azuread, {CLIENT}", "tenant: is missing; the kind 'azuread' needs it"),
        (f"kind: azuread, tenant: common, {CLIENT}", "tenant: expected the directory's id"),
        (f"kind: google, {CLIENT}", "hosted_domains: is missing; the kind 'google' needs it"),
        (f"kind: github, tenant: {TENANT}, {CLIENT}", "tenant: is not a key of the kind 'github'"),
        ("kind: github, client_secret_file: s, operators: [olga]", "client_id: is missing"),
        (
            "kind: github, client_id: c, operators: [olga]",
            "client_secret_file: expected client_secret_file or",
        ),
        (
            f"kind: github, client_secret_variable: V, {CLIENT}",
            "client_secret_variable: expected client_secret_file or",
        ),
        (f"kind: github, client_secret: hunter2, {CLIENT}", "client_secret: is not a key here"),
        (f"kind: oidc, issuer: 'http://id.example.org', {CLIENT}", "issuer: expected https://"),
        (
            f"kind: oidc, issuer: 'https://i.org?x=1', {CLIENT}",
            "issuer: expected an address without a query",
        ),
        (
            f"kind: github, callback: 'https://h.org/other', {CLIENT}",
            "callback: expected an address that ends with",
        ),
        (
            f"kind: github, callback: 'http://h.org/hub/oauth_callback', {CLIENT}",
            "callback: expected https://",
        ),
        (f"kind: github, refresh: 5s, {CLIENT}", "refresh: expected"),
        (f"kind: github, admits: strangers, {CLIENT}", "admits: expected"),
        (
            f"kind: github, groups: [{{name: g}}], {CLIENT}",
            "groups[0]: expected group or role, one of them",
        ),
        (
            f"kind: github, groups: [{{name: g, group: no}}], {CLIENT}",
            "groups[0].group: there is no group 'no'",
        ),
        (
            f"kind: github, groups: [{{name: g, role: oprator}}], {CLIENT}",
            "groups[0].role: there is no role 'oprator'; did you mean 'operator'?",
        ),
        (
            f"kind: github, groups: [{{name: g, role: reader, lead: true}}], {CLIENT}",
            "groups[0].lead: is of groups",
        ),
        (
            f"kind: github, groups: [{{name: g, role: reader}}, {{name: g, role: reader}}], {CLIENT}",
            "groups[1]: is said twice",
        ),
        (
            f"kind: google, hosted_domains: [e.org], groups: [{{name: g, role: reader}}], {CLIENT}",
            "groups: Google tells no groups",
        ),
        (
            f"kind: github, local: [olga], {CLIENT}",
            "operators[0]: 'olga' has a password by sign_in.local",
        ),
        ("kind: local, client_id: c", "client_id: is not a key of the kind 'local'"),
    ],
)
def test_what_a_kind_lacks_or_has_too_much_is_named(said: str, problem: str) -> None:
    found = refused(f"sign_in: {{{said}}}")

    assert any(one.startswith(f"f.yaml:1: sign_in.{problem}") for one in found), found
    assert "hunter2" not in "".join(found)


@pytest.mark.promise("AUTH-2", "DATA-5")
def test_where_notebooks_could_read_a_providers_tokens_the_settings_must_say_that_they_may() -> (
    None
):
    section = "sign_in: {kind: github, client_id: c, client_secret_file: s, operators: [olga]"

    (problem,) = refused(f"{section}}}")

    assert problem.startswith("f.yaml:1: sign_in.accept_shared_user: is missing: everybody's")
    assert "servers.system_users: true" in problem
    parse_settings(f"{section}, accept_shared_user: true}}")
    parse_settings(f"{section}}}\nservers: {{system_users: true}}")
    parse_settings(f"{section}}}\nkubernetes: {{namespace: n, image: i}}")


@pytest.mark.promise("AUTH-2", "USER-1")
def test_without_an_operator_by_name_or_by_group_the_settings_are_refused() -> None:
    text = "sign_in: {kind: github, client_id: c, client_secret_file: s, accept_shared_user: true"

    (problem,) = refused(f"{text}}}")

    assert "name an operator, or map a group of the provider to the role 'operator'" in problem
    parse_settings(f"{text}, groups: [{{name: 'o:t', role: operator}}]}}")
    parse_settings(f"{text}, local: [rescue]}}")


@pytest.mark.promise("AUTH-6", "GROUP-1")
def test_the_mapping_is_as_the_file_says_in_its_order() -> None:
    said = "groups: [{name: a, group: g, lead: true}, {name: b, role: reader}]"
    text = f"sign_in: {{kind: github, {said}, {CLIENT}}}\ngroups: [{{name: g}}]"

    mapping = parse_settings(text).sign_in.mapping

    assert mapping.groups == (
        MappedGroup("a", group="g", lead=True),
        MappedGroup("b", role="reader"),
    )


@pytest.mark.promise("AUTH-4")
def test_the_file_vouches_for_whom_it_names_but_not_for_those_with_passwords() -> None:
    text = f"sign_in: {{kind: github, local: [rescue], {CLIENT}}}\npeople: {{ann: {{}}}}"
    settings = parse_settings(text)
    declared = settings.declared_people

    assert settings.sign_in.vouched(declared) == {"olga", "ann"}
    assert settings.sign_in.with_password(declared) == ("rescue",)
    assert declared["rescue"] == "operator"


@pytest.mark.promise("AUTH-1")
def test_groups_are_asked_for_only_where_they_are_mapped() -> None:
    plain = parse_settings(f"sign_in: {{kind: github, {CLIENT}}}").sign_in
    mapped = parse_settings(
        f"sign_in: {{kind: github, groups: [{{name: o, role: reader}}], {CLIENT}}}"
    ).sign_in

    assert "read:org" not in plain.wanted_scopes
    assert "read:org" in mapped.wanted_scopes


@pytest.mark.promise("AUTH-1")
@pytest.mark.parametrize("kind", [*VARIANTS])
def test_each_kind_has_an_example_that_can_be_read(kind: str) -> None:
    text = (EXAMPLES / f"{kind}.yaml").read_text()

    assert parse_settings(text, f"{kind}.yaml").sign_in.kind == kind
