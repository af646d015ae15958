"""A refusal that reaches its person when the form is gone offers to wait, as the launch page does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape

import httpx
import pytest

from allotment.model.claims import Claim, Granted
from allotment.model.tickets import Ticket
from allotment.record import claims, tickets
from hubs import until
from page_hubs import PageHub, launch


@pytest.fixture
def full(page_hub: PageHub) -> Iterator[PageHub]:
    """Vision may hold three devices, and holds them on another hub of the same record."""
    held = [admitted(page_hub, person, size) for person, size in (("ben", "two"), ("ada", "gpu"))]
    yield page_hub
    for allotment in held:
        claims.mark_stopping(page_hub.record, allotment, "", "tests", datetime.now(UTC))
        claims.release(page_hub.record, allotment, "nothing was started", datetime.now(UTC))


def admitted(hub: PageHub, person: str, size: str) -> str:
    claim = Claim("elsewhere", person, f"held-{size}", size)
    outcome = claims.admit(hub.record, claim, datetime.now(UTC))
    assert isinstance(outcome, Granted), outcome
    return outcome.allotment.id


@pytest.fixture
def ada(full: PageHub) -> Iterator[httpx.Client]:
    """Ada's browser; she waits for nothing afterwards, and no server of hers stays."""
    browser = full.signed_in("ada")
    yield browser
    for ticket in waiting(full):
        full.change(lambda writing, one=ticket: tickets.cancel(writing, one.id))
    for name in in_hub(browser):
        address = f"/api/users/ada/servers/{name}"
        browser.request("DELETE", address, json={"remove": True}, headers=xsrf(browser))


def xsrf(browser: httpx.Client) -> dict[str, str]:
    return {"X-XSRFToken": browser.cookies["_xsrf"]}


def in_hub(browser: httpx.Client) -> set[str]:
    """Names of the servers that the hub knows, stopped ones too."""
    whole = {"include_stopped_servers": "1"}
    answer = browser.get("/api/users/ada", params=whole, headers=xsrf(browser))
    return {name for name in answer.json()["servers"] if name}


def waiting(hub: PageHub) -> tuple[Ticket, ...]:
    with hub.record.reading() as reading:
        return tickets.live(reading, person="ada")


def late(hub: PageHub, browser: httpx.Client, **fields: str) -> httpx.Response:
    """Launch while another writer keeps the record for longer than the form waits; the page that follows."""
    with hub.record.writing("olga", datetime.now(UTC)):
        sent = launch(browser, **fields)  # comes back after five seconds
    path = sent.headers["location"].removeprefix("/hub")
    assert path.startswith("/spawn-pending/ada/")

    def decided() -> httpx.Response | None:
        answer = browser.get(path)
        return None if 'id="pending"' in answer.text else answer

    return until(decided, "the decision")


def wait_form(page: str) -> tuple[str, dict[str, str]]:
    """Where the button *Wait in the queue* posts to, and what."""
    form = re.search(r'<form id="wait" method="post" action="([^"]+)".*?</form>', page, re.DOTALL)
    assert form is not None, page
    assert "Wait in the queue" in form[0]
    fields = re.findall(r'name="([^"]+)" value="([^"]*)"', form[0])
    return unescape(form[1]), {name: unescape(value) for name, value in fields}


@pytest.mark.promise("QUEUE-1", "LIMIT-4")
def test_a_late_refusal_of_a_full_size_offers_to_wait_and_says_what_would_help(
    full: PageHub, ada: httpx.Client
) -> None:
    refused = late(full, ada, name="My fit", profile="gpu", note="sweep 7")
    assert refused.status_code == 409
    assert "My fit was not started" in refused.text
    assert "wait: true" not in refused.text

    def helped() -> bool:
        asked = {"server": "my-fit", "profile": "gpu", "group": "vision"}
        found = ada.get("/allotment/parts/refused", params=asked, headers=xsrf(ada))
        return "If you wait, it starts by" in found.text

    until(helped, "what would help")
    action, fields = wait_form(refused.text)
    joined = ada.post(action.removeprefix("/hub"), data=fields)

    assert joined.headers["location"] == "/hub/home?waits=my-fit"
    (ticket,) = waiting(full)
    assert (ticket.server, ticket.profile, ticket.display_name, ticket.note) == (
        "my-fit",
        "gpu",
        "My fit",
        "sweep 7",
    )


@pytest.mark.promise("QUEUE-1")
def test_a_server_that_is_started_again_and_finds_no_room_offers_to_wait_on_its_page(
    ada: httpx.Client,
) -> None:
    asked = {"display_name": "Fit", "user_options": {"profile": "gpu"}}
    answer = ada.post("/api/users/ada/servers/fit", json=asked, headers=xsrf(ada))
    assert answer.status_code == 409, answer.text
    assert "wait: true" in answer.json()["message"]

    page = ada.get("/spawn-pending/ada/fit")

    assert "wait: true" not in page.text
    assert wait_form(page.text)[1] == {"name": "Fit", "profile": "gpu", "wait": "true"}


@pytest.mark.promise("QUEUE-1")
def test_the_refused_form_tells_people_of_no_option_for_programs(
    full: PageHub, ada: httpx.Client
) -> None:
    refused = launch(ada, name="fit", profile="gpu", note="")

    assert full.held("ada")
    assert refused.status_code == 409
    assert "wait: true" not in refused.text
    assert 'id="refused"' in refused.text


@pytest.mark.promise("QUEUE-1")
def test_a_launch_that_is_queued_late_is_said_to_wait(full: PageHub, ada: httpx.Client) -> None:
    page = late(full, ada, name="fit", profile="gpu", note="", wait="true")

    assert "fit waits in the queue" in page.text
    assert "was not started" not in page.text
