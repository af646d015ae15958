"""Reservations: made, changed, cancelled; and what those that have begun add to a claim's shares."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.model.names import DEFAULT_POOL
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotFound, Refusal
from allotment.model.reservations import Reservation
from allotment.record.columns import to_stored
from allotment.record.engine import Reading, Writing, expect_revision
from allotment.record.ids import new_id
from allotment.record.pools import use as pool_use
from allotment.record.rows import named
from allotment.record.schema import groups, memberships, people, reservations, shares
from allotment.rules.booking import check_room, check_times
from allotment.rules.standing import PoolFacts, ShareFacts


def _from_row(row: sa.Row[Any]) -> Reservation:
    return Reservation(
        row.id,
        row.pool,
        row.device_count,
        row.begins_at,
        row.ends_at,
        row.group_name,
        row.person,
        row.note,
        row.revision,
    )


def all_reservations(reading: Reading, after: datetime) -> tuple[Reservation, ...]:
    """Reservations that end after a time, those that begin first in front."""
    statement = (
        sa.select(reservations)
        .where(reservations.c.ends_at > after)
        .order_by(reservations.c.begins_at, reservations.c.id)
    )
    return tuple(_from_row(row) for row in reading.all(statement))


def get(reading: Reading, key: str) -> Reservation:
    """One reservation.

    Raises:
        NotFound: there is none of that id.
    """
    row = reading.first(sa.select(reservations).where(reservations.c.id == key))
    if row is None:
        raise NotFound("reservation", key)
    return _from_row(row)


def create(writing: Writing, wanted: Reservation) -> Reservation:
    """Keep devices; ``wanted`` is without an id. What runs when it begins goes on.

    Raises:
        NotFound: there is no such pool, group or person.
        Refusal: the times keep nothing, the pool has not as many, or its holder could not use the pool.
    """
    made = replace(wanted, id=new_id(writing.now))
    _check(writing, made)
    writing.run(reservations.insert().values(id=made.id, **_values(made)))
    writing.event(
        "reservation.created", made.id, person=made.person, group=made.group, after=_document(made)
    )
    return get(writing, made.id)


def edit(writing: Writing, wanted: Reservation, revision: int | None = None) -> Reservation:
    """Change devices, times or note of a reservation; for whom and in which pool it is stays.

    Raises:
        NotFound, RevisionStale, Refusal: as for :func:`create`.
    """
    before = get(writing, wanted.id)
    expect_revision(f"reservation {wanted.id!r}", before.revision, revision)
    _check(writing, wanted)
    writing.run(
        reservations.update()
        .where(reservations.c.id == wanted.id)
        .values(revision=reservations.c.revision + 1, **_values(wanted))
    )
    writing.event(
        "reservation.changed",
        wanted.id,
        person=wanted.person,
        group=wanted.group,
        before=_document(before),
        after=_document(wanted),
    )
    return get(writing, wanted.id)


def cancel(writing: Writing, key: str, revision: int | None = None) -> None:
    """Keep the devices no longer.

    Raises:
        NotFound, RevisionStale: as for :func:`edit`.
    """
    before = get(writing, key)
    expect_revision(f"reservation {key!r}", before.revision, revision)
    writing.run(reservations.delete().where(reservations.c.id == key))
    writing.event(
        "reservation.cancelled",
        key,
        person=before.person,
        group=before.group,
        before=_document(before),
    )


def _check(writing: Writing, wanted: Reservation) -> None:
    capacity = next((row.total for row in pool_use(writing) if row.pool == wanted.pool), None)
    if capacity is None:
        raise NotFound("pool", wanted.pool)
    if wanted.group is not None:
        named(writing, groups, "group", wanted.group)
    if wanted.person is not None:
        named(writing, people, "person", wanted.person)
    others = [one for one in all_reservations(writing, writing.now) if one.pool == wanted.pool]
    reasons = (
        _one_holder(wanted),
        check_times(wanted, writing.now),
        check_room(wanted, others, capacity),
        _usable(writing, wanted),
    )
    refused = [reason for reason in reasons if reason is not None]
    if refused:
        raise Refusal(*refused)


def _one_holder(wanted: Reservation) -> Reason | None:
    if (wanted.group is None) != (wanted.person is None):
        return None
    message = "A reservation is for one group or for one person."
    return Reason(Rule.REQUEST, message, remedy="Name a group or a person, not both.")


def _usable(reading: Reading, wanted: Reservation) -> Reason | None:
    """Refuse to keep devices for somebody who could not launch on them."""
    if wanted.pool == DEFAULT_POOL and wanted.person is not None:
        return None
    own = sa.select(memberships.c.group_name).where(memberships.c.person == wanted.person)
    mine = (
        shares.c.group_name.in_(own)
        if wanted.group is None
        else (shares.c.group_name == wanted.group)
    )
    if reading.first(sa.select(shares.c.pool).where(shares.c.pool == wanted.pool, mine)):
        return None
    whose = "has no share" if wanted.group is not None else "is in no group with a share"
    return Reason(
        Rule.SHARE_POOL,
        f"{wanted.holder} {whose} in {wanted.pool}, and could not use what is kept.",
        remedy="Give the group a share in that pool first; its guarantee may be 0.",
    )


def _values(one: Reservation) -> dict[str, Any]:
    return {
        "pool": one.pool,
        "device_count": one.devices,
        "group_name": one.group,
        "person": one.person,
        "begins_at": one.begins_at,
        "ends_at": one.ends_at,
        "note": one.note,
    }


def _document(one: Reservation) -> dict[str, Any]:
    return {
        "pool": one.pool,
        "devices": one.devices,
        "group": one.group,
        "person": one.person,
        "begins_at": one.begins_at.isoformat(),
        "ends_at": one.ends_at.isoformat(),
        "note": one.note,
    }


_BEGUN = sa.text("""
SELECT r.pool, r.group_name, r.device_count,
    (SELECT COALESCE(SUM(a.device_count), 0) FROM allotments a
        WHERE a.person = :person AND a.pool = r.pool AND a.state <> 'released') AS own
