"""Budgets: what a launch must be able to pay, on both stores, however many ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from allotment.model.allotments import ServerProcess
from allotment.model.budgets import BudgetScope, BudgetTerms, Spending
from allotment.model.claims import Claim, Granted, Refused
from allotment.model.endings import Cause
from allotment.model.money import money
from allotment.model.reasons import Rule
from allotment.model.refusals import NotFound, RevisionStale
from allotment.record import (
    allotments,
    budgets,
    claims,
    departments,
    endings,
    events,
    groups,
    people,
    platform,
    settling,
    spending,
    usage,
)
from allotment.record.adopting import RunningServer, adopt
from allotment.record.usage import Question
from allotment.rules.budget import ends_at
from allotment.work.budgets import watch_budgets

PERSON, GROUP, DEPARTMENT, MEMBERS, EVERYBODY = BudgetScope


def give(world: Any, scope: BudgetScope, subject: str, amount: str, **terms: Any) -> None:
    with world.write() as writing:
        budgets.put(writing, scope, subject, BudgetTerms.model_validate({"amount": amount} | terms))


def spent(world: Any, scope: BudgetScope, subject: str) -> Spending:
    with world.record.reading() as reading:
        return spending.spendings(reading, world.now, [budgets.get(reading, scope, subject)])[0]


def used(world: Any, **only: Any) -> Decimal:
    """What the budget's month has cost by the table of use, which knows nothing of budgets."""
    with world.record.reading() as reading:
        zone = platform.time_zone(reading)
        begin = world.now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        question = Question(begin, world.now, **only)
        found = usage.read(reading, question, world.now, zone)
    return found[0].use.cost if found else Decimal(0)


def run(world: Any, allotment: str) -> str:
    claims.mark_running(world.record, allotment, world.later(seconds=1))
    return allotment


@pytest.fixture
def priced(lab: Any) -> Any:
    """The lab, where a GPU costs 2 an hour and a server without one 1."""
    lab.profile("gpu", devices=1, price="2")
    lab.profile("cpu", price="1")
    lab.profile("free")
    return lab


@pytest.mark.promise("MONEY-3")
@pytest.mark.parametrize(
    ("scope", "subject", "rule"),
    [(PERSON, "ann", Rule.BUDGET_PERSON), (GROUP, "vision", Rule.BUDGET_GROUP)],
)
def test_a_launch_that_cannot_pay_a_minimum_session_is_refused_with_every_number(
    priced: Any, scope: BudgetScope, subject: str, rule: Rule
) -> None:
    give(priced, scope, subject, "0.99", minimum_session="30m")

    refused = priced.claim("ann", "gpu")
    assert isinstance(refused, Refused)
    (reason,) = refused.reasons
    assert reason.rule is rule
    assert reason.details == ("limit 0.99", "used 0.00", "committed 0.00", "asked 1.00")
    assert isinstance(priced.claim("ann", "cpu"), Granted)


@pytest.mark.promise("MONEY-3")
def test_a_departments_budget_binds_its_groups_and_nobody_else(priced: Any) -> None:
    with priced.write() as writing:
        departments.create(writing, "research")
        groups.edit(writing, "vision", department="research")
    give(priced, DEPARTMENT, "research", "0.2")

    refused = priced.claim("ann", "cpu")
    assert [reason.rule for reason in refused.reasons] == [Rule.BUDGET_DEPARTMENT]
    assert isinstance(priced.claim("zoe", "cpu"), Granted)


@pytest.mark.promise("MONEY-3")
def test_what_costs_nothing_and_a_budget_that_only_warns_refuse_nothing(priced: Any) -> None:
    give(priced, PERSON, "ann", "0")
    assert isinstance(priced.claim("ann", "free", "one"), Granted)

    give(priced, PERSON, "ann", "0", at_limit="warn")
    assert isinstance(priced.claim("ann", "gpu", "two"), Granted)


@pytest.mark.promise("MONEY-3", "LIMIT-2")
def test_many_launches_at_once_never_pass_a_budget_together(priced: Any) -> None:
    give(priced, GROUP, "vision", "2", minimum_session="1h")
    asked = [Claim("hub", who, f"s{n}", "cpu") for n in range(6) for who in ("ann", "bob")]
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(
            threads.map(lambda claim: claims.admit(priced.record, claim, priced.now), asked)
        )

    assert sum(isinstance(one, Granted) for one in outcomes) == 2


