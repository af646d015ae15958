"""The control plane as the hub runs it: real tokens of every kind, a browser, stopping, dying."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from allotment.client import AllotmentClient, NewShare
from allotment.model.documents import Step
from allotment.model.refusals import NotPermitted
from allotment.model.reports import ServerReport
from allotment.record import tickets
from allotment.work.hub_api import HubApi
from hubs import alive, until
from inbox import Inbox, guarded
from page_hubs import SETTINGS, PageHub

# The hubs of page_hubs.py leave the control plane out; this is the configuration as people get it.
WITH_CONTROL_PLANE = "\nconfigure(c, load_settings(place.settings, place.state), place)\n"
SERVICE = "/services/allotment"
WARNING = {"level": 80, "message": "80.00 of 100.00 is used."}
REPORT = ServerReport.model_validate(
    {"kernels": 1, "kernels_busy": 0, "terminals": 0, "last_activity": "2026-11-22T14:02:11Z"}
)


def environments() -> Iterator[tuple[psutil.Process, list[str], dict[str, str]]]:
    """The processes that may be looked at, with their command lines and environments."""
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            yield process, process.cmdline(), process.environ()


class Platform:
    """A hub with its control plane."""

    def __init__(self, folder: Path, settings: str = SETTINGS) -> None:
        self.hub = PageHub(folder, settings=settings, config=WITH_CONTROL_PLANE)
        self.browsers: dict[str, httpx.Client] = {}

    @property
    def api(self) -> str:
        """The API's address, through the proxy."""
        return f"{self.hub.url}{SERVICE}/api/v1"

    def start(self) -> Platform:
        """Start the hub, and wait until the control plane is ready."""
        self.hub.start()
        until(self.ready, "the control plane", 60)
        return self

    def ready(self) -> bool:
        """Whether the control plane answers through the proxy and reaches its hub."""
        try:
            return httpx.get(f"{self.api}/ready").is_success
        except httpx.TransportError:
            return False

    def browser(self, name: str) -> httpx.Client:
        """A browser in which somebody is signed in."""
        if name not in self.browsers:
            self.browsers[name] = self.hub.signed_in(name)
        return self.browsers[name]

    def hub_api(self, name: str, method: str, path: str, **options: Any) -> httpx.Response:
        """A call to the hub's REST API with a person's browser."""
        browser = self.browser(name)
        headers = {"X-XSRFToken": browser.cookies["_xsrf"]}
        return browser.request(method, f"/api{path}", headers=headers, **options)

    def token(self, name: str, *scopes: str) -> str:
        """A token that somebody makes on the hub's page."""
        body = {"scopes": list(scopes), "note": "made by hand"}
        answer = self.hub_api(name, "POST", f"/users/{name}/tokens", json=body)
        return str(answer.raise_for_status().json()["token"])

    def client(self, token: str) -> AllotmentClient:
        """The Python client."""
        return AllotmentClient(self.api, token)

    def launch(self, name: str, server: str, profile: str) -> None:
        """Launch a server and wait until the hub has it."""
        body = {"user_options": {"profile": profile}}
        path = f"/users/{name}/servers/{server}"
        self.hub_api(name, "POST", path, json=body).raise_for_status()
        until(lambda: self.hub_api(name, "GET", path).json()["ready"], "the server", 60)

    def servers_token(self, name: str, server: str) -> str:
        """The token in the environment of a running server, as any of its cells could read it."""
        whose = (name, server)
        return next(
            one["JUPYTERHUB_API_TOKEN"]
            for _, _, one in environments()
            if one.get("ALLOTMENT_ID")
            and (one.get("JUPYTERHUB_USER"), one.get("JUPYTERHUB_SERVER_NAME")) == whose
        )

    def control_planes(self) -> list[psutil.Process]:
        """The processes of this platform's control plane."""
        return [
            process
            for process, command, one in environments()
            if one.get("ALLOTMENT_STATE") == str(self.hub.state) and "allotment.api" in command
        ]

    def stop(self) -> None:
        """End everything."""
        for browser in self.browsers.values():
            browser.close()
        self.hub.stop()


