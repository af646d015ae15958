"""Announced ends of servers, on both stores."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from allotment.model.allotments import Allotment, State
from allotment.model.endings import Cause, Ending, Keep
from allotment.model.refusals import NotFound, Refusal
from allotment.record import allotments, claims, endings, events, extending

MESSAGE = "Nothing ran in it for 60 minutes."


@pytest.fixture
def running(lab: Any) -> str:
    """A running server of ann's."""
    allotment: str = lab.granted("ann", "gpu", "train")
    claims.mark_running(lab.record, allotment, lab.later(seconds=1))
    return allotment


def said(lab: Any, allotment: str, cause: Cause = Cause.IDLE, **after: float) -> Ending:
    with lab.write("endings") as writing:
        stop_at = writing.now + timedelta(**(after or {"minutes": 15}))
        return endings.say(writing, allotment, cause, stop_at, MESSAGE)


def read(lab: Any, allotment: str) -> Allotment:
    with lab.record.reading() as reading:
        return allotments.get(reading, allotment)


def open_now(lab: Any, allotment: str) -> tuple[Ending, ...]:
    with lab.record.reading() as reading:
        return endings.of_allotment(reading, allotment)


def carry_out(lab: Any, ending: Ending) -> bool:
    with lab.write("endings") as writing:
        return endings.done(writing, ending)


@pytest.mark.promise("IDLE-2")
def test_an_end_that_is_said_twice_is_said_once(lab: Any, running: str) -> None:
    first = said(lab, running)
    second = said(lab, running, minutes=90)
    assert second == first
    assert open_now(lab, running) == (first,)


def test_two_causes_are_told_side_by_side_earliest_first(lab: Any, running: str) -> None:
    idle = said(lab, running, Cause.IDLE, minutes=15)
    lifetime = said(lab, running, Cause.LIFETIME, minutes=5)
    assert open_now(lab, running) == (lifetime, idle)


def test_many_who_say_the_same_at_once_say_it_once(lab: Any, running: str) -> None:
    together = threading.Barrier(6)
    now = lab.later(seconds=1)

    def announce(_: int) -> str:
        together.wait()
        with lab.record.writing("endings", now) as writing:
            stop_at = now + timedelta(minutes=5)
            return endings.say(writing, running, Cause.RECLAIM, stop_at, MESSAGE).id

    with ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(announce, range(6)))) == 1


@pytest.mark.promise("IDLE-2")
def test_nothing_is_carried_out_before_its_time(lab: Any, running: str) -> None:
    ending = said(lab, running, minutes=15)
    assert carry_out(lab, ending) is False
    assert read(lab, running).state is State.RUNNING


@pytest.mark.promise("IDLE-2")
def test_what_is_due_stops_its_server_and_keeps_why(lab: Any, running: str) -> None:
    said(lab, running, minutes=15)
    lab.later(minutes=20)
    with lab.record.reading() as reading:
        (ending,) = endings.due(reading, lab.now, hub="hub")
    assert carry_out(lab, ending) is True
    stopped = read(lab, running)
    assert (stopped.state, stopped.stop_cause) == (State.STOPPING, "idle")
    assert (stopped.stop_reason, stopped.stopped_by) == (MESSAGE, "endings")


def test_what_was_carried_out_is_not_carried_out_again(lab: Any, running: str) -> None:
    ending = said(lab, running, minutes=1)
    lab.later(minutes=2)
    assert carry_out(lab, ending) is True
    assert carry_out(lab, ending) is False
    assert open_now(lab, running) == ()


def test_another_hubs_endings_are_its_own_to_carry_out(lab: Any, running: str) -> None:
    said(lab, running, minutes=1)
    lab.later(minutes=2)
    with lab.record.reading() as reading:
        assert endings.due(reading, lab.now, hub="another") == ()
        assert endings.open_endings(reading, hub="another") == {}
        assert set(endings.open_endings(reading, hub="hub")) == {running}


@pytest.mark.promise("IDLE-2")
def test_an_end_that_was_put_off_does_not_come_at_its_old_time(lab: Any, running: str) -> None:
    ending = said(lab, running, minutes=15)
    with lab.write("ann") as writing:
        later = endings.extend(writing, ending, ending.stop_at + timedelta(hours=1))
    lab.later(minutes=20)
    assert carry_out(lab, ending) is False
    assert (later.extended, later.stop_at) == (1, ending.stop_at + timedelta(hours=1))
    assert open_now(lab, running) == (later,)


def test_an_end_that_is_over_cannot_be_put_off(lab: Any, running: str) -> None:
    ending = said(lab, running)
    with lab.write("endings") as writing:
        endings.withdraw(writing, running, Cause.IDLE)
    with pytest.raises(NotFound), lab.write("ann") as writing:
        endings.extend(writing, ending, ending.stop_at + timedelta(hours=1))


@pytest.mark.promise("IDLE-2")
def test_an_end_that_was_taken_back_never_comes_and_may_be_said_anew(
    lab: Any, running: str
) -> None:
    first = said(lab, running, minutes=1)
    with lab.write("endings") as writing:
        assert endings.withdraw(writing, running, Cause.IDLE, "Somebody works again.") is True
    with lab.write("endings") as writing:
        assert endings.withdraw(writing, running, Cause.IDLE) is False
    lab.later(minutes=5)
    assert carry_out(lab, first) is False
    assert said(lab, running).id != first.id


