"""Settling budgets: what was spent until a while ago is kept in their rows, so that admissions need not count it.

It stays a minute behind the clock: by then nothing that was written late can change what was counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from allotment.model.budgets import Budget, BudgetScope, Spending
from allotment.model.money import Use
from allotment.record import platform, usage
from allotment.record.budgets import Row, match
from allotment.record.columns import from_stored, to_stored
from allotment.record.engine import Reading, Writing
from allotment.record.schema import budgets, groups
from allotment.rules.budget import bounds
from allotment.rules.usage import tally, uncut

BEHIND = timedelta(minutes=1)
"""How far settling stays behind the clock: longer than a writer waits for its turn."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What is to be written of a budget: its period's beginning, and what was spent until when."""

    row: Row
    begin: int
    until: int
    amount: int


def settle(reading: Reading, rows: Iterable[Row], now: datetime) -> tuple[Settled, ...]:
    """Count what was spent of each budget until a minute ago: in one look for those of one time."""
    zone, at = platform.time_zone(reading), to_stored(now)
    horizon = at - BEHIND // timedelta(microseconds=1)
    waiting: dict[int, list[tuple[Row, int]]] = {}
    for row in rows:
        terms = row.budget.terms
        begin, _ = bounds(terms.period, to_stored(row.budget.begins_at), at, zone)
        since = row.settled_until if row.settled_from == begin else begin
        if since < horizon or row.settled_from != begin:
            waiting.setdefault(since, []).append((row, begin))
    departments_of = {one.name: one.department for one in reading.all(sa.select(groups))}
    return tuple(
        done
        for since, those in sorted(waiting.items())
        for done in _settle(reading, those, since, max(since, horizon), departments_of)
    )


def _settle(
    reading: Reading,
    those: list[tuple[Row, int]],
    since: int,
    horizon: int,
    departments_of: dict[str, str | None],
) -> Iterator[Settled]:
    found = usage.charged(reading, from_stored(since), from_stored(horizon))
    used = tally(found, since, horizon, uncut(since), lambda subject: subject[:2])
    for row, begin in those:
        mine = (use for key, use in used.items() if _pays_for(row.budget, key, departments_of))
        spent = sum(mine, Use()).charge
        kept = row.settled if row.settled_from == begin else 0
        yield Settled(row, begin, horizon, kept + spent)


def _pays_for(budget: Budget, key: tuple[str, ...], departments_of: dict[str, str | None]) -> bool:
    person, group = key[:2]
    if budget.scope is BudgetScope.PERSON:
        return person == budget.subject
    if budget.scope is BudgetScope.GROUP:
        return group == budget.subject
    return departments_of.get(group) == budget.subject


def write_settled(writing: Writing, settled: Iterable[Settled]) -> None:
    """Keep what was counted, unless the budget was changed meanwhile. A new period warns anew."""
    for one in settled:
        budget = one.row.budget
        fresh = {} if one.row.settled_from == one.begin else {"warned": 0}
        writing.run(
            budgets.update()
            .where(*match(budget.scope, budget.subject), budgets.c.revision == budget.revision)
            .values(
                settled=str(one.amount),
                settled_from=from_stored(one.begin),
                settled_until=from_stored(one.until),
                **fresh,
            )
        )


def warn(writing: Writing, spending: Spending, message: str) -> None:
    """Note that a level was told, and tell it as an event."""
    budget = spending.budget
    writing.run(
        budgets.update().where(*match(budget.scope, budget.subject)).values(warned=spending.level)
    )
    writing.event(
        "budget.warned",
        f"{budget.scope}/{budget.subject}",
        person=budget.subject if budget.scope is BudgetScope.PERSON else None,
        group=budget.subject if budget.scope is BudgetScope.GROUP else None,
        after={"level": spending.level, "message": message},
    )
