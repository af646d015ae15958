"""Signing in through a provider, in a real hub with a certified provider: who gets in, and as whom."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from allotment.data import keys
from allotment.data.keys import new_key
from allotment.data.vault import Vault
from allotment.model.groups import Origin
from allotment.record import memberships, people, sign_in, sign_ons
from hubs import until
from oidc_providers import CLIENT, SECRET, signing_key
from sign_on_hubs import SignOnHub, sign_on_hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignOnHub]:
    """A hub with a provider; each test signs in people of its own."""
    with sign_on_hub(tmp_path_factory.mktemp("sign-on")) as made:
        yield made


@pytest.fixture
def hasty(hub: SignOnHub) -> Iterator[SignOnHub]:
    """The same, whose provider gives codes that last a second."""
    hub.provider.codes_last(1)
    yield hub
    hub.provider.codes_last(60)


def returned(hub: SignOnHub, name: str) -> httpx.Response:
    """What the hub answers to somebody who comes back from the provider."""
    browser = hub.browser()
    return browser.get(hub.comes_back(browser, name))


def member_of(hub: SignOnHub, name: str) -> list[tuple[str, Origin, bool]]:
    with hub.record.reading() as reading:
        rows = memberships.all_memberships(reading, person=name)
    return [(row.group, row.origin, row.lead) for row in rows]


def role_of(hub: SignOnHub, name: str) -> str:
    with hub.record.reading() as reading:
        return people.get(reading, name).role


def is_known(hub: SignOnHub, name: str) -> bool:
    with hub.record.reading() as reading:
        return name in {person.name for person in people.all_people(reading)}


@pytest.mark.promise("AUTH-1", "GROUP-1")
def test_a_data_scientist_signs_in_and_is_in_the_group_of_the_providers(hub: SignOnHub) -> None:
    hub.provider.person("ben", "seeing", "something-else")

    browser = hub.signs_on("ben")

    assert "ben" in browser.get("/home").text
    assert member_of(hub, "ben") == [("vision", Origin.PROVIDER, False)]
    assert role_of(hub, "ben") == "data-scientist"


@pytest.mark.promise("AUTH-1", "USER-3")
def test_a_lead_is_one_by_the_providers_group(hub: SignOnHub) -> None:
    hub.provider.person("ada", "seeing-leads")

    hub.signs_on("ada")

    assert member_of(hub, "ada") == [("vision", Origin.PROVIDER, True)]


@pytest.mark.promise("AUTH-1", "USER-1")
@pytest.mark.parametrize(("name", "groups"), [("olga", ()), ("una", ("platform",))])
def test_operators_are_named_in_the_settings_or_by_a_group(
    hub: SignOnHub, name: str, groups: tuple[str, ...]
) -> None:
    hub.provider.person(name, *groups)

    hub.signs_on(name)

    assert role_of(hub, name) == "operator"


@pytest.mark.promise("AUTH-1")
def test_a_stranger_is_refused_with_whom_to_ask_and_leaves_nothing_behind(hub: SignOnHub) -> None:
    hub.provider.person("sam", "accounting")

    answer = returned(hub, "sam")

    assert answer.status_code == 403
    assert "Ask the desk, desk@example.org" in answer.text
    assert "sam is not on-boarded" in answer.text
    assert not is_known(hub, "sam")
    assert "jupyterhub-hub-login" not in answer.cookies


@pytest.mark.promise("AUTH-4")
def test_somebody_whose_name_changed_at_the_provider_is_who_they_were(hub: SignOnHub) -> None:
    hub.provider.person("mary", "seeing", subject="one-and-the-same")
    hub.signs_on("mary")
    del hub.provider.known["people"]["mary"]
    hub.provider.person("mary.smith", "seeing", subject="one-and-the-same")

    browser = hub.signs_on("mary.smith")

    assert 'data-user="mary"' in browser.get("/home").text
    assert not is_known(hub, "mary.smith")


@pytest.mark.promise("AUTH-4")
def test_a_name_that_was_given_to_another_account_is_not_handed_over(hub: SignOnHub) -> None:
    hub.provider.person("kim", "seeing", subject="first-kim")
    hub.signs_on("kim")
    hub.provider.person("kim", "seeing", subject="second-kim")

    answer = returned(hub, "kim")

    assert answer.status_code == 403
    assert "not handed over" in answer.text
    with hub.record.reading() as reading:
        assert sign_ons.identity_of(reading, "kim") == (hub.provider.issuer, "first-kim")


@pytest.mark.promise("AUTH-1")
def test_an_operator_with_a_kept_password_gets_in_without_the_provider(hub: SignOnHub) -> None:
    answer = hub.try_sign_in(hub.browser(), "rescue", hub.passwords["rescue"])

    assert answer.is_redirect
    assert set(hub.passwords) == {"rescue"}
    assert role_of(hub, "rescue") == "operator"


@pytest.mark.promise("AUTH-4")
def test_the_provider_cannot_take_the_name_of_who_keeps_a_password(hub: SignOnHub) -> None:
    hub.provider.person("rescue", "platform")

    assert returned(hub, "rescue").status_code == 403


@pytest.mark.promise("AUTH-4")
def test_no_link_makes_an_account_of_the_providers_who_keeps_a_password(hub: SignOnHub) -> None:
    hub.provider.person("mallory", "platform")
    hub.change(lambda writing: sign_ons.link(writing, "rescue", "mallory"))

    answer = returned(hub, "mallory")

    assert answer.status_code == 403
    assert "password for emergencies" in answer.text
    with hub.record.reading() as reading:
        assert sign_ons.identity_of(reading, "rescue") is None
        assert people.get(reading, "rescue").confirmed_until is None


@pytest.mark.promise("AUTH-1", "AUTH-5")
def test_for_whom_no_provider_vouches_is_out_and_who_keeps_a_password_is_not(
    hub: SignOnHub,
) -> None:
    hub.provider.person("kai", "seeing")
    browser, local = hub.signs_on("kai"), hub.browser()
    hub.try_sign_in(local, "rescue", hub.passwords["rescue"])
    headers = {"X-XSRFToken": browser.cookies["_xsrf"]}
    made = browser.post("/api/users/kai/tokens", content="{}", headers=headers)
    token = {"Authorization": f"token {made.json()['token']}"}
    assert httpx.get(f"{hub.url}/hub/api/user", headers=token).is_success

    hub.change(lambda writing: sign_ons.unlink(writing, "kai"))

    until(lambda: browser.get("/home").is_redirect, "kai to be signed out")
    assert httpx.get(f"{hub.url}/hub/api/user", headers=token).status_code == 403
    assert local.get("/home").is_success


@pytest.mark.promise("AUTH-1")
def test_nobody_else_signs_in_with_a_password(hub: SignOnHub) -> None:
    hub.provider.person("eve", "seeing")
    hub.signs_on("eve")
    hub.give_password("eve", "a password from somewhere")

    answer = hub.try_sign_in(hub.browser(), "eve", "a password from somewhere")

    assert answer.status_code == 403


@pytest.mark.promise("AUTH-1")
def test_the_providers_people_have_no_page_for_a_password(hub: SignOnHub) -> None:
    hub.provider.person("jo", "seeing")

    answer = hub.signs_on("jo").get("/change-password")

    assert answer.status_code == 404
    assert "there is no password here" in answer.text


@pytest.mark.promise("AUTH-1")
def test_a_code_that_was_used_is_good_for_nobody(hub: SignOnHub) -> None:
    hub.provider.person("rose", "seeing")
    browser = hub.browser()
    back = hub.comes_back(browser, "rose")
    state = browser.cookies.get("oauthenticator-state")
    assert browser.get(back).is_redirect
    other = hub.browser()
    other.cookies.set("oauthenticator-state", state or "")

    answer = other.get(back)

    assert answer.status_code == 400
    assert "was used before" in answer.text


@pytest.mark.promise("AUTH-1")
def test_a_code_that_is_too_old_is_good_for_nobody(hasty: SignOnHub) -> None:
    hasty.provider.person("sue", "seeing")
    browser = hasty.browser()
    back = hasty.comes_back(browser, "sue")
    given = time.time()
    until(lambda: time.time() > given + 2, "the code to be over")

    answer = browser.get(back)

    assert answer.status_code == 400
    assert "took too long" in answer.text
    assert not is_known(hasty, "sue")


@pytest.mark.promise("AUTH-1")
@pytest.mark.parametrize("change", ["another browser", "another state", "no state"])
def test_a_sign_in_that_was_not_begun_in_this_browser_is_refused(
    hub: SignOnHub, change: str
) -> None:
    hub.provider.person("tom", "seeing")
    browser = hub.browser()
    back = httpx.URL(hub.comes_back(browser, "tom"))
    if change == "another state":
        browser.get("/oauth_login")
    elif change == "no state":
        back = back.copy_remove_param("state")

    answer = (hub.browser() if change == "another browser" else browser).get(back)

    assert answer.status_code == 400
    assert "begun in another browser" in answer.text


@pytest.mark.promise("AUTH-1")
@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-client"},
        {"aud": ["allotment", "another-client"]},
        {"iss": "https://id.example.org"},
        {"exp": 1},
        {"sub": "somebody-else"},
    ],
)
def test_an_id_token_that_is_not_for_this_hub_now_signs_nobody_in(
    hub: SignOnHub, claims: dict[str, Any]
) -> None:
    hub.provider.person("vic", "seeing")

    with hub.provider.misused(claims):
        answer = returned(hub, "vic")

    assert answer.status_code == 403
    assert "nobody was signed in" in answer.text
    assert not is_known(hub, "vic")


@pytest.mark.promise("AUTH-1")
def test_an_id_token_that_somebody_else_signed_signs_nobody_in(hub: SignOnHub) -> None:
    hub.provider.person("wes", "seeing")

    with hub.provider.misused(key=signing_key("one")):
        answer = returned(hub, "wes")

    assert answer.status_code == 403
    assert not is_known(hub, "wes")


@pytest.mark.promise("AUTH-1")
def test_what_the_provider_refuses_is_said_in_words_of_ours(hub: SignOnHub) -> None:
    browser = hub.browser()
    begun = httpx.URL(browser.get("/oauth_login").headers["location"])
    bad = {"state": begun.params["state"], "error": "access_denied", "error_description": "<b>hi"}

    answer = browser.get("/oauth_callback", params=bad)

    assert answer.status_code == 403
    assert "said no to signing in here" in answer.text
    assert "hi" not in answer.text.partition("<main")[2].partition("</main>")[0].split()


@pytest.mark.promise("AUTH-1")
def test_a_sign_in_leads_to_the_page_that_was_wanted_and_nowhere_else(hub: SignOnHub) -> None:
    hub.provider.person("flo", "seeing")
    browser = hub.browser()
    begun = browser.get("/oauth_login", params={"next": "https://evil.example.org/hub/token"})
    assert begun.is_redirect
    form = browser.get(begun.headers["location"], follow_redirects=True)
    action = form.text.partition('action="')[2].partition('"')[0]
    said = {"login": "flo", "password": "opensesame"}
    answer = browser.post(f"{hub.provider.issuer}{action}", data=said)
    while not answer.headers["location"].startswith(hub.callback):
        answer = browser.get(answer.headers["location"])

    assert browser.get(answer.headers["location"]).headers["location"] == "/hub/token"


@pytest.mark.promise("AUTH-1", "OPS-3")
def test_secrets_of_signing_in_are_in_no_log_and_in_no_file_unencrypted(hub: SignOnHub) -> None:
    hub.provider.person("gus", "seeing", email="canary-address@example.org", email_verified=True)
    browser = hub.browser()
    back = httpx.URL(hub.comes_back(browser, "gus"))
    browser.get(back)

    said = hub.log()
    with sqlite3.connect(hub.state / "jupyterhub.sqlite") as database:
        kept = database.execute("SELECT encrypted_auth_state FROM users WHERE name = 'gus'")
        state = kept.fetchone()[0]
    assert state
    assert b"access_token" not in state
    assert (hub.state / "people-key").stat().st_mode & 0o077 == 0
    for secret in (SECRET, back.params["code"], "canary-address", 'access_token": "'):
        assert secret not in said


@pytest.mark.promise("AUTH-1")
def test_signing_out_says_that_the_providers_session_goes_on(hub: SignOnHub) -> None:
    hub.provider.person("hal", "seeing")
    browser = hub.signs_on("hal")

    page = browser.get("/logout").text

    assert "Your session with Example account goes on" in page
    assert not browser.get("/home").is_success


@pytest.mark.promise("AUTH-3")
def test_people_make_tokens_of_their_own(hub: SignOnHub) -> None:
    hub.provider.person("ivy", "seeing")
    browser = hub.signs_on("ivy")
    headers = {"X-XSRFToken": browser.cookies["_xsrf"]}

    made = browser.post("/api/users/ivy/tokens", content=json.dumps({}), headers=headers)

    token = {"Authorization": f"token {made.json()['token']}"}
    asked = httpx.get(f"{hub.url}/hub/api/user", headers=token)
    assert asked.json()["name"] == "ivy"


@pytest.mark.promise("AUTH-1")
def test_the_hub_tries_a_secret_for_the_control_plane_and_uses_what_an_operator_gave(
    hub: SignOnHub,
) -> None:
    hub.provider.person("eli", "seeing")
    assert hub.as_plane("/allotment/sign-in").json()["problems"] == []
    refused = hub.as_plane("/allotment/sign-in", secret="another").json()
    assert "does not know this client" in refused["problems"][0]
    assert hub.as_plane("/allotment/sign-in", of_settings=True).json()["problems"] == []
    key = new_key()
    keys.write_keys(hub.state / "data.key", [key])
    given = (hub.provider.issuer, CLIENT)

    # One that the provider has taken back meanwhile, so that it is seen to be used.
    sealed = Vault((key,)).encrypt("another")
    hub.change(lambda w: sign_in.replace_secret(w, *given, sealed, refused["instead_of"]))
    assert "Signing in does not work now" in returned(hub, "eli").text
    hub.change(lambda w: sign_in.withdraw_secret(w, *given))
    assert "eli" in hub.signs_on("eli").get("/home").text


@pytest.mark.promise("USER-7")
def test_nobody_but_the_control_plane_makes_people_known_or_looks_at_the_provider(
    hub: SignOnHub,
) -> None:
    browser = hub.signs_on("olga")
    xsrf = {"X-XSRFToken": browser.cookies["_xsrf"]}
    own = browser.post("/api/users/olga/tokens", json={}, headers=xsrf).json()["token"]

    for path in ("/allotment/people", "/allotment/sign-in"):
        assert hub.as_plane(path, own, usernames=["zed"]).status_code == 403
    assert hub.as_plane("/allotment/people", usernames=["zed", "olga"]).status_code == 204
    assert hub.as_plane("/allotment/people", usernames=[]).status_code == 400
    told = hub.as_plane("/users/olga", method="GET").json()
    assert (told["name"], "auth_state" in told) == ("olga", False)
