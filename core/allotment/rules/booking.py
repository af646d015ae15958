"""What may be reserved: never more of a pool at one time than it has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from allotment.model.amounts import counted
from allotment.model.reasons import Reason, Rule
from allotment.model.reservations import Reservation


def check_times(wanted: Reservation, now: datetime) -> Reason | None:
    """Refuse a reservation that ends before it begins, or has ended already."""
    if wanted.begins_at < wanted.ends_at and now < wanted.ends_at:
        return None
    return Reason(
        Rule.REQUEST,
        f"A reservation from {wanted.begins_at:%Y-%m-%d %H:%M} to {wanted.ends_at:%Y-%m-%d %H:%M} UTC keeps nothing.",
        remedy="It ends after it begins, and at a time to come.",
    )


def check_room(wanted: Reservation, others: Sequence[Reservation], capacity: int) -> Reason | None:
    """Refuse more devices at any one time than the pool has. ``others`` are those of the same pool."""
    near = [one for one in others if one.id != wanted.id and one.overlaps(wanted)]
    # The most is kept where one of them begins.
    moments = [
        wanted.begins_at,
        *(one.begins_at for one in near if one.begins_at > wanted.begins_at),
    ]
    most = max(
        sum(one.devices for one in near if one.begins_at <= moment < one.ends_at)
        for moment in moments
    )
    if most + wanted.devices <= capacity:
        return None
    return Reason(
        Rule.POOL_CAPACITY,
        f"{wanted.pool} has {counted(capacity, 'device')}; {most} are reserved in that time already, and this needs {wanted.devices}.",
        limit=capacity,
        used=most,
        asked=wanted.devices,
        remedy="Reserve fewer devices, or another time.",
        details=tuple(one.id for one in near),
    )
