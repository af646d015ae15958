"""Budgets in the console: set where people and groups are, listed where costs are."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from allotment.model.budgets import AtLimit, BudgetTerms, Period
from allotment.model.refusals import NotFound
from control_planes import Platform

OpenConsole = Callable[..., Any]


@pytest.mark.promise("MONEY-3", "ADMIN-3")
def test_a_group_is_given_a_budget_after_the_form_said_who_would_be_over(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="groups")
    page.select("Groups", "nlp")
    page.act("Groups", "budget")
    page.sees("There is no budget. Write an amount to set one.")

    page.fill("Amount", "10")
    page.fill("When it is used up", AtLimit.STOP)
    page.sees("and would be over it.")
    page.sees("mei/pretrain")
    page.fill("Amount", "100000")
    page.until(lambda: "would be over it" not in page.text())
    page.press("Save")

    page.sees("nlp may use 100,000.00 a month")
    found = platform.client("operator").budgets.get("group", "nlp")
    assert (found.amount, found.at_limit, found.period) == (
        Decimal(100_000),
        AtLimit.STOP,
        Period.MONTH,
    )


@pytest.mark.promise("MONEY-3")
def test_a_persons_budget_is_taken_away_by_an_empty_amount(
    open_console: OpenConsole, platform: Platform
) -> None:
    budgets = platform.client("operator").budgets
    budgets.put("person", "bob", BudgetTerms(amount=Decimal(50), period=Period.NONE), revision=0)
    page = open_console(panel="users")
    page.select("Users", "bob")
    page.act("Users", "budget")
    page.sees("of 50.00 is spent.")

    page.fill("Amount", "")
    page.sees("The budget is taken away")
    page.press("Save")

    page.sees("The budget of bob was taken away.")
    with pytest.raises(NotFound):
        budgets.get("person", "bob")


@pytest.mark.promise("MONEY-3")
def test_what_makes_no_sense_cannot_be_saved(open_console: OpenConsole) -> None:
    page = open_console(panel="users")
    page.select("Users", "bob")
    page.act("Users", "budget")
    page.fill("Amount", "much")
    page.sees("is no amount of money. Write a number such as 500 or 99.50.")
    page.fill("Amount", "5")
    page.fill("A launch must afford", "5")
    page.sees("is no duration.")

    page.until(lambda: page.button("Save", disabled=True), "Save cannot be pressed")


@pytest.mark.promise("LIMIT-1")
def test_everybody_and_a_groups_members_are_given_budgets_and_a_persons_form_says_which_binds(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="users")
    page.act("Users", "everybody")
    page.sees("Budget of everybody")
    page.fill("Amount", "100000")
    page.press("Save")
    page.sees("everybody may use 100,000.00 a month")
    page.select("Users", "bob")
    page.act("Users", "budget")
    page.sees("Until one is set, this binds")

    budgets = platform.client("operator").budgets
    assert budgets.get("everybody", "platform").amount == Decimal(100_000)
    groups = open_console(panel="groups")
    groups.select("Groups", "nlp")
    groups.act("Groups", "members")
    groups.sees("Budget of each member of nlp")
    groups.fill("Amount", "90000")
    groups.press("Save")
    groups.sees("each member of nlp may use 90,000.00 a month")
    assert budgets.get("members", "nlp").amount == Decimal(90_000)


@pytest.mark.promise("MONEY-4")
def test_budgets_are_listed_with_their_state_and_changed_from_there(
    open_console: OpenConsole, platform: Platform
) -> None:
    budgets = platform.client("operator").budgets
    budgets.put("group", "nlp", BudgetTerms(amount=Decimal(1)), revision=0)
    budgets.put("group", "vision", BudgetTerms(amount=Decimal(100_000)), revision=0)
    page = open_console(panel="costs")

    page.has_row("Budgets", "group/nlp", state="over", part=100.0, ends="now")
    page.has_row("Budgets", "group/vision", state="well")
    page.select("Budgets", "group/nlp")
    page.act("Budgets", "change")
    page.fill("Amount", "100000")
    page.press("Save")
    page.has_row("Budgets", "group/nlp", state="well")


def test_a_reader_sees_budgets_and_changes_none(open_console: OpenConsole) -> None:
    page = open_console("auditor", panel="costs")

    page.until(lambda: "Budgets" in page.grids())
    assert page.grid("Budgets").actions == []
