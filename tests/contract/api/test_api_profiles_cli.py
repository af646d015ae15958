"""Profiles on the command line: what is offered, who still holds one, and taking it back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from allotment.cli import app

pytestmark = pytest.mark.parametrize("store", ["sqlite"])
Run = Callable[..., Result]


@pytest.fixture
def run(lab: Any, api: Any) -> Run:
    """As olga; ann holds the profile gpu, which the profile cpu replaces."""
    lab.profile("gpu", devices=1, price="2.40", successor="cpu")
    lab.granted("ann", "gpu", "train")
    environment = {"ALLOTMENT_API_URL": api.url, "ALLOTMENT_TOKEN": "olga+"}
    return lambda *words: CliRunner().invoke(app, list(words), env=environment)


@pytest.mark.promise("PROFILE-5", "PROFILE-6")
def test_disabling_lists_who_keeps_it_and_says_how_to_take_it_back(run: Run) -> None:
    disabled = run("disable", "gpu")

    assert disabled.exit_code == 0
    assert disabled.stdout.splitlines() == [
        "gpu is no longer offered.",
        "1 server keeps it:",
        "  ann/train: 1 device, starting",
        "To take it from them at once: allotment revoke gpu --reason …",
    ]
    (row,) = [line for line in run("profiles").stdout.splitlines() if line.startswith("gpu")]
    assert row.split() == ["gpu", "Gpu", "1", "2.40", "1", "disabled", "cpu"]
    assert run("enable", "gpu").stdout == "gpu is offered again.\n"


@pytest.mark.promise("PROFILE-5")
def test_revoking_stops_its_servers_with_the_reason(run: Run, api: Any) -> None:
    revoked = run("revoke", "gpu", "--reason", "A security hole.", "--yes")

    assert revoked.exit_code == 0
    assert revoked.stdout == "gpu is no longer offered.\nann/train is stopping\n"
    assert api.client("olga+").servers.get("hub~ann~train").stop_reason == "A security hole."


@pytest.mark.promise("PROFILE-5")
def test_revoking_is_not_done_where_nobody_can_be_asked(run: Run, api: Any) -> None:
    refused = run("revoke", "gpu", "--reason", "A security hole.")

    assert refused.exit_code == 2
    assert "say --yes" in refused.stderr
    assert api.hub.commands() == []


def test_profiles_are_written_as_json(run: Run) -> None:
    assert "gpu" in {one["name"] for one in json.loads(run("profiles", "--json").stdout)["items"]}
