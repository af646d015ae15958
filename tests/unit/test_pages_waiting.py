"""What pages say of waiting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from allotment.model.claims import Claim, Granted, Queued
from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.model.groups import Share
from allotment.model.profiles import Profile
from allotment.model.tickets import TicketState
from allotment.record import (
    Record,
    allotments,
    claims,
    devices,
    extending,
    groups,
    open_record,
    people,
    pools,
    profiles,
    tickets,
)
from allotment.record.prospects import Outlook, Prospects, Question
from allotment_spawner.asking import AsyncRecord
from allotment_spawner.foreseen import Foreseen, Look
from allotment_spawner.pages_home import HomeView, home_view
from allotment_spawner.pages_launch import LaunchView, Readiness, launch_view
from allotment_spawner.pages_waiting import nth, place_state

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAST = timedelta(hours=1)


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    """Two devices of vision; ada holds one, ben the other; six sessions of an hour are over."""
    opened = open_record(f"sqlite:///{tmp_path}/record.sqlite", migrate=True)
    with opened.writing("olga", NOW - 20 * PAST) as writing:
        found = [
            DeviceSpec(f"gpu-{n}", "dgx-1", "A100", 80 << 30, f"GPU-{n}", DeviceOrigin.SETTINGS)
            for n in range(2)
        ]
        devices.observe(writing, found, DeviceOrigin.SETTINGS)
        pools.create(writing, "a100", ["gpu-0", "gpu-1"])
        groups.create(writing, "vision", wanted=[Share("vision", "a100", 2, 2)])
        people.onboard(writing, ["ada", "ben"], group="vision")
        for size, count in (("gpu", 1), ("two", 2)):
            profile = Profile.model_validate(
                {"name": size, "title": size.title(), "devices": count}
            )
            profiles.publish(writing, profile, f"{size}.yaml", size)
    for number in range(6):
        begin = NOW - (10 - number) * PAST
        end(opened, granted(opened, "ada", "old", begin), begin + PAST)
    granted(opened, "ada", "notes", NOW - PAST / 2)
    granted(opened, "ben", "train", NOW - PAST / 4)
    yield opened
    opened.close()


def granted(record: Record, person: str, server: str, at: datetime) -> str:
    outcome = claims.admit(record, Claim("hub", person, server, "gpu"), at)
    assert isinstance(outcome, Granted), outcome
    claims.mark_running(record, outcome.allotment.id, at)
    return outcome.allotment.id


def end(record: Record, allotment: str, at: datetime) -> None:
    claims.mark_stopping(record, allotment, "", "ada", at)
    claims.release(record, allotment, "gone", at)


def waiting(record: Record, person: str, server: str, at: datetime = NOW) -> str:
    claim = Claim("hub", person, server, "gpu", wait=True, display_name=server.title())
    outcome = claims.admit(record, claim, at)
    assert isinstance(outcome, Queued), outcome
    return outcome.ticket.id


def looking(record: Record) -> Look:
    """Looks at once, as the pages see it when the look is done."""
    prospects = Prospects(patience=60)

    def look(question: Question) -> Outlook:
        with record.reading() as reading:
            return prospects.find(reading, question, NOW)

    return look


def home(record: Record, person: str = "ada", *, now: datetime = NOW) -> HomeView:
    with record.reading() as reading:
        return home_view(reading, "hub", person, [], now, looking(record))


def launch(record: Record, person: str = "ada") -> LaunchView:
    with record.reading() as reading:
        return launch_view(reading, Claim("hub", person, "", "gpu"), NOW, looking(record))


@pytest.mark.parametrize(
    ("position", "words"),
    [
        (1, "first"),
        (3, "third"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (21, "21st"),
        (102, "102nd"),
        (113, "113th"),
    ],
)
def test_a_place_is_said_as_people_say_it(position: int, words: str) -> None:
    assert nth(position) == words


@pytest.mark.promise("QUEUE-1")
def test_a_full_size_says_when_it_would_start_before_one_joins(record: Record) -> None:
    card = launch(record).card("gpu")

    assert card is not None
    assert card.readiness is Readiness.FULL
    assert card.prospect is not None
    assert card.prospect.half is not None
    assert card.prospect.most is not None
    assert NOW < card.prospect.half <= card.prospect.most


@pytest.mark.promise("QUEUE-1")
def test_a_full_size_says_which_own_server_could_be_stopped_instead(record: Record) -> None:
    card = launch(record).card("gpu")

    assert card is not None
    assert [(way.words, way.prospect.at_once) for way in card.stops] == [("Stop notes", True)]


def test_a_size_that_starts_now_needs_no_look(record: Record) -> None:
    end(record, held(record, "ben"), NOW)
    asked: list[Question] = []

    with record.reading() as reading:
        view = launch_view(reading, Claim("hub", "ada", "", "gpu"), NOW, asked.append)

    assert view.card("gpu").readiness is Readiness.NOW  # type: ignore[union-attr]  # it is there
    assert len(asked) == 1  # for the other size


@pytest.mark.promise("QUEUE-1")
def test_the_row_of_a_waiting_server_says_by_when_and_what_would_be_sooner(record: Record) -> None:
    waiting(record, "ada", "fit")

    row = next(one for one in home(record).servers if one.name == "fit")

    assert row.waiting is not None
    assert row.waiting.half is not None
    assert row.waiting.most is not None
    assert [way.words for way in row.waiting.ways] == ["Stop notes"]


def test_a_row_without_a_look_yet_says_its_place_alone(record: Record) -> None:
    waiting(record, "ada", "fit")

    with record.reading() as reading:
        view = home_view(reading, "hub", "ada", [], NOW)

    row = next(one for one in view.servers if one.name == "fit")
    assert row.waiting is not None
    assert (row.waiting.half, row.waiting.ways) == (None, ())


@pytest.mark.promise("QUEUE-2")
def test_the_home_page_tells_of_a_server_that_waited_and_has_started(record: Record) -> None:
    ticket = waiting(record, "ada", "fit")
    over(record, ticket, TicketState.STARTED, NOW + timedelta(minutes=25))

    (told,) = home(record, now=NOW + PAST).waits_over

    assert told.words == "Your server Fit has started. It waited 25 minutes."


@pytest.mark.promise("QUEUE-2", "QUEUE-6")
def test_the_home_page_tells_who_took_a_server_out_of_the_queue_and_why(record: Record) -> None:
    ticket = waiting(record, "ada", "fit")
    with record.writing("olga", NOW) as writing:
        tickets.cancel(writing, ticket, "dgx-2 is repaired.")

    (told,) = home(record).waits_over

    assert told.words == "olga took your server Fit out of the queue: dgx-2 is repaired."


@pytest.mark.promise("QUEUE-2")
def test_the_home_page_tells_why_a_server_was_not_started_when_its_turn_came(
    record: Record,
) -> None:
    ticket = waiting(record, "ada", "fit")
    over(record, ticket, TicketState.REFUSED, NOW, "You hold 2 devices and may hold 2.")

    (told,) = home(record).waits_over

    assert told.words == (
        "Your server Fit was not started when its turn came: You hold 2 devices and may hold 2."
    )


def test_nobody_is_told_what_they_did_themselves_nor_what_is_long_over(record: Record) -> None:
    mine = waiting(record, "ada", "fit")
    with record.writing("ada", NOW) as writing:
        tickets.cancel(writing, mine)
    old = waiting(record, "ada", "again")
    over(record, old, TicketState.STARTED, NOW)

    assert home(record, now=NOW + timedelta(days=2)).waits_over == ()


@pytest.mark.promise("IDLE-4")
def test_a_row_says_how_long_its_server_may_be_left_alone_and_who_asked_for_it(
    record: Record,
) -> None:
    before, *_ = home(record).servers
    with record.writing("ada", NOW) as writing:
        (mine,) = allotments.active(writing, person="ada")
        extending.leave_alone(writing, mine, NOW + PAST, "Training")

    after, *_ = home(record).servers

    assert before.keep is not None
    assert (before.keep.most, before.keep.until) == (12 * 3600, None)
    assert after.keep is not None
    assert (after.keep.until, after.keep.said_by, after.keep.note) == (
        NOW + PAST,
        "ada",
        "Training",
    )
    later, *_ = home(record, now=NOW + 2 * PAST).servers
    assert later.keep is not None
    assert later.keep.until is None


def test_a_page_is_drawn_again_when_a_place_changes_though_nothing_happened(record: Record) -> None:
    ticket = waiting(record, "ada", "fit")

    before = state(record)
    with record.writing("queue", NOW, configuration=False) as writing:
        known = tickets.get(writing, ticket)
        assert known.waits_for is not None
        tickets.note(writing, [tickets.Said(ticket, 7, replace(known.waits_for, used=1))])

    assert state(record) != before
    assert state(record, "ben") == state(record, "cy")


@pytest.mark.usefixtures("record")
def test_what_is_not_known_is_looked_up_meanwhile_and_the_page_learns_of_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/record.sqlite"
    asking = AsyncRecord(url)
    foreseen = Foreseen(asking, Prospects(patience=60))
    question = Question("hub", "ada", "fit", "vision")

    assert foreseen.look(question) is None
    asking.close()  # waits for what is under way

    found = foreseen.look(question)
    assert found is not None
    assert found.ways["gpu"]
    assert foreseen.version == 1


def held(record: Record, person: str) -> str:
    with record.reading() as reading:
        return allotments.active(reading, person=person)[0].id


def over(record: Record, ticket: str, how: TicketState, at: datetime, why: str = "") -> None:
    with record.writing("queue", at) as writing:
        known = tickets.lock(writing, ticket)
        assert known is not None
        tickets.end(writing, known, how, why)


def state(record: Record, person: str = "ada") -> str:
    with record.reading() as reading:
        return place_state(reading, "hub", person)
