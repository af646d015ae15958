"""What lies in targets though nothing may name it any more, or yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from allotment.record.engine import Reading, Writing
from allotment.record.schema import leftovers as table

ENDING = timedelta(minutes=10)
"""After which no commit of a deleted dataset is under way any more."""


class LeftoverKind(StrEnum):
    """What it is."""

    SPACE = "space"
    """All that is kept of one dataset."""
    FILE = "file"
    """A file of a registered model."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """A space or a file in a target. ``label`` says to people what it was, ``free_at`` when it may go.

    ``size`` of a file in bytes; of a space only a listing tells it.
    """

    target: str
    kind: LeftoverKind
    name: str
    label: str
    free_at: datetime
    size: int = 0


def of(reading: Reading, target: str) -> tuple[Leftover, ...]:
    """What is left in a target, by kind and name."""
    rows = reading.all(
        sa.select(table).where(table.c.target == target).order_by(table.c.kind, table.c.name)
    )
    return tuple(
        Leftover(row.target, LeftoverKind(row.kind), row.name, row.label, row.free_at, row.size)
        for row in rows
    )


def note(writing: Writing, leftover: Leftover) -> None:
    """Remember that something lies in a target; what was remembered of it before is replaced."""
    writing.run(table.delete().where(*_match(leftover.target, leftover.kind, leftover.name)))
    writing.run(
        table.insert().values(
            target=leftover.target,
            kind=str(leftover.kind),
            name=leftover.name,
            label=leftover.label,
            size=leftover.size,
            free_at=leftover.free_at,
        )
    )


def forget(writing: Writing, target: str, kind: LeftoverKind, name: str) -> bool:
    """Remember it no longer: it is gone, or something names it. Returns whether it was remembered."""
    return writing.run(table.delete().where(*_match(target, kind, name))).rowcount > 0


def forget_target(writing: Writing, target: str) -> None:
    """Remember nothing of a target: it is deleted, and what lies there stays."""
    writing.run(table.delete().where(table.c.target == target))


def _match(target: str, kind: LeftoverKind, name: str) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.target == target, table.c.kind == str(kind), table.c.name == name


def cleaning_lease(space: str) -> str:
    """The lease under which contents are taken out of a space: no commit of its dataset begins meanwhile."""
    return f"cleaning {space}"
