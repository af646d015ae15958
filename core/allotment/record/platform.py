"""Choices for the whole platform."""

from __future__ import annotations

import sqlalchemy as sa

from allotment.model.groups import Mode
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.record.engine import Reading, Writing
from allotment.record.schema import memberships, platform, shares


def mode(reading: Reading) -> Mode:
    """How groups, pools and people go together; strict unless somebody chose otherwise."""
    row = reading.first(sa.select(platform.c.value).where(platform.c.key == "mode"))
    return Mode.STRICT if row is None else Mode(row.value)


def set_mode(writing: Writing, chosen: Mode) -> None:
    """Choose the mode.

    Raises:
        Refusal: strict mode was asked for, and groups with several pools or people in several groups are there.
    """
    before = mode(writing)
    if before is chosen:
        return
    if chosen is Mode.STRICT:
        _refuse_where_several(writing)
    writing.run(platform.delete().where(platform.c.key == "mode"))
    writing.run(platform.insert().values(key="mode", value=str(chosen)))
    writing.event(
        "platform.changed", "mode", before={"mode": str(before)}, after={"mode": str(chosen)}
    )


def _refuse_where_several(reading: Reading) -> None:
    pools = sa.select(shares.c.group_name).group_by(shares.c.group_name).having(sa.func.count() > 1)
    groups = (
        sa.select(memberships.c.person)
        .group_by(memberships.c.person)
        .having(sa.func.count(memberships.c.group_name.distinct()) > 1)
    )
    for statement, what in (
        (pools, "have shares in several pools"),
        (groups, "are in several groups"),
    ):
        names = tuple(row[0] for row in reading.all(statement))
        if names:
            message = f"Strict mode cannot be chosen while {', '.join(names[:12])} {what}."
            raise Refusal(
                Reason(
                    Rule.GROUP_STRICT, message, limit=1, remedy="Leave one of each.", details=names
                )
            )
