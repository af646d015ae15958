"""What the settings file has made once: it is left alone afterwards."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from allotment.record.engine import Reading, Writing
from allotment.record.schema import declared


def all_declared(reading: Reading) -> dict[tuple[str, str], Any]:
    """The documents that were declared, by kind and name."""
    return {(row.kind, row.name): row.document for row in reading.all(sa.select(declared))}


def names(reading: Reading, kind: str) -> frozenset[str]:
    """The names of what the settings have made of a kind."""
    rows = reading.all(sa.select(declared.c.name).where(declared.c.kind == kind))
    return frozenset(row.name for row in rows)


def remember(writing: Writing, kind: str, name: str, document: Any) -> None:
    """Remember that the settings have made this."""
    match = (declared.c.kind == kind, declared.c.name == name)
    if not writing.run(
        declared.update().where(*match).values(document=document, at=writing.now)
    ).rowcount:
        writing.run(
            declared.insert().values(kind=kind, name=name, document=document, at=writing.now)
        )


def forget(writing: Writing, kind: str, name: str) -> None:
    """Forget it, so that the settings may make it anew."""
    writing.run(declared.delete().where(declared.c.kind == kind, declared.c.name == name))
