"""Budgets as documents, and what other terms would do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from allotment.api.views.foreseeing import consequences_document
from allotment.model import documents
from allotment.model.allotments import Allotment
from allotment.model.amounts import counted
from allotment.model.budgets import AtLimit, BudgetScope, Spending
from allotment.model.durations import format_duration
from allotment.model.foresight import Affected, Effect, Foresight
from allotment.model.money import money, money_words, price_in_millionths
from allotment.record import Reading, allotments, memberships, spending
from allotment.record.columns import from_stored, to_stored
from allotment.rules.budget import LAST, binding, ends_at, spend_sentence
from allotment.rules.permission import Sight

_MOST_LINES = 5
"""Of how many people it is said what other terms would do; of the others, how many they are."""
_HOUR = timedelta(hours=1) // timedelta(microseconds=1)


def budget_documents(reading: Reading, sight: Sight, now: datetime) -> list[documents.Budget]:
    """Budgets that the caller may see: all; or own ones, those of own groups, and of led people."""
    return [
        budget_document(one, now)
        for one in spending.spendings(reading, now)
        if sees(reading, sight, one)
    ]


def sees(reading: Reading, sight: Sight, one: Spending) -> bool:
    """Whether a budget may be seen: everybody sees what pays for their servers, leads their people's."""
    if one.budget.scope is BudgetScope.EVERYBODY:
        return sight.everything
    if one.budget.scope is BudgetScope.MEMBERS:
        return sight.sees_members(one.budget.subject)
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
        source=budget.source,
        person=one.person,
    )


def inherited_document(one: Spending, now: datetime) -> documents.Budget:
    """What binds a person who has no budget of their own: theirs to be set, with the revision 0."""
    mine = {"scope": BudgetScope.PERSON, "subject": one.member, "revision": 0}
    return budget_document(one, now).model_copy(update=mine)


def budget_notices(
    reading: Reading, person: str, groups: Iterable[str], now: datetime
) -> list[documents.Notice]:
    """What a person should know of the budgets that pay for their servers: those used to 80 % and more."""
    mine = tuple(groups)
    return [
        documents.Notice(at=now, kind="budget", message=spend_sentence(one))
        for one in binding(spending.of_claim(reading, person, mine, now), mine)
        if one.level
    ]


def consequences(
    reading: Reading, foreseen: Sequence[Spending], now: datetime
) -> documents.Consequences:
    """What these terms would do to what runs and starts now. All empty: nothing.

    ``foreseen`` are those of a default, one for each person, or the one of any other budget.
    """
    reached = sorted(foreseen, key=lambda one: (-one.spent, one.whose))
    over = [one for one in reached if one.percent >= LAST]
    if not over:
        near = [
            f"{one.whose} has used {_used(one)}: {one.percent} %." for one in reached if one.level
        ]
        return documents.Consequences(consequences=tuple(_first_few(near)))
    terms = over[0].budget.terms
    each = [f"{one.whose} has used {_used(one)} and would be over it." for one in over]
    first = _first_few(each)
    if terms.at_limit is AtLimit.WARN:
        only = "Those concerned are told; nothing else happens."
        return documents.Consequences(consequences=(*first, only))
    running, stops = _running(reading, over), terms.at_limit is AtLimit.STOP
    lines = [
        *first,
        "Nothing new that costs money starts until the period ends or the budget is raised.",
    ]
    if running:
        lines.append(_becomes(len(running), terms.grace if stops else None))
    affected = [
        Affected(
            each.id,
            Effect.STOPPED if stops else Effect.OVER,
            f"the budget of {one.whose}",
            now + terms.grace if stops else None,
        )
        for each, one in running
    ]
    return consequences_document(reading, Foresight(tuple(lines), tuple(affected)), now)


def _used(one: Spending) -> str:
    terms = one.budget.terms
    return f"{money_words(money(one.spent))} of {money_words(terms.amount)} {terms.period.words}"


def _first_few(lines: Sequence[str]) -> list[str]:
    """The first lines, and how many more there are."""
    more = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], *([f"And so have {counted(more, 'other')}."] if more > 0 else [])]


def _becomes(number: int, grace: timedelta | None) -> str:
    """What becomes of the servers that it pays for."""
    servers = counted(number, "server")
    if grace is None:
        return f"{servers} that it pays for {'goes' if number == 1 else 'go'} on."
    verb = "is" if number == 1 else "are"
    return (
        f"{servers} that it pays for {verb} told and stopped {format_duration(grace)} after that."
    )


def _running(reading: Reading, over: Sequence[Spending]) -> list[tuple[Allotment, Spending]]:
    """Servers that they pay for now and that cost something, each with what pays for it."""
    return [
        (each, one)
        for each in allotments.active(reading)
        if price_in_millionths(each.terms.get("profile", {}).get("price"))
        for one in over
        if one.pays(each.person, each.group)
    ]
