"""What people leave behind: nobody's from then on, and never inherited with a name."""

from __future__ import annotations

from allotment.record.engine import Writing
from allotment.record.schema import datasets, registered_models

NOBODY = ""
"""No person has this name: what is nobody's is reached by its audience, and by those who manage all data."""


def disown(writing: Writing, person: str) -> None:
    """Take everything that a person registered from that name, before somebody else is given it."""
    writing.run(datasets.update().where(datasets.c.created_by == person).values(created_by=NOBODY))
    writing.run(
        registered_models.update().where(registered_models.c.person == person).values(person=NOBODY)
    )
