"""Flexible mode in a real hub: who is in several groups chooses which one pays, on form and REST."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hubs import until
from page_hubs import SETTINGS, PageHub, launch

FLEXIBLE = SETTINGS.replace(
    "people: {dan: {}}",
    """  - {name: speech, shares: [{pool: default, guaranteed: 1}, {pool: a100, guaranteed: 1}], members: [ada]}
mode: flexible
people: {dan: {}}""",
)


@pytest.fixture(scope="module")
def flexible(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageHub]:
    """Ada is in vision and in speech, which has shares in two pools."""
    hub = PageHub(tmp_path_factory.mktemp("flexible"), settings=FLEXIBLE)
    try:
        yield hub.start()
    finally:
        hub.stop()
        hub.remove()


def paid(hub: PageHub, server: str) -> str | None:
    """The group that pays for one of ada's servers."""
    found = until(lambda: [one for one in hub.held("ada") if one.server == server], server)
    return found[0].group


def end(hub: PageHub, browser: httpx.Client, server: str) -> None:
    headers = {"X-XSRFToken": browser.cookies["_xsrf"]}

    def ended() -> bool:
        browser.delete(f"/api/users/ada/servers/{server}", headers=headers)
        return server not in {one.server for one in hub.held("ada")}

    until(ended, f"{server} to end")


def launch_by_rest(browser: httpx.Client, server: str, **options: Any) -> httpx.Response:
    headers = {"X-XSRFToken": browser.cookies["_xsrf"]}
    body = {"user_options": options}
    return browser.post(f"/api/users/ada/servers/{server}", json=body, headers=headers)


@pytest.mark.promise("GROUP-3", "SERVER-1")
def test_the_form_asks_which_group_pays_and_the_chosen_one_does(flexible: PageHub) -> None:
    browser = flexible.signed_in("ada")
    page = browser.get("/spawn").text
    choice = page.partition('<select name="group">')[2].partition("</select>")[0]
    assert re.findall(r'value="([^"]+)"', choice) == ["speech", "vision"]

    for server, group in (("by-form-a", "vision"), ("by-form-b", "speech")):
        assert launch(browser, name=server, profile="gpu", group=group).is_redirect
        assert paid(flexible, server) == group
        end(flexible, browser, server)


@pytest.mark.promise("GROUP-3")
def test_by_rest_the_group_is_said_and_a_launch_without_it_is_refused_with_the_choice(
    flexible: PageHub,
) -> None:
    browser = flexible.signed_in("ada")

    refused = launch_by_rest(browser, "unsaid", profile="gpu")
    granted = launch_by_rest(browser, "by-rest", profile="gpu", group="vision")

    assert refused.status_code == 403
    assert "Choose the group that pays for this server." in refused.json()["message"]
    assert granted.is_success, granted.text
    assert paid(flexible, "by-rest") == "vision"
    end(flexible, browser, "by-rest")
