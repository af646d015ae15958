"""What budgets have paid for: those that are set, those of a claim, and of each person whom a default binds.

A budget's row repeats what was spent until a while ago (:mod:`allotment.record.settling`); what came
after is read from the allotments. So an admission costs the same after a year as on the first day,
and nothing at all where no budget is set. Of a default nothing is settled: what one person has used
in its period is added up from the allotments of that person, which an index finds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

import sqlalchemy as sa

from allotment.model.budgets import Budget, BudgetScope, BudgetTerms, Period, Spending
from allotment.record import platform
from allotment.record.budgets import DEFAULTS, Row, all_rows, from_row, known_subject, match
from allotment.record.columns import to_stored
from allotment.record.engine import Reading, Writing
from allotment.record.paid import Payer, counted
from allotment.record.schema import (
    allotments,
    budget_warnings,
    budgets,
    groups,
    memberships,
    people,
)
from allotment.rules.budget import bounds

PERSONAL, MEMBERS, EVERYBODY = BudgetScope.PERSON, BudgetScope.MEMBERS, BudgetScope.EVERYBODY


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A budget that is to be counted; of a default, for one person (None: nobody)."""

    row: Row
    member: str | None = None
    spared: frozenset[str] = frozenset()


def spendings(
    reading: Reading, now: datetime, rows: Iterable[Row] | None = None
) -> tuple[Spending, ...]:
    """Every budget, or these, with what it has paid for until now.

    A default is counted for the person whom it binds and who has used the most.
    """
    chosen = tuple(all_rows(reading) if rows is None else rows)
    defaults = [row for row in chosen if row.budget.scope.is_default]
    wanted = [_Wanted(row) for row in chosen if not row.budget.scope.is_default]
    wanted += _bound(reading, defaults, now)
    found: dict[tuple[str, str], Spending] = {}
    for one in _read(reading, wanted, now):
        key = str(one.budget.scope), one.budget.subject
        if key not in found or one.spent > found[key].spent:
            found[key] = one
    empty = [_Wanted(row) for row in defaults if row.key not in found]
    found |= {
        (str(one.budget.scope), one.budget.subject): one for one in _read(reading, empty, now)
    }
    return tuple(found[row.key] for row in chosen)


def watched(reading: Reading, now: datetime, rows: Sequence[Row]) -> tuple[Spending, ...]:
    """These budgets, each default for everybody who holds a server and whom it binds: only theirs grow."""
    defaults = [row for row in rows if row.budget.scope.is_default]
    wanted = [_Wanted(row) for row in rows if not row.budget.scope.is_default]
    if defaults:
        active = sa.select(allotments.c.person).where(allotments.c.state != "released").distinct()
        holding = {row.person for row in reading.all(active)}
        wanted += _bound(reading, defaults, now, holding)
    return _read(reading, wanted, now)


def foresee(
    reading: Reading, scope: BudgetScope, subject: str, terms: BudgetTerms, now: datetime
) -> tuple[Spending, ...]:
    """What a budget of these terms would have paid for: its period as if it had been set already.

    Of a default, for each person whom it would bind.

    Raises:
        NotFound: there is no such person, group or department.
    """
    known_subject(reading, scope, subject)
    row = reading.first(
        sa.select(budgets.c.begins_at, budgets.c.period).where(*match(scope, subject))
    )
    credit = row is not None and row.period == str(terms.period) == str(Period.NONE)
    begins_at = row.begins_at if row is not None and credit else now
    new = Row(Budget(scope, subject, terms, begins_at), 0, -1, -1, 0)
    wanted = _bound(reading, [new], now) if scope.is_default else [_Wanted(new)]
    return _read(reading, wanted, now)


def of_claim(
    reading: Reading, person: str, paying: Iterable[str], now: datetime
) -> tuple[Spending, ...]:
    """The budgets that may have to pay for a launch: the person's, and those of groups and departments.

    Where the person has none, the defaults that take its place. On PostgreSQL a writer locks all but
    defaults, in order, so that launches at the same moment cannot pass one together; those of one
    person wait for each other anyhow.
    """
    names = list(paying)
    of_groups = sa.select(groups.c.department).where(groups.c.name.in_(names))
    own = sa.select(budgets).where(
        sa.or_(
            sa.and_(budgets.c.scope == "person", budgets.c.subject == person),
            sa.and_(budgets.c.scope == "group", budgets.c.subject.in_(names)),
            sa.and_(budgets.c.scope == "department", budgets.c.subject.in_(of_groups)),
        )
    )
    if isinstance(reading, Writing):
        own = own.order_by(budgets.c.scope, budgets.c.subject).with_for_update()
    locked = own.cte("own")
    default = sa.select(budgets).where(
        sa.or_(
            sa.and_(budgets.c.scope == "everybody"),
            sa.and_(budgets.c.scope == "members", budgets.c.subject.in_(names)),
        )
    )
    rows = [from_row(row) for row in reading.all(sa.union_all(sa.select(locked), default))]
    rows.sort(key=lambda row: row.key)
    return _read(reading, _for_person(rows, person), now)


