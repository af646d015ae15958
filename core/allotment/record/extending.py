"""What a server's people may say about its end: put it off, or have the server left alone for a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from allotment.model.allotments import Allotment
from allotment.model.endings import Ending, Keep
from allotment.model.refusals import NotFound, Refusal
from allotment.model.terms import EndTerms
from allotment.record import endings
from allotment.record.engine import Reading, Writing
from allotment.record.schema import allotments, keeps
from allotment.rules.ending import judge_extension, judge_keep, may_put_off, put_off


def extend(writing: Writing, allotment: Allotment) -> tuple[Ending, ...]:
    """Put off every announced end of a server that can be put off; returns them as they are now.

    Raises:
        Refusal: none can be.
        NotFound: the server ended meanwhile.
    """
    rule = EndTerms.of(allotment.terms).extend
    announced = endings.of_allotment(writing, allotment.id)
    reason = judge_extension(announced, rule)
    if reason is not None or rule is None:
        raise Refusal(*([reason] if reason else []))
    return tuple(
        endings.extend(writing, one, put_off(one, rule, writing.now))
        for one in announced
        if may_put_off(one, rule)
    )


def leave_alone(writing: Writing, allotment: Allotment, until: datetime, note: str = "") -> Keep:
    """Have a server left alone until a time, though it looks idle; the later word replaces the earlier.

    Raises:
        Refusal: its profile does not let it.
        NotFound: the server ended meanwhile.
    """
    reason = judge_keep(EndTerms.of(allotment.terms).idle, until, writing.now)
    if reason is not None:
        raise Refusal(reason)
    row = writing.first(endings.whose(allotment.id))
    if row is None:
        raise NotFound("running server with the allotment", allotment.id)
    known = writing.first(sa.select(keeps).where(keeps.c.allotment == allotment.id))
    values = {"until": until, "said_by": writing.actor, "said_at": writing.now, "note": note}
    if known is None:
        writing.run(keeps.insert().values(allotment=allotment.id, **values))
    else:
        writing.run(keeps.update().where(keeps.c.allotment == allotment.id).values(values))
    before = None if known is None else {"until": known.until.isoformat(), "note": known.note}
    after = {"until": until.isoformat(), "note": note}
    endings.tell(writing, "server.kept", row, before, after)
    return Keep(allotment.id, until, writing.actor, writing.now, note)


def keeps_of(reading: Reading, *, hub: str | None = None) -> Mapping[str, Keep]:
    """Which live servers are to be left alone until when, by allotment; of one hub where asked."""
    statement = (
        sa.select(*keeps.c)
        .join(allotments, allotments.c.id == keeps.c.allotment)
        .where(endings.LIVE)
    )
    if hub is not None:
        statement = statement.where(allotments.c.hub == hub)
    return {
        row.allotment: Keep(row.allotment, row.until, row.said_by, row.said_at, row.note)
        for row in reading.all(statement)
    }
