"""Waiting: tickets are made, offered, taken once, expired, cancelled and moved, on both stores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from allotment.model.allotments import State
from allotment.model.claims import Claim, Granted, Queued, Refused, Waits
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.reasons import Rule
from allotment.model.refusals import NotFound, Refusal
from allotment.model.sharing import OFFER_LASTS
from allotment.model.tickets import MOST_TICKETS, Ticket, TicketState
from allotment.record import (
    allotments,
    events,
    limits,
    offers,
    people,
    profiles,
    queue_facts,
    tickets,
)
from allotment.record.offers import Place

HERE = Place("a100", "A100", "n1")


@pytest.fixture
def full(lab: Any) -> Any:
    """Ann holds both devices."""
    lab.holder = lab.granted("ann", "two-gpu", "training")
    return lab


def wait(world: Any, person: str = "bob", profile: str = "gpu", server: str = "") -> Ticket:
    outcome = world.claim(person, profile, server, wait=True)
    assert isinstance(outcome, Queued), outcome
    return outcome.ticket


def now(world: Any, ticket: Ticket) -> Ticket:
    with world.record.reading() as reading:
        return tickets.get(reading, ticket.id)


def offered(world: Any, ticket: Ticket) -> str:
    outcome = offers.offer(world.record, ticket.id, HERE, world.later(seconds=1))
    assert isinstance(outcome, Granted), outcome
    return outcome.allotment.id


def take(world: Any, ticket: str, person: str = "bob", server: str = "", hub: str = "hub") -> Any:
    claim = Claim(hub, person, server, "", token_hash="t" * 64)
    return offers.take_offer(world.record, claim, ticket, world.later(seconds=1))[0]


@pytest.mark.promise("QUEUE-1")
def test_a_claim_that_agrees_to_wait_gets_a_ticket_and_the_reasons(full: Any) -> None:
    outcome = full.claim("bob", "gpu", "fit", wait=True, display_name="Fit", note="sweep 7")
    assert isinstance(outcome, Queued)
    ticket = outcome.ticket
    assert (ticket.person, ticket.server, ticket.profile, ticket.group) == (
        *("bob", "fit", "gpu"),
        "vision",
    )
    assert (ticket.candidates, ticket.devices, ticket.display_name) == (
        (("a100", "A100"),),
        1,
        "Fit",
    )
    assert [reason.rule for reason in outcome.reasons] == [Rule.SHARE_GUARANTEE]
    assert now(full, ticket) == ticket


def test_a_claim_that_does_not_agree_is_refused_as_before_and_nobody_waits(full: Any) -> None:
    assert isinstance(full.claim("bob", "gpu"), Waits)
    with full.record.reading() as reading:
        assert tickets.live(reading) == ()


def test_a_claim_that_can_start_starts_though_it_agreed_to_wait(lab: Any) -> None:
    assert isinstance(lab.claim("bob", "gpu", wait=True), Granted)


def test_nobody_waits_for_what_breaks_other_rules(full: Any) -> None:
    with full.write() as writing:
        limits.put(writing, LimitScope.PERSON, "bob", LimitKind.DEVICES, 0)
    assert isinstance(full.claim("bob", "gpu", wait=True), Refused)


def test_a_server_that_waits_cannot_be_launched_again(full: Any) -> None:
    wait(full)
    outcome = full.claim("bob", "gpu", wait=True)
    assert isinstance(outcome, Refused)
    assert [reason.rule for reason in outcome.reasons if reason.rule is Rule.SERVER_NAME]


def test_a_person_waits_with_so_many_servers_at_most(full: Any) -> None:
    for number in range(MOST_TICKETS):
        wait(full, server=f"s{number}")
    outcome = full.claim("bob", "gpu", "more", wait=True)
    assert isinstance(outcome, Refused)
    assert (outcome.reasons[0].rule, outcome.reasons[0].limit) == (Rule.QUEUE_TICKETS, MOST_TICKETS)


@pytest.mark.promise("QUEUE-3")
def test_whoever_comes_later_does_not_pass_those_who_wait(full: Any) -> None:
    ticket = wait(full, profile="two-gpu")
    full.end(full.holder)
    late = full.claim("ann", "gpu", "late")
    assert isinstance(late, Waits)
    (reason,) = late.reasons
    assert (reason.rule, reason.used) == (Rule.QUEUE_TURN, 1)
    assert offered(full, ticket)


def test_the_turn_of_a_claim_that_is_first_is_now(full: Any) -> None:
    wait(full, profile="two-gpu")
    full.end(full.holder)
    full.people("max", group="vision")
    with full.write() as writing:
        (ticket,) = tickets.live(writing)
        tickets.cancel(writing, ticket.id)
    assert isinstance(full.claim("max", "gpu"), Granted)


@pytest.mark.promise("QUEUE-2")
def test_what_is_offered_is_held_and_taken_by_its_server_once(full: Any) -> None:
    ticket = wait(full)
    full.end(full.holder)
    key = offered(full, ticket)
    assert (now(full, ticket).state, full.free("a100")) == (TicketState.OFFERED, 1)
    taken = take(full, ticket.id)
    assert isinstance(taken, Granted)
    assert (taken.allotment.id, taken.allotment.state) == (key, State.STARTING)
    with full.record.reading() as reading:
        found = allotments.of_token(reading, "t" * 64)
    assert found is not None
    assert found.id == key
    again = take(full, ticket.id)
    assert isinstance(again, Refused)
    assert again.reasons[0].rule is Rule.QUEUE_TICKET
    assert full.sound()


@pytest.mark.parametrize(
    "somebody", [("ann", "", "hub"), ("bob", "other", "hub"), ("bob", "", "south")]
)
def test_a_ticket_is_bound_to_its_person_server_and_hub(
    full: Any, somebody: tuple[str, str, str]
) -> None:
    ticket = wait(full)
    full.end(full.holder)
    offered(full, ticket)
    outcome = take(full, ticket.id, *somebody)
    assert isinstance(outcome, Refused)
    assert now(full, ticket).state is TicketState.OFFERED


def test_a_ticket_is_not_taken_before_its_turn(full: Any) -> None:
    ticket = wait(full)
    outcome = take(full, ticket.id)
    assert isinstance(outcome, Refused)
    assert now(full, ticket).state is TicketState.WAITING


def test_an_offer_that_finds_no_room_lets_the_ticket_wait_on(full: Any) -> None:
    ticket = wait(full)
    assert isinstance(offers.offer(full.record, ticket.id, HERE, full.later(seconds=1)), Waits)
    assert now(full, ticket).state is TicketState.WAITING


def test_every_rule_is_asked_again_when_the_turn_comes(full: Any) -> None:
    ticket = wait(full)
    full.end(full.holder)
    with full.write() as writing:
        limits.put(writing, LimitScope.PERSON, "bob", LimitKind.DEVICES, 0)
    assert isinstance(offers.offer(full.record, ticket.id, HERE, full.later(seconds=1)), Refused)
    ended = now(full, ticket)
    assert ended.state is TicketState.REFUSED
    assert "hold 0" in ended.end_reason


@pytest.mark.promise("PROFILE-5")
def test_a_profile_that_was_disabled_after_the_offer_does_not_start(full: Any) -> None:
    ticket = wait(full)
    full.end(full.holder)
    offered(full, ticket)
    with full.write() as writing:
        profiles.set_enabled(writing, "gpu", enabled=False)
    assert isinstance(take(full, ticket.id), Refused)
    assert (now(full, ticket).state, full.free("a100")) == (TicketState.REFUSED, 2)


@pytest.mark.promise("QUEUE-2")
def test_what_is_not_taken_in_time_is_the_next_ones(full: Any) -> None:
    first, second = wait(full, profile="two-gpu"), wait(full, "bob", "two-gpu", "second")
    full.end(full.holder)
    offered(full, first)
    full.later(seconds=OFFER_LASTS.total_seconds() - 5)
    assert offers.expire_offers(full.record, full.now) == ()
    assert offers.expire_offers(full.record, full.later(seconds=10)) == (first.id,)
    assert isinstance(take(full, first.id), Refused)
    assert offered(full, second)
    assert full.sound()


@pytest.mark.promise("QUEUE-6")
def test_a_cancelled_ticket_gives_back_what_was_offered(full: Any) -> None:
    ticket = wait(full)
    full.end(full.holder)
    offered(full, ticket)
    with full.write("olga") as writing:
        cancelled = tickets.cancel(writing, ticket.id, "the node is repaired")
    assert (cancelled.state, cancelled.end_reason) == (
        TicketState.CANCELLED,
        "the node is repaired",
    )
    assert full.free("a100") == 2
    with pytest.raises(Refusal), full.write() as writing:
        tickets.cancel(writing, ticket.id)
    assert full.sound()


def test_a_ticket_whose_server_started_is_not_cancelled(full: Any) -> None:
    ticket = wait(full)
    full.end(full.holder)
    offered(full, ticket)
    take(full, ticket.id)
    with pytest.raises(Refusal, match="Stop its server"), full.write() as writing:
        tickets.cancel(writing, ticket.id)


@pytest.mark.promise("QUEUE-6")
def test_an_operator_moves_a_ticket_and_it_is_an_event(full: Any) -> None:
    ticket = wait(full)
    with full.write("olga") as writing:
        assert tickets.move(writing, ticket.id, 1).moved == 1
    with full.record.reading() as reading:
        event = events.after(reading, 0, 1000)[-1]
    assert (event.kind, event.actor, event.person) == ("ticket.moved", "olga", "bob")
    with pytest.raises(NotFound), full.write() as writing:
        tickets.move(writing, "nothing", 1)


@pytest.mark.promise("QUEUE-7")
def test_every_wait_is_data_with_its_reasons(full: Any) -> None:
    ticket = wait(full)
    with full.record.reading() as reading:
        event = events.after(reading, 0, 1000)[-1]
    assert (event.kind, event.subject) == ("ticket.made", ticket.id)
    assert [reason["rule"] for reason in event.after["reasons"]] == [Rule.SHARE_GUARANTEE]


def test_two_who_offer_at_once_make_one_offer(full: Any) -> None:
    ticket = wait(full)
    full.end(full.holder)
    at = full.later(seconds=1)
    with ThreadPoolExecutor(4) as threads:
        outcomes = list(
            threads.map(lambda _: offers.offer(full.record, ticket.id, HERE, at), range(4))
        )
    assert sum(isinstance(outcome, Granted) for outcome in outcomes) == 1
    assert full.free("a100") == 1
    assert full.sound()


def test_two_who_take_at_once_start_one_server(full: Any) -> None:
    ticket = wait(full)
    full.end(full.holder)
    offered(full, ticket)
    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(lambda _: take(full, ticket.id), range(4)))
    assert sum(isinstance(outcome, Granted) for outcome in outcomes) == 1


def test_a_forgotten_servers_ticket_goes_with_it(full: Any) -> None:
    ticket = wait(full, server="fit")
    with full.write("bob") as writing:
        assert tickets.cancel_of_server(writing, "hub", "bob", "fit", "It was deleted.")
        assert not tickets.cancel_of_server(writing, "hub", "bob", "fit", "It was deleted.")
    assert now(full, ticket).state is TicketState.CANCELLED


def test_what_the_queue_said_last_is_kept_for_pages(full: Any) -> None:
    ticket = wait(full)
    said = tickets.Said(ticket.id, 3, full.claim("ann", "gpu", "x").reasons[0])
    with full.write() as writing:
        tickets.note(writing, [said])
    kept = now(full, ticket)
    assert (kept.position, kept.waits_for) == (3, said.reason)


def test_ended_tickets_are_listed_newest_first(full: Any) -> None:
    first, second = wait(full, server="a"), wait(full, server="b")
    with full.write() as writing:
        tickets.cancel(writing, first.id)
        tickets.cancel(writing, second.id)
    with full.record.reading() as reading:
        found = tickets.ended(reading, since=full.now - timedelta(hours=1), person="bob")
    assert [ticket.id for ticket in found] == [second.id, first.id]


@pytest.mark.promise("QUEUE-2")
def test_the_waits_of_others_do_not_push_ones_own_out_of_the_list(full: Any) -> None:
    for person in ("ann", "bob", "bob"):
        ticket = wait(full, person)
        with full.write() as writing:
            tickets.cancel(writing, ticket.id)

    with full.record.reading() as reading:
        since = full.now - timedelta(days=1)
        own = tickets.ended(reading, since=since, seen_by=("ann", ()), limit=1)
        of_group = tickets.ended(reading, since=since, seen_by=("zoe", ("vision",)))
        nobodys = tickets.ended(reading, since=since, seen_by=("zoe", ()))
    assert [one.person for one in own] == ["ann"]
    assert len(of_group) == 3
    assert nobodys == ()


@pytest.mark.promise("QUEUE-2", "LIMIT-3")
def test_who_is_removed_leaves_the_queue(full: Any) -> None:
    ticket = wait(full)
    with full.write() as writing:
        people.delete(writing, ["bob"])

    assert now(full, ticket).state is TicketState.CANCELLED
    full.people("bob", group="vision")
    full.end(full.holder)
    assert offers.offer(full.record, ticket.id, HERE, full.later(seconds=1)) is None


@pytest.mark.promise("QUEUE-3")
def test_the_queue_of_one_pool_is_read_without_those_who_wait_for_another(world: Any) -> None:
    for number, pool in enumerate(("a_1", "ab1")):  # to a pattern, the first is the second as well
        (device,) = world.devices(1, prefix=pool)
        world.pool(pool, [device])
        world.group(f"group-{number}", (pool, 1))
        world.people(f"holder-{number}", f"waiter-{number}", group=f"group-{number}")
    world.profile("gpu", devices=1)
    for number in range(2):
        world.granted(f"holder-{number}", "gpu")
        wait(world, f"waiter-{number}")

    with world.record.reading() as reading:
        for number, pool in enumerate(("a_1", "ab1")):
            waiting = queue_facts.read(reading, world.now, pools=[pool]).waiting
            assert list(waiting) == [(pool, "A100")]
            assert [one.person for one in waiting[pool, "A100"]] == [f"waiter-{number}"]
