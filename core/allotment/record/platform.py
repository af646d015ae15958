"""Choices for the whole platform."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

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


def time_zone(reading: Reading) -> tzinfo:
    """The zone in which the platform's days and months begin; UTC unless the settings say another."""
    row = reading.first(sa.select(platform.c.value).where(platform.c.key == "time_zone"))
    return zone_of("UTC" if row is None else str(row.value))


def zone_of(name: str) -> tzinfo:
    """The time zone of a name. A machine without a database of time zones still knows UTC."""
    return UTC if name == "UTC" else ZoneInfo(name)


def set_time_zone(writing: Writing, name: str) -> None:
    """Choose the platform's time zone: hub and control plane then mean the same days and months."""
    before = str(time_zone(writing))
    if before == name:
        return
    writing.run(platform.delete().where(platform.c.key == "time_zone"))
    writing.run(platform.insert().values(key="time_zone", value=name))
    writing.event(
        "platform.changed", "time_zone", before={"time_zone": before}, after={"time_zone": name}
    )
