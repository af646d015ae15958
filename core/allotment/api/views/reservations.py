"""Reservations as documents."""

from __future__ import annotations

from datetime import datetime

from allotment.model import documents
from allotment.model.reservations import Reservation
from allotment.record import Reading, reservations
from allotment.rules.permission import Sight


def reservation_documents(
    reading: Reading, sight: Sight, now: datetime
) -> list[documents.Reservation]:
    """Reservations that have not ended and that the caller may see: own ones, and those of own groups."""
    return [
        reservation_document(one)
        for one in reservations.all_reservations(reading, now)
        if sight.everything
        or one.person == sight.person
        or (one.group is not None and sight.sees_group(one.group))
    ]


def reservation_document(one: Reservation) -> documents.Reservation:
    """One reservation."""
    return documents.Reservation(
        id=one.id,
        pool=one.pool,
        devices=one.devices,
        group=one.group,
        person=one.person,
        begins_at=one.begins_at,
        ends_at=one.ends_at,
        note=one.note,
        revision=one.revision,
    )
