"""Choices for the whole platform."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from allotment.model.groups import Mode
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.record.engine import Reading, Writing, expect_revision
from allotment.record.rows import named
from allotment.record.schema import groups, memberships, platform, shares


def _value(reading: Reading, key: str) -> Any:
    row = reading.first(sa.select(platform.c.value).where(platform.c.key == key))
    return None if row is None else row.value


def _put(writing: Writing, key: str, value: Any) -> None:
    """Keep a value; None: nothing is chosen."""
    writing.run(platform.delete().where(platform.c.key == key))
    if value is not None:
        writing.run(platform.insert().values(key=key, value=value))


def _choose(writing: Writing, key: str, before: Any, after: Any) -> None:
    """Keep what an operator or the settings chose, and say so; the revision counts up."""
    _put(writing, key, after)
    _put(writing, "revision", revision(writing) + 1)
    writing.event("platform.changed", key, before={key: before}, after={key: after})


def revision(reading: Reading) -> int:
    """Counts the changes of what an operator can choose here: the mode and the default group."""
    return int(_value(reading, "revision") or 1)


def expect(writing: Writing, expected: int | None) -> None:
    """Refuse a change that was made against older choices; None expects nothing.

    Raises:
        RevisionStale: somebody chose otherwise meanwhile.
    """
    expect_revision("the platform", revision(writing), expected)


def mode(reading: Reading) -> Mode:
    """How groups, pools and people go together; strict unless somebody chose otherwise."""
    return chosen_mode(reading) or Mode.STRICT


def chosen_mode(reading: Reading) -> Mode | None:
    """The mode that somebody chose; None where nobody has."""
    value = _value(reading, "mode")
    return None if value is None else Mode(value)


def set_mode(writing: Writing, chosen: Mode) -> None:
    """Choose the mode.

    Raises:
        Refusal: strict mode was asked for, and groups with several pools or people in several groups are there.
    """
    before = mode(writing)
    if before is chosen:
        _put(writing, "mode", str(chosen))
        return
    if chosen is Mode.STRICT:
        _refuse_where_several(writing)
    _choose(writing, "mode", str(before), str(chosen))


def default_group(reading: Reading) -> str | None:
    """The group that a form proposes for new people; None: no group."""
    value = _value(reading, "default_group")
    return None if value is None else str(value)


def set_default_group(writing: Writing, name: str | None) -> None:
    """Choose the group that is proposed for new people; None: no group.

    Raises:
        NotFound: there is no such group.
    """
    before = default_group(writing)
    if name is not None:
        named(writing, groups, "group", name)
    if name != before:
        _choose(writing, "default_group", before, name)


def _refuse_where_several(reading: Reading) -> None:
    pools = sa.select(shares.c.group_name).group_by(shares.c.group_name).having(sa.func.count() > 1)
    people = (
        sa.select(memberships.c.person)
        .group_by(memberships.c.person)
        .having(sa.func.count(memberships.c.group_name.distinct()) > 1)
    )
    reasons = []
    for statement, one, many in (
        (pools, "has shares in several pools", "have shares in several pools"),
        (people, "is in several groups", "are in several groups"),
    ):
        names = tuple(sorted(row[0] for row in reading.all(statement)))
        if names:
            what = one if len(names) == 1 else many
            message = f"Strict mode cannot be chosen while {', '.join(names[:12])} {what}."
            remedy = "Leave one of each."
            reasons.append(
                Reason(Rule.GROUP_STRICT, message, limit=1, remedy=remedy, details=names)
            )
    if reasons:
        raise Refusal(*reasons)


def key_check(reading: Reading) -> bytes | None:
    """What tells the keys of the record's secrets from others; None: it has met none yet."""
    value = _value(reading, "key_check")
    return None if value is None else str(value).encode()


def set_key_check(writing: Writing, sealed: bytes) -> None:
    """Keep what tells the keys of the record's secrets from others. It is encrypted, and no choice: no event says it."""
    _put(writing, "key_check", sealed.decode())


def cluster_counted(reading: Reading) -> str:
    """The cluster whose devices the record counts, by the uid of its namespace kube-system; empty: none yet."""
    return str(_value(reading, "cluster") or "")


def count_cluster(writing: Writing, cluster: str) -> None:
    """Count the devices of this cluster from now on. What answers says which it is: no choice of anybody's."""
    before = cluster_counted(writing)
    _put(writing, "cluster", cluster)
    writing.event(
        "platform.changed", "cluster", before={"cluster": before}, after={"cluster": cluster}
    )


def time_zone(reading: Reading) -> tzinfo:
    """The zone in which the platform's days and months begin; UTC unless the settings say another."""
    return zone_of(str(_value(reading, "time_zone") or "UTC"))


def zone_of(name: str) -> tzinfo:
    """The time zone of a name. A machine without a database of time zones still knows UTC."""
    return UTC if name == "UTC" else ZoneInfo(name)


def set_time_zone(writing: Writing, name: str) -> None:
    """Choose the platform's time zone: hub and control plane then mean the same days and months."""
    before = str(time_zone(writing))
    if before == name:
        return
    _put(writing, "time_zone", name)
    writing.event(
        "platform.changed", "time_zone", before={"time_zone": before}, after={"time_zone": name}
    )