@pytest.mark.promise("MONEY-3")
def test_spent_is_what_the_table_of_use_says_before_and_after_settling(priced: Any) -> None:
    give(priced, GROUP, "vision", "100")
    give(priced, PERSON, "ann", "50", period="quarter")
    first = run(priced, priced.granted("ann", "gpu"))
    run(priced, priced.granted("bob", "cpu"))
    for minutes in (7, 0.5, 90, 0.2):
        priced.later(minutes=minutes)
        if minutes == 90:
            priced.end(first)
        watch_budgets(priced.record, priced.now)
        assert money(spent(priced, GROUP, "vision").spent) == used(priced, group="vision")
        assert money(spent(priced, PERSON, "ann").spent) == used(priced, person="ann")
    with priced.record.reading() as reading:
        assert budgets.get(reading, GROUP, "vision").settled > 0


@pytest.mark.promise("MONEY-3", "GROUP-6")
def test_a_group_takes_what_it_spent_into_its_department_and_out_of_it(priced: Any) -> None:
    with priced.write() as writing:
        departments.create(writing, "research")
        departments.create(writing, "sales")
    give(priced, DEPARTMENT, "research", "100")
    give(priced, DEPARTMENT, "sales", "100")
    run(priced, priced.granted("ann", "gpu"))
    priced.later(minutes=90)

    for inside, outside in (("research", "sales"), ("sales", "research")):
        with priced.write() as writing:
            groups.edit(writing, "vision", department=inside)
        watch_budgets(priced.record, priced.later(minutes=30))
        assert money(spent(priced, DEPARTMENT, inside).spent) == used(priced, group="vision") > 0
        assert spent(priced, DEPARTMENT, outside).spent == 0


@pytest.mark.promise("MONEY-3")
def test_a_month_begins_anew_in_the_platforms_time_zone(priced: Any) -> None:
    with priced.write() as writing:
        platform.set_time_zone(writing, "Europe/Berlin")
    priced.now = datetime(2026, 3, 31, 20, 30, tzinfo=UTC)
    give(priced, PERSON, "ann", "2")
    run(priced, priced.granted("ann", "gpu", "one"))
    priced.now = datetime(2026, 3, 31, 21, 45, tzinfo=UTC)
    watch_budgets(priced.record, priced.now)
    assert isinstance(priced.claim("ann", "cpu", "two"), Refused)

    priced.now = datetime(2026, 3, 31, 22, 15, tzinfo=UTC)  # a quarter past midnight there
    assert money(spent(priced, PERSON, "ann").spent) == Decimal("0.5")
    assert isinstance(priced.claim("ann", "cpu", "two"), Granted)
    watch_budgets(priced.record, priced.now)
    assert money(spent(priced, PERSON, "ann").spent) == used(priced, person="ann")


@pytest.mark.promise("MONEY-3")
def test_free_credit_counts_from_when_it_was_given_and_is_not_renewed(priced: Any) -> None:
    run(priced, priced.granted("ann", "gpu"))
    priced.later(hours=1)
    give(priced, PERSON, "ann", "4", period="none")
    priced.later(days=40)

    found = spent(priced, PERSON, "ann")
    assert found.end is None
    assert money(found.spent) == 2 * 24 * 40
    give(priced, PERSON, "ann", "5", period="none")
    assert spent(priced, PERSON, "ann").spent > found.spent  # more credit, the same beginning


@pytest.mark.promise("MONEY-3")
def test_those_concerned_are_told_once_at_each_level(priced: Any) -> None:
    give(priced, PERSON, "ann", "10", at_limit="warn")
    run(priced, priced.granted("ann", "gpu"))
    for minutes in (230, 11, 30, 16, 10, 10):
        watch_budgets(priced.record, priced.later(minutes=minutes))

    with priced.record.reading() as reading:
        found = [one for one in events.after(reading, 0, 999) if one.kind == "budget.warned"]
    assert [(one.person, (one.after or {})["level"]) for one in found] == [
        ("ann", 80),
        ("ann", 95),
        ("ann", 100),
    ]
    assert "used to 80 %: 8.03 of 10.00 a month" in (found[0].after or {})["message"]


@pytest.mark.promise("MONEY-3")
def test_a_level_is_told_once_by_several_and_not_of_a_budget_that_was_changed_since(
    priced: Any,
) -> None:
    give(priced, PERSON, "ann", "10", at_limit="warn")
    run(priced, priced.granted("ann", "gpu"))
    priced.later(hours=5)
    used_up = spent(priced, PERSON, "ann")

    def warn(spending: Spending) -> bool:
        with priced.record.writing("budgets", priced.now, configuration=False) as writing:
            return settling.warn(writing, spending, "It is used up.")

    assert warn(used_up)
    assert not warn(used_up)
    give(priced, PERSON, "ann", "12", at_limit="warn")
    assert not warn(used_up)
    assert warn(spent(priced, PERSON, "ann"))


