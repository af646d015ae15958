"""Budgets as documents, and what other terms would do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from allotment.api.views.foreseeing import consequences_document
from allotment.model import documents
from allotment.model.allotments import Allotment
from allotment.model.amounts import counted
from allotment.model.budgets import AtLimit, BudgetScope, Spending
from allotment.model.durations import format_duration
from allotment.model.foresight import Affected, Effect, Foresight
from allotment.model.money import money, money_words, price_in_millionths
from allotment.record import Reading, allotments, budgets, memberships
from allotment.record.columns import from_stored, to_stored
from allotment.rules.budget import LAST, ends_at, spend_sentence
from allotment.rules.permission import Sight

_HOUR = timedelta(hours=1) // timedelta(microseconds=1)


def budget_documents(reading: Reading, sight: Sight, now: datetime) -> list[documents.Budget]:
    """Budgets that the caller may see: all; or own ones, those of own groups, and of led people."""
    return [
        budget_document(one, now)
        for one in budgets.spendings(reading, now)
        if sees(reading, sight, one)
    ]


def sees(reading: Reading, sight: Sight, one: Spending) -> bool:
    """Whether a budget may be seen: everybody sees what pays for their servers, leads their people's."""
    if one.budget.scope is BudgetScope.PERSON:
        inside = memberships.all_memberships(reading, person=one.budget.subject)
        return sight.sees(one.budget.subject, {each.group for each in inside})
    return sight.everything or any(sight.sees_group(group) for group in one.groups)


def budget_document(one: Spending, now: datetime) -> documents.Budget:
    """One budget."""
    budget, terms = one.budget, one.budget.terms
    end = ends_at(one, to_stored(now))
    return documents.Budget(
        scope=budget.scope,
        subject=budget.subject,
        amount=terms.amount,
        period=terms.period,
        at_limit=terms.at_limit,
        grace=terms.grace,
        minimum_session=terms.minimum_session,
        begins_at=budget.begins_at,
        period_begin=from_stored(one.begin),
        period_end=None if one.end is None else from_stored(one.end),
        spent=money(one.spent),
        committed=money(one.committed),
        percent=one.percent,
        rate=money(one.rate * _HOUR),
        ends_at=None if end is None else from_stored(end),
        sentence=spend_sentence(one),
        revision=budget.revision,
    )


def budget_notices(
    reading: Reading, person: str, groups: Iterable[str], now: datetime
) -> list[documents.Notice]:
    """What a person should know of the budgets that pay for their servers: those used to 80 % and more."""
    return [
        documents.Notice(at=now, kind="budget", message=spend_sentence(one))
        for one in budgets.of_claim(reading, person, groups, now)
        if one.level
    ]


def consequences(reading: Reading, one: Spending, now: datetime) -> documents.Consequences:
    """What these terms would do to what runs and starts now. All empty: nothing."""
    terms = one.budget.terms
    used = f"{money_words(money(one.spent))} of {money_words(terms.amount)} {terms.period.words}"
    if one.percent < LAST:
        near = f"{one.budget.whose} has used {used}: {one.percent} %."
        return documents.Consequences(consequences=(near,) if one.level else ())
    first = f"{one.budget.whose} has used {used} and would be over it."
    if terms.at_limit is AtLimit.WARN:
        only = "Those concerned are told; nothing else happens."
        return documents.Consequences(consequences=(first, only))
    running, stops = _running(reading, one), terms.at_limit is AtLimit.STOP
    lines = [
        first,
        "Nothing new that costs money starts until the period ends or the budget is raised.",
    ]
    if running:
        lines.append(_becomes(len(running), terms.grace if stops else None))
    affected = [
        Affected(
            each.id,
            Effect.STOPPED if stops else Effect.OVER,
            f"the budget of {one.budget.whose}",
            now + terms.grace if stops else None,
        )
        for each in running
    ]
    return consequences_document(reading, Foresight(tuple(lines), tuple(affected)), now)


def _becomes(number: int, grace: timedelta | None) -> str:
    """What becomes of the servers that it pays for."""
    servers = counted(number, "server")
    if grace is None:
        return f"{servers} that it pays for {'goes' if number == 1 else 'go'} on."
    verb = "is" if number == 1 else "are"
    return (
        f"{servers} that it pays for {verb} told and stopped {format_duration(grace)} after that."
    )


def _running(reading: Reading, one: Spending) -> list[Allotment]:
    """Servers that it pays for now and that cost something."""
    personal = one.budget.scope is BudgetScope.PERSON
    return [
        each
        for each in allotments.active(reading)
        if price_in_millionths(each.terms.get("profile", {}).get("price"))
        and (each.person == one.budget.subject if personal else each.group in one.groups)
    ]
