"""Quotas of a cloud: what it said last of each, and when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from allotment.model.instance_types import Quota, QuotaReading
from allotment.record.engine import Reading, Writing
from allotment.record.schema import quotas


def _from_row(row: sa.Row[Any]) -> Quota:
    return Quota(
        row.code,
        row.region,
        row.title,
        row.value,
        row.used,
        row.read_at,
        row.tried_at,
        row.problem,
    )


def all_quotas(reading: Reading) -> tuple[Quota, ...]:
    """Every quota that was ever asked for, by title."""
    statement = sa.select(quotas).order_by(quotas.c.title, quotas.c.code)
    return tuple(_from_row(row) for row in reading.all(statement))


def observe(writing: Writing, region: str, readings: Iterable[QuotaReading]) -> tuple[str, ...]:
    """Keep what a cloud said; where it said nothing, the reading before it stays, with the problem.

    Returns the titles of those whose limit is another than before. Quotas of another region are
    forgotten: they are no limit here.
    """
    known = {one.code: one for one in all_quotas(writing) if one.region == region}
    writing.run(quotas.delete().where(quotas.c.region != region))
    changed = []
    for one in readings:
        before = known.get(one.code)
        _write(writing, region, one, before)
        if not one.problem and (before is None or before.value != one.value):
            changed.append(one.title)
            writing.event(
                "quota.changed",
                one.code,
                before=None if before is None else {"value": before.value},
                after={"title": one.title, "region": region, "value": one.value},
            )
    return tuple(changed)


def forget(writing: Writing) -> None:
    """Forget every quota: no account is configured any more."""
    writing.run(quotas.delete())


def _write(writing: Writing, region: str, one: QuotaReading, before: Quota | None) -> None:
    writing.run(quotas.delete().where(quotas.c.code == one.code))
    said: dict[str, Any] = {"value": one.value, "used": one.used, "read_at": writing.now}
    if one.problem:
        said = {
            "value": before.value if before else None,
            "used": before.used if before else None,
            "read_at": before.read_at if before else None,
        }
    writing.run(
        quotas.insert().values(
            code=one.code,
            region=region,
            title=one.title or (before.title if before else one.code),
            tried_at=writing.now,
            problem=one.problem[:500],
            **said,
        )
    )
