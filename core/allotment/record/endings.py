"""Announced ends of servers: said once, put off, withdrawn, carried out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.model.allotments import State
from allotment.model.endings import Cause, Ending
from allotment.model.refusals import NotFound
from allotment.record import claim_statements
from allotment.record.claims import new_id
from allotment.record.engine import Reading, Writing
from allotment.record.schema import allotments, endings

_OPEN = (endings.c.withdrawn_at.is_(None), endings.c.done_at.is_(None))
LIVE = allotments.c.state.in_([str(State.STARTING), str(State.RUNNING)])


@dataclass(frozen=True, slots=True)
class LiveServer:
    """A server that runs: the id of its allotment, whose it is, and since when."""

    allotment: str
    person: str
    server: str
    running_at: datetime

    @property
    def name(self) -> str:
        """The server as the periodic work calls it."""
        return f"{self.person}/{self.server}"


def _from_row(row: sa.Row[Any]) -> Ending:
    return Ending(
        row.id,
        row.allotment,
        Cause(row.cause),
        row.said_at,
        row.stop_at,
        row.message,
        row.extended,
        row.withdrawn_at,
        row.done_at,
    )


def say(
    writing: Writing, allotment_id: str, cause: Cause, stop_at: datetime, message: str
) -> Ending:
    """Announce that a server is stopped at ``stop_at``; ``message`` is what its user reads.

    Saying it again while it is open changes nothing: the end that was announced first holds, with
    its extensions. The step ``endings`` of the control plane carries it out.

    Raises:
        NotFound: there is no such allotment, or it has ended.
    """
    row = writing.first(whose(allotment_id))
    if row is None:
        raise NotFound("running server with the allotment", allotment_id)
    known = _open(writing, allotment_id, cause)
    if known is not None:
        return known
    said = Ending(new_id(writing.now), allotment_id, cause, writing.now, stop_at, message)
    writing.run(
        endings.insert().values(
            id=said.id,
            allotment=allotment_id,
            cause=str(cause),
            said_at=writing.now,
            stop_at=stop_at,
            message=message,
        )
    )
    if cause is Cause.RECLAIM:
        _set_reclaim(writing, allotment_id, stop_at)
    tell(writing, "ending.said", row, after=_told(said))
    return said


def withdraw(writing: Writing, allotment_id: str, cause: Cause, why: str = "") -> bool:
    """Take an announcement back: what caused it is gone. Returns whether there was one."""
    known = _open(writing, allotment_id, cause)
    if known is None:
        return False
    writing.run(endings.update().where(endings.c.id == known.id).values(withdrawn_at=writing.now))
    if cause is Cause.RECLAIM:
        _set_reclaim(writing, allotment_id, None)
    row = writing.connection.execute(whose(allotment_id, live=False)).one()
    tell(writing, "ending.withdrawn", row, before=_told(known), after={"why": why})
    return True


def extend(writing: Writing, ending: Ending, stop_at: datetime) -> Ending:
    """Put an open ending off to ``stop_at``. Whether policy lets it is decided before.

    Raises:
        NotFound: it is open no more.
    """
    changed = writing.run(
        endings.update()
        .where(endings.c.id == ending.id, *_OPEN)
        .values(stop_at=stop_at, extended=endings.c.extended + 1)
        .returning(*endings.c)
    ).first()
    if changed is None:
        raise NotFound("announced end", ending.id)
    row = writing.connection.execute(whose(ending.allotment, live=False)).one()
    extended = _from_row(changed)
    tell(writing, "ending.extended", row, before=_told(ending), after=_told(extended))
    return extended


def due(reading: Reading, now: datetime, *, hub: str | None = None) -> tuple[Ending, ...]:
    """Open endings of live servers whose time has come, earliest first; of one hub where asked."""
    statement = (
        sa.select(*endings.c)
        .join(allotments, allotments.c.id == endings.c.allotment)
        .where(*_OPEN, LIVE, endings.c.stop_at <= now)
        .order_by(endings.c.stop_at, endings.c.id)
    )
    if hub is not None:
        statement = statement.where(allotments.c.hub == hub)
    return tuple(_from_row(row) for row in reading.all(statement))


def done(writing: Writing, ending: Ending) -> bool:
    """Carry an ending out: its server steps to *stopping*, with message and cause kept.

    Returns False where it was put off, withdrawn or carried out meanwhile, or its server has ended.
    The hub is then to stop the server; where it cannot now, reconciling does.
    """
    changed = writing.run(
        endings.update()
        .where(endings.c.id == ending.id, *_OPEN, endings.c.stop_at <= writing.now)
        .values(done_at=writing.now)
    )
    if not changed.rowcount:
        return False
    return claim_statements.step(
        writing, ending.allotment, State.STOPPING, ending.message, str(ending.cause)
    )


def open_endings(reading: Reading, *, hub: str | None = None) -> Mapping[str, tuple[Ending, ...]]:
    """Open endings of live servers by allotment, earliest first; of one hub where asked."""
    statement = (
        sa.select(*endings.c)
        .join(allotments, allotments.c.id == endings.c.allotment)
        .where(*_OPEN, LIVE)
        .order_by(endings.c.stop_at, endings.c.id)
    )
    if hub is not None:
        statement = statement.where(allotments.c.hub == hub)
    return _by_allotment(reading.all(statement))


def of_allotment(reading: Reading, allotment_id: str) -> tuple[Ending, ...]:
    """Open endings of one live server, earliest first."""
    return of_allotments(reading, (allotment_id,)).get(allotment_id, ())


def of_allotments(
    reading: Reading, allotment_ids: Collection[str]
) -> Mapping[str, tuple[Ending, ...]]:
    """Open endings of these allotments as far as they are live; ask for at most a few thousand."""
    statement = (
        sa.select(*endings.c)
        .join(allotments, allotments.c.id == endings.c.allotment)
        .where(*_OPEN, LIVE, endings.c.allotment.in_(allotment_ids))
        .order_by(endings.c.stop_at, endings.c.id)
    )
    return _by_allotment(reading.all(statement))


def of_person(reading: Reading, person: str, *, since: datetime) -> tuple[Ending, ...]:
    """Every ending of a person's servers said since then, withdrawn and carried out ones too."""
    statement = (
        sa.select(*endings.c)
        .join(allotments, allotments.c.id == endings.c.allotment)
        .where(allotments.c.person == person, endings.c.said_at >= since)
        .order_by(endings.c.said_at, endings.c.id)
    )
    return tuple(_from_row(row) for row in reading.all(statement))