@pytest.mark.promise("MONEY-3")
def test_where_the_policy_stops_servers_they_are_told_and_get_their_grace(priced: Any) -> None:
    give(priced, GROUP, "vision", "2", at_limit="stop", grace="20m", minimum_session="0m")
    paid = run(priced, priced.granted("ann", "gpu"))
    free = run(priced, priced.granted("bob", "free"))
    watch_budgets(priced.record, priced.later(minutes=50))
    assert ends_of(priced, paid) == []

    watch_budgets(priced.record, priced.later(minutes=15))
    watch_budgets(priced.record, priced.later(minutes=5))
    (ending,) = ends_of(priced, paid)
    assert ending.cause is Cause.BUDGET
    assert ending.stop_at == priced.now + timedelta(minutes=15)
    assert "The budget of group vision is used up" in ending.message
    assert ends_of(priced, free) == []

    give(priced, GROUP, "vision", "20", at_limit="stop")
    watch_budgets(priced.record, priced.later(seconds=20))
    assert ends_of(priced, paid) == []


def ends_of(world: Any, allotment: str) -> list[Any]:
    with world.record.reading() as reading:
        return list(endings.of_allotment(reading, allotment))


@pytest.mark.promise("MONEY-4")
def test_the_end_at_the_present_rate_is_told_and_none_where_it_lasts(priced: Any) -> None:
    give(priced, PERSON, "ann", "10")
    assert ends_at(spent(priced, PERSON, "ann"), _at(priced.now)) is None
    run(priced, priced.granted("ann", "gpu"))

    found = spent(priced, PERSON, "ann")
    assert found.rate == 2_000_000
    assert ends_at(found, _at(priced.now)) == _at(priced.now + timedelta(hours=5))
    give(priced, PERSON, "ann", "10000")
    assert ends_at(spent(priced, PERSON, "ann"), _at(priced.now)) is None
    give(priced, PERSON, "ann", "0")
    assert ends_at(spent(priced, PERSON, "ann"), _at(priced.now)) == _at(priced.now)


def _at(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.mark.promise("MONEY-2", "MONEY-3")
@pytest.mark.parametrize("taken_in", [True, False])
def test_a_past_that_is_put_right_is_counted_anew(priced: Any, taken_in: bool) -> None:
    give(priced, PERSON, "ann", "100")
    running = priced.later(seconds=1)
    allotment = priced.granted("ann", "gpu")
    claims.mark_running(priced.record, allotment, running)
    priced.later(hours=2)
    if taken_in:
        priced.end(allotment)
    watch_budgets(priced.record, priced.later(hours=1))
    if taken_in:
        process = ServerProcess(4711, running.timestamp())
        server = RunningServer(
            allotment, "hub", "ann", "", "gpu", "vision", ("gpu-0",), process, "0" * 64
        )
        with priced.write() as writing:
            adopt(writing, server)
    else:
        claims.mark_stopping(priced.record, allotment, "Its server was gone.", "hub", priced.now)
        with priced.write() as writing:
            writing.run(sa.text("UPDATE allotments SET charged_until = running_at + 60000000"))
            budgets.unsettle(writing, "ann", "vision")

    assert money(spent(priced, PERSON, "ann").spent) == used(priced, person="ann")
    watch_budgets(priced.record, priced.later(minutes=5))
    assert money(spent(priced, PERSON, "ann").spent) == used(priced, person="ann")


@pytest.mark.promise("MONEY-3")
def test_a_budget_is_changed_against_its_revision_and_goes_with_its_subject(priced: Any) -> None:
    terms = BudgetTerms(amount=Decimal(5))
    with priced.write() as writing:
        assert budgets.put(writing, PERSON, "zoe", terms, 0).budget.revision == 1
        assert budgets.put(writing, PERSON, "zoe", terms, 1).budget.revision == 1
    with pytest.raises(RevisionStale), priced.write() as writing:
        budgets.put(writing, PERSON, "zoe", BudgetTerms(amount=Decimal(6)), 0)
    with pytest.raises(NotFound), priced.write() as writing:
        budgets.put(writing, DEPARTMENT, "nowhere", terms)
    with priced.write() as writing:
        groups.create(writing, "empty")
        budgets.put(writing, GROUP, "empty", terms)
        groups.delete(writing, "empty")
        people.delete(writing, ["zoe"])
    with priced.record.reading() as reading:
        assert budgets.all_rows(reading) == ()


@pytest.mark.promise("MONEY-3")
def test_a_refused_launch_changes_nothing_and_is_kept_with_its_reasons(priced: Any) -> None:
    give(priced, PERSON, "ann", "0.1")
    priced.claim("ann", "gpu")
    with priced.record.reading() as reading:
        assert allotments.active(reading) == ()
        (refused,) = events.newest(reading, "claim.refused")
    assert (refused.after or {})["reasons"][0]["rule"] == "budget.person"
