"""Waiting in the API: one's own tickets, what would be sooner, what is told when a wait is over, places as they move."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from allotment.cli import app
from allotment.model.claims import Granted, Queued
from allotment.model.documents import TicketPlace
from allotment.model.reports import ServerReport
from allotment.model.tickets import TicketState
from allotment.record import allotments, claims, offers, tickets
from allotment.record.schema import tickets as ticket_rows

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


@pytest.fixture
def ticket(lab: Any) -> str:
    """Ann holds both devices with two servers, after six sessions of half an hour; her third server waits."""
    for number in range(6):
        past = lab.granted("ann", "gpu", "past")
        lab.later(minutes=30 + number)
        lab.end(past)
    lab.granted("ann", "gpu", "train", token_hash=claims.hash_token("anns-servers-token"))
    lab.granted("ann", "gpu", "notes")
    outcome = lab.claim("ann", "gpu", "fit", wait=True, display_name="Fit")
    assert isinstance(outcome, Queued), outcome
    return outcome.ticket.id


def end(lab: Any, ticket: str, how: TicketState, why: str = "", by: str = "queue") -> None:
    with lab.write(by) as writing:
        known = tickets.lock(writing, ticket)
        assert known is not None
        tickets.end(writing, known, how, why)


@pytest.mark.promise("QUEUE-1")
def test_me_lists_ones_own_servers_that_wait_and_nobody_elses(api: Any, ticket: str) -> None:
    with api.client("ann") as ann, api.client("bob") as bob:
        assert [one.id for one in ann.me().tickets] == [ticket]
        assert bob.me().tickets == ()


@pytest.mark.promise("QUEUE-1")
def test_a_ticket_says_by_when_it_starts_and_what_would_let_it_in_sooner(
    api: Any, lab: Any, ticket: str
) -> None:
    with api.client("ann") as ann:
        told = ann.tickets.get(ticket)
        (listed,) = ann.tickets.all().items

    assert told.starts_half is not None
    assert told.starts_most is not None
    assert lab.now < told.starts_half <= told.starts_most
    assert told.sooner is not None
    assert [(way.kind, way.server, way.starts_at_once) for way in told.sooner] == [
        ("stop", "notes", True),
        ("stop", "train", True),
    ]
    assert listed.sooner is None


@pytest.mark.promise("QUEUE-1", "OPS-9")
def test_explain_says_when_a_launch_would_start_and_what_would_be_sooner(
    api: Any, ticket: str
) -> None:
    assert ticket
    with api.client("ann") as ann:
        said = ann.explain("ann", "two-gpu")

    assert said.outcome == "waits"
    assert said.starts_most is not None
    assert {way.kind for way in said.sooner} <= {"stop", "devices"}


@pytest.mark.promise("QUEUE-2")
@pytest.mark.parametrize(
    ("how", "why", "words"),
    [
        (TicketState.STARTED, "", "Your server Fit has started."),
        (TicketState.REFUSED, "Your budget is used up.", "turn came: Your budget is used up."),
        (TicketState.EXPIRED, "Too late.", "was not started: Too late."),
    ],
)
def test_a_wait_that_is_over_is_told_by_me_and_to_ones_servers_with_their_reports(
    api: Any, lab: Any, ticket: str, how: TicketState, why: str, words: str
) -> None:
    api.plane.waits.look(lab.now)
    end(lab, ticket, how, why)
    api.plane.waits.look(lab.now)

    with api.client("ann") as ann, api.client("anns-servers-token") as server:
        (noticed,) = [one for one in ann.me().notices if one.kind == "wait"]
        (told,) = server.report(a_report()).notices

    assert words in noticed.message
    assert (told.id, told.message) == (noticed.id, noticed.message)
    assert told.server == "hub~ann~fit"


@pytest.mark.promise("QUEUE-2", "QUEUE-6")
def test_who_took_a_server_out_of_the_queue_is_told_with_the_word_but_not_to_who_did_it(
    api: Any, lab: Any, ticket: str
) -> None:
    with api.client("olga+") as olga:
        olga.tickets.cancel(ticket, "dgx-2 is repaired.")
    mine = lab.claim("ann", "gpu", "again", wait=True)
    with api.client("ann") as ann:
        ann.tickets.cancel(mine.ticket.id)
        told = [one.message for one in ann.me().notices if one.kind == "wait"]

    assert told == ["olga took your server Fit out of the queue: dgx-2 is repaired."]


def test_servers_are_told_of_waits_for_half_a_day_also_after_a_restart_of_the_control_plane(
    api: Any, lab: Any, ticket: str
) -> None:
    end(lab, ticket, TicketState.STARTED)

    api.plane.waits.look(lab.now)
    assert [one.ticket.id for one in api.plane.waits.of("ann")] == [ticket]
    api.plane.waits.look(lab.now + timedelta(hours=13))
    assert api.plane.waits.of("ann") == ()


@pytest.mark.promise("QUEUE-2", "QUEUE-6")
def test_everybody_is_told_of_a_long_queue_that_an_operator_emptied_at_once(
    api: Any, lab: Any, ticket: str
) -> None:
    api.plane.waits.look(lab.now)
    lab.people(*(f"p{number}" for number in range(501)), group="vision")
    with lab.record.reading() as reading:
        known = tickets.get(reading, ticket)
    waiting = [replace(known, id=f"{n:032x}", person=f"p{n}") for n in range(501)]
    with lab.write("olga") as writing:
        writing.run(ticket_rows.insert(), [tickets._values(one) for one in waiting])
        for one in waiting:
            tickets.cancel(writing, one.id, "dgx-2 is repaired.")

    api.plane.waits.look(lab.now)
    assert all(api.plane.waits.of(one.person) for one in waiting)


@pytest.mark.promise("ADMIN-2", "QUEUE-1")
def test_places_are_a_topic_of_the_stream_and_no_events(api: Any, lab: Any, ticket: str) -> None:
    with api.client("ann") as ann, api.client("bob") as bob:
        latest = ann.events.after(0).sequence
        following, others = (one.events.follow(latest, queue=True) for one in (ann, bob))
        lab.people("marker-of-nobody")
        with lab.write() as writing:
            writing.event("test.marker", "ann", person="ann")
            writing.event("test.marker", "bob", person="bob")
        next(following), next(others)
        sequence = ann.events.after(latest).sequence

        api.plane.queueing.round(lab.now)
        told = next(following)
        with lab.write() as writing:
            writing.event("test.marker", "bob", person="bob")
        next_of_bob = next(others)
        following.close()
        others.close()

        assert isinstance(told, TicketPlace)
        assert (told.ticket, told.position) == (ticket, 1)
        assert not isinstance(next_of_bob, TicketPlace)
        assert ann.events.after(latest).sequence == sequence + 1


@pytest.mark.promise("QUEUE-1")
def test_the_command_line_shows_a_ticket_with_what_would_be_sooner(api: Any, ticket: str) -> None:
    assert ticket
    environment = {"ALLOTMENT_API_URL": api.url, "ALLOTMENT_TOKEN": "ann"}

    shown = CliRunner().invoke(app, ["queue", "show", "ann/fit"], env=environment)

    assert shown.exit_code == 0, shown.output
    words = " ".join(shown.output.split())
    assert "with 50 %" in words
    assert "Stop notes" in words
    assert "at once" in words


def a_report() -> ServerReport:
    return ServerReport(
        kernels=0,
        kernels_busy=0,
        terminals=0,
        last_activity="2026-03-01T12:00:00Z",  # type: ignore[arg-type]  # as it comes by HTTP
    )


@pytest.mark.promise("SERVER-4", "QUEUE-2")
def test_a_server_that_is_offered_and_not_started_yet_is_stopped_by_leaving_the_queue(
    api: Any, lab: Any, ticket: str
) -> None:
    with lab.record.reading() as reading:
        (held,) = [one for one in allotments.active(reading) if one.server == "notes"]
    lab.end(held.id)
    place = offers.Place("a100", "A100", "n1")
    assert isinstance(offers.offer(lab.record, ticket, place, lab.later(seconds=1)), Granted)

    with api.client("olga+") as olga:
        (stopped,) = olga.servers.stop(["hub~ann~fit"], "The node is repaired.").outcomes

    with lab.record.reading() as reading:
        known = tickets.get(reading, ticket)
    assert (stopped.outcome, known.state) == ("stopped", TicketState.CANCELLED)
    assert known.end_reason == "The node is repaired."
    assert lab.free("a100") == 1
