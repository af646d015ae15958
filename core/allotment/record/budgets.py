"""Budgets: set, and read with what they have paid for.

A budget's row repeats what was spent until a while ago (:mod:`allotment.record.settling`); what came
after is read from the allotments. So an admission costs the same after a year as on the first day,
and nothing at all where no budget is set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

import sqlalchemy as sa

from allotment.model.budgets import Budget, BudgetScope, BudgetTerms, Period, Spending
from allotment.model.money import MILLION, money, price_in_millionths
from allotment.model.refusals import NotFound
from allotment.record import platform, usage
from allotment.record.columns import from_stored, to_stored
from allotment.record.engine import Reading, Writing, expect_revision
from allotment.record.rows import named
from allotment.record.schema import budgets, departments, groups, people
from allotment.rules.budget import Paid, bounds, spend

_SUBJECTS = {
    BudgetScope.PERSON: ("person", people),
    BudgetScope.GROUP: ("group", groups),
    BudgetScope.DEPARTMENT: ("department", departments),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A budget with what is settled of it, as the record keeps it."""

    budget: Budget
    settled: int
    settled_from: int
    settled_until: int
    warned: int

    @property
    def key(self) -> tuple[str, str]:
        """Whose it is."""
        return str(self.budget.scope), self.budget.subject


def _from_row(row: sa.Row[Any]) -> Row:
    terms = BudgetTerms(
        amount=money(row.amount * 3600 * MILLION),
        period=Period(row.period),
        at_limit=row.at_limit,
        grace=timedelta(seconds=row.grace),
        minimum_session=timedelta(seconds=row.minimum_session),
    )
    budget = Budget(BudgetScope(row.scope), row.subject, terms, row.begins_at, row.revision)
    return Row(
        budget,
        int(row.settled),
        to_stored(row.settled_from),
        to_stored(row.settled_until),
        row.warned,
    )


def all_rows(reading: Reading) -> tuple[Row, ...]:
    """Every budget, by scope and subject."""
    statement = sa.select(budgets).order_by(budgets.c.scope, budgets.c.subject)
    return tuple(_from_row(row) for row in reading.all(statement))


def lock(writing: Writing, concerned: sa.ColumnElement[bool] | None = None) -> tuple[Row, ...]:
    """Every budget, or those concerned, which nobody else changes until the transaction ends.

    They are locked in the order in which admissions lock them.
    """
    statement = sa.select(budgets).order_by(budgets.c.scope, budgets.c.subject).with_for_update()
    if concerned is not None:
        statement = statement.where(concerned)
    return tuple(_from_row(row) for row in writing.all(statement))


def get(reading: Reading, scope: BudgetScope, subject: str) -> Row:
    """One budget.

    Raises:
        NotFound: none is set.
    """
    row = reading.first(sa.select(budgets).where(*match(scope, subject)))
    if row is None:
        raise NotFound("budget", f"{scope} {subject}")
    return _from_row(row)


def match(scope: BudgetScope, subject: str) -> tuple[sa.ColumnElement[bool], ...]:
    """What finds a budget's row."""
    return budgets.c.scope == str(scope), budgets.c.subject == subject


def put(
    writing: Writing,
    scope: BudgetScope,
    subject: str,
    terms: BudgetTerms,
    revision: int | None = None,
) -> Row:
    """Set a budget, or change one. What was spent in its period counts, whenever it was set.

    Free credit counts from when it was given: from now, where it was not credit before.

    Raises:
        NotFound: there is no such person, group or department.
        RevisionStale: somebody changed it meanwhile.
    """
    what, table = _SUBJECTS[scope]
    named(writing, table, what, subject)
    found = writing.first(sa.select(budgets).where(*match(scope, subject)))
    before = None if found is None else _from_row(found)
    expect_revision(
        f"budget of {what} {subject!r}", before.budget.revision if before else 0, revision
    )
    if before is not None and before.budget.terms == terms:
        return before
    _write(writing, scope, subject, terms, before)
    writing.event(
        "budget.changed",
        f"{scope}/{subject}",
        person=subject if scope is BudgetScope.PERSON else None,
        group=subject if scope is BudgetScope.GROUP else None,
        before=None if before is None else before.budget.terms.model_dump(mode="json"),
        after=terms.model_dump(mode="json"),
    )
    return get(writing, scope, subject)


def _write(
    writing: Writing, scope: BudgetScope, subject: str, terms: BudgetTerms, before: Row | None
) -> None:
    credit = before is not None and before.budget.terms.period is terms.period is Period.NONE
    begins_at = before.budget.begins_at if before is not None and credit else writing.now
    begin, _ = bounds(
        terms.period, to_stored(begins_at), to_stored(writing.now), platform.time_zone(writing)
    )
    writing.run(budgets.delete().where(*match(scope, subject)))
    writing.run(
        budgets.insert().values(
            scope=str(scope),
            subject=subject,
            amount=price_in_millionths(terms.amount),
            period=str(terms.period),
            begins_at=begins_at,
            at_limit=str(terms.at_limit),
            grace=round(terms.grace.total_seconds()),
            minimum_session=round(terms.minimum_session.total_seconds()),
            settled_from=from_stored(begin),
            settled_until=from_stored(begin),
            revision=before.budget.revision + 1 if before else 1,
        )
    )


