"""Budgets of everybody and of each member of a group: which binds, and what it is counted of."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from allotment.model.budgets import PLATFORM, BudgetScope, BudgetTerms, Spending
from allotment.model.claims import Claim, Granted, Refused
from allotment.model.endings import Cause
from allotment.model.money import money
from allotment.model.reasons import Rule
from allotment.record import (
    budgets,
    claims,
    endings,
    events,
    groups,
    spending,
)
from allotment.work.budgets import watch_budgets

PERSON, GROUP, _, MEMBERS, EVERYBODY = BudgetScope


def give(world: Any, scope: BudgetScope, subject: str, amount: str, **terms: Any) -> None:
    with world.write() as writing:
        budgets.put(writing, scope, subject, BudgetTerms.model_validate({"amount": amount} | terms))


def of_claim(world: Any, person: str, *paying: str) -> tuple[Spending, ...]:
    with world.record.reading() as reading:
        return spending.of_claim(reading, person, paying, world.now)


def run(world: Any, allotment: str) -> str:
    claims.mark_running(world.record, allotment, world.later(seconds=1))
    return allotment


@pytest.fixture
def priced(lab: Any) -> Any:
    """The lab, where a GPU costs 2 an hour and a server without one 1."""
    lab.profile("gpu", devices=1, price="2")
    lab.profile("cpu", price="1")
    return lab


@pytest.mark.promise("LIMIT-1", "MONEY-3")
def test_the_platforms_budget_is_counted_for_each_person_apart(priced: Any) -> None:
    give(priced, EVERYBODY, PLATFORM, "2")
    ended = run(priced, priced.granted("ann", "gpu"))
    priced.later(minutes=50)
    priced.end(ended)

    refused = priced.claim("ann", "cpu", "two")
    assert isinstance(refused, Refused)
    (reason,) = refused.reasons
    assert reason.rule is Rule.BUDGET_PERSON
    assert "a budget of 2.00 a month (the platform's default)" in reason.message
    assert reason.details == ("limit 2.00", "used 1.67", "committed 0.00", "asked 0.50")
    assert isinstance(priced.claim("bob", "cpu", "two"), Granted)


@pytest.mark.promise("LIMIT-1", "MONEY-3")
@pytest.mark.parametrize(
    ("given", "bound"),
    [
        ([EVERYBODY], "the platform's default"),
        ([EVERYBODY, MEMBERS], "group vision"),
        ([EVERYBODY, MEMBERS, PERSON], "set for this person"),
    ],
)
def test_the_narrowest_budget_that_is_set_binds_a_person(
    priced: Any, given: list[BudgetScope], bound: str
) -> None:
    subjects = {EVERYBODY: PLATFORM, MEMBERS: "vision", PERSON: "ann"}
    for scope in given:
        give(priced, scope, subjects[scope], "5" if scope is given[-1] else "0")

    assert isinstance(priced.claim("ann", "cpu"), Granted)
    found = of_claim(priced, "ann", "vision")
    assert [one.budget.source for one in found if one.binds("vision")] == [bound]


@pytest.mark.promise("LIMIT-1")
def test_a_groups_default_binds_while_that_group_pays(priced: Any) -> None:
    give(priced, EVERYBODY, PLATFORM, "5")
    give(priced, MEMBERS, "vision", "0")

    found = of_claim(priced, "ann", "vision", "speech")
    assert [one.budget.source for one in found if one.binds("vision")] == ["group vision"]
    assert [one.budget.source for one in found if one.binds("speech")] == ["the platform's default"]


@pytest.mark.promise("LIMIT-1", "LIMIT-2", "MONEY-3")
def test_launches_of_one_person_at_once_never_pass_a_default_together(priced: Any) -> None:
    give(priced, EVERYBODY, PLATFORM, "2", minimum_session="1h")
    asked = [Claim("hub", who, f"s{n}", "cpu") for n in range(5) for who in ("ann", "bob")]
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(
            threads.map(lambda claim: claims.admit(priced.record, claim, priced.now), asked)
        )

    assert sum(isinstance(one, Granted) for one in outcomes) == 4


@pytest.mark.promise("LIMIT-1", "MONEY-3")
def test_each_person_is_told_once_of_each_level_of_a_default(priced: Any) -> None:
    give(priced, MEMBERS, "vision", "10", at_limit="warn")
    run(priced, priced.granted("ann", "gpu"))
    run(priced, priced.granted("bob", "cpu"))
    for minutes in (245, 10, 60):
        watch_budgets(priced.record, priced.later(minutes=minutes))

    with priced.record.reading() as reading:
        found = [one for one in events.after(reading, 0, 999) if one.kind == "budget.warned"]
    assert [(one.subject, one.person, (one.after or {})["level"]) for one in found] == [
        ("person/ann", "ann", 80),
        ("person/ann", "ann", 100),
    ]
    assert "(group vision)" in (found[0].after or {})["message"]


@pytest.mark.promise("LIMIT-1", "MONEY-3")
def test_a_default_that_stops_ends_the_servers_of_those_who_used_it_up(priced: Any) -> None:
    give(priced, EVERYBODY, PLATFORM, "2", at_limit="stop", minimum_session="0m")
    over = run(priced, priced.granted("ann", "gpu"))
    within = run(priced, priced.granted("bob", "cpu"))
    watch_budgets(priced.record, priced.later(minutes=65))

    with priced.record.reading() as reading:
        (ending,) = endings.of_allotment(reading, over)
        assert list(endings.of_allotment(reading, within)) == []
    assert ending.cause is Cause.BUDGET
    give(priced, PERSON, "ann", "50")
    watch_budgets(priced.record, priced.later(seconds=20))
    with priced.record.reading() as reading:
        assert list(endings.of_allotment(reading, over)) == []


@pytest.mark.promise("LIMIT-1", "MONEY-3")
def test_a_default_is_shown_with_whoever_used_the_most_of_those_it_binds(priced: Any) -> None:
    give(priced, EVERYBODY, PLATFORM, "10")
    give(priced, PERSON, "ann", "10")
    run(priced, priced.granted("ann", "gpu"))
    run(priced, priced.granted("bob", "cpu"))
    priced.later(hours=1)

    with priced.record.reading() as reading:
        (found,) = spending.spendings(
            reading, priced.now, [budgets.get(reading, EVERYBODY, PLATFORM)]
        )
    assert (found.person, money(found.spent)) == ("bob", 1)


@pytest.mark.promise("LIMIT-1")
def test_a_default_goes_with_its_group(priced: Any) -> None:
    with priced.write() as writing:
        groups.create(writing, "empty")
    give(priced, MEMBERS, "empty", "1")
    with priced.write() as writing:
        groups.delete(writing, "empty")
    with priced.record.reading() as reading:
        assert budgets.all_rows(reading) == ()


@pytest.mark.promise("MONEY-3")
@pytest.mark.parametrize("act", ["read", "watch"])
def test_the_allotments_are_read_once_for_however_many_budgets(priced: Any, act: str) -> None:
    give(priced, GROUP, "vision", "100")
    for person in ("ann", "bob", "zoe"):
        give(priced, PERSON, person, "100")
    run(priced, priced.granted("ann", "gpu"))
    priced.later(minutes=90)
    watch_budgets(priced.record, priced.now)

    asked = _statements(lambda: _read(priced, act))
    assert sum("running_at" in statement for statement in asked) == 1


def _read(world: Any, act: str) -> None:
    with world.record.reading() as reading:
        if act == "read":
            spending.spendings(reading, world.now)
        else:
            spending.watched(reading, world.now, budgets.all_rows(reading))


def _statements(act: Callable[[], None]) -> list[str]:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    return asked