def test_of_a_server_that_has_ended_nothing_is_open(lab: Any, running: str) -> None:
    said(lab, running)
    lab.end(running)
    assert open_now(lab, running) == ()
    with lab.write("endings") as writing:
        assert endings.close_ended(writing, hub="hub") == 1
        assert endings.close_ended(writing, hub="hub") == 0


def test_an_end_of_a_server_that_has_ended_cannot_be_said(lab: Any, running: str) -> None:
    lab.end(running)
    with pytest.raises(NotFound, match="running server"):
        said(lab, running)


@pytest.mark.promise("QUEUE-4")
def test_a_reclaim_marks_the_allotment_until_it_is_taken_back(lab: Any, running: str) -> None:
    ending = said(lab, running, Cause.RECLAIM, minutes=5)
    assert read(lab, running).reclaim_at == ending.stop_at
    with lab.write("queue") as writing:
        endings.withdraw(writing, running, Cause.RECLAIM)
    assert read(lab, running).reclaim_at is None


@pytest.mark.promise("OPS-2")
def test_every_word_about_an_end_is_an_event_that_concerns_its_person(
    lab: Any, running: str
) -> None:
    ending = said(lab, running, minutes=1)
    with lab.write("ann") as writing:
        endings.extend(writing, ending, ending.stop_at + timedelta(minutes=1))
    with lab.write("endings") as writing:
        endings.withdraw(writing, running, Cause.IDLE, "Somebody works again.")
    with lab.record.reading() as reading:
        found = events.after(reading, 0, person="ann")
    told = [(one.kind, one.actor) for one in found if one.kind.startswith("ending.")]
    assert told == [
        ("ending.said", "endings"),
        ("ending.extended", "ann"),
        ("ending.withdrawn", "endings"),
    ]


@pytest.mark.promise("IDLE-2")
def test_a_persons_endings_are_found_whatever_became_of_them(lab: Any, running: str) -> None:
    since = lab.now
    ending = said(lab, running, minutes=1)
    lab.later(minutes=2)
    carry_out(lab, ending)
    with lab.record.reading() as reading:
        (found,) = endings.of_person(reading, "ann", since=since)
        assert endings.of_person(reading, "bob", since=since) == ()
    assert found.done_at is not None


def put_off(lab: Any, allotment: str) -> tuple[Ending, ...]:
    with lab.write("ann") as writing:
        return extending.extend(writing, allotments.get(writing, allotment))


@pytest.mark.promise("IDLE-2")
def test_an_end_is_put_off_by_as_much_and_as_often_as_the_profile_says(lab: Any) -> None:
    lab.profile("short", devices=1, extend={"by": "30m", "times": 2})
    allotment = lab.granted("ann", "short", "train")
    first = said(lab, allotment)
    (once,) = put_off(lab, allotment)
    (twice,) = put_off(lab, allotment)
    assert twice.stop_at - first.stop_at == timedelta(hours=1)
    with pytest.raises(Refusal, match="put off 2 times already"):
        put_off(lab, allotment)
    assert open_now(lab, allotment) == (twice,)
    assert once.extended == 1


@pytest.mark.promise("IDLE-2", "QUEUE-4")
def test_a_reclaim_is_not_put_off_and_other_ends_beside_it_are(lab: Any, running: str) -> None:
    reclaim = said(lab, running, Cause.RECLAIM, minutes=5)
    with pytest.raises(Refusal, match="go back to the group"):
        put_off(lab, running)
    said(lab, running, Cause.IDLE, minutes=15)
    (idle,) = put_off(lab, running)
    assert (idle.cause, idle.extended) == (Cause.IDLE, 1)
    assert open_now(lab, running)[0] == reclaim


@pytest.mark.promise("IDLE-4")
def test_a_later_word_about_leaving_a_server_alone_replaces_the_earlier(
    lab: Any, running: str
) -> None:
    def keep(hours: float) -> Keep:
        with lab.write("ann") as writing:
            one = allotments.get(writing, running)
            return extending.leave_alone(writing, one, writing.now + timedelta(hours=hours), "job")

    keep(1)
    second = keep(2)
    with lab.record.reading() as reading:
        assert extending.keeps_of(reading, hub="hub") == {running: second}
    with pytest.raises(Refusal, match="12 hours at most"):
        keep(12.1)
    lab.end(running)
    with lab.record.reading() as reading:
        assert extending.keeps_of(reading) == {}
    with pytest.raises(NotFound):
        keep(1)


def test_who_stopped_a_server_and_that_a_person_did_is_kept(lab: Any, running: str) -> None:
    claims.mark_stopping(
        lab.record, running, "Maintenance.", "olga", lab.later(seconds=1), cause=Cause.STOPPED
    )
    stopped = read(lab, running)
    assert (stopped.stopped_by, stopped.stop_cause) == ("olga", "stopped")
