"""Departments: groups above groups. What a department may hold of a pool binds all its groups together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from allotment.model.groups import Department
from allotment.model.names import check_name
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import AlreadyExists, NotFound, Refusal
from allotment.record.engine import Reading, Writing
from allotment.record.rows import bump, for_change, named
from allotment.record.schema import budgets, department_ceilings, departments, groups, pools
from allotment.rules.standing import DepartmentFacts


def all_departments(reading: Reading) -> tuple[Department, ...]:
    """Every department, by name."""
    ceilings: dict[str, dict[str, int]] = {}
    order = sa.select(department_ceilings).order_by(department_ceilings.c.pool)
    for row in reading.all(order):
        ceilings.setdefault(row.department, {})[row.pool] = row.ceiling
    inside: dict[str, list[str]] = {}
    for row in reading.all(sa.select(groups.c.name, groups.c.department).order_by(groups.c.name)):
        if row.department is not None:
            inside.setdefault(row.department, []).append(row.name)
    return tuple(
        Department(
            row.name,
            row.title,
            ceilings.get(row.name, {}),
            tuple(inside.get(row.name, ())),
            row.revision,
        )
        for row in reading.all(sa.select(departments).order_by(departments.c.name))
    )


def get(reading: Reading, name: str) -> Department:
    """One department.

    Raises:
        NotFound: there is none of that name.
    """
    found = next((one for one in all_departments(reading) if one.name == name), None)
    if found is None:
        raise NotFound("department", name)
    return found


_HELD = """
SELECT g.department, a.pool, SUM(a.device_count) AS held FROM allotments a
JOIN groups g ON g.name = a.group_name
WHERE a.state <> 'released' AND a.device_count > 0 AND g.department IS NOT NULL
GROUP BY g.department, a.pool
"""


def held(reading: Reading) -> dict[tuple[str, str], int]:
    """Devices that the groups of each department hold together, by department and pool."""
    return {(row.department, row.pool): int(row.held) for row in reading.driver(_HELD, {})}


def create(
    writing: Writing, name: str, title: str = "", ceilings: Mapping[str, int] | None = None
) -> Department:
    """Make a department; groups join it by being changed.

    Raises:
        AlreadyExists: the name is taken.
        NotFound: there is no such pool.
    """
    check_name(name)
    if writing.first(sa.select(departments.c.name).where(departments.c.name == name)) is not None:
        raise AlreadyExists("department", name)
    writing.run(departments.insert().values(name=name, title=title))
    _put_ceilings(writing, name, ceilings or {})
    writing.event("department.created", name, after=_document(title, ceilings or {}))
    return get(writing, name)


def edit(
    writing: Writing,
    name: str,
    title: str | None = None,
    ceilings: Mapping[str, int] | None = None,
    revision: int | None = None,
) -> Department:
    """Change a department; what is None stays. A ceiling may go below what is held: nothing new starts then.

    Raises:
        NotFound, RevisionStale: as for other changes; or there is no such pool.
    """
    row = for_change(writing, departments, "department", name, revision)
    before = get(writing, name)
    if ceilings is not None:
        _put_ceilings(writing, name, ceilings)
    bump(writing, departments, name, title=row.title if title is None else title)
    after = get(writing, name)
    writing.event(
        "department.changed",
        name,
        before=_document(before.title, before.ceilings),
        after=_document(after.title, after.ceilings),
    )
    return after


def delete(writing: Writing, name: str, revision: int | None = None) -> None:
    """Delete a department with its ceilings and its budget.

    Raises:
        Refusal: groups are in it.
    """
    for_change(writing, departments, "department", name, revision)
    before = get(writing, name)
    if before.groups:
        raise Refusal(_still_groups(before))
    writing.run(department_ceilings.delete().where(department_ceilings.c.department == name))
    writing.run(budgets.delete().where(budgets.c.scope == "department", budgets.c.subject == name))
    writing.run(departments.delete().where(departments.c.name == name))
    writing.event("department.deleted", name, before=_document(before.title, before.ceilings))


def _still_groups(department: Department) -> Reason:
    inside = department.groups
    return Reason(
        Rule.GROUP_IN_USE,
        f"Department {department.name!r} cannot be deleted: these groups are in it: {', '.join(inside[:12])}.",
        limit=0,
        used=len(inside),
        remedy="Take them out of the department first.",
        details=inside,
    )


def _put_ceilings(writing: Writing, name: str, ceilings: Mapping[str, int]) -> None:
    writing.run(department_ceilings.delete().where(department_ceilings.c.department == name))
    for pool, ceiling in sorted(ceilings.items()):
        named(writing, pools, "pool", pool)
        writing.run(
            department_ceilings.insert().values(department=name, pool=pool, ceiling=ceiling)
        )


def _document(title: str, ceilings: Mapping[str, int]) -> dict[str, Any]:
    return {"title": title, "ceilings": dict(ceilings)}


_OF_CLAIM = sa.text("""
SELECT g.name AS group_name, c.pool, c.department, c.ceiling,
    (SELECT COALESCE(SUM(a.device_count), 0) FROM allotments a JOIN groups o ON o.name = a.group_name
        WHERE a.pool = c.pool AND a.state <> 'released' AND o.department = c.department) AS held
FROM groups g JOIN department_ceilings c ON c.department = g.department WHERE g.name IN :names
ORDER BY g.name, c.pool
""").bindparams(sa.bindparam("names", expanding=True, type_=sa.String()))


def of_claim(reading: Reading, names: Collection[str]) -> tuple[DepartmentFacts, ...]:
    """The ceilings of departments that bind these groups, with what is held of them."""
    rows = reading.connection.execute(_OF_CLAIM, {"names": sorted(names)})
    return tuple(
        DepartmentFacts(row.department, row.group_name, row.pool, row.ceiling, int(row.held))
        for row in rows
    )
