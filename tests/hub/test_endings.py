"""Announced ends on a real hub with its control plane: told, put off, carried out, with the reason kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from allotment.client import AllotmentClient
from allotment.inventory import processes
from allotment.model.endings import Cause
from allotment.model.reports import ServerReport
from hubs import until
from page_hubs import PROFILES, PageHub

# The configuration as people get it: with the control plane.
WITH_CONTROL_PLANE = "\nconfigure(c, load_settings(place.settings, place.state), place)\n"
SHORT = {
    "quick": "title: Quick\nidle: {after: 12s, warn: 1s}\nextend: {by: 1h, times: 1}\n",
    "brief": "title: Brief\nlifetime: 4s\nextend: off\n",
}
SERVICE = "/services/allotment"


class Platform:
    """A hub with its control plane, and profiles whose servers end within seconds."""

    def __init__(self, folder: Path) -> None:
        self.hub = PageHub(folder, profiles=PROFILES | SHORT, config=WITH_CONTROL_PLANE)
        self.api = f"{self.hub.url}{SERVICE}/api/v1"
        self.hub.start()
        until(self.ready, "the control plane", 60)

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.api}/ready").is_success
        except httpx.TransportError:
            return False

    def launch(self, browser: httpx.Client, name: str, server: str, profile: str) -> None:
        headers = {"X-XSRFToken": browser.cookies["_xsrf"]}
        path = f"/api/users/{name}/servers/{server}"
        body = {"user_options": {"profile": profile}}
        browser.post(path, headers=headers, json=body).raise_for_status()
        until(lambda: browser.get(path, headers=headers).json()["ready"], "the server", 60)

    def own_client(self, name: str, server: str) -> AllotmentClient:
        """The client of a server, with the token in its environment."""
        one = next(
            found for found in processes.marked() if (found.person, found.server) == (name, server)
        )
        token = psutil.Process(one.process.pid).environ()["JUPYTERHUB_API_TOKEN"]
        return AllotmentClient(self.api, token)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    made = Platform(tmp_path_factory.mktemp("endings") / "hub")
    try:
        yield made
    finally:
        made.hub.stop()


def report(worked_at: datetime) -> ServerReport:
    """What a server without kernels reports in which somebody worked last then."""
    return ServerReport(
        kernels=0,
        kernels_busy=0,
        terminals=0,
        terminals_busy=0,
        last_activity=datetime.now(UTC),
        worked_at=worked_at,
    )


@pytest.mark.promise("IDLE-1", "IDLE-2")
def test_an_idle_server_is_told_put_off_by_a_click_and_stopped_with_its_reason_on_the_home_page(
    platform: Platform,
) -> None:
    browser = platform.hub.signed_in("ada")
    platform.launch(browser, "ada", "train", "quick")
    own = platform.own_client("ada", "train")
    began = datetime.now(UTC)

    def told(*, works: bool = False) -> Any:
        return own.report(report(datetime.now(UTC) if works else began)).endings

    (announced,) = until(told, "the end to be announced", 60)
    assert announced.cause is Cause.IDLE
    assert "Extend by 60 minutes" in browser.get("/home").text

    headers = {"X-XSRFToken": browser.cookies["_xsrf"]}
    click = browser.post("/allotment/extend", headers=headers, json={"server": "train"})
    assert click.status_code == 204
    again = browser.post("/allotment/extend", headers=headers, json={"server": "train"})
    assert (again.status_code, again.json()["reasons"][0]["rule"]) == (409, "ending.extend")
    (later,) = own.servers.get("hub~ada~train").endings
    assert (later.stop_at - announced.stop_at).total_seconds() == 3600

    # Somebody works, so it is taken back; then nobody does, and nobody puts it off.
    until(lambda: not told(works=True), "the end to be taken back", 60)
    until(told, "the end to be announced again", 60)
    until(lambda: "Stopped: idle" in browser.get("/home").text, "the server to be stopped", 90)
    assert "Idle since" in browser.get("/home").text


@pytest.mark.promise("IDLE-1")
def test_a_lifetime_ends_a_server_and_the_hub_has_it_no_more(platform: Platform) -> None:
    browser = platform.hub.signed_in("ben")
    platform.launch(browser, "ben", "short", "brief")
    until(lambda: "Stopped: lifetime over" in browser.get("/home").text, "the end", 90)
    assert "Servers of this size may run for 4 seconds." in browser.get("/home").text
    assert not [one for one in processes.marked() if (one.person, one.server) == ("ben", "short")]


@pytest.mark.promise("IDLE-4", "USER-5")
def test_a_server_is_left_alone_as_long_as_its_profile_lets_its_own_user_ask(
    platform: Platform,
) -> None:
    browser = platform.hub.signed_in("ben")
    platform.launch(browser, "ben", "night", "quick")
    headers = {"X-XSRFToken": browser.cookies["_xsrf"]}

    def keep(**said: Any) -> httpx.Response:
        return browser.post("/allotment/keep", headers=headers, json=said)

    longest = keep(server="night", seconds=13 * 3600)
    assert (longest.status_code, longest.json()["reasons"][0]["rule"]) == (409, "ending.keep")
    wrong: list[dict[str, Any]] = [{}, {"seconds": True}, {"seconds": -1}, {"seconds": 1e300}]
    assert [keep(server="night", **said).status_code for said in wrong] == [400] * len(wrong)
    assert keep(server=7, seconds=60).status_code == 400
    assert keep(server="train", seconds=60).status_code == 404
    assert "Left alone until" not in browser.get("/home").text

    assert keep(server="night", seconds=3600, note="<i>Training</i>").status_code == 204
    page = browser.get("/home").text
    assert "Left alone until" in page
    assert "&lt;i&gt;Training" in page