@pytest.fixture
def another_platform(tmp_path: Path) -> Iterator[Platform]:
    """A platform of a test's own, as it is at first."""
    made = Platform(tmp_path / "hub")
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture(scope="module")
def inbox() -> Inbox:
    """What the platform's mail server takes."""
    return Inbox()


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, inbox: Inbox) -> Iterator[Platform]:
    """A platform for this module: olga operates; ada and ben are in vision, which ada leads."""
    folder = tmp_path_factory.mktemp("platform")
    with guarded(inbox, folder, "correct horse") as authority, pytest.MonkeyPatch.context() as set_:
        set_.setenv("TEST_MAIL_PASSWORD", "correct horse")
        mail = (
            f"mail: {{host: localhost, port: {inbox.port}, sender: allotment@example.org, user: us, "
            f"password_variable: TEST_MAIL_PASSWORD, certificate_authority: {authority}}}\n"
        )
        made = Platform(folder / "hub", f"{SETTINGS.partition('mail:')[0]}{mail}")
        try:
            yield made.start()
        finally:
            made.stop()


@pytest.mark.promise("USER-7", "AUTH-3")
def test_a_token_that_may_everything_acts_with_its_owners_role(platform: Platform) -> None:
    with platform.client(platform.token("olga", "inherit")) as olga:
        me = olga.me()
        assert (me.person, me.role, me.reach) == ("olga", "operator", "everything")
        assert olga.overview().capacity.total == 5


@pytest.mark.promise("USER-7")
def test_a_token_without_the_scope_reaches_its_owners_own_things(platform: Platform) -> None:
    scopes = ("servers!user", "access:services!service=allotment")
    with platform.client(platform.token("olga", *scopes)) as olga:
        assert (olga.me().reach, olga.me().permissions) == ("own", ())
        with pytest.raises(NotPermitted):
            olga.overview()


@pytest.mark.promise("USER-7")
def test_a_token_that_is_not_meant_for_the_control_plane_is_refused(platform: Platform) -> None:
    token = platform.token("olga", "servers!user")
    with platform.client(token) as olga, pytest.raises(NotPermitted) as refused:
        olga.me()

    assert "access:services!service=allotment" in str(refused.value)


@pytest.mark.promise("USER-7")
def test_an_operators_ordinary_server_reaches_the_operators_own_things(platform: Platform) -> None:
    platform.launch("olga", "desk", "small")
    with platform.client(platform.servers_token("olga", "desk")) as server:
        assert server.me().reach == "own"
        with pytest.raises(NotPermitted):
            server.overview()
        server.report(REPORT)


@pytest.mark.promise("USER-7", "ADMIN-1")
def test_the_console_is_the_one_server_whose_token_operates(platform: Platform) -> None:
    platform.launch("olga", "console", "operator-console")

    with platform.client(platform.servers_token("olga", "console")) as console:
        assert console.me().reach == "everything"
        assert console.overview().people >= 4


@pytest.mark.promise("USER-7")
def test_a_hand_made_token_with_a_servers_scopes_is_no_servers(platform: Platform) -> None:
    scopes = ("users:activity!user", "access:services!service=allotment")
    with platform.client(platform.token("olga", *scopes)) as imitation:
        assert imitation.me().reach == "own"
        with pytest.raises(NotPermitted):
            imitation.report(REPORT)


@pytest.mark.promise("USER-7")
def test_a_browser_that_came_through_the_hub_reads_its_own_data_and_writes_nothing(
    platform: Platform,
) -> None:
    browser = platform.browser("olga")
    signed_in = browser.get(
        f"{platform.hub.url}{SERVICE}/login",
        params={"next": f"{SERVICE}/api/v1/me"},
        follow_redirects=True,
    )

    assert signed_in.json()["reach"] == "read-own"
    assert browser.get(f"{platform.api}/overview").status_code == 403
    assert browser.post(f"{platform.api}/pools", json={"name": "stolen"}).status_code == 403


@pytest.mark.promise("USER-7")
def test_the_control_planes_own_token_cannot_make_tokens(platform: Platform) -> None:
    (process,) = platform.control_planes()
    own = process.environ()["JUPYTERHUB_API_TOKEN"]
    headers = {"Authorization": f"token {own}"}

    known = httpx.get(f"{platform.hub.url}/hub/api/user", headers=headers).json()
    made = httpx.post(f"{platform.hub.url}/hub/api/users/olga/tokens", headers=headers)

    assert not [scope for scope in known["scopes"] if "tokens" in scope]
    assert made.status_code == 403


