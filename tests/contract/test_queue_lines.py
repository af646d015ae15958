"""Following the record: lines that are kept in memory, and waiting for a change, on both stores."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from allotment.model.claims import Queued
from allotment.model.groups import Share
from allotment.model.sharing import PoolPolicy
from allotment.model.tickets import Ticket
from allotment.record import events, groups, open_record, pools, queue_facts, tickets
from allotment.record.changes import Watch
from allotment.record.offers import Place, offer
from allotment.record.queue_lines import Lines
from allotment.rules.queue_line import arrival


@pytest.fixture
def crowded(lab: Any) -> Any:
    """Ann holds both devices of the pool, and bob waits with three servers."""
    lab.holder = lab.granted("ann", "two-gpu", "training")
    lab.tickets = [wait(lab, f"s{number}") for number in range(3)]
    return lab


def wait(world: Any, server: str, person: str = "bob") -> Ticket:
    outcome = world.claim(person, "gpu", server, wait=True)
    assert isinstance(outcome, Queued), outcome
    return outcome.ticket


def kept(world: Any, lines: Lines) -> dict[Any, list[Any]]:
    """Who waits by the lines that were kept."""
    with world.record.reading() as reading:
        lined = lines.read(reading, world.now, queue_facts.unknown)
        assert lined.sequence == events.latest_sequence(reading)
    return {key: sorted(line, key=arrival) for key, line in lined.lines.items()}


def anew(world: Any) -> dict[Any, list[Any]]:
    """Who waits, read from the record as a whole."""
    with world.record.reading() as reading:
        queue = queue_facts.read(reading, world.now)
    return {key: sorted(line, key=arrival) for key, line in queue.waiting.items()}


def ends(world: Any) -> None:
    world.end(world.holder)


def cancels(world: Any) -> None:
    with world.write() as writing:
        tickets.cancel(writing, world.tickets[1].id)


def cancels_all(world: Any) -> None:
    with world.write() as writing:
        for ticket in world.tickets:
            tickets.cancel(writing, ticket.id)


def moves(world: Any) -> None:
    with world.write() as writing:
        tickets.move(writing, world.tickets[2].id, 1)


def offers(world: Any) -> None:
    ends(world)
    offer(world.record, world.tickets[0].id, Place("a100", "A100", "n1"), world.later(seconds=1))


def joins(world: Any) -> None:
    wait(world, "s9", "ann")


def shares_anew(world: Any) -> None:
    with world.write() as writing:
        groups.create(writing, "nlp", wanted=[Share("nlp", "a100", 0, 1)])


def lends(world: Any) -> None:
    with world.write() as writing:
        pools.set_policy(writing, "a100", PoolPolicy(sharing=True))


@pytest.mark.parametrize(
    "change", [ends, cancels, cancels_all, moves, offers, joins, shares_anew, lends]
)
def test_lines_that_are_kept_are_those_that_would_be_read(crowded: Any, change: Any) -> None:
    lines = Lines()
    assert kept(crowded, lines) == anew(crowded)

    change(crowded)

    assert kept(crowded, lines) == anew(crowded)
    assert kept(crowded, lines) == anew(crowded)


def test_a_change_of_expectations_is_taken_over(crowded: Any) -> None:
    lines = Lines()
    kept(crowded, lines)
    with crowded.record.reading() as reading:
        lined = lines.read(reading, crowded.now, lambda *_: 60.0)
    assert {claim.expected for line in lined.lines.values() for claim in line} == {60.0}


def test_who_waits_for_a_change_is_woken_by_another_process(lab: Any, record_url: str) -> None:
    watch = Watch(lab.record)
    with lab.record.reading() as reading:
        before = events.latest_sequence(reading)
    woken: list[bool] = []
    waiting = threading.Thread(target=lambda: woken.append(watch.wait(before, 60)))
    waiting.start()

    other = open_record(record_url)
    with other.writing("operator", lab.now) as writing:
        pools.set_policy(writing, "a100", PoolPolicy(sharing=True))
    other.close()

    waiting.join(60)
    assert woken == [True]


def test_waiting_for_a_change_ends_with_time_or_by_a_word(lab: Any) -> None:
    watch = Watch(lab.record)
    with lab.record.reading() as reading:
        latest = events.latest_sequence(reading)
    assert watch.wait(latest - 1, 60)
    assert not watch.wait(latest, 0)
    watch.end()
    assert not watch.wait(latest, 60)
