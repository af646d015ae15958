"""Budgets in the periodic work: counted, warned of, and where the policy says so, carried out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from allotment.model.allotments import Allotment
from allotment.model.amounts import counted
from allotment.model.budgets import AtLimit, Spending
from allotment.model.endings import Cause
from allotment.model.money import price_in_millionths
from allotment.model.refusals import NotFound
from allotment.record import (
    Reading,
    Record,
    Writing,
    allotments,
    budgets,
    endings,
    settling,
    spending,
)
from allotment.record.columns import from_stored
from allotment.rules.budget import LAST, spend_sentence

_ACTOR = "budgets"


def watch_budgets(record: Record, now: datetime) -> str:
    """Settle every budget, tell what reached a level, and announce or withdraw ends of servers."""
    _settle(record, now)
    with record.reading() as reading:
        rows = budgets.all_rows(reading)
        known = spending.watched(reading, now, rows)
        told = _to_tell(reading, rows, known)
        ends, over = _ends(reading, known)
    if told or ends or over:
        with record.writing(_ACTOR, now, configuration=False) as writing:
            for one in told:
                settling.warn(writing, one, spend_sentence(one))
            for allotment, cause in ends.items():
                _say(writing, allotment, cause)
            for allotment in over:
                endings.withdraw(writing, allotment, Cause.BUDGET, "There is money again.")
    return _words(told, ends, over)


def _to_tell(
    reading: Reading, rows: Iterable[budgets.Row], known: Iterable[Spending]
) -> list[Spending]:
    """Those at a level that was not told yet."""
    own = {row.key: row.warned for row in rows}
    reached = [one for one in known if one.level]
    members = spending.told(reading) if any(one.member for one in reached) else {}
    told = []
    for one in reached:
        key = str(one.budget.scope), one.budget.subject
        before = own[key]
        if one.member is not None:
            begin, level = members.get((*key, one.member), (None, 0))
            before = level if begin == from_stored(one.begin) else 0
        if one.level > before:
            told.append(one)
    return told


def _settle(record: Record, now: datetime) -> None:
    with record.reading() as reading:
        anything = bool(budgets.all_rows(reading))
    if anything:
        with record.writing(_ACTOR, now, configuration=False) as writing:
            settling.settle(writing)


def _ends(
    reading: Reading, known: Iterable[Spending]
) -> tuple[Mapping[str, Spending], tuple[str, ...]]:
    """Servers that are to be told of their end, each with the budget, and those that may go on."""
    spent = [
        one for one in known if one.percent >= LAST and one.budget.terms.at_limit is AtLimit.STOP
    ]
    announced = {
        allotment
        for allotment, those in endings.open_endings(reading).items()
        if any(each.cause is Cause.BUDGET for each in those)
    }
    if not spent:
        return {}, tuple(sorted(announced))
    ending = {
        one.id: payer
        for one in allotments.active(reading)
        for payer in [_payer(one, spent)]
        if payer is not None
    }
    new = {key: payer for key, payer in ending.items() if key not in announced}
    return new, tuple(sorted(announced - set(ending)))


def _payer(one: Allotment, spent: Iterable[Spending]) -> Spending | None:
    """The budget that cannot pay for a server any longer; what costs nothing goes on."""
    if not price_in_millionths(one.terms.get("profile", {}).get("price")):
        return None
    for each in spent:
        if each.pays(one.person, one.group):
            return each
    return None


def _say(writing: Writing, allotment: str, payer: Spending) -> None:
    stop_at = writing.now + payer.budget.terms.grace
    try:
        endings.say(writing, allotment, Cause.BUDGET, stop_at, spend_sentence(payer))
    except NotFound:
        return  # it has ended meanwhile


def _words(told: Iterable[Spending], ends: Iterable[str], over: Iterable[str]) -> str:
    parts = [f"told: {one.whose} at {one.percent} %" for one in told]
    parts += [f"{counted(len(list(ends)), 'server')} to end"] if list(ends) else []
    parts += [f"{counted(len(list(over)), 'server')} may go on"] if list(over) else []
    return "; ".join(parts)
