"""Spaces of datasets in a target: whose they are, and which versions they keep."""

from __future__ import annotations

import sqlalchemy as sa

from allotment.model.versions import Version
from allotment.record.engine import Reading, Writing
from allotment.record.schema import datasets, versions
from allotment.record.versions import of


def versions_in(reading: Reading, space: str) -> tuple[Version, ...]:
    """The versions of the dataset that has a space, in whatever targets they lie; none of a deleted one."""
    row = reading.first(sa.select(datasets.c.name).where(datasets.c.space == space))
    return () if row is None else of(reading, row.name)


def of_datasets(reading: Reading, target: str) -> tuple[tuple[str, str], ...]:
    """The datasets that keep their versions in a target: name and space, by name."""
    lying = sa.select(versions.c.dataset).where(versions.c.target == target)
    rows = reading.all(
        sa.select(datasets.c.name, datasets.c.space)
        .where(sa.or_(datasets.c.target == target, datasets.c.name.in_(lying)))
        .order_by(datasets.c.name)
    )
    return tuple((row.name, row.space) for row in rows)


def cleaned(writing: Writing, space: str) -> None:
    """Count that contents were taken out of a space; that of a deleted dataset is no problem."""
    counted = datasets.c.cleanings + 1
    writing.run(datasets.update().where(datasets.c.space == space).values(cleanings=counted))
