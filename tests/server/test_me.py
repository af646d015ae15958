"""``GET /allotment/me``: limits, what is held, notices; with a control plane and when it goes away."""

from __future__ import annotations

import json
from typing import Any

import pytest


def me(fetch: Any) -> dict[str, Any]:
    answer = fetch("allotment", "me")
    assert answer.code == 200
    document: dict[str, Any] = json.loads(answer.body)
    return document


@pytest.mark.promise("LIMIT-1")
def test_it_tells_each_limit_with_what_is_used_and_where_it_comes_from(fetch: Any) -> None:
    assert [
        (limit["kind"], limit["used"], limit["value"], limit["source"])
        for limit in me(fetch)["limits"]
    ] == [
        ("devices", 1, 2, "the platform's default"),
        ("servers", 1, None, "no limit is set"),
    ]


def test_it_tells_what_its_owner_holds_and_which_of_it_is_this_servers(fetch: Any) -> None:
    answer = me(fetch)
    assert [(server["name"], server["state"]) for server in answer["servers"]] == [
        ("train", "running"),
        ("old", "stopped"),
    ]
    assert (answer["person"], answer["groups"]) == ("bob", ["vision"])
    (device,) = answer["server"]["devices"]
    assert device["held"]["model"] == "Simulated GPU"
    assert answer["server"]["allotment"] == "allotment-1"


def test_a_simulated_device_is_shown_without_invented_numbers(fetch: Any) -> None:
    (device,) = me(fetch)["server"]["devices"]
    assert device["use"] == {
        "id": "sim-0",
        "measured": "simulated",
        "utilisation": None,
        "memory_used": None,
        "memory_total": None,
        "note": "",
        "measurable": True,
    }


@pytest.mark.promise("SERVER-4")
def test_notices_reach_the_owner_of_the_server(fetch: Any) -> None:
    assert [notice["message"] for notice in me(fetch)["notices"]] == [
        "carol stopped old: <script>alert(1)</script>",
        "The data source lake was added: test it from your server.",
    ]


def test_the_control_plane_is_asked_with_the_servers_own_token(
    fetch: Any, control_plane: Any
) -> None:
    me(fetch)
    path = "/services/allotment/api/v1/me"
    assert control_plane.asked == [("GET", path, "Bearer the-servers-own-token")]


def test_the_token_is_in_no_answer(fetch: Any) -> None:
    assert b"the-servers-own-token" not in fetch("allotment", "me").body
    assert b"the-servers-own-token" not in fetch("allotment").body


@pytest.mark.promise("SERVER-7")
@pytest.mark.parametrize(
    ("problem", "why"),
    [((503, "The record is away."), "The record is away."), ((403, "No."), "No.")],
)
def test_it_answers_and_says_why_when_the_control_plane_does_not(
    fetch: Any, control_plane: Any, problem: tuple[int, str], why: str
) -> None:
    control_plane.problem = problem
    answer = me(fetch)
    assert answer["control_plane"] == {
        "configured": True,
        "reachable": False,
        "why": why,
        "told_at": None,
    }
    assert (answer["limits"], answer["servers"]) == (None, None)
    assert (answer["person"], answer["server"]["profile"]) == ("bob", "pytorch-gpu")


@pytest.mark.promise("SERVER-7")
def test_what_was_told_before_is_still_told_with_its_time(
    fetch: Any, control_plane: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("allotment_server.standing.FRESH", 0.0)
    told_at = me(fetch)["control_plane"]["told_at"]
    control_plane.problem = (503, "Away.")
    answer = me(fetch)
    state = answer["control_plane"]
    assert (state["reachable"], state["why"], state["told_at"]) == (False, "Away.", told_at)
    assert len(answer["servers"]) == 2


def test_many_open_pages_ask_the_control_plane_once(fetch: Any, control_plane: Any) -> None:
    me(fetch)
    me(fetch)
    assert len(control_plane.asked) == 1


def test_nobody_is_answered_without_signing_in(fetch: Any, control_plane: Any) -> None:
    answer = fetch("allotment", "me", headers={"Authorization": "token wrong"})
    assert answer.code == 403
    assert control_plane.asked == []


def test_looking_at_ones_limits_keeps_no_server_from_being_idle(
    fetch: Any, jp_serverapp: Any
) -> None:
    before = jp_serverapp.web_app.last_activity()
    me(fetch)
    assert jp_serverapp.web_app.last_activity() == before


def test_nothing_can_be_written_here(fetch: Any) -> None:
    assert fetch("allotment", "me", method="POST", body="{}").code == 405