FROM reservations r
WHERE r.begins_at <= :now AND r.ends_at > :now AND (r.person = :person OR r.group_name IN :names)
""").bindparams(sa.bindparam("names", type_=sa.String(), expanding=True))


def lifted(
    reading: Reading,
    person: str,
    known: Iterable[ShareFacts],
    names: Collection[str],
    now: datetime,
) -> tuple[ShareFacts, ...]:
    """The shares of a person's groups with what reservations that have begun add to them.

    A group's reservation counts as its guarantee; a person's lets this person have what is left of it
    on top of what the group holds. The queue's rules say the same.
    """
    wanted = {"person": person, "names": sorted(names), "now": to_stored(now)}
    begun = reading.connection.execute(_BEGUN, wanted).all()
    return tuple(_lift(facts, begun) for facts in known)


def kept(
    reading: Reading, person: str, pools: Iterable[PoolFacts], now: datetime
) -> tuple[PoolFacts, ...]:
    """Pools with what a person's own reservations that have begun have left there.

    It is for who has no group: others find it in their group's share.
    """
    wanted = {"person": person, "names": [], "now": to_stored(now)}
    left: dict[str, int] = {}
    for row in reading.connection.execute(_BEGUN, wanted):
        left[row.pool] = max(left.get(row.pool, 0), row.device_count - int(row.own))
    return tuple(replace(pool, kept_for_person=left.get(pool.pool, 0)) for pool in pools)


def _lift(facts: ShareFacts, begun: Iterable[Any]) -> ShareFacts:
    share = facts.share
    here = [row for row in begun if row.pool == share.pool]
    of_group = sum(row.device_count for row in here if row.group_name == share.group)
    of_person = [max(0, row.device_count - int(row.own)) for row in here if row.group_name is None]
    most = max(of_group, *(facts.held + left for left in of_person if left), 0)
    if most <= share.guaranteed:
        return facts
    more = replace(share, guaranteed=most, ceiling=max(share.ceiling, most))
    return replace(facts, share=more)
