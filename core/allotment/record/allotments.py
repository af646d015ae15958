"""Reading allotments."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.model.allotments import (
    Allotment,
    HeldDevice,
    ServerPlace,
    ServerPod,
    ServerProcess,
    State,
)
from allotment.model.amounts import counted
from allotment.model.refusals import NotFound
from allotment.record.columns import from_stored
from allotment.record.engine import Reading
from allotment.record.schema import allotments

_TEXT_DEVICES = sa.type_coerce(allotments.c.devices, sa.Text).label("held_devices")
COLUMNS = (*(column for column in allotments.c if column.name != "devices"), _TEXT_DEVICES)


def _select() -> sa.Select[Any]:
    return sa.select(*COLUMNS)


def from_row(row: sa.Row[Any]) -> Allotment:
    """Turn a row into a value, here only."""
    return Allotment(
        id=row.id,
        hub=row.hub,
        person=row.person,
        server=row.server,
        group=row.group_name,
        pool=row.pool,
        profile=row.profile,
        state=State(row.state),
        terms=row.terms,
        devices=tuple(HeldDevice(*device) for device in json.loads(row.held_devices)),
        admitted_at=row.admitted_at,
        running_at=row.running_at,
        stopping_at=row.stopping_at,
        released_at=row.released_at,
        charged_until=row.charged_until,
        place=_place(row),
        awaits=row.awaits,
        stop_reason=row.stop_reason,
        stopped_by=row.stopped_by,
        stop_cause=row.stop_cause,
        reclaim_at=row.reclaim_deadline,
    )


def _place(row: sa.Row[Any]) -> ServerPlace | None:
    if row.pod_name:
        return ServerPod(
            row.pod_namespace,
            row.pod_name,
            row.pod_uid,
            row.process_started or 0.0,
            row.pod_cluster,
        )
    if row.process_id is not None:
        return ServerProcess(row.process_id, row.process_started)
    return None


def place_columns(place: ServerPlace) -> dict[str, Any]:
    """A place as the columns of its allotment have it."""
    pod = place if isinstance(place, ServerPod) else ServerPod("", "")
    return {
        "process_id": None if isinstance(place, ServerPod) else place.pid,
        "process_started": place.started,
        "pod_namespace": pod.namespace,
        "pod_name": pod.name,
        "pod_uid": pod.uid,
        "pod_cluster": pod.cluster,
    }


def active(
    reading: Reading,
    *,
    hub: str | None = None,
    person: str | None = None,
    groups: tuple[str, ...] | None = None,
) -> tuple[Allotment, ...]:
    """All allotments that hold devices and count, oldest first; of one hub, person or some groups where asked."""
    statement = _select().where(allotments.c.state != "released").order_by(allotments.c.id)
    if hub is not None:
        statement = statement.where(allotments.c.hub == hub)
    if person is not None:
        statement = statement.where(allotments.c.person == person)
    if groups is not None:
        statement = statement.where(allotments.c.group_name.in_(groups))
    return tuple(from_row(row) for row in reading.all(statement))


_ONE = _select().where(allotments.c.id == sa.bindparam("the_allotment"))


def get(reading: Reading, allotment_id: str) -> Allotment:
    """One allotment.

    Raises:
        NotFound: there is none of that id.
    """
    row = reading.connection.execute(_ONE, {"the_allotment": allotment_id}).first()
    if row is None:
        raise NotFound("allotment", allotment_id)
    return from_row(row)


def some(reading: Reading, ids: Collection[str]) -> tuple[Allotment, ...]:
    """The allotments of these ids, as far as there are any; ask for at most a few thousand."""
    statement = _select().where(allotments.c.id.in_(ids)).order_by(allotments.c.id)
    return tuple(from_row(row) for row in reading.all(statement))


def of_token(reading: Reading, token_hash: str) -> Allotment | None:
    """The active allotment whose server has the API token of this SHA-256, if any."""
    if not token_hash:
        return None
    row = reading.first(
        _select().where(allotments.c.token_hash == token_hash, allotments.c.state != "released")
    )
    return None if row is None else from_row(row)


def latest(reading: Reading, hub: str, person: str, server: str) -> Allotment | None:
    """The newest allotment of a server, released or not."""
    matches = (
        allotments.c.person == person,
        allotments.c.hub == hub,
        allotments.c.server == server,
    )
    row = reading.first(
        _select()
        .where(*matches)
        .order_by(allotments.c.admitted_at.desc(), allotments.c.id.desc())
        .limit(1)
    )
    return None if row is None else from_row(row)


def history(
    reading: Reading, *, since: datetime, person: str | None = None
) -> tuple[Allotment, ...]:
    """Allotments that ended at or after ``since``, or have not ended, oldest first."""
    statement = _select().where(
        sa.or_(allotments.c.released_at.is_(None), allotments.c.released_at >= since)
    )
    if person is not None:
        statement = statement.where(allotments.c.person == person)
    return tuple(from_row(row) for row in reading.all(statement.order_by(allotments.c.id)))


_HOLDERS = sa.text(
    "SELECT person, group_name, server, device_count, admitted_at FROM allotments "
    "WHERE state <> 'released' AND device_count > 0 AND pool IN :pools ORDER BY admitted_at, id LIMIT 200"
).bindparams(sa.bindparam("pools", expanding=True))


def holders(
    reading: Reading, pools: set[str], groups: tuple[str, ...], person: str
) -> tuple[str, ...]:
    """Who holds devices in these pools and since when, in sentences, longest first; at most eight.

    Somebody of another group is not named to ``person``: only that it is another group's.
    """
    if not pools:
        return ()
    rows = reading.connection.execute(_HOLDERS, {"pools": sorted(pools)}).all()
    visible = [row for row in rows if row.person == person or row.group_name in groups]
    others = [row for row in rows if row not in visible]
    lines = [_holder(row, person) for row in visible[:7]]
    if others:
        number = sum(row.device_count for row in others)
        since = from_stored(min(row.admitted_at for row in others))
        lines.append(f"Others hold {counted(number, 'device')}, the longest since {_clock(since)}.")
    return tuple(lines)


def _holder(row: sa.Row[Any], person: str) -> str:
    who = "You hold" if row.person == person else f"{row.person} holds"
    server = f" with {row.server}" if row.server else ""
    return f"{who} {counted(row.device_count, 'device')}{server} since {_clock(from_stored(row.admitted_at))}."


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
