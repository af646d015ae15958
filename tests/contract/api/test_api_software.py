"""Software chosen apart from the size, through the API, the client and the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from allotment.cli import app
from allotment.model.reasons import Rule
from allotment.model.refusals import Refusal

pytestmark = pytest.mark.parametrize("store", ["sqlite"])
CHOICES = [
    {"name": "stable", "title": "Stable", "python_environment": "/opt/environments/stable"},
    {"name": "newest", "title": "Newest", "image": "example.org/newest:3"},
]


@pytest.fixture
def choosing(lab: Any, api: Any) -> Any:
    """A size with a device and a choice of software; bob holds both devices."""
    lab.profile("flexible", devices=1, software=CHOICES)
    lab.granted("bob", "flexible", "train", software="newest")
    lab.granted("bob", "gpu", "other")
    return api


@pytest.mark.promise("PROFILE-4")
def test_a_profile_lists_its_software_and_folders_only_for_those_who_see_all(choosing: Any) -> None:
    operators = choosing.client("olga+").profiles.get("flexible").software
    own = choosing.client("ann+").profiles.get("flexible").software

    assert [(one.name, one.title, one.image) for one in own] == [
        ("stable", "Stable", None),
        ("newest", "Newest", "example.org/newest:3"),
    ]
    assert operators[0].python_environment == "/opt/environments/stable"
    assert own[0].python_environment == ""


@pytest.mark.promise("PROFILE-4")
def test_a_server_says_what_it_runs(choosing: Any) -> None:
    server = choosing.client("bob+").servers.get("hub~bob~train")

    assert (server.software, server.software_title) == ("newest", "Newest")
    assert server.size_words == "Flexible, Newest"


@pytest.mark.promise("PROFILE-4", "QUEUE-1")
def test_a_ticket_waits_with_software_or_is_refused_with_what_there_is(choosing: Any) -> None:
    client = choosing.client("ann+")

    ticket = client.tickets.create("flexible", "train", software="newest")
    with pytest.raises(Refusal) as refused:
        client.tickets.create("flexible", "more", software="own")

    assert client.tickets.get(ticket.id).software == "newest"
    reason = refused.value.reasons[0]
    assert (reason.rule, reason.details) == (Rule.SOFTWARE_OFFERED, ("stable", "newest"))


@pytest.mark.promise("PROFILE-4", "OPS-9")
def test_explain_asks_about_software_too(choosing: Any) -> None:
    environment = {"ALLOTMENT_API_URL": choosing.url, "ALLOTMENT_TOKEN": "olga+"}
    words = ["explain", "ann", "flexible", "--software", "own", "--json"]

    said = CliRunner().invoke(app, words, env=environment)

    assert said.exit_code == 1
    rules = [reason["rule"] for reason in json.loads(said.stdout)["reasons"]]
    assert "software.offered" in rules
