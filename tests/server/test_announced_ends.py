"""What a server knows of its own announced end: as JSON for the banner, as a file for code, put off by a click."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from allotment_server.announced import ENDING_FILE
from stand_in_control_plane import ControlPlane, ending_document


@pytest.fixture
def told(
    run: Callable[[Any], Any],
    jp_serverapp: Any,
    control_plane: ControlPlane,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, Any]:
    """The server has reported, and was told that it ends."""
    monkeypatch.setenv(ENDING_FILE, "")  # put back after the test
    document = ending_document(cause="reclaim", extend_by=0.0, extensions_left=0)
    control_plane.receipt = {"endings": [document]}
    (extension,) = jp_serverapp.extension_manager.extension_apps["allotment_server"]
    run(jp_serverapp.extension_manager.start_all_extensions())
    run(extension._reporter._attempt())
    return document


@pytest.mark.promise("IDLE-2", "QUEUE-4")
def test_the_banner_is_told_when_why_and_by_which_clock(fetch: Any, told: dict[str, Any]) -> None:
    answer = json.loads(fetch("allotment", "endings").body)
    (one,) = answer["endings"]
    assert (one["message"], one["extend_by"]) == (told["message"], 0.0)
    assert answer["now"] < one["stop_at"]
    assert answer["status_url"].endswith("/allotment")


@pytest.mark.promise("QUEUE-4")
def test_code_finds_the_end_in_a_file_that_its_environment_names(told: dict[str, Any]) -> None:
    file = Path(os.environ[ENDING_FILE])
    document = json.loads(file.read_text())
    assert (document["cause"], document["message"]) == ("reclaim", told["message"])
    assert document["stop_at"] == told["stop_at"].replace("+00:00", "Z")


@pytest.mark.promise("IDLE-2")
def test_the_file_is_gone_when_no_end_is_announced_any_more(
    fetch: Any, control_plane: ControlPlane, told: dict[str, Any]
) -> None:
    file = Path(os.environ[ENDING_FILE])
    assert told
    assert file.exists()
    control_plane.extended = {"endings": []}
    assert fetch("allotment", "extend", method="POST", body="{}").code == 200
    assert not file.exists()


@pytest.mark.promise("IDLE-2")
@pytest.mark.usefixtures("told")
def test_what_cannot_be_put_off_is_refused_in_the_control_planes_words(
    fetch: Any, control_plane: ControlPlane
) -> None:
    control_plane.problem = (409, "Its devices go back; 100 % sure.")
    answer = fetch("allotment", "extend", method="POST", body="{}")
    assert answer.code == 409
    assert "100 % sure." in json.loads(answer.body)["message"]


@pytest.mark.promise("QUEUE-2")
def test_the_banner_is_told_that_a_server_which_waited_has_started(
    run: Callable[[Any], Any], fetch: Any, jp_serverapp: Any, control_plane: ControlPlane
) -> None:
    message = "Your server Fit has started. It waited 25 minutes."
    notice = {"at": "2026-11-22T13:17:00Z", "kind": "wait", "message": message, "id": "wait-1"}
    control_plane.receipt = {"endings": [], "notices": [notice]}
    (extension,) = jp_serverapp.extension_manager.extension_apps["allotment_server"]
    run(extension._reporter._attempt())

    answer = json.loads(fetch("allotment", "endings").body)

    assert [(one["id"], one["message"]) for one in answer["notices"]] == [("wait-1", message)]


@pytest.mark.promise("DATA-4")
def test_the_banner_is_told_which_source_to_test(
    run: Callable[[Any], Any], fetch: Any, jp_serverapp: Any, control_plane: ControlPlane
) -> None:
    message = "The data source lake was added: test it from your server."
    notice = {"at": "2026-11-22T13:17:00Z", "kind": "source", "message": message, "id": "source:1"}
    control_plane.receipt = {"endings": [], "notices": [notice | {"source": "lake"}]}
    (extension,) = jp_serverapp.extension_manager.extension_apps["allotment_server"]
    run(extension._reporter._attempt())

    (told,) = json.loads(fetch("allotment", "endings").body)["notices"]

    assert (told["source"], told["message"]) == ("lake", message)


def test_the_banner_is_nobody_elses_to_read_or_use(fetch: Any) -> None:
    for parts, method in ((("allotment", "endings"), "GET"), (("allotment", "extend"), "POST")):
        body = "{}" if method == "POST" else None
        headers = {"Authorization": "token wrong"}
        assert fetch(*parts, method=method, body=body, headers=headers).code == 403
