"""Settling budgets: what was spent until a while ago is kept in their rows, so that admissions need not count it.

It stays a minute behind the clock: by then nothing that was written late can change what was counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from allotment.model.budgets import BudgetScope, Spending
from allotment.record import platform, usage
from allotment.record.budgets import Row, lock, match
from allotment.record.columns import from_stored, to_stored
from allotment.record.engine import Reading, Writing
from allotment.record.schema import budget_warnings, budgets, groups
from allotment.rules.budget import bounds
from allotment.rules.usage import tally, uncut

BEHIND = timedelta(minutes=1)
"""How far settling stays behind the clock: longer than a writer waits for its turn."""


@dataclass(frozen=True, slots=True)
class _Settled:
    """What is to be written of a budget: its period's beginning, and what was spent until when."""

    row: Row
    begin: int
    until: int
    amount: int


def settle(writing: Writing) -> None:
    """Count what was spent of every budget that is no default until a minute ago: in one look for those of one time.

    Counted and kept in one transaction that has locked the budgets, so that a past that is put right
    meanwhile is never written over.
    """
    zone, at = platform.time_zone(writing), to_stored(writing.now)
    horizon = at - BEHIND // timedelta(microseconds=1)
    waiting: dict[int, list[tuple[Row, int]]] = {}
    for row in lock(writing):
        terms = row.budget.terms
        begin, _ = bounds(terms.period, to_stored(row.budget.begins_at), at, zone)
        since = row.settled_until if row.settled_from == begin else begin
        if since < horizon or row.settled_from != begin:
            waiting.setdefault(since, []).append((row, begin))
    _keep(
        writing,
        [
            done
            for since, those in waiting.items()
            for done in _settle(writing, those, since, max(since, horizon))
        ],
    )


def _settle(
    reading: Reading, those: Iterable[tuple[Row, int]], since: int, horizon: int
) -> Iterator[_Settled]:
    spent = _spent(reading, since, horizon)
    for row, begin in those:
        kept = row.settled if row.settled_from == begin else 0
        yield _Settled(row, begin, horizon, kept + spent.get(row.key, 0))


def _spent(reading: Reading, since: int, until: int) -> Mapping[tuple[str, str], int]:
    """What was charged from then until then, by scope and subject."""
    found = usage.charged(reading, from_stored(since), from_stored(until))
    used = tally(found, since, until, uncut(since), lambda subject: subject[:2])
    departments_of = {one.name: one.department for one in reading.all(sa.select(groups))}
    spent: dict[tuple[str, str], int] = defaultdict(int)
    for (person, group, *_), use in used.items():
        spent[BudgetScope.PERSON, person] += use.charge
        spent[BudgetScope.GROUP, group] += use.charge
        spent[BudgetScope.DEPARTMENT, departments_of.get(group) or ""] += use.charge
    return spent


_KEEP = (
    budgets.update()
    .where(
        budgets.c.scope == sa.bindparam("the_scope"),
        budgets.c.subject == sa.bindparam("the_subject"),
    )
    .values(
        settled=sa.bindparam("the_amount"),
        settled_from=sa.bindparam("the_begin"),
        settled_until=sa.bindparam("the_until"),
        warned=sa.bindparam("the_level"),
    )
)


def _keep(writing: Writing, settled: Sequence[_Settled]) -> None:
    """Keep what was counted. A new period warns anew."""
    if not settled:
        return
    rows = [
        {
            "the_scope": str(one.row.budget.scope),
            "the_subject": one.row.budget.subject,
            "the_amount": str(one.amount),
            "the_begin": from_stored(one.begin),
            "the_until": from_stored(one.until),
            "the_level": one.row.warned if one.row.settled_from == one.begin else 0,
        }
        for one in settled
    ]
    writing.run(_KEEP, rows)


def warn(writing: Writing, spending: Spending, message: str) -> bool:
    """Note that a level was told, and tell it as an event; of a default, to the person it is counted for.

    Returns False where another has told it, or the budget was changed since it was read.
    """
    budget, member = spending.budget, spending.member
    told = _note(writing, spending) if member is None else _note_member(writing, spending, member)
    if told:
        scope, whose = (budget.scope, budget.subject) if member is None else ("person", member)
        writing.event(
            "budget.warned",
            f"{scope}/{whose}",
            person=spending.person,
            group=budget.subject if budget.scope is BudgetScope.GROUP else None,
            after={"level": spending.level, "message": message},
        )
    return told


def _note(writing: Writing, spending: Spending) -> bool:
    budget = spending.budget
    told = writing.run(
        budgets.update()
        .where(
            *match(budget.scope, budget.subject),
            budgets.c.revision == budget.revision,
            budgets.c.warned < spending.level,
        )
        .values(warned=spending.level)
    )
    return bool(told.rowcount)


def _note_member(writing: Writing, spending: Spending, person: str) -> bool:
    budget, begin = spending.budget, from_stored(spending.begin)
    same = (*match(budget.scope, budget.subject), budgets.c.revision == budget.revision)
    if writing.first(sa.select(budgets.c.revision).where(*same).with_for_update()) is None:
        return False
    key = {"scope": str(budget.scope), "subject": budget.subject, "person": person}
    mine = [budget_warnings.c[name] == value for name, value in key.items()]
    known = writing.first(sa.select(budget_warnings).where(*mine))
    if known is not None and known.begins_at == begin and known.warned >= spending.level:
        return False
    writing.run(budget_warnings.delete().where(*mine))
    writing.run(budget_warnings.insert().values(**key, begins_at=begin, warned=spending.level))
    return True
