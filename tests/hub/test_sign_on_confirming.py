"""What the provider says of people while they are signed in, and while they are away."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import httpx
import pytest

from allotment.record import memberships, people
from allotment_hub.sign_on import ProviderAuthenticator
from allotment_hub.sign_on_confirming import Confirming
from hubs import until
from sign_on_hubs import SIGN_IN, SignOnHub, sign_on_hub

OFTEN = """
from dataclasses import replace
from datetime import timedelta
often = c.ProviderAuthenticator.sign_on
asked = often.settings.model_copy(update={"refresh": timedelta(seconds=2)})
c.ProviderAuthenticator.sign_on = replace(often, settings=asked)
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignOnHub]:
    """A hub that asks its provider every two seconds; each test signs in people of its own."""
    folder = tmp_path_factory.mktemp("confirming")
    with sign_on_hub(folder, f"{SIGN_IN}  sign_out_there: true\n", config=OFTEN) as made:
        yield made


def groups_of(hub: SignOnHub, name: str) -> list[str]:
    with hub.record.reading() as reading:
        return [row.group for row in memberships.all_memberships(reading, person=name)]


def confirmed_until(hub: SignOnHub, name: str) -> float:
    with hub.record.reading() as reading:
        said = people.get(reading, name).confirmed_until
    return 0.0 if said is None else said.timestamp()


def confirmed_again(hub: SignOnHub, name: str) -> None:
    """Wait until the provider has been asked about somebody once more."""
    first = confirmed_until(hub, name)
    until(lambda: confirmed_until(hub, name) > first, f"{name} to be confirmed again")


def token_of(browser: httpx.Client, name: str) -> dict[str, str]:
    headers = {"X-XSRFToken": browser.cookies["_xsrf"]}
    made = browser.post(f"/api/users/{name}/tokens", content="{}", headers=headers)
    return {"Authorization": f"token {made.json()['token']}"}


@pytest.mark.promise("AUTH-1", "GROUP-1")
def test_who_left_a_group_of_the_provider_loses_it_while_away(hub: SignOnHub) -> None:
    hub.provider.person("ann", "seeing")
    hub.signs_on("ann").close()
    assert groups_of(hub, "ann") == ["vision"]

    hub.provider.person("ann", "accounting")

    until(lambda: groups_of(hub, "ann") == [], "ann to be in no group")


@pytest.mark.promise("AUTH-1", "GROUP-4")
def test_who_came_into_a_group_of_the_provider_is_in_it_without_signing_in_again(
    hub: SignOnHub,
) -> None:
    hub.provider.person("bob", "seeing")
    browser = hub.signs_on("bob")
    hub.provider.person("bob", "seeing-leads")

    def leads() -> bool:
        with hub.record.reading() as reading:
            return any(row.lead for row in memberships.all_memberships(reading, person="bob"))

    until(leads, "bob to lead the group")
    assert browser.get("/home").is_success


@pytest.mark.promise("AUTH-1")
def test_a_confirmation_lasts_on_as_long_as_the_provider_confirms(hub: SignOnHub) -> None:
    hub.provider.person("cid", "seeing")
    hub.signs_on("cid").close()

    confirmed_again(hub, "cid")


@pytest.mark.promise("AUTH-1", "AUTH-5")
def test_whose_account_was_closed_signs_in_again_and_is_confirmed_no_longer(hub: SignOnHub) -> None:
    hub.provider.person("dot", "seeing")
    browser = hub.signs_on("dot")
    hub.provider.disable("dot")

    until(lambda: browser.get("/home").is_redirect, "dot's session to end")

    before = confirmed_until(hub, "dot")
    assert "login" in browser.get("/home").headers["location"]
    assert confirmed_until(hub, "dot") == before


@pytest.mark.promise("AUTH-1", "SERVER-7")
def test_programs_of_somebody_whose_session_ended_go_on(hub: SignOnHub) -> None:
    hub.provider.person("eli", "seeing")
    browser = hub.signs_on("eli")
    token = token_of(browser, "eli")
    hub.provider.disable("eli")
    until(lambda: browser.get("/home").is_redirect, "eli's session to end")

    asked = httpx.get(f"{hub.url}/hub/api/user", headers=token)

    assert asked.json()["name"] == "eli"


