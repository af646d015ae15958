"""Reading one configured thing by its name, with its revision checked."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from allotment.model.refusals import NotFound
from allotment.record.engine import Reading, Writing, expect_revision


def named(reading: Reading, table: sa.Table, what: str, name: str) -> sa.Row[Any]:
    """The row of a name.

    Raises:
        NotFound: there is none.
    """
    row = reading.first(sa.select(table).where(table.c.name == name))
    if row is None:
        raise NotFound(what, name)
    return row


def for_change(
    writing: Writing, table: sa.Table, what: str, name: str, revision: int | None
) -> sa.Row[Any]:
    """The row of a name, to be changed by somebody who read the given revision.

    Raises:
        NotFound: there is none.
        RevisionStale: somebody changed it meanwhile.
    """
    row = named(writing, table, what, name)
    expect_revision(f"{what} {name!r}", row.revision, revision)
    return row


def bump(writing: Writing, table: sa.Table, name: str, **values: Any) -> None:
    """Write values and count the revision up."""
    writing.run(
        table.update().where(table.c.name == name).values(revision=table.c.revision + 1, **values)
    )
