"""Budgets through the API, the client and the command line."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner

from allotment.cli import app
from allotment.client import ANY
from allotment.model.budgets import AtLimit, BudgetTerms, Period
from allotment.model.claims import Refused
from allotment.model.refusals import NotFound, NotPermitted, RevisionStale
from allotment.record import claims

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


def terms(amount: str, **more: Any) -> BudgetTerms:
    return BudgetTerms.model_validate({"amount": amount} | more)


@pytest.fixture
def priced(lab: Any, api: Any) -> Any:
    """Ann and bob of vision each run a server at 2 an hour since an hour."""
    lab.profile("gpu", devices=1, price="2")
    for person in ("ann", "bob"):
        claims.mark_running(lab.record, lab.granted(person, "gpu", "train"), lab.now)
    lab.later(hours=1)
    return api


@pytest.mark.promise("MONEY-3", "MONEY-4")
def test_a_budget_says_what_is_spent_and_when_it_ends(priced: Any, lab: Any) -> None:
    client = priced.client("olga+")
    made = client.budgets.put("group", "vision", terms("10", at_limit="stop"), revision=0)

    assert made.percent == 40
    assert made.spent.quantize(Decimal("0.01")) == Decimal("4.00")
    assert (made.rate, made.period, made.at_limit) == (4, Period.MONTH, AtLimit.STOP)
    assert made.ends_at is not None
    assert made.ends_at > lab.now
    assert client.budgets.get("group", "vision") == made
    assert made.sentence.startswith("The budget of group vision is used to 40 %: 4.00 of 10.00")


@pytest.mark.promise("MONEY-3")
def test_a_change_is_made_against_a_revision_and_a_budget_can_go(priced: Any) -> None:
    budgets = priced.client("olga+").budgets
    budgets.put("person", "ann", terms("10"), revision=0)
    with pytest.raises(RevisionStale):
        budgets.put("person", "ann", terms("20"), revision=0)
    assert budgets.put("person", "ann", terms("20"), revision=1).revision == 2

    budgets.delete("person", "ann", revision=2)
    with pytest.raises(NotFound):
        budgets.get("person", "ann")


@pytest.mark.promise("MONEY-3", "USER-4")
def test_a_lead_budgets_members_within_what_the_group_has(priced: Any) -> None:
    priced.client("olga+").budgets.put("group", "vision", terms("100"), revision=0)
    lead = priced.client("ann+").budgets

    assert lead.put("person", "bob", terms("100"), revision=0).amount == 100
    with pytest.raises(NotPermitted, match="at most what group vision may use: 100"):
        lead.put("person", "bob", terms("100.01"), revision=ANY)
    with pytest.raises(NotPermitted):
        lead.put("group", "vision", terms("1000"), revision=ANY)
    with pytest.raises(NotPermitted):
        lead.put("person", "zoe", terms("1"), revision=0)


@pytest.mark.promise("MONEY-4", "USER-5")
@pytest.mark.parametrize(
    ("token", "seen"),
    [
        ("olga+", {"vision", "bob", "zoe"}),
        ("rita+", {"vision", "bob", "zoe"}),
        ("ann+", {"vision", "bob"}),
        ("bob", {"vision", "bob"}),
        ("zoe", {"zoe"}),
    ],
)
def test_everybody_sees_the_budgets_that_pay_for_them(
    priced: Any, token: str, seen: set[str]
) -> None:
    operator = priced.client("olga+").budgets
    for scope, subject in (("group", "vision"), ("person", "bob"), ("person", "zoe")):
        operator.put(scope, subject, terms("5"), revision=0)

    found = priced.client(token).budgets.all().items
    assert {one.subject for one in found} == seen


@pytest.mark.promise("MONEY-3", "GROUP-5")
@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        ({"amount": "100"}, []),
        ({"amount": "4.50"}, ["group vision has used 4.00 of 4.50 a month: 88 %."]),
        (
            {"amount": "1"},
            [
                "group vision has used 4.00 of 1.00 a month and would be over it.",
                "Nothing new that costs money starts until the period ends or the budget is raised.",
                "2 servers that it pays for go on.",
            ],
        ),
        (
            {"amount": "1", "at_limit": "stop", "grace": "20m"},
            [
                "group vision has used 4.00 of 1.00 a month and would be over it.",
                "Nothing new that costs money starts until the period ends or the budget is raised.",
                "2 servers that it pays for are told and stopped 20m after that.",
            ],
        ),
        ({"amount": "1", "period": "none"}, []),
    ],
)
def test_lowering_a_budget_says_first_who_is_over(
    priced: Any, asked: dict[str, str], lines: list[str]
) -> None:
    budgets = priced.client("olga+").budgets
    change = budgets.consequences("group", "vision", BudgetTerms.model_validate(asked))

    assert list(change.consequences) == lines
    assert budgets.all().items == ()


@pytest.mark.promise("MONEY-3")
def test_people_are_told_of_budgets_that_are_nearly_used_up(priced: Any) -> None:
    operator = priced.client("olga+").budgets
    operator.put("group", "vision", terms("4.5"), revision=0)
    operator.put("person", "zoe", terms("1"), revision=0)

    def told(who: str) -> list[str]:
        return [one.message for one in priced.client(who).me().notices if one.kind == "budget"]

    assert told("bob") == ["The budget of group vision is used to 88 %: 4.00 of 4.50 a month."]
    assert told("zoe") == []


@pytest.mark.promise("MONEY-3")
def test_explain_names_the_budget_that_cannot_pay(priced: Any, lab: Any) -> None:
    client = priced.client("olga+")
    client.budgets.put("group", "vision", terms("4.5"), revision=0)

    found = client.explain("bob", "gpu", server="more")
    assert found.outcome == "refused"
    assert "budget.group" in {reason.rule for reason in found.reasons}
    assert isinstance(lab.claim("bob", "gpu", "more"), Refused)


@pytest.mark.promise("MONEY-3", "MONEY-4")
def test_the_command_line_sets_a_budget_after_saying_what_that_does(priced: Any) -> None:
    environment = {"ALLOTMENT_API_URL": priced.url, "ALLOTMENT_TOKEN": "olga+"}

    def run(*words: str, status: int = 0, answer: str = "") -> str:
        result = CliRunner().invoke(app, list(words), env=environment, input=answer)
        assert result.exit_code == status, result.output
        return result.output

    whose = ("budget", "group", "vision")
    assert "40 %" in run(*whose, "--amount", "10")
    assert "used up" in run(*whose, "--amount", "3", "--yes")
    refused = run(*whose, "--amount", "1", status=1, answer="n\n")
    assert "group vision has used 4.00 of 1.00 a month and would be over it." in refused
    shown = run("budgets")
    assert "group vision   4.00  3.00  a month  133 %  used up  nothing new starts" in shown
    run(*whose, "--remove")
    assert "No budget is set" in run("budgets")
    assert "expected a duration" in run(*whose, "--amount", "1", "--grace", "5", status=2)


@pytest.mark.promise("LIMIT-1", "MONEY-3")
def test_a_person_without_a_budget_is_answered_the_default_that_binds_and_its_source(
    priced: Any,
) -> None:
    operator = priced.client("olga+").budgets
    with pytest.raises(NotFound):
        operator.get("person", "bob")
    operator.put("everybody", "platform", terms("9"), revision=0)
    wide = priced.client("bob").budgets.get("person", "bob")
    operator.put("members", "vision", terms("4"), revision=0)
    narrow = priced.client("bob").budgets.get("person", "bob")

    assert (wide.source, wide.amount, wide.revision) == ("the platform's default", 9, 0)
    assert (narrow.source, narrow.amount, narrow.percent) == ("group vision", 4, 50)
    own = operator.put("person", "bob", terms("20"), revision=narrow.revision)
    assert (own.source, own.revision) == ("set for this person", 1)


@pytest.mark.promise("LIMIT-1", "USER-5")
@pytest.mark.parametrize(
    ("token", "seen"),
    [("rita+", {"everybody", "members"}), ("ann+", {"members"}), ("bob", set())],
)
def test_what_somebody_used_most_of_a_default_is_seen_by_those_who_see_the_people(
    priced: Any, token: str, seen: set[str]
) -> None:
    operator = priced.client("olga+").budgets
    operator.put("everybody", "platform", terms("9"), revision=0)
    operator.put("members", "vision", terms("9"), revision=0)

    assert {one.scope for one in priced.client(token).budgets.all().items} == seen
    with pytest.raises(NotPermitted):
        priced.client("bob").budgets.put("members", "vision", terms("90"), revision=1)


@pytest.mark.promise("LIMIT-1", "GROUP-5")
def test_lowering_a_default_names_everybody_who_would_be_over(priced: Any) -> None:
    operator = priced.client("olga+").budgets
    operator.put("person", "ann", terms("100"), revision=0)
    change = operator.consequences("everybody", "platform", terms("1", at_limit="stop"))

    assert list(change.consequences) == [
        "bob has used 2.00 of 1.00 a month and would be over it.",
        "Nothing new that costs money starts until the period ends or the budget is raised.",
        "1 server that it pays for is told and stopped 15m after that.",
    ]
    told = operator.put("everybody", "platform", terms("2.2"), revision=0)
    assert (told.person, told.percent) == ("bob", 90)
    assert [one.message for one in priced.client("bob").me().notices if one.kind == "budget"] == [
        "Your budget is used to 90 %: 2.00 of 2.20 a month (the platform's default)."
    ]


@pytest.mark.promise("LIMIT-1")
def test_the_command_line_sets_everybodys_budget_and_says_where_one_comes_from(
    priced: Any,
) -> None:
    environment = {"ALLOTMENT_API_URL": priced.url, "ALLOTMENT_TOKEN": "olga+"}

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, list(words), env=environment)
        assert result.exit_code == 0, result.output
        return result.output

    run("budget", "everybody", "--amount", "50")
    assert "the platform's default" in run("budget", "person", "bob")
    run("budget", "members", "vision", "--amount", "40")
    assert "group vision" in run("budget", "person", "bob")
    run("budget", "person", "bob", "--amount", "60")
    assert "set for this person" in run("budget", "person", "bob")


@pytest.mark.promise("MONEY-3")
@pytest.mark.parametrize(
    "body",
    [
        {"amount": "-1"},
        {"amount": "1.0000001"},
        {"amount": "NaN"},
        {"amount": "1", "period": "week"},
        {"amount": "1", "grace": 5},
        {},
    ],
)
def test_terms_that_make_no_sense_are_refused(priced: Any, body: dict[str, Any]) -> None:
    answer = priced.ask("PUT", "/budgets/person/ann", "olga+", json=body, headers={"If-Match": "0"})
    assert answer.status_code == 422
