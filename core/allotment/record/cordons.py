"""What is out of use: said, changed, lifted; and what of it each device says.

The words on a device are derived: :func:`apply` writes them anew wherever they could have changed, and
the periodic work when a time has come. It reads devices by its own statement, so that whoever changes
devices or pools can call it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.model.cordons import Cordon, Scope
from allotment.model.refusals import NotFound, Refusal
from allotment.record.counting import recount_pools
from allotment.record.engine import Reading, Writing, expect_revision
from allotment.record.ids import new_id
from allotment.record.schema import allotments, cordons, devices, holdings, nodes, pools
from allotment.rules.cordoning import Spot, check_times, words

_LIVE = ("starting", "running")


def _from_row(row: sa.Row[Any]) -> Cordon:
    return Cordon(
        id=row.id,
        scope=Scope(row.scope),
        names=tuple(row.names),
        reason=row.reason,
        begins_at=row.begins_at,
        said_by=row.said_by,
        said_at=row.said_at,
        drain_at=row.drain_at,
        ends_at=row.ends_at,
        revision=row.revision,
    )


def open_cordons(reading: Reading) -> tuple[Cordon, ...]:
    """What is out of use now or will be, first what begins first."""
    statement = (
        sa.select(cordons)
        .where(cordons.c.lifted_at.is_(None))
        .order_by(cordons.c.begins_at, cordons.c.id)
    )
    return tuple(_from_row(row) for row in reading.all(statement))


def get(reading: Reading, key: str) -> Cordon:
    """One that is open.

    Raises:
        NotFound: there is none of that id, or it was lifted.
    """
    row = reading.first(
        sa.select(cordons).where(cordons.c.id == key, cordons.c.lifted_at.is_(None))
    )
    if row is None:
        raise NotFound("cordon", key)
    return _from_row(row)


def create(writing: Writing, wanted: Cordon) -> Cordon:
    """Take something out of use; ``wanted`` is without an id, and who says it is the writing's actor.

    Raises:
        NotFound: there is no such node, pool or device.
        Refusal: its times cannot be.
    """
    made = replace(
        wanted, id=new_id(writing.now), said_by=writing.actor, said_at=writing.now, revision=1
    )
    check(writing, made, writing.now)
    writing.run(
        cordons.insert().values(
            id=made.id,
            scope=str(made.scope),
            names=list(made.names),
            said_by=made.said_by,
            said_at=made.said_at,
            **_values(made),
        )
    )
    writing.event("cordon.made", made.id, after=_document(made))
    apply(writing)
    return made


def edit(writing: Writing, wanted: Cordon, revision: int | None = None) -> Cordon:
    """Change reason or times; what it names stays.

    Raises:
        NotFound, RevisionStale, Refusal: as for :func:`create`.
    """
    before = get(writing, wanted.id)
    expect_revision(f"cordon {wanted.id!r}", before.revision, revision)
    check(writing, wanted, writing.now)
    writing.run(
        cordons.update()
        .where(cordons.c.id == wanted.id)
        .values(revision=cordons.c.revision + 1, **_values(wanted))
    )
    writing.event("cordon.changed", wanted.id, before=_document(before), after=_document(wanted))
    apply(writing)
    return get(writing, wanted.id)


def lift(writing: Writing, key: str, revision: int | None = None) -> None:
    """Give it back to use. What was to be stopped for it goes on.

    Raises:
        NotFound, RevisionStale: as for :func:`edit`.
    """
    before = get(writing, key)
    expect_revision(f"cordon {key!r}", before.revision, revision)
    _close(writing, before, "cordon.lifted")
    apply(writing)


def _close(writing: Writing, one: Cordon, kind: str) -> None:
    writing.run(cordons.update().where(cordons.c.id == one.id).values(lifted_at=writing.now))
    writing.event(kind, one.id, before=_document(one))


def spots(reading: Reading) -> tuple[Spot, ...]:
    """Where every device is."""
    statement = sa.select(devices.c.id, devices.c.node, devices.c.pool).order_by(devices.c.id)
    return tuple(Spot(row.id, row.node, row.pool) for row in reading.all(statement))


def _said(reading: Reading) -> dict[str, str]:
    """What devices say that say something."""
    statement = sa.select(devices.c.id, devices.c.cordon).where(devices.c.cordon != "")
    return {row.id: row.cordon for row in reading.all(statement)}


def outdated(reading: Reading, now: datetime) -> bool:
    """Whether :func:`apply` would change anything."""
    known = open_cordons(reading)
    if any(one.over(now) for one in known):
        return True
    said = _said(reading)
    if not known:
        return bool(said)
    return any(words(known, spot, now) != said.get(spot.device, "") for spot in spots(reading))


def apply(writing: Writing) -> tuple[str, ...]:
    """Have every device say what is in force of it now, and close what is over. Returns the devices that changed."""
    for one in open_cordons(writing):
        if one.over(writing.now):
            _close(writing, one, "cordon.ended")
    known, said = open_cordons(writing), _said(writing)
    if not known and not said:
        return ()
    now = writing.now
    changed = [
        (spot, new)
        for spot in spots(writing)
        if (new := words(known, spot, now)) != said.get(spot.device, "")
    ]
    for spot, new in changed:
        writing.run(
            devices.update()
            .where(devices.c.id == spot.device)
            .values(cordon=new, revision=devices.c.revision + 1)
        )
        writing.event(
            "device.cordoned" if new else "device.uncordoned",
            spot.device,
            before={"cordon": said.get(spot.device, "")},
            after={"cordon": new},
        )
    if changed:
        recount_pools(writing, {spot.pool for spot, _ in changed})
    return tuple(spot.device for spot, _ in changed)


def servers_on(
    reading: Reading, covered: Collection[str], *, hub: str | None = None
) -> dict[str, tuple[Spot, ...]]:
    """Servers that start or run and hold devices of these, by allotment, with all that they hold of them."""
    statement = (
        sa.select(holdings.c.allotment, devices.c.id, devices.c.node, devices.c.pool)
        .join(devices, devices.c.id == holdings.c.device)
        .join(allotments, allotments.c.id == holdings.c.allotment)
        .where(allotments.c.state.in_(_LIVE))
        .order_by(holdings.c.allotment, devices.c.id)
    )
    if hub is not None:
        statement = statement.where(allotments.c.hub == hub)
    found: dict[str, list[Spot]] = {}
    for row in reading.all(statement):
        if row.id in covered:
            found.setdefault(row.allotment, []).append(Spot(row.id, row.node, row.pool))
    return {allotment: tuple(those) for allotment, those in found.items()}


def covered(reading: Reading, known: Sequence[Cordon]) -> frozenset[str]:
    """The devices that any of these names, whether in force or to come."""
    return frozenset(
        spot.device
        for spot in spots(reading)
        if any(one.covers(spot.device, spot.node, spot.pool) for one in known)
    )


def check(reading: Reading, wanted: Cordon, now: datetime) -> None:
    """Look whether something can be out of use so.

    Raises:
        NotFound: there is no such node, pool or device.
        Refusal: its times cannot be.
    """
    here = {
        Scope.NODE: _nodes(reading),
        Scope.POOL: {row.name for row in reading.all(sa.select(pools.c.name))},
        Scope.DEVICE: {spot.device for spot in spots(reading)},
    }[wanted.scope]
    for name in wanted.names:
        if name not in here:
            raise NotFound(str(wanted.scope), name)
    reason = check_times(wanted, now)
    if reason is not None:
        raise Refusal(reason)


def _nodes(reading: Reading) -> set[str]:
    """Every node that is known, with devices or without."""
    known = {spot.node for spot in spots(reading)}
    return known | {row.name for row in reading.all(sa.select(nodes.c.name))}


def _values(one: Cordon) -> dict[str, Any]:
    return {
        "reason": one.reason,
        "begins_at": one.begins_at,
        "drain_at": one.drain_at,
        "ends_at": one.ends_at,
    }


def _document(one: Cordon) -> dict[str, Any]:
    def told(moment: datetime | None) -> str | None:
        return None if moment is None else moment.isoformat()

    return {
        "scope": str(one.scope),
        "names": list(one.names),
        "reason": one.reason,
        "begins_at": told(one.begins_at),
        "drain_at": told(one.drain_at),
        "ends_at": told(one.ends_at),
    }
