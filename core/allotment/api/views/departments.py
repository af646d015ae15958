"""Departments as documents."""

from __future__ import annotations

from allotment.model import documents
from allotment.record import Reading, departments


def department_documents(reading: Reading) -> list[documents.Department]:
    """Every department, by name, with what its groups hold together."""
    held = departments.held(reading)
    return [
        documents.Department(
            name=one.name,
            title=one.title,
            groups=one.groups,
            ceilings=tuple(
                documents.DepartmentCeiling(
                    pool=pool, ceiling=ceiling, held=held.get((one.name, pool), 0)
                )
                for pool, ceiling in sorted(one.ceilings.items())
            ),
            revision=one.revision,
        )
        for one in departments.all_departments(reading)
    ]


def department_document(reading: Reading, name: str) -> documents.Department:
    """One department.

    Raises:
        NotFound: there is none of that name.
    """
    departments.get(reading, name)
    return next(one for one in department_documents(reading) if one.name == name)
