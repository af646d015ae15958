"""Budgets in the settings file: read, checked, applied, written down again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from allotment.model.budgets import PLATFORM, AtLimit, BudgetScope, BudgetTerms, Period
from allotment.model.refusals import SettingsInvalid
from allotment.record import Record, budgets, platform
from allotment.settings import Settings, load_settings
from allotment.settings.declare import apply, apply_once, export, plan

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FILE = """
time_zone: Europe/Berlin
groups: [{name: vision, members: [ada]}]
budgets:
  everybody: {amount: 20}
  members: {vision: {amount: 30, at_limit: warn}}
  groups: {vision: {amount: 500.5}}
  people: {ada: {amount: 100, period: none, at_limit: stop, grace: 20m}}
"""

Furnished = Callable[[], AbstractContextManager[Record]]


def read(folder: Path, text: str) -> Settings:
    path = folder / "allotment.yaml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path, None)


def terms(record: Record, scope: BudgetScope, subject: str) -> BudgetTerms:
    with record.reading() as reading:
        return budgets.get(reading, scope, subject).budget.terms


@pytest.mark.promise("MONEY-3", "OPS-1")
def test_budgets_of_the_file_are_set_once_and_an_operators_change_stays(
    furnished: Furnished, tmp_path: Path
) -> None:
    settings = read(tmp_path, FILE)
    with furnished() as record:
        apply_once(record, settings, NOW)
        assert terms(record, BudgetScope.GROUP, "vision") == BudgetTerms(amount=Decimal("500.5"))
        assert terms(record, BudgetScope.PERSON, "ada") == BudgetTerms(
            amount=Decimal(100),
            period=Period.NONE,
            at_limit=AtLimit.STOP,
            grace=timedelta(minutes=20),
        )
        with record.reading() as reading:
            assert str(platform.time_zone(reading)) == "Europe/Berlin"
            assert plan(reading, settings, now=NOW) == ()
        with record.writing("olga", NOW) as writing:
            more = BudgetTerms(amount=Decimal(600))
            budgets.put(writing, BudgetScope.GROUP, "vision", more)
        (kept,) = apply(record, settings, actor="olga", now=NOW)
        assert kept.sentence.startswith("budget group/vision: amount 600 stays")
        apply(record, settings, actor="olga", now=NOW, restore=True)
        assert terms(record, BudgetScope.GROUP, "vision").amount == Decimal("500.5")


@pytest.mark.promise("LIMIT-1", "OPS-1")
def test_what_is_exported_sets_the_same_budgets_again(furnished: Furnished, tmp_path: Path) -> None:
    with furnished() as record, furnished() as other:
        apply_once(record, read(tmp_path, FILE), NOW)
        with record.reading() as reading:
            text = export(reading, NOW)
        again = read(tmp_path, text)
        apply_once(other, again, NOW)
        with record.reading() as reading:
            assert plan(reading, again, now=NOW) == ()
        for scope, name in (
            (BudgetScope.GROUP, "vision"),
            (BudgetScope.PERSON, "ada"),
            (BudgetScope.MEMBERS, "vision"),
            (BudgetScope.EVERYBODY, PLATFORM),
        ):
            assert terms(other, scope, name) == terms(record, scope, name)


@pytest.mark.parametrize(
    ("budget", "problem"),
    [
        ("groups: {visoin: {amount: 1}}", "did you mean 'vision'?"),
        ("members: {visoin: {amount: 1}}", "this file names no group 'visoin'"),
        ("people: {bob: {amount: 1}}", "this file names no person 'bob'"),
        ("groups: {vision: {}}", "amount: is missing"),
        ("groups: {vision: {amount: -1}}", "expected at least 0"),
        ("groups: {vision: {amount: 1, period: week}}", "'month', 'quarter' or 'none'"),
        ("groups: {vision: {amount: 1, grace: 5}}", "expected a duration such as 30m"),
        ("teams: {}", "is not a key here"),
    ],
)
def test_a_budget_that_makes_no_sense_is_named_with_its_line(
    tmp_path: Path, budget: str, problem: str
) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        read(tmp_path, f"groups: [{{name: vision, members: [ada]}}]\nbudgets:\n  {budget}\n")

    assert problem in str(refused.value)
    assert "allotment.yaml:3" in str(refused.value)