class OneFails:
    """An authenticator that cannot ask about ann for a reason that nobody foresaw."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def may_be_due(self, _name: str) -> bool:
        return True

    async def refresh_user(self, user: str) -> bool:
        self.asked.append(user)
        if user == "ann":
            raise KeyError("unforeseen")
        return True


@pytest.mark.promise("AUTH-1")
def test_one_person_who_cannot_be_asked_about_keeps_nobody_else_waiting() -> None:
    users = {name: name for name in ("ann", "bob", "cid")}
    failing = OneFails()
    confirming = Confirming(cast("ProviderAuthenticator", failing), SimpleNamespace(users=users))

    asyncio.run(confirming.ask_each(iter(users)))

    assert failing.asked == ["ann", "bob", "cid"]


@pytest.mark.promise("AUTH-1", "AUTH-3")
def test_a_session_that_ended_is_not_let_in_again_by_the_persons_own_programs(
    hub: SignOnHub,
) -> None:
    hub.provider.person("ned", "seeing")
    browser = hub.signs_on("ned")
    token = token_of(browser, "ned")
    kept = {"Cookie": "; ".join(f"{one.name}={one.value}" for one in browser.cookies.jar)}
    mint = {**kept, "X-XSRFToken": browser.cookies["_xsrf"]}
    hub.provider.disable("ned")
    until(lambda: browser.get("/home").is_redirect, "ned's session to end")

    first = httpx.get(f"{hub.url}/hub/home", headers=kept)
    program = httpx.get(f"{hub.url}/hub/api/user", headers=token)
    page = httpx.get(f"{hub.url}/hub/home", headers=kept)
    minted = httpx.post(f"{hub.url}/hub/api/users/ned/tokens", content="{}", headers=mint)

    assert first.is_redirect
    assert program.json()["name"] == "ned"
    assert page.is_redirect
    assert minted.status_code == 403


@pytest.mark.promise("AUTH-1")
def test_tokens_are_used_by_one_request_at_a_time(hub: SignOnHub) -> None:
    hub.provider.person("fay", "seeing")
    browser = hub.signs_on("fay")

    for _round in range(3):
        confirmed_again(hub, "fay")
        assert all(browser.get(path).is_success for path in ("/home", "/token", "/spawn"))


@pytest.mark.promise("AUTH-1")
def test_signing_out_ends_the_providers_session_where_the_settings_ask_for_it(
    hub: SignOnHub,
) -> None:
    hub.provider.person("ida", "seeing")
    browser = hub.signs_on("ida")

    page = browser.get("/logout", follow_redirects=True)
    found = dict(re.findall(r'name="([^"]+)" value="([^"]+)"', page.text))
    done = browser.post(f"{hub.provider.issuer}/session/end/confirm", data=found)

    assert done.headers["location"] == f"{hub.url}/hub/login"
    asked = browser.get("/oauth_login", follow_redirects=True)
    assert 'name="password"' in asked.text


@pytest.mark.promise("AUTH-1", "SERVER-7")
def test_with_the_provider_away_who_is_signed_in_goes_on_and_others_are_told(
    hub: SignOnHub,
) -> None:
    hub.provider.person("gil", "seeing")
    hub.provider.person("hon", "seeing")
    browser, other = hub.signs_on("gil"), hub.browser()
    back = hub.comes_back(other, "hon")

    with hub.provider.away():
        until(lambda: "gil could not be confirmed" in hub.log(), "the provider to be missed")
        answer = other.get(back)
        emergency = hub.try_sign_in(hub.browser(), "rescue", hub.passwords["rescue"])

    assert browser.get("/home").is_success
    assert answer.status_code == 503
    assert "Example account does not answer" in answer.text
    assert emergency.is_redirect
    confirmed_again(hub, "gil")