def running(reading: Reading, hub: str) -> tuple[LiveServer, ...]:
    """The servers of a hub that run, oldest first: only what the periodic work asks each time."""
    columns = allotments.c
    statement = (
        sa.select(columns.id, columns.person, columns.server, columns.running_at)
        .where(columns.state == str(State.RUNNING), columns.hub == hub)
        .order_by(columns.id)
    )
    return tuple(
        LiveServer(row.id, row.person, row.server, row.running_at) for row in reading.all(statement)
    )


def left_open(reading: Reading, *, hub: str) -> bool:
    """Whether something is open of a server that ended otherwise."""
    return reading.first(_gone(hub).limit(1)) is not None


def _gone(hub: str) -> sa.Select[Any]:
    return (
        sa.select(endings.c.id)
        .join(allotments, allotments.c.id == endings.c.allotment)
        .where(*_OPEN, sa.not_(LIVE), allotments.c.state != "offered", allotments.c.hub == hub)
    )


def close_ended(writing: Writing, *, hub: str) -> int:
    """Withdraw what is open of servers that ended otherwise. Returns how many there were."""
    changed = writing.run(
        endings.update().where(endings.c.id.in_(_gone(hub))).values(withdrawn_at=writing.now)
    )
    return int(changed.rowcount)


# Common to all.


def _by_allotment(rows: Collection[sa.Row[Any]]) -> dict[str, tuple[Ending, ...]]:
    found: dict[str, list[Ending]] = defaultdict(list)
    for row in rows:
        found[row.allotment].append(_from_row(row))
    return {allotment: tuple(those) for allotment, those in found.items()}


def _open(reading: Reading, allotment_id: str, cause: Cause) -> Ending | None:
    row = reading.first(
        sa.select(endings).where(
            endings.c.allotment == allotment_id, endings.c.cause == str(cause), *_OPEN
        )
    )
    return None if row is None else _from_row(row)


def whose(allotment_id: str, *, live: bool = True) -> sa.Select[Any]:
    """Whose server an allotment is, as a statement; it locks the row, so that the server cannot end meanwhile."""
    statement = (
        sa.select(
            allotments.c.id,
            allotments.c.hub,
            allotments.c.person,
            allotments.c.server,
            allotments.c.group_name,
        )
        .where(allotments.c.id == allotment_id)
        .with_for_update()
    )
    return statement.where(LIVE) if live else statement


def _set_reclaim(writing: Writing, allotment_id: str, at: datetime | None) -> None:
    writing.run(
        allotments.update().where(allotments.c.id == allotment_id).values(reclaim_deadline=at)
    )


def _told(ending: Ending) -> dict[str, Any]:
    return {
        "cause": str(ending.cause),
        "stop_at": ending.stop_at.isoformat(),
        "message": ending.message,
        "extended": ending.extended,
    }


def tell(
    writing: Writing,
    kind: str,
    row: sa.Row[Any],
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write an event about the server that ``whose`` found."""
    server = {"server": row.server, "hub": row.hub}
    writing.event(
        kind,
        row.id,
        person=row.person,
        group=row.group_name,
        before=before,
        after=server | (after or {}),
    )
