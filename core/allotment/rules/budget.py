"""Budgets: which period counts, what a launch must be able to pay, when the money ends. Pure.

Times are whole microseconds since the epoch; sums of money are charges, as
:mod:`allotment.model.money` says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from decimal import Decimal

from allotment.model.budgets import AtLimit, BudgetScope, Period, Spending
from allotment.model.money import money, money_words, price_in_millionths
from allotment.model.reasons import Reason, Rule
from allotment.rules.usage import first_instant, local_date, next_month

_MICROSECOND = timedelta(microseconds=1)
_RULES = {
    BudgetScope.PERSON: Rule.BUDGET_PERSON,
    BudgetScope.GROUP: Rule.BUDGET_GROUP,
    BudgetScope.DEPARTMENT: Rule.BUDGET_DEPARTMENT,
    BudgetScope.MEMBERS: Rule.BUDGET_PERSON,
    BudgetScope.EVERYBODY: Rule.BUDGET_PERSON,
}
_MONTHS_OF_A_QUARTER = 3
LAST = 100
"""Percent at which a budget is used up."""


def bounds(period: Period, begins_at: int, now: int, zone: tzinfo) -> tuple[int, int | None]:
    """When the period that ``now`` is in begins and ends; credit begins when it was given."""
    if period is Period.NONE:
        return begins_at, None
    first = local_date(now, zone).replace(day=1)
    last = next_month(first)
    if period is Period.QUARTER:
        first = date(first.year, 1 + (first.month - 1) // 3 * 3, 1)
        last = first
        for _ in range(_MONTHS_OF_A_QUARTER):
            last = next_month(last)
    return first_instant(first, zone), first_instant(last, zone)


@dataclass(frozen=True, slots=True)
class Paid:
    """One allotment as a budget sees it: charged from ``begin`` (None: not yet) until ``end`` (None: still)."""

    begin: int | None
    end: int | None
    price: int
    active: bool


def spend(paid: Iterable[Paid], since: int, now: int, minimum: timedelta) -> tuple[int, int, int]:
    """What was spent from ``since`` to ``now``, what is committed beyond, and the rate now.

    Committed is, of each server that starts or runs, what is left of its minimum session: what was
    admitted last counts at once, so that launches at the same moment cannot pass the budget together.
    """
    spent = committed = rate = 0
    session = minimum // _MICROSECOND
    for one in paid:
        end = now if one.end is None else min(one.end, now)
        begin = end if one.begin is None else one.begin
        spent += one.price * max(0, end - max(begin, since))
        if one.active and one.end is None:
            committed += one.price * max(0, session - max(0, end - begin))
            rate += one.price if one.begin is not None else 0
    return spent, committed, rate


def budget_reasons(
    spendings: Iterable[Spending], price: Decimal | None, group: str | None
) -> tuple[Reason, ...]:
    """Which budgets could not pay for a minimum session at this price per hour, for the group that pays."""
    per_hour = price_in_millionths(price)
    if not per_hour:
        return ()
    return tuple(
        _reason(one, per_hour)
        for one in spendings
        if one.binds(group)
        and one.budget.terms.at_limit is not AtLimit.WARN
        and one.spent + one.committed + _asked(one, per_hour) > one.amount
    )


def binding(spendings: Iterable[Spending], groups: Collection[str]) -> tuple[Spending, ...]:
    """Those that bind a person's launches, whichever of these groups pays; without groups, if none does."""
    paying = groups or (None,)
    return tuple(one for one in spendings if any(one.binds(group) for group in paying))


def _asked(one: Spending, per_hour: int) -> int:
    return per_hour * (one.budget.terms.minimum_session // _MICROSECOND)


def _reason(one: Spending, per_hour: int) -> Reason:
    terms = one.budget.terms
    limit, spent = money_words(terms.amount), money_words(money(one.spent))
    committed, asked = money_words(money(one.committed)), money_words(money(_asked(one, per_hour)))
    whose = "You have" if one.is_personal else f"The {one.budget.whose} has"
    held = f", and {committed} is kept for servers that run" if one.committed else ""
    return Reason(
        _RULES[one.budget.scope],
        f"{whose} used {spent} of a budget of {limit} "
        f"{terms.period.words}{_origin(one)}{held}; this needs {asked} for a first session.",
        remedy=_remedy(one),
        details=(f"limit {limit}", f"used {spent}", f"committed {committed}", f"asked {asked}"),
    )


def _origin(one: Spending) -> str:
    """Where a default comes from, in brackets."""
    return f" ({one.budget.source})" if one.budget.scope.is_default else ""


def _remedy(one: Spending) -> str:
    whom = {
        BudgetScope.GROUP: "an operator for a larger budget of the group",
        BudgetScope.DEPARTMENT: "an operator for a larger budget of the department",
    }.get(one.budget.scope, "your team lead or an operator for a larger budget")
    return f"Choose a profile that costs less, stop a server that you do not need, or ask {whom}."


def ends_at(one: Spending, now: int) -> int | None:
    """When the budget ends at the present rate: now where it has ended, None where it lasts its period."""
    left = one.amount - one.spent
    if left <= 0:
        return now
    if not one.rate:
        return None
    end = now + left // one.rate
    return None if one.end is not None and end >= one.end else end


def spend_sentence(one: Spending) -> str:
    """How far a budget is used, for those whom it concerns."""
    terms = one.budget.terms
    used = f"{money_words(money(one.spent))} of {money_words(terms.amount)} {terms.period.words}"
    used += _origin(one)
    whose = "Your budget" if one.is_personal else f"The budget of {one.budget.whose}"
    if one.percent < LAST:
        return f"{whose} is used to {one.percent} %: {used}."
    return f"{whose} is used up: {used}. At the limit, {terms.at_limit.words}."
