"""Nobody waits in a circle, and nothing is written over: what happens at once ends as if one came after the other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa

from allotment.model.allotments import State
from allotment.model.budgets import BudgetScope, BudgetTerms
from allotment.model.claims import Claim, Granted, Queued, Refused
from allotment.model.groups import Share
from allotment.model.instance_types import InstanceType
from allotment.model.refusals import RecordUnavailable
from allotment.model.tickets import TicketState
from allotment.record import (
    budgets,
    claim_facts,
    claim_statements,
    claims,
    devices,
    groups,
    instance_types,
    offers,
    platform,
    pools,
    profiles,
    reports,
    spending,
    tickets,
    usage,
)
from allotment.record.engine import Record, open_record
from allotment.record.offers import Place, Turn
from allotment.record.reports import ServerMinute
from allotment.record.turns import Placed, place
from allotment.record.usage import Question
from allotment.work.budgets import watch_budgets

pytestmark = pytest.mark.promise("LIMIT-2")

SPENT = Question(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
PLACE = Place("a100", "A100", "n1")
PATIENCE = 60.0
_BLOCKED = (
    "SELECT COUNT(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def beside(record: Record, call: Callable[[], Any]) -> Future[Any]:
    """Call in another thread, and go on when it has ended or waits for a lock.

    On SQLite there is one writer: it waits for its turn, and nothing can be seen of that.
    """
    thread = ThreadPoolExecutor(1)
    future = thread.submit(call)
    thread.shutdown(wait=False)
    pause = Event()
    while record.dialect == "postgresql" and not future.done():
        with record.reading() as reading:
            if reading.connection.execute(sa.text(_BLOCKED)).scalar_one():
                break
        pause.wait(0.01)
    return future


@pytest.fixture
def offered(lab: Any) -> Any:
    """Bob's ticket has been offered a device."""
    held = lab.granted("ann", "two-gpu")
    waits = lab.claim("bob", "gpu", wait=True)
    assert isinstance(waits, Queued)
    lab.end(held)
    lab.ticket = waits.ticket.id
    assert isinstance(offers.offer(lab.record, lab.ticket, PLACE, lab.later(seconds=1)), Granted)
    return lab


def state(lab: Any) -> TicketState:
    with lab.record.reading() as reading:
        return tickets.get(reading, lab.ticket).state


def test_an_offer_is_taken_back_while_an_operator_cancels_its_ticket(offered: Any) -> None:
    with offered.write() as writing:
        taking_back = beside(
            offered.record,
            lambda: offers.withdraw(offered.record, offered.ticket, "It is gone.", offered.now),
        )
        tickets.cancel(writing, offered.ticket, "Not today.")

    assert not taking_back.result(PATIENCE)
    assert state(offered) is TicketState.CANCELLED


def test_an_offer_is_refused_at_its_start_while_an_operator_cancels_its_ticket(
    offered: Any,
) -> None:
    with offered.write() as writing:
        profiles.set_enabled(writing, "gpu", enabled=False)
    claim = Claim(person="bob", server="", profile="", hub="hub")
    with offered.write() as writing:
        starting = beside(
            offered.record,
            lambda: offers.take_offer(offered.record, claim, offered.ticket, offered.now),
        )
        tickets.cancel(writing, offered.ticket, "Not today.")

    assert isinstance(starting.result(PATIENCE)[0], Refused)
    assert state(offered) is TicketState.CANCELLED


@pytest.fixture
def paying(world: Any) -> Any:
    """Ann of one waits for a device, and bob of two, whose group has a budget; ben of two waits not."""
    world.devices(2)
    world.pool("a100", ["gpu-0", "gpu-1"])
    world.group("one", ("a100", 1))
    world.group("two", ("a100", 1))
    world.people("ann", group="one")
    world.people("bob", "ben", group="two")
    with world.write() as writing:
        instance_types.create(writing, InstanceType("m5.large", most=3))
        budgets.put(writing, BudgetScope.GROUP, "two", BudgetTerms(amount=Decimal(1000)))
    world.profile("gpu", devices=1, price="1")
    world.profile("cloud", devices=1, instance_type="m5.large")
    world.profile("cpu", price="1")
    world.profile("large", instance_type="m5.large")
    return world


def ticket_of(world: Any, person: str, profile: str) -> str:
    claim = Claim(person=person, server="", profile=profile, hub="hub")
    outcome = claims.queue(world.record, claim, world.later(seconds=1))
    assert isinstance(outcome, Queued)
    return outcome.ticket.id


