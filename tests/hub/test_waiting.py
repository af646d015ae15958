"""Waiting, through a real hub: who finds the pool full gets a ticket, and the server starts by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import hubs
from allotment.model.tickets import Ticket, TicketState
from allotment.record import Record, tickets
from allotment.work.hub_api import HubApi
from allotment.work.queueing import Queueing
from hubs import HubUnderTest, until


@pytest.fixture
def full(hub: HubUnderTest) -> HubUnderTest:
    """Ada and Ben hold all four devices of vision's pool."""
    hub.change(lambda writing: hub.raise_device_limit(writing, "ada", 4))
    for person in ("ada", "ben"):
        assert hub.launch(person, "train", profile="two").is_success
        hub.ready(person, "train")
    return hub


@pytest.fixture
def queue(hub: HubUnderTest) -> Iterator[Queueing]:
    """The step of the control plane, with its rounds in the test's hands."""
    hub_api = HubApi(hub.servers_see, hubs.ADMIN)
    queueing = Queueing(hub.record, hub_api, "hub")
    yield queueing
    queueing.close()
    hub_api.close()


def ticket_of(record: Record, person: str, server: str) -> Ticket | None:
    with record.reading() as reading:
        mine = tickets.live(reading, person=person)
    return next((one for one in mine if one.server == server), None)


def waiting(hub: HubUnderTest, person: str, server: str, **options: Any) -> Ticket:
    answer = hub.launch(person, server, profile="gpu", wait=True, **options)
    assert answer.status_code == 202, answer.text
    assert "starts by itself" in answer.json()["message"]
    found = ticket_of(hub.record, person, server)
    assert found is not None
    return found


def run_until_ready(hub: HubUnderTest, queue: Queueing, person: str, server: str) -> None:
    def look() -> bool:
        queue.round(hub.now())
        answer = hub.api("GET", f"/users/{person}/servers/{server}")
        return answer.is_success and bool(answer.json()["ready"])

    until(look, f"{person}/{server} to start by itself; the hub said:\n{hub.log()[-3000:]}")


@pytest.mark.promise("QUEUE-1", "QUEUE-2")
def test_a_server_that_waits_starts_by_itself_when_a_device_is_given_back(
    full: HubUnderTest, queue: Queueing
) -> None:
    ticket = waiting(full, "ada", "fit", note="sweep 7")
    queue.round(full.now())
    assert ticket_of(full.record, "ada", "fit") is not None

    full.stop("ben", "train")
    run_until_ready(full, queue, "ada", "fit")

    started = full.latest("ada", "fit")
    assert (started.state, started.profile, len(started.devices)) == ("running", "gpu", 1)
    with full.record.reading() as reading:
        assert tickets.get(reading, ticket.id).state is TicketState.STARTED
    full.assert_in_step()


@pytest.mark.promise("QUEUE-2")
def test_nothing_of_the_ticket_stays_in_the_options_and_a_second_start_needs_none(
    full: HubUnderTest, queue: Queueing
) -> None:
    waiting(full, "ada", "fit", note="sweep 7")
    full.stop("ben", "train")
    run_until_ready(full, queue, "ada", "fit")

    stored = full.api("GET", "/users/ada/servers/fit").json()["user_options"]
    assert stored == {"profile": "gpu", "group": "vision", "note": "sweep 7"}
    full.stop("ada", "fit")
    assert full.launch("ada", "fit").is_success
    full.ready("ada", "fit")


def test_a_ticket_starts_one_server_of_its_person_once(full: HubUnderTest, queue: Queueing) -> None:
    ticket = waiting(full, "ada", "fit")
    early = full.launch("ada", "fit", ticket=ticket.id)
    assert early.status_code == 403
    assert "turn of this ticket has not come" in early.json()["message"]

    full.stop("ben", "train")
    run_until_ready(full, queue, "ada", "fit")
    full.stop("ada", "fit")

    for person, server in (("ada", "fit"), ("ada", "other"), ("ben", "fit")):
        again = full.launch(person, server, ticket=ticket.id)
        assert again.status_code == 403, again.text
        assert "queue.ticket" not in again.text
        assert not full.active_in_hub(person, server)
    full.assert_in_step()


def test_a_refused_launch_says_that_one_can_wait(full: HubUnderTest) -> None:
    answer = full.launch("ada", "fit", profile="gpu")

    assert answer.status_code == 409
    assert "wait: true" in answer.json()["message"]


def test_a_server_that_is_deleted_while_it_waits_leaves_the_queue(full: HubUnderTest) -> None:
    waiting(full, "ada", "fit")

    full.api("DELETE", "/users/ada/servers/fit", {"remove": True}).raise_for_status()

    until(lambda: ticket_of(full.record, "ada", "fit") is None, "the ticket to be cancelled")


def test_what_the_hub_will_not_start_goes_back_and_the_reason_is_kept(full: HubUnderTest) -> None:
    ticket = waiting(full, "ada", "fit")
    full.stop("ben", "train")
    hub_api = HubApi(full.servers_see, full.token("cy"))  # who may not start others' servers
    queue = Queueing(full.record, hub_api, "hub")

    def ended() -> Ticket | None:
        queue.round(full.now())
        with full.record.reading() as reading:
            now = tickets.get(reading, ticket.id)
        return None if now.live else now

    found = until(ended, "the offer to be taken back")
    queue.close()
    hub_api.close()
    assert found is not None
    assert found.state is TicketState.REFUSED
    assert found.end_reason
    full.assert_in_step()
