"""Who watches a hub: readiness, metrics of what it decides, and logs without what is entered there."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from hubs import until
from page_hubs import SETTINGS, PageHub, launch

WITH_CONTROL_PLANE = """
configure(c, load_settings(place.settings, place.state), place)
c.JupyterHub.authenticate_prometheus = False
"""
LOGS = "logs: {format: json, level: info}\n"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageHub]:
    """A hub with its control plane that writes everything it can into its log, as documents."""
    folder = tmp_path_factory.mktemp("watched") / "hub"
    hub = PageHub(folder, settings=SETTINGS + LOGS, config=WITH_CONTROL_PLANE)
    try:
        yield hub.start()
    finally:
        hub.stop()


def metrics(hub: PageHub) -> str:
    """What Prometheus reads of the hub."""
    return httpx.get(f"http://127.0.0.1:{hub.hub_port}/hub/metrics").raise_for_status().text


@pytest.mark.promise("OPS-3")
def test_the_hub_says_whether_it_can_decide(watched: PageHub) -> None:
    answer = httpx.get(f"{watched.url}/hub/allotment/ready")

    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "record": "ok"})


@pytest.mark.promise("OPS-3")
def test_the_hub_counts_launches_refusals_by_rule_and_how_long_they_took(watched: PageHub) -> None:
    with closing(watched.signed_in("ada")) as browser:
        launch(browser, name="one", profile="small")
        launch(browser, name="none", profile="bens")
        until(lambda: len(watched.held("ada")) == 1, "the one that is admitted")

    said = metrics(watched)

    assert 'allotment_admissions_total{outcome="granted"} 1.0' in said
    assert 'allotment_admissions_total{outcome="refused"} 1.0' in said
    assert 'allotment_refusals_total{outcome="refused",rule="profile.visible"} 1.0' in said
    assert "allotment_admission_seconds_count 2.0" in said
    assert "allotment_record_up 1.0" in said


@pytest.mark.promise("OPS-3", "DATA-5")
def test_no_log_has_a_password_a_token_or_a_cookie_that_was_sent(watched: PageHub) -> None:
    wrong, right, planted = (secrets.token_urlsafe(24) for _ in range(3))
    watched.give_password("ben", right)
    api = f"{watched.url}/services/allotment/api/v1"
    until(lambda: httpx.get(f"{api}/ready").is_success, "the control plane", 60)
    with closing(watched.browser()) as stranger:
        watched.try_sign_in(stranger, "ben", wrong)
    with closing(watched.signed_in("ben", right)) as browser:
        cookies = {f"cookie {one.name}": one.value or "" for one in browser.cookies.jar}
        made = browser.post(
            "/api/users/ben/tokens",
            headers={"X-XSRFToken": browser.cookies["_xsrf"]},
            json={"note": "canary"},
        )
        token = str(made.raise_for_status().json()["token"])
    for address in (f"{api}/me", f"{watched.url}/hub/api/user", f"{api}/nowhere"):
        httpx.get(address, headers={"Authorization": f"Bearer {token}"})
        httpx.get(address, params={"token": planted}, headers={"Authorization": f"token {planted}"})

    log = until(lambda: watched.log() if '"status": 404' in watched.log() else "", "the log")

    sent = {"wrong password": wrong, "password": right, "query": planted, "token": token, **cookies}
    assert [name for name, value in sent.items() if value in log] == []
    assert "ben" in log


@pytest.mark.promise("OPS-3")
def test_hub_and_control_plane_write_documents_where_the_settings_say_so(watched: PageHub) -> None:
    api = f"{watched.url}/services/allotment/api/v1"
    until(lambda: httpx.get(f"{api}/ready").is_success, "the control plane", 60)

    lines = [json.loads(line) for line in watched.log().splitlines() if line.startswith('{"at"')]

    assert {"LaunchedHub", "allotment.api"} <= {line["from"] for line in lines}
    assert all(re.match(r"\d{4}-\d\d-\d\dT", line["at"]) for line in lines)
