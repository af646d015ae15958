"""Budgets: set, changed and taken away. What they have paid for: :mod:`allotment.record.spending`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from allotment.model.budgets import PLATFORM, Budget, BudgetScope, BudgetTerms, Period
from allotment.model.money import MILLION, money, price_in_millionths
from allotment.model.refusals import NotFound
from allotment.record import platform
from allotment.record.columns import from_stored, to_stored
from allotment.record.engine import Reading, Writing, expect_revision
from allotment.record.rows import named
from allotment.record.schema import budget_warnings, budgets, departments, groups, people
from allotment.rules.budget import bounds

_SUBJECTS = {
    BudgetScope.PERSON: ("person", people),
    BudgetScope.GROUP: ("group", groups),
    BudgetScope.DEPARTMENT: ("department", departments),
    BudgetScope.MEMBERS: ("group", groups),
}
DEFAULTS = [str(scope) for scope in BudgetScope if scope.is_default]
"""Scopes of values for many people. Nothing of them is settled: each person's use is counted apart."""


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


def from_row(row: sa.Row[Any]) -> Row:
    """A budget, of its row in the record."""
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
    return tuple(from_row(row) for row in reading.all(statement))


def lock(writing: Writing, concerned: sa.ColumnElement[bool] | None = None) -> tuple[Row, ...]:
    """Every budget that is settled, or those concerned, which nobody else changes until the transaction ends.

    They are locked in the order in which admissions lock them.
    """
    statement = sa.select(budgets).order_by(budgets.c.scope, budgets.c.subject).with_for_update()
    statement = statement.where(budgets.c.scope.not_in(DEFAULTS))
    if concerned is not None:
        statement = statement.where(concerned)
    return tuple(from_row(row) for row in writing.all(statement))


def get(reading: Reading, scope: BudgetScope, subject: str) -> Row:
    """One budget.

    Raises:
        NotFound: none is set.
    """
    row = find(reading, scope, subject)
    if row is None:
        raise NotFound("budget", f"{scope} {subject}")
    return row


def find(reading: Reading, scope: BudgetScope, subject: str) -> Row | None:
    """One budget; None: none is set."""
    row = reading.first(sa.select(budgets).where(*match(scope, subject)))
    return None if row is None else from_row(row)


def match(scope: BudgetScope, subject: str) -> tuple[sa.ColumnElement[bool], ...]:
    """What finds a budget's row."""
    return budgets.c.scope == str(scope), budgets.c.subject == subject


def known_subject(reading: Reading, scope: BudgetScope, subject: str) -> str:
    """What a subject is called, which there is.

    Raises:
        NotFound: there is no such person, group or department.
    """
    if scope is BudgetScope.EVERYBODY:
        if subject != PLATFORM:
            raise NotFound("budget", f"{scope} {subject}")
        return str(scope)
    what, table = _SUBJECTS[scope]
    named(reading, table, what, subject)
    return what


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
    what = known_subject(writing, scope, subject)
    found = writing.first(sa.select(budgets).where(*match(scope, subject)))
    before = None if found is None else from_row(found)
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
        group=subject if scope in {BudgetScope.GROUP, BudgetScope.MEMBERS} else None,
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
    _delete(writing, scope, subject)
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


def _delete(writing: Writing, scope: BudgetScope, subject: str) -> None:
    writing.run(budgets.delete().where(*match(scope, subject)))
    told = budget_warnings.c.scope == str(scope), budget_warnings.c.subject == subject
    writing.run(budget_warnings.delete().where(*told))


def remove(writing: Writing, scope: BudgetScope, subject: str, revision: int | None = None) -> None:
    """Take a budget away: nothing limits what its subject uses any more.

    Raises:
        NotFound, RevisionStale: as ever.
    """
    row = get(writing, scope, subject)
    expect_revision(f"budget of {scope} {subject!r}", row.budget.revision, revision)
    _delete(writing, scope, subject)
    writing.event(
        "budget.changed",
        f"{scope}/{subject}",
        person=subject if scope is BudgetScope.PERSON else None,
        group=subject if scope in {BudgetScope.GROUP, BudgetScope.MEMBERS} else None,
        before=row.budget.terms.model_dump(mode="json"),
    )


def forget(writing: Writing, scope: BudgetScope, subject: str) -> None:
    """Take the budgets of a person or a group away, that of its members too: there is no such any more."""
    _delete(writing, scope, subject)
    if scope is BudgetScope.GROUP:
        _delete(writing, BudgetScope.MEMBERS, subject)
    if scope is BudgetScope.PERSON:
        writing.run(budget_warnings.delete().where(budget_warnings.c.person == subject))


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