def remove(writing: Writing, scope: BudgetScope, subject: str, revision: int | None = None) -> None:
    """Take a budget away: nothing limits what its subject uses any more.

    Raises:
        NotFound, RevisionStale: as ever.
    """
    row = get(writing, scope, subject)
    expect_revision(f"budget of {scope} {subject!r}", row.budget.revision, revision)
    writing.run(budgets.delete().where(*match(scope, subject)))
    writing.event(
        "budget.changed",
        f"{scope}/{subject}",
        person=subject if scope is BudgetScope.PERSON else None,
        group=subject if scope is BudgetScope.GROUP else None,
        before=row.budget.terms.model_dump(mode="json"),
    )


# What is spent.


def foresee(
    reading: Reading, scope: BudgetScope, subject: str, terms: BudgetTerms, now: datetime
) -> Spending:
    """What a budget of these terms would have paid for: its period as if it had been set already.

    Raises:
        NotFound: there is no such person, group or department.
    """
    what, table = _SUBJECTS[scope]
    named(reading, table, what, subject)
    row = reading.first(
        sa.select(budgets.c.begins_at, budgets.c.period).where(*match(scope, subject))
    )
    credit = row is not None and row.period == str(terms.period) == str(Period.NONE)
    begins_at = row.begins_at if row is not None and credit else now
    return _spending(
        reading,
        Row(Budget(scope, subject, terms, begins_at), 0, -1, -1, 0),
        now,
        platform.time_zone(reading),
    )


def spendings(
    reading: Reading, now: datetime, rows: Iterable[Row] | None = None
) -> tuple[Spending, ...]:
    """Every budget, or these, with what it has paid for until now."""
    zone = platform.time_zone(reading)
    chosen = all_rows(reading) if rows is None else rows
    return tuple(_spending(reading, row, now, zone) for row in chosen)


def of_claim(
    reading: Reading, person: str, paying: Iterable[str], now: datetime
) -> tuple[Spending, ...]:
    """The budgets that may have to pay for a launch: the person's, and those of groups and departments.

    On PostgreSQL a writer locks them, in order, so that launches at the same moment cannot pass one
    together.
    """
    names = list(paying)
    of_groups = sa.select(groups.c.department).where(groups.c.name.in_(names))
    statement = (
        sa.select(budgets)
        .where(
            sa.or_(
                sa.and_(budgets.c.scope == "person", budgets.c.subject == person),
                sa.and_(budgets.c.scope == "group", budgets.c.subject.in_(names)),
                sa.and_(budgets.c.scope == "department", budgets.c.subject.in_(of_groups)),
            )
        )
        .order_by(budgets.c.scope, budgets.c.subject)
    )
    if isinstance(reading, Writing):
        statement = statement.with_for_update()
    return spendings(reading, now, [_from_row(row) for row in reading.all(statement)])


def _spending(reading: Reading, row: Row, now: datetime, zone: tzinfo) -> Spending:
    budget, terms, at = row.budget, row.budget.terms, to_stored(now)
    begin, end = bounds(terms.period, to_stored(budget.begins_at), at, zone)
    same = row.settled_from == begin and row.settled_until <= at
    since, settled = (row.settled_until, row.settled) if same else (begin, 0)
    paid = _paid(reading, budget, since)
    spent, committed, rate = spend(paid, since, at, terms.minimum_session)
    return Spending(
        budget, begin, end, settled + spent, committed, rate, _groups_of(reading, budget)
    )


def _groups_of(reading: Reading, budget: Budget) -> frozenset[str]:
    if budget.scope is BudgetScope.PERSON:
        return frozenset()
    if budget.scope is BudgetScope.GROUP:
        return frozenset({budget.subject})
    statement = sa.select(groups.c.name).where(groups.c.department == budget.subject)
    return frozenset(row.name for row in reading.all(statement))


_OF = {
    BudgetScope.PERSON: "person = :subject",
    BudgetScope.GROUP: "group_name = :subject",
    BudgetScope.DEPARTMENT: "group_name IN (SELECT name FROM groups WHERE department = :subject)",
}


def _paid(reading: Reading, budget: Budget, since: int) -> Iterator[Paid]:
    """What it pays for now, and what has ended since then."""
    price, of = usage.PRICES[reading.dialect], _OF[budget.scope]
    columns = f"running_at, COALESCE(charged_until, stopping_at), {price}, state FROM allotments"
    statement = (
        f"SELECT {columns} WHERE state <> 'released' AND {of} UNION ALL "
        f"SELECT {columns} WHERE state = 'released' AND stopping_at > :since AND {of}"
    )
    parameters = {"subject": budget.subject, "since": since}
    for begin, end, written, state in reading.driver(statement, parameters).all():  # type: ignore[misc]  # rows of SQL as text
        yield Paid(begin, end, price_in_millionths(written), state != "released")


def unsettle(writing: Writing, person: str, group: str | None) -> None:
    """Let the budgets of a person and a group count anew from their period's beginning: the past was put right."""
    of_group = sa.select(groups.c.department).where(groups.c.name == (group or ""))
    _count_anew(
        writing,
        sa.or_(
            sa.and_(budgets.c.scope == "person", budgets.c.subject == person),
            sa.and_(budgets.c.scope == "group", budgets.c.subject == (group or "")),
            sa.and_(budgets.c.scope == "department", budgets.c.subject.in_(of_group)),
        ),
    )


def unsettle_departments(writing: Writing, *names: str | None) -> None:
    """Let the budgets of departments count anew: their groups change, and with them what was spent."""
    _count_anew(
        writing,
        sa.and_(budgets.c.scope == "department", budgets.c.subject.in_(filter(None, names))),
    )


def _count_anew(writing: Writing, concerned: sa.ColumnElement[bool]) -> None:
    lock(writing, concerned)
    again = budgets.update().where(concerned)
    writing.run(again.values(settled="0", settled_until=budgets.c.settled_from))
