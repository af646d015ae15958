"""The queue's panel: who waits and why; taking out and moving, by whoever may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import example_platform
from allotment.api.examples.queue import TICKET
from allotment.model import documents
from allotment.model.documents import TicketListing, TicketPlace
from allotment.model.tickets import Ticket, TicketState
from allotment.record import Record, tickets
from allotment_widgets.picture import Picture, Topic
from control_planes import Platform

OpenConsole = Callable[..., Any]


@pytest.fixture
def waiting(platform: Platform) -> tuple[Ticket, ...]:
    """Nora and Priya wait for H100s, in that order."""
    example_platform.let_wait(platform.record, datetime.now(UTC))
    with platform.record.reading() as reading:
        return tickets.live(reading)


def state(record: Record, ticket: Ticket) -> TicketState:
    with record.reading() as reading:
        return tickets.get(reading, ticket.id).state


@pytest.mark.promise("QUEUE-6", "ADMIN-2")
def test_an_operator_sees_who_waits_for_what_and_why(
    open_console: OpenConsole, waiting: tuple[Ticket, ...]
) -> None:
    page = open_console(panel="queue")

    page.has_row("Queue", waiting[0].id, who="nora", pool="h100", place=1, state="waiting")
    page.has_row("Queue", waiting[1].id, who="priya", place=2)
    assert "nlp is guaranteed 16 devices" in str(page.rows("Queue")[waiting[0].id]["why"])


@pytest.mark.promise("QUEUE-6")
def test_an_operator_moves_a_ticket_to_the_front(
    open_console: OpenConsole, platform: Platform, waiting: tuple[Ticket, ...]
) -> None:
    page = open_console(panel="queue")
    page.select("Queue", waiting[1].id)
    page.act("Queue", "front")
    page.press("Move")

    page.sees("priya/again goes before all others.")
    with platform.record.reading() as reading:
        assert tickets.get(reading, waiting[1].id).moved == 1


@pytest.mark.promise("QUEUE-6", "ADMIN-3")
def test_an_operator_takes_a_ticket_out_with_a_reason(
    open_console: OpenConsole, platform: Platform, waiting: tuple[Ticket, ...]
) -> None:
    page = open_console(panel="queue")
    page.select("Queue", waiting[0].id)
    page.act("Queue", "cancel")
    page.fill("Why? Its owner reads it.", "dgx-2 is repaired")
    page.press("Take out")

    page.lacks_row("Queue", waiting[0].id)
    assert state(platform.record, waiting[0]) is TicketState.CANCELLED
    with platform.record.reading() as reading:
        assert tickets.get(reading, waiting[0].id).end_reason == "dgx-2 is repaired"


def test_a_reader_sees_the_queue_and_changes_nothing(
    open_console: OpenConsole, waiting: tuple[Ticket, ...]
) -> None:
    page = open_console("auditor", panel="queue")
    page.has_row("Queue", waiting[0].id)
    assert page.grid("Queue").actions == []


@pytest.mark.promise("ADMIN-2")
def test_places_from_the_stream_move_the_tickets_that_are_known_and_no_others() -> None:
    picture = Picture()
    listing = TicketListing(items=(a_ticket("1", place=2), a_ticket("2", place=1)), sequence=7)
    assert picture.take_places({"1": a_place("1", 1)}).topics == frozenset()  # nothing was read yet
    picture.tickets = listing

    changed = picture.take_places({"1": a_place("1", 1), "gone": a_place("gone", 3)})

    assert changed.touches(Topic.TICKETS)
    assert [(one.id, one.position) for one in picture.tickets.items] == [("1", 1), ("2", 1)]
    assert picture.tickets.items[0].starts_most == AT


AT = datetime(2026, 11, 22, 14, tzinfo=UTC)


def a_place(ticket: str, position: int) -> TicketPlace:
    return TicketPlace(
        ticket=ticket, person="nora", group="nlp", position=position, reason="", starts_most=AT
    )


def a_ticket(name: str, place: int) -> documents.Ticket:
    example = TICKET | {"id": name, "position": place}
    return documents.Ticket.model_validate(example)