def of_person(
    reading: Reading, person: str, paying: Collection[str], now: datetime
) -> Spending | None:
    """The personal budget that binds a person: the own, else the default of which most is used; None: none."""
    found = [one for one in of_claim(reading, person, paying, now) if one.is_personal]
    bound = [one for one in found if any(one.binds(group) for group in paying or (None,))]
    return max(bound, key=lambda one: one.percent, default=None)


def _for_person(rows: Iterable[Row], person: str) -> list[_Wanted]:
    known = list(rows)
    owned = any(row.budget.scope is PERSONAL for row in known)
    spared = frozenset(row.budget.subject for row in known if row.budget.scope is MEMBERS)
    return [
        _Wanted(row, person, spared) if row.budget.scope.is_default else _Wanted(row)
        for row in known
        if not (owned and row.budget.scope.is_default)
    ]


def _bound(
    reading: Reading, rows: Sequence[Row], now: datetime, among: Collection[str] | None = None
) -> list[_Wanted]:
    """Each default with each person whom it binds, or with those of them that are among these."""
    if not rows:
        return []
    known = all_defaults_and_own(reading)
    spared = frozenset(subject for scope, subject in known if scope == MEMBERS)
    spared |= {row.budget.subject for row in rows if row.budget.scope is MEMBERS}
    inside = _groups_of_people(reading, now)
    wanted = []
    for row in rows:
        mine = row.budget.subject
        for person in inside:
            if (str(PERSONAL), person) in known or (among is not None and person not in among):
                continue
            if row.budget.scope is MEMBERS and mine not in inside[person]:
                continue
            if row.budget.scope is EVERYBODY and inside[person] and inside[person] <= spared:
                continue
            wanted.append(_Wanted(row, person, spared))
    return wanted


def all_defaults_and_own(reading: Reading) -> set[tuple[str, str]]:
    """Scope and subject of every budget that is a person's, or a default."""
    statement = sa.select(budgets.c.scope, budgets.c.subject).where(
        budgets.c.scope.in_([*DEFAULTS, str(PERSONAL)])
    )
    return {(row.scope, row.subject) for row in reading.all(statement)}


def _groups_of_people(reading: Reading, now: datetime) -> Mapping[str, set[str]]:
    """Everybody, with the groups that they are in."""
    inside: dict[str, set[str]] = {row.name: set() for row in reading.all(sa.select(people.c.name))}
    until = memberships.c.until
    valid = sa.select(memberships.c.person, memberships.c.group_name).where(
        sa.or_(until.is_(None), until > now)
    )
    for row in reading.all(valid):
        inside.setdefault(row.person, set()).add(row.group_name)
    return inside


def told(reading: Reading) -> Mapping[tuple[str, str, str], tuple[datetime, int]]:
    """What people were told of defaults: by scope, subject and person, which period's, and how much."""
    return {
        (row.scope, row.subject, row.person): (row.begins_at, row.warned)
        for row in reading.all(sa.select(budget_warnings))
    }


# Counting.


def _read(reading: Reading, wanted: Sequence[_Wanted], now: datetime) -> tuple[Spending, ...]:
    """All of them in one look at the allotments."""
    if not wanted:
        return ()
    zone, of_departments = platform.time_zone(reading), _of_departments(reading, wanted)
    bases = [_base(one, of_departments, now, zone) for one in wanted]
    found = counted(reading, [payer for _, payer in bases], to_stored(now))
    return tuple(
        replace(base, spent=base.spent + spent, committed=committed, rate=rate)
        for (base, _), (spent, committed, rate) in zip(bases, found, strict=True)
    )


def _base(
    one: _Wanted, of_departments: Mapping[str, frozenset[str]], now: datetime, zone: tzinfo
) -> tuple[Spending, Payer]:
    """What is settled of a budget, and whose servers to count from then on."""
    budget, terms, at = one.row.budget, one.row.budget.terms, to_stored(now)
    begin, end = bounds(terms.period, to_stored(budget.begins_at), at, zone)
    same = one.row.settled_from == begin and one.row.settled_until <= at
    same = same and not budget.scope.is_default
    since, settled = (one.row.settled_until, one.row.settled) if same else (begin, 0)
    if budget.scope is BudgetScope.DEPARTMENT:
        inside = of_departments.get(budget.subject, frozenset())
    else:
        of_group = budget.scope in {BudgetScope.GROUP, MEMBERS}
        inside = frozenset({budget.subject}) if of_group else frozenset()
    person = budget.subject if budget.scope is PERSONAL else one.member
    counts = frozenset() if budget.scope.is_default else inside
    payer = Payer(person, counts, since, terms.minimum_session)
    spared = one.spared if budget.scope is EVERYBODY else frozenset()
    return Spending(budget, begin, end, settled, 0, 0, inside, one.member, spared), payer


def _of_departments(reading: Reading, wanted: Iterable[_Wanted]) -> Mapping[str, frozenset[str]]:
    """The groups of each department whose budget it is."""
    names = {
        one.row.budget.subject for one in wanted if one.row.budget.scope is BudgetScope.DEPARTMENT
    }
    found: dict[str, set[str]] = defaultdict(set)
    if names:
        statement = sa.select(groups.c.name, groups.c.department)
        for row in reading.all(statement.where(groups.c.department.in_(sorted(names)))):
            found[row.department].add(row.name)
    return {name: frozenset(inside) for name, inside in found.items()}
