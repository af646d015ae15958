"""What people leave behind: nobody's from then on, and never inherited with a name."""

from __future__ import annotations

from allotment.record.engine import Writing
from allotment.record.schema import datasets, registered_models

NOBODY = ""
"""No person has this name: what is nobody's is reached by its audience, and by those who manage all data."""


def disown(writing: Writing, person: str) -> None:
    """Take everything that a person registered from that name, before somebody else is given it."""
    hand_over(writing, person, None)


def hand_over(writing: Writing, person: str, heir: str | None) -> None:
    """Make everything that a person registered somebody else's, or nobody's."""
    owner = heir or NOBODY
    writing.run(datasets.update().where(datasets.c.created_by == person).values(created_by=owner))
    writing.run(
        registered_models.update().where(registered_models.c.person == person).values(person=owner)
    )
