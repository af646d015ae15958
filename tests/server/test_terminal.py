"""The address that opens a terminal: one terminal, shown by JupyterLab, for whoever may open the server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Fetch = Callable[..., Any]
AS_IS = {"follow_redirects": False}


@pytest.fixture
def jp_server_config(jp_server_config: dict[str, Any]) -> dict[str, Any]:
    enabled = jp_server_config["ServerApp"]["jpserver_extensions"]
    enabled |= {"jupyterlab": True, "jupyter_server_terminals": True}
    return jp_server_config


@pytest.fixture
def terminals(jp_serverapp: Any, run: Callable[[Any], Any]) -> Iterator[Any]:
    """The server's terminals, ended after the test."""
    manager = jp_serverapp.web_app.settings["terminal_manager"]
    yield manager
    run(manager.terminate_all())


@pytest.mark.promise("SERVER-6")
def test_it_starts_one_terminal_and_shows_it_in_a_workspace_of_its_own(
    fetch: Fetch, terminals: Any, jp_serverapp: Any
) -> None:
    first, again = (fetch("allotment", "terminal", **AS_IS) for _ in range(2))

    assert (first.code, again.code) == (302, 302)
    assert first.headers["Location"].endswith("/lab/workspaces/allotment-terminal")
    assert [each["name"] for each in terminals.list()] == ["allotment"]
    (lab,) = jp_serverapp.extension_manager.extension_apps["jupyterlab"]
    (file,) = Path(lab.workspaces_dir).glob("allotment-terminal*")
    shown = json.loads(file.read_text())["data"]["layout-restorer:data"]["main"]
    assert shown["dock"]["widgets"] == ["terminal:allotment"]


@pytest.mark.promise("USER-7")
def test_a_stranger_starts_nothing(fetch: Fetch, terminals: Any) -> None:
    answer = fetch("allotment", "terminal", headers={"Authorization": "token wrong"}, **AS_IS)

    assert answer.code in {302, 403}
    assert "workspaces" not in answer.headers.get("Location", "")
    assert terminals.list() == []


def test_where_terminals_are_off_it_starts_none(
    fetch: Fetch, terminals: Any, jp_serverapp: Any
) -> None:
    jp_serverapp.web_app.settings["terminals_available"] = False

    answer = fetch("allotment", "terminal", **AS_IS)

    assert answer.code == 404
    assert terminals.list() == []