@pytest.mark.promise("SERVER-7", "PROFILE-2", "POOL-1")
def test_every_piece_of_periodic_work_runs_and_none_fails(platform: Platform) -> None:
    with platform.client(platform.token("olga", "inherit")) as olga:
        steps = until(lambda: all_run(olga.work().items), "the first runs", 90)

    assert {step.name for step in steps} >= {
        "profiles",
        "devices",
        "reconciling",
        "memberships",
        "storage",
        "cloud",
    }
    assert [(step.name, step.problem) for step in steps if step.failures] == []


def all_run(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return steps if all(step.runs for step in steps) else ()


@pytest.mark.promise("CLUSTER-1")
def test_each_part_of_a_platform_that_runs_says_that_it_is_well(platform: Platform) -> None:
    parts = {"hub", "proxy", "control-plane", "record", "inventory", "reconciling", "work", "mail"}
    with platform.client(platform.token("olga", "inherit")) as olga:
        until(lambda: states(olga, parts) == dict.fromkeys(parts, "ok"), "parts that are well", 60)


def states(client: AllotmentClient, names: set[str]) -> dict[str, str]:
    """How these parts are; how full a disk is, is the machine's own."""
    return {part.name: part.state for part in client.parts().items if part.name in names}


@pytest.mark.promise("SERVER-4", "LIMIT-3")
def test_an_operator_stops_a_server_with_a_reason_and_starts_it_again(platform: Platform) -> None:
    platform.launch("ben", "train", "gpu")
    with platform.client(platform.token("olga", "inherit")) as olga:
        assert olga.servers.get("hub~ben~train").devices[0].id == "gpu-0"

        stopped = olga.servers.stop(["hub~ben~train"], "Maintenance.")
        assert [one.outcome for one in stopped.outcomes] == ["stopping"]
        until(lambda: olga.servers.get("hub~ben~train").state == "stopped", "the stop", 60)
        assert olga.devices.get("gpu-0").state == "free"
        assert olga.servers.get("hub~ben~train").stop_reason == "Maintenance."

        started = olga.servers.start(["hub~ben~train"])
        assert [one.outcome for one in started.outcomes] == ["starting"]
        until(lambda: olga.servers.get("hub~ben~train").state == "running", "the start", 60)


@pytest.mark.promise("LIMIT-4", "SERVER-4")
def test_a_start_that_admission_refuses_tells_its_reasons(platform: Platform) -> None:
    platform.launch("ada", "big", "two")
    with platform.client(platform.token("olga", "inherit")) as olga:
        olga.servers.stop(["hub~ada~big"])
        until(lambda: olga.servers.get("hub~ada~big").state == "stopped", "the stop", 60)
        group = olga.groups.get("vision")
        olga.groups.edit("vision", shares=[NewShare("a100", 1)], revision=group.revision)

        refused = olga.servers.start(["hub~ada~big"]).outcomes[0]

    assert refused.outcome == "refused"
    assert [reason.rule for reason in refused.reasons] == ["share.guarantee"]


@pytest.mark.promise("SERVER-3")
def test_the_control_plane_sees_servers_that_are_stopped_but_exist(platform: Platform) -> None:
    platform.launch("ben", "kept", "small")
    path = "/users/ben/servers/kept"
    platform.hub_api("ben", "DELETE", path).raise_for_status()
    until(lambda: not platform.hub_api("ben", "GET", path).json()["pending"], "the stop", 60)
    (process,) = platform.control_planes()
    own = HubApi(f"{platform.hub.url}/hub/api", process.environ()["JUPYTERHUB_API_TOKEN"])

    assert ("ben", "kept") in own.existing_servers()

    platform.hub_api("ben", "DELETE", path, json={"remove": True}).raise_for_status()
    assert ("ben", "kept") not in own.existing_servers()
    own.close()


@pytest.mark.promise("USER-2", "USER-6")
def test_who_is_on_boarded_and_removed_is_known_and_unknown_to_the_hub(platform: Platform) -> None:
    with platform.client(platform.token("olga", "inherit")) as olga:
        made = olga.users.onboard(["newcomer"])
        assert made.notes == ()
        removed = olga.users.delete(["newcomer"])
        assert removed.notes == ()


@pytest.mark.promise("SERVER-7")
def test_a_control_plane_that_is_killed_comes_back(platform: Platform) -> None:
    (before,) = platform.control_planes()
    before.kill()

    until(
        lambda: [one for one in platform.control_planes() if one.pid != before.pid], "another", 60
    )
    until(platform.ready, "the control plane", 60)


@pytest.mark.promise("SERVER-7")
def test_a_control_plane_ends_with_a_hub_that_is_killed_and_the_next_hub_has_its_own(
    platform: Platform,
) -> None:
    (before,) = platform.control_planes()
    assert platform.hub.process is not None
    os.kill(platform.hub.process.pid, signal.SIGKILL)
    platform.hub.process.wait(20)

    # Its parent is dead: where nobody collects orphans, what is left of it says that it has ended.
    until(lambda: not alive(before.pid), "the end of the control plane", 20)

    platform.start()
    (after,) = platform.control_planes()
    assert after.pid != before.pid


@pytest.mark.promise("QUEUE-2", "SERVER-7")
def test_a_wait_survives_a_crash_of_hub_and_control_plane(another_platform: Platform) -> None:
    platform = another_platform
    platform.launch("ada", "one", "two")
    platform.launch("ben", "two", "gpu")
    path = "/users/ben/servers/fit"
    body = {"user_options": {"profile": "gpu", "wait": True}}
    answer = platform.hub_api("ben", "POST", path, json=body)
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text

    assert platform.hub.process is not None
    os.kill(platform.hub.process.pid, signal.SIGKILL)
    platform.hub.process.wait(20)
    platform.start()
    with platform.hub.record.reading() as reading:
        assert [one.server for one in tickets.live(reading, person="ben")] == ["fit"]
    platform.hub_api("ada", "DELETE", "/users/ada/servers/one").raise_for_status()

    def ready() -> bool:
        answer = platform.hub_api("ben", "GET", path)
        return answer.is_success and bool(answer.json()["ready"])

    until(ready, "the server to start by itself", 60)


@pytest.mark.promise("OPS-4", "IDLE-2", "MONEY-3")
def test_a_notice_reaches_its_person_by_the_mail_server_of_the_settings(
    platform: Platform, inbox: Inbox
) -> None:
    with platform.client(platform.token("olga", "inherit")) as olga:
        olga.users.set_email("olga", "olga@example.org")
        until(lambda: "mail" in {one.name for one in olga.work().items if one.runs}, "a look", 60)

    with platform.hub.record.writing("budgets", datetime.now(UTC)) as writing:
        writing.event("budget.warned", "person/olga", person="olga", after=WARNING)

    until(lambda: inbox.taken, "the mail", 60)
    assert inbox.subjects == ["olga@example.org: Your budget is used to 80 %"]


@pytest.mark.promise("AUTH-5")
def test_who_is_let_go_has_no_server_no_token_and_no_session_and_the_home_is_the_heirs(
    another_platform: Platform,
) -> None:
    platform = another_platform
    platform.launch("ben", "desk", "small")
    token = platform.token("ben", "access:services!service=allotment")
    with platform.client(token) as ben:
        assert ben.me().person == "ben"

    with platform.client(platform.token("olga", "inherit")) as olga:
        olga.users.let_go("ben", reason="The contract ends.", heir="ada")
        ended = until(
            lambda: [one for one in olga.events.after().items if one.kind == "person.farewell"],
            "the hub's farewell",
            60,
        )

    assert ended[0].after == {"hub": "hub", "note": "The home is ada's: from-ben"}
    with platform.client(platform.token("olga", "inherit")) as olga:
        assert [one.state for one in olga.servers.all(person="ben", active=True).items] == []
    known = httpx.get(
        f"{platform.hub.url}/hub/api/user", headers={"Authorization": f"token {token}"}
    )
    assert known.status_code == 403
    home = platform.browser("ben").get("/home", follow_redirects=False)
    assert "/login" in home.headers.get("location", "")
    assert [one.parent.name for one in platform.hub.state.rglob("from-ben")] == ["ada"]
