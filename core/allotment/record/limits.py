"""Limits: what one person may hold, set for the platform, a group or a person."""

from __future__ import annotations

import sqlalchemy as sa

from allotment.model.limits import EffectiveLimit, Limit, LimitKind, LimitScope, effective_limit
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.record.engine import Reading, Writing
from allotment.record.rows import named
from allotment.record.schema import groups, limits, people

MOST = 1_000_000
"""The largest limit: more is no limit."""


def all_limits(reading: Reading) -> tuple[Limit, ...]:
    """Every limit that somebody set."""
    statement = sa.select(limits).order_by(limits.c.scope, limits.c.subject, limits.c.kind)
    return tuple(
        Limit(LimitScope(row.scope), row.subject, LimitKind(row.kind), row.value)
        for row in reading.all(statement)
    )


def put(
    writing: Writing, scope: LimitScope, subject: str, kind: LimitKind, value: int | None
) -> None:
    """Set a limit, or take it away (None), so that the next wider one binds.

    Raises:
        NotFound: there is no such group or person.
        Refusal: the value is below zero or beyond all measure.
    """
    subject = "" if scope is LimitScope.PLATFORM else subject
    if scope is LimitScope.GROUP:
        named(writing, groups, "group", subject)
    if scope is LimitScope.PERSON:
        named(writing, people, "person", subject)
    if value is not None and not 0 <= value <= MOST:
        message = f"A limit of {value} {kind.words} makes no sense."
        raise Refusal(
            Reason(
                Rule.SETTINGS,
                message,
                limit=MOST,
                asked=value,
                remedy=f"Give a number from 0 to {MOST}, or none for no limit.",
            )
        )
    match = (limits.c.scope == str(scope), limits.c.subject == subject, limits.c.kind == str(kind))
    before = writing.first(sa.select(limits.c.value).where(*match))
    if (before.value if before else None) == value:
        return
    writing.run(limits.delete().where(*match))
    if value is not None:
        writing.run(
            limits.insert().values(scope=str(scope), subject=subject, kind=str(kind), value=value)
        )
    writing.event(
        "limit.changed",
        f"{scope}/{subject}/{kind}",
        person=subject if scope is LimitScope.PERSON else None,
        group=subject if scope is LimitScope.GROUP else None,
        before={"value": before.value if before else None},
        after={"value": value},
    )


def effective(reading: Reading, person: str, group: str | None) -> tuple[EffectiveLimit, ...]:
    """The limits that bind a person whose servers this group pays, with where each comes from."""
    rows = tuple(
        limit
        for limit in all_limits(reading)
        if limit.scope is not LimitScope.PERSON or limit.subject == person
    )
    return tuple(effective_limit(kind, rows, group) for kind in LimitKind)