@pytest.mark.parametrize(("waiting", "launched"), [("gpu", "cpu"), ("cloud", "large")])
def test_several_are_offered_while_somebody_who_pays_from_the_same_launches(
    paying: Any, waiting: str, launched: str
) -> None:
    turns = [
        Turn(ticket_of(paying, "ann", "gpu"), PLACE),
        Turn(ticket_of(paying, "bob", waiting), PLACE),
    ]
    claim = Claim(person="ben", server="", profile=launched, hub="hub")
    with paying.record.writing("ben", paying.now, configuration=False) as writing:
        claim_statements.lock(writing, claim)
        facts = claim_facts.read(writing, claim, paying.now)
        offering = beside(paying.record, lambda: offers.offer_all(paying.record, turns, paying.now))
        decision = place(writing, facts, paying.now)
        assert isinstance(decision, Placed)
        claims.allot(writing, facts, decision, State.STARTING)

    assert [type(one) for one in offering.result(PATIENCE)] == [Granted, Granted]


@pytest.fixture
def found_gone(lab: Any) -> Any:
    """Ann has a budget; her server told nothing after its first minute, and is found gone two hours later."""
    lab.profile("paid", price="60")
    with lab.write() as writing:
        budgets.put(writing, BudgetScope.PERSON, "ann", BudgetTerms(amount=Decimal(1000)))
    lab.running = lab.granted("ann", "paid")
    claims.mark_running(lab.record, lab.running, lab.later(seconds=1))
    minute = lab.now.replace(second=0, microsecond=0)
    with lab.write() as writing:
        reports.add_server_minutes(writing, [ServerMinute(lab.running, minute, 1, 0, 0, 0)])
    lab.later(hours=2)
    return lab


@pytest.mark.promise("MONEY-2")
def test_a_past_that_is_put_right_while_budgets_are_settled_is_not_written_over(
    found_gone: Any,
) -> None:
    at = found_gone.now
    with found_gone.record.writing("reconciling", at, configuration=False) as writing:
        budgets.unsettle(writing, "ann", "vision")
        settling = beside(
            found_gone.record, lambda: watch_budgets(found_gone.record, at + timedelta(minutes=2))
        )
        claim_statements.step(writing, found_gone.running, State.STOPPING, "It was gone.")
        usage.charge_until_last_seen(writing, found_gone.running)
    settling.result(PATIENCE)

    with found_gone.record.reading() as reading:
        (of_ann,) = spending.spendings(reading, at + timedelta(minutes=5))
        zone = platform.time_zone(reading)
        (used,) = usage.read(reading, SPENT, at + timedelta(minutes=5), zone)
    assert of_ann.spent == used.use.charge
    assert used.use.time < timedelta(minutes=1) // timedelta(microseconds=1)


@pytest.mark.promise("POOL-8")
def test_a_release_that_waited_for_a_count_of_the_devices_is_counted(lab: Any) -> None:
    mine = lab.granted("ann", "two-gpu")
    claims.mark_stopping(lab.record, mine, "stopped", "ann", lab.later(seconds=1))

    with lab.write() as writing:
        releasing = beside(
            lab.record, lambda: claims.release(lab.record, mine, "no process is left", lab.now)
        )
        devices.set_health(writing, "gpu-0", healthy=False, note="It fell off the bus.")

    assert releasing.result(PATIENCE)
    assert lab.sound()
    assert lab.free("a100") == 1


@pytest.mark.promise("POOL-8")
def test_a_claim_that_waited_for_its_groups_new_share_has_the_pool_for_itself(lab: Any) -> None:
    lab.devices(1, prefix="new")
    claim = Claim(person="ann", server="", profile="gpu", hub="hub")

    def first_in_line(decided: Event) -> bool:
        with lab.record.writing("ann", lab.now, configuration=False) as writing:
            claim_statements.lock(writing, claim)
            decided.set()
            return gone_on.wait(PATIENCE)

    decided, gone_on = Event(), Event()
    with lab.write() as writing:
        claiming = beside(lab.record, lambda: first_in_line(decided))
        pools.create(writing, "new", ["new-0"])
        groups.edit(writing, "vision", wanted=[Share("vision", "new", 1, 1)])
    assert decided.wait(PATIENCE)
    locked = lab.record.dialect == "sqlite" or is_locked(lab.record, "new")
    gone_on.set()

    assert claiming.result(PATIENCE)
    assert locked


def is_locked(record: Record, pool: str) -> bool:
    with record.writing("bob", datetime.now(UTC), configuration=False) as writing:
        asked = "SELECT 1 FROM pools WHERE name = :pool FOR UPDATE SKIP LOCKED"
        return writing.driver(asked, {"pool": pool}).first() is None


def test_whoever_waits_too_long_for_another_is_told_so(lab: Any, record_url: str) -> None:
    impatient = open_record(record_url, patience=0.2)
    with lab.write(), pytest.raises(RecordUnavailable), impatient.writing("ann", lab.now):
        pass
    with impatient.writing("ann", lab.now) as writing:
        writing.event("afterwards", "it works again")
    impatient.close()
