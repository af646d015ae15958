"""The step of the control plane: offers, reclaims and what is told, with a hub that is played."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from allotment.model.claims import Queued
from allotment.model.endings import Cause
from allotment.model.groups import Share
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.reasons import Rule
from allotment.model.sharing import PoolPolicy
from allotment.model.tickets import Ticket, TicketState
from allotment.record import endings, estimates, events, groups, limits, pools, tickets
from allotment.work.queueing import Queueing


class Hub:
    """Starts what it is asked to, in so far as it says so."""

    def __init__(self) -> None:
        self.started: list[tuple[str, str, Any]] = []

    def start_server(
        self, person: str, name: str, options: Any = None, *, display_name: str = ""
    ) -> None:
        assert display_name == ""
        self.started.append((person, name, options))


@pytest.fixture
def lending(world: Any) -> Any:
    """Two devices, one guaranteed to each group; ann of vision borrows the other one."""
    world.devices(2)
    world.pool("a100", ["gpu-0", "gpu-1"])
    with world.write() as writing:
        pools.set_policy(writing, "a100", PoolPolicy(sharing=True))
        for name in ("vision", "nlp"):
            groups.create(writing, name, wanted=[Share(name, "a100", 1, 2)])
    world.people("ann", group="vision")
    world.people("mei", group="nlp")
    world.profile("gpu", devices=1)
    world.profile("low", devices=1, priority="low")
    world.own = world.granted("ann", "low", "own")
    world.borrowed = world.granted("ann", "low", "borrowed")
    return world


@pytest.fixture
def queueing(lending: Any) -> Any:
    step = Queueing(lending.record, Hub(), "hub")  # type: ignore[arg-type] # as much of a hub as is asked
    yield step
    step.close()


def wait(world: Any, person: str = "mei", profile: str = "gpu") -> Ticket:
    outcome = world.claim(person, profile, "fit", wait=True)
    assert isinstance(outcome, Queued), outcome
    return outcome.ticket


def announced(world: Any) -> set[str]:
    with world.record.reading() as reading:
        return {
            key
            for key, some in endings.open_endings(reading).items()
            if some[0].cause is Cause.RECLAIM
        }


@pytest.mark.promise("QUEUE-4", "QUEUE-5")
def test_who_is_guaranteed_a_device_gets_it_back_from_a_borrower_with_notice(
    lending: Any, queueing: Any
) -> None:
    ticket = wait(lending)
    queueing.round(lending.later(seconds=1))
    told = announced(lending)
    assert len(told) == 1
    assert told <= {lending.own, lending.borrowed}
    with lending.record.reading() as reading:
        (ending,) = endings.of_allotment(reading, next(iter(told)))
    policy = PoolPolicy()
    assert ending.stop_at >= lending.now + policy.grace
    lending.end(next(iter(told)))
    queueing.round(lending.later(seconds=1))
    with lending.record.reading() as reading:
        assert tickets.get(reading, ticket.id).state is TicketState.OFFERED


def test_an_announcement_is_taken_back_when_nobody_waits_for_it_any_more(
    lending: Any, queueing: Any
) -> None:
    ticket = wait(lending)
    queueing.round(lending.later(seconds=1))
    assert announced(lending)
    with lending.write() as writing:
        tickets.cancel(writing, ticket.id)
    queueing.round(lending.later(seconds=1))
    assert announced(lending) == set()


@pytest.mark.promise("QUEUE-4")
def test_only_as_many_give_back_as_somebody_still_waits_for(world: Any) -> None:
    world.devices(4)
    world.pool("a100", [f"gpu-{number}" for number in range(4)])
    with world.write() as writing:
        pools.set_policy(writing, "a100", PoolPolicy(sharing=True))
        for name, guaranteed in (("vision", 2), ("nlp", 2)):
            groups.create(writing, name, wanted=[Share(name, "a100", guaranteed, 4)])
    world.people("ann", group="vision")
    world.people("mei", "rui", group="nlp")
    world.profile("gpu", devices=1)
    world.profile("low", devices=1, priority="low")
    for server in ("a", "b", "c", "d"):
        world.granted("ann", "low", server)
    step = Queueing(world.record, Hub(), "hub")  # type: ignore[arg-type] # as much of a hub as is asked
    kept, gone = wait(world, "mei"), wait(world, "rui")
    step.round(world.later(seconds=1))
    assert len(announced(world)) == 2

    with world.write() as writing:
        tickets.cancel(writing, gone.id)
    step.round(world.later(seconds=1))

    assert len(announced(world)) == 1
    assert now(world, kept).state is TicketState.WAITING
    step.close()


@pytest.mark.promise("QUEUE-1")
def test_a_ticket_is_told_its_place_and_why(lending: Any, queueing: Any) -> None:
    ticket = wait(lending)
    queueing.round(lending.later(seconds=1))
    with lending.record.reading() as reading:
        known = tickets.get(reading, ticket.id)
    assert known.position == 1
    assert known.waits_for is not None
    assert known.waits_for.message


@pytest.mark.promise("QUEUE-1")
def test_what_was_told_first_is_kept_and_scored(lending: Any, queueing: Any) -> None:
    for number in range(12):
        key = lending.borrowed if not number else lending.granted("ann", "low", "more")
        lending.later(hours=1)
        lending.end(key)
    lending.granted("ann", "low", "again")
    ticket = wait(lending)
    queueing.round(lending.later(seconds=1))
    queueing.settle()
    with lending.record.reading() as reading:
        told = estimates.latest(reading, [ticket.id])[ticket.id]
        assert estimates.calibration(reading, ticket.since).told == 0
    assert told.most is not None
    assert told.half is not None
    assert told.half <= told.most
    for key in announced(lending):
        lending.end(key)
    queueing.round(lending.later(seconds=30))
    with lending.record.reading() as reading:
        scored = estimates.calibration(reading, ticket.since)
    assert (scored.told, scored.most_held) == (1, 1)


@pytest.mark.promise("QUEUE-2")
def test_a_release_is_answered_at_once(lending: Any, queueing: Any) -> None:
    ticket = wait(lending)
    queueing.round(lending.later(seconds=1))
    following = threading.Thread(target=lambda: queueing.follow(lending.now))

    following.start()
    lending.end(lending.borrowed)
    following.join(60)
    queueing.follow(lending.now)  # where the first was woken by the stop, before the release

    with lending.record.reading() as reading:
        assert tickets.get(reading, ticket.id).state is TicketState.OFFERED


@pytest.fixture
def limited(lending: Any) -> Any:
    """Mei may hold one device, holds it, and waits for another, as rui of her group does after her."""
    lending.people("rui", group="nlp")
    lending.end(lending.own)
    lending.mine = lending.granted("mei", "low", "mine")
    lending.ticket, lending.later_one = wait(lending, "mei", "low"), wait(lending, "rui", "low")
    with lending.write() as writing:
        limits.put(writing, LimitScope.PERSON, "mei", LimitKind.DEVICES, 1)
    return lending


def now(world: Any, ticket: Ticket) -> Ticket:
    with world.record.reading() as reading:
        return tickets.get(reading, ticket.id)


@pytest.mark.promise("LIMIT-1", "QUEUE-1")
def test_who_is_over_a_limit_of_their_own_at_their_turn_stands_aside_and_others_pass(
    limited: Any, queueing: Any
) -> None:
    limited.end(limited.borrowed)
    queueing.round(limited.later(seconds=1))
    queueing.round(limited.later(seconds=1))

    aside = now(limited, limited.ticket)
    assert (aside.state, aside.aside_at is None, aside.position) == (
        TicketState.WAITING,
        False,
        None,
    )
    assert aside.waits_for is not None
    assert aside.waits_for.rule is Rule.LIMIT_DEVICES
    assert "Stop a server" in aside.waits_for.remedy
    assert now(limited, limited.later_one).state is TicketState.OFFERED


@pytest.mark.promise("LIMIT-1", "QUEUE-2")
def test_who_stands_aside_is_back_in_their_place_when_the_limit_allows(
    limited: Any, queueing: Any
) -> None:
    limited.end(limited.borrowed)
    for _ in range(2):
        queueing.round(limited.later(seconds=1))

    limited.end(limited.mine)
    queueing.round(limited.later(seconds=1))

    back = now(limited, limited.ticket)
    assert (back.state, back.aside_at) == (TicketState.OFFERED, None)


def test_nothing_is_written_of_those_who_stand_aside_while_nothing_changes_for_them(
    limited: Any, queueing: Any
) -> None:
    limited.end(limited.borrowed)
    for _ in range(3):
        queueing.round(limited.later(seconds=1))
    with limited.record.reading() as reading:
        before = events.latest_sequence(reading)
    for _ in range(3):
        queueing.round(limited.later(minutes=1))
    with limited.record.reading() as reading:
        assert events.latest_sequence(reading) == before


def test_a_limit_below_the_size_ends_the_ticket(limited: Any, queueing: Any) -> None:
    with limited.write() as writing:
        limits.put(writing, LimitScope.PERSON, "mei", LimitKind.DEVICES, 0)
    limited.end(limited.borrowed)
    queueing.round(limited.later(seconds=1))

    ended = now(limited, limited.ticket)
    assert ended.state is TicketState.REFUSED
    assert "may hold 0" in ended.end_reason


def test_a_round_where_nobody_waits_writes_nothing(lending: Any, queueing: Any) -> None:
    queueing.round(lending.later(seconds=1))
    with lending.record.reading() as reading:
        before = reading.driver("SELECT value FROM counters WHERE name = 'event'", {}).scalar()
    assert queueing.round(lending.later(seconds=1)) == ""
    with lending.record.reading() as reading:
        after = reading.driver("SELECT value FROM counters WHERE name = 'event'", {}).scalar()
    assert after == before
