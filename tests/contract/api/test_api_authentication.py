"""Who asks: tokens of the hub, servers' own tokens, and browsers' cookies."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from allotment.api.sessions import COOKIE, STATE_COOKIE
from allotment.record import people

pytestmark = pytest.mark.parametrize("store", ["sqlite"])
PREFIX = "/services/allotment/"


def status(api: Any, token: str) -> int:
    return int(api.ask("GET", "/me", token).status_code)


@pytest.mark.promise("SERVER-7")
def test_with_the_hub_away_tokens_seen_in_the_last_minute_are_still_answered(api: Any) -> None:
    assert status(api, "zoe") == 200
    api.hub.broken = True

    api.seconds.now += 59
    assert status(api, "zoe") == 200
    api.seconds.now += 2
    assert status(api, "zoe") == 503


def test_with_the_hub_away_a_new_token_is_answered_503_with_when_to_try_again(api: Any) -> None:
    api.hub.broken = True

    answer = api.ask("GET", "/me", "zoe")

    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:allotment:problem:hub-away"
    assert answer.headers["retry-after"]


@pytest.mark.promise("AUTH-3")
def test_a_revoked_token_is_refused_within_seconds(api: Any) -> None:
    assert status(api, "zoe") == 200
    del api.hub.tokens["zoe"]

    api.seconds.now += 6

    assert status(api, "zoe") == 401


def test_the_hub_is_asked_once_in_some_seconds_for_one_token(api: Any) -> None:
    for _ in range(5):
        assert status(api, "zoe") == 200

    assert [path for _, path, token in api.hub.asked if token == "zoe"] == ["/user"]


@pytest.mark.promise("USER-3", "USER-7")
def test_a_role_counts_from_the_next_request_on(lab: Any, api: Any) -> None:
    assert api.ask("GET", "/overview", "zoe+").status_code == 403

    with lab.write() as writing:
        people.set_role(writing, "zoe", "reader")

    assert api.ask("GET", "/overview", "zoe+").status_code == 200


def test_somebody_the_platform_does_not_know_sees_that_they_are_not_on_boarded(api: Any) -> None:
    api.hub.give("nina+", "nina", "access:services!service=allotment", "custom:allotment:operate")

    with api.client("nina+") as nina:
        me = nina.me()

    assert (me.role, me.permissions, me.servers) == ("", (), ())


def sign_in(api: Any, browser: httpx.Client, owner: str, following: str = "") -> httpx.Response:
    """Sign a browser in as JupyterHub would let it; returns the callback's answer."""
    started = browser.get(f"{api.origin}{PREFIX}login", params={"next": following})
    asked = parse_qs(urlsplit(started.headers["location"]).query)
    api.hub.give(f"of-{owner}s-browser", owner)
    api.hub.codes["code-1"] = f"of-{owner}s-browser"
    query = {"code": "code-1", "state": asked["state"][0]}
    return browser.get(f"{api.origin}{PREFIX}oauth_callback", params=query)


@pytest.fixture
def browser() -> Any:
    with httpx.Client(trust_env=False, verify=False) as client:  # noqa: S501 - plain HTTP
        yield client


def test_a_sign_in_asks_the_hub_with_state_and_pkce(api: Any, browser: httpx.Client) -> None:
    started = browser.get(f"{api.origin}{PREFIX}login")

    location = urlsplit(started.headers["location"])
    asked = {name: values[0] for name, values in parse_qs(location.query).items()}
    assert location.path == "/hub/api/oauth2/authorize"
    assert asked["client_id"] == "service-allotment"
    assert asked["redirect_uri"] == f"{PREFIX}oauth_callback"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) >= 32


@pytest.mark.promise("USER-7")
def test_a_signed_in_browser_reads_its_owners_data_and_nothing_else(
    api: Any, browser: httpx.Client
) -> None:
    sign_in(api, browser, "olga")

    assert browser.get(f"{api.url}/me").json()["reach"] == "read-own"
    assert browser.get(f"{api.url}/users").json()["items"][0]["name"] == "olga"
    assert browser.get(f"{api.url}/overview").status_code == 403


@pytest.mark.promise("USER-7")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_cookie_changes_nothing_and_the_reason_says_so(
    api: Any, browser: httpx.Client, method: str
) -> None:
    sign_in(api, browser, "olga")

    answer = browser.request(method, f"{api.url}/pools", json={"name": "stolen"})

    assert answer.status_code == 403
    assert "cookie" in answer.json()["reasons"][0]["message"]


def test_the_cookie_is_kept_from_scripts_and_from_other_paths(
    api: Any, browser: httpx.Client
) -> None:
    answer = sign_in(api, browser, "olga")

    cookie = next(one for one in answer.headers.get_list("set-cookie") if COOKIE in one)
    assert {"HttpOnly", f"Path={PREFIX}", "SameSite=lax"} <= set(cookie.split("; "))
    assert "of-olgas-browser" not in cookie


def test_a_sign_in_that_began_in_another_browser_is_refused(
    api: Any, browser: httpx.Client
) -> None:
    browser.get(f"{api.origin}{PREFIX}login")
    api.hub.codes["code-1"] = "zoe"

    query = {"code": "code-1", "state": "somebody-elses"}
    answer = browser.get(f"{api.origin}{PREFIX}oauth_callback", params=query)

    assert answer.status_code == 401
    assert COOKIE not in browser.cookies


def test_a_code_that_the_hub_refuses_signs_nobody_in(api: Any, browser: httpx.Client) -> None:
    started = browser.get(f"{api.origin}{PREFIX}login")
    state = parse_qs(urlsplit(started.headers["location"]).query)["state"][0]

    query = {"code": "made-up", "state": state}
    answer = browser.get(f"{api.origin}{PREFIX}oauth_callback", params=query)

    assert answer.status_code == 401


def test_after_a_sign_in_the_browser_goes_on_where_it_wanted(
    api: Any, browser: httpx.Client
) -> None:
    answer = sign_in(api, browser, "zoe", f"{PREFIX}api/v1/me")

    assert answer.headers["location"] == f"{PREFIX}api/v1/me"


def test_a_forged_cookie_is_nobodys(api: Any) -> None:
    headers = {"Cookie": f"{COOKIE}=gAAAAABforged"}
    assert api.ask("GET", "/me", headers=headers).status_code == 401


def test_the_cookie_of_a_sign_in_under_way_is_no_session(api: Any, browser: httpx.Client) -> None:
    browser.get(f"{api.origin}{PREFIX}login")
    sealed = browser.cookies[STATE_COOKIE]

    assert api.ask("GET", "/me", headers={"Cookie": f"{COOKIE}={sealed}"}).status_code == 401


def test_no_answer_and_no_log_tells_a_token(api: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="allotment")
    answers = [api.ask("GET", "/me", "secret-token-1"), api.ask("GET", "/me", "olga+")]

    told = "".join(answer.text for answer in answers) + caplog.text
    assert "secret-token-1" not in told
    assert "olga+" not in told
