"""How many bytes of documents beside datasets one person has attached."""

from __future__ import annotations

import sqlalchemy as sa

from allotment.model.amounts import format_size
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.record.engine import Reading
from allotment.record.schema import attachments as table

OF_PERSON = 2 * 2**30
"""Bytes of all documents that one person has attached, beside whichever datasets."""


def attached_by(reading: Reading, person: str) -> int:
    """Bytes of all documents that a person has attached."""
    total = sa.func.coalesce(sa.func.sum(table.c.size), 0)
    row = reading.first(sa.select(total).where(table.c.added_by == person))
    return 0 if row is None else int(row[0])


def within_limit(reading: Reading, person: str, fresh: int) -> None:
    """Go on only while what a person has attached is not too much; ``fresh`` bytes of it are new.

    Raises:
        Refusal: it is.
    """
    used = attached_by(reading, person) - fresh
    if used + fresh > OF_PERSON:
        raise Refusal(
            Reason(
                Rule.DATA_SOURCE,
                f"The documents that you have attached hold {format_size(used)}; "
                f"all of them may hold {format_size(OF_PERSON)}, and this one has {format_size(fresh)}.",
                limit=OF_PERSON,
                used=used,
                asked=fresh,
                remedy="Remove some first, or register data as a dataset.",
            )
        )
