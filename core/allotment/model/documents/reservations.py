"""Reservations: devices kept for a group or a person for a time."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from allotment.model.documents.document import Document, Listing


class Reservation(Document):
    """Devices of a pool that are kept for one group, or one person, from one time to another."""

    id: str
    pool: str
    devices: int
    group: str | None = None
    person: str | None = None
    begins_at: datetime
    ends_at: datetime
    note: str = Field(default="", description="What it is for")
    revision: int


class ReservationListing(Listing):
    """Reservations that have not ended, those that begin first in front."""

    items: tuple[Reservation, ...]
