"""Reservations: devices kept for a group or a person."""

from __future__ import annotations

from datetime import datetime

from allotment.client.connection import Connection, Revision
from allotment.client.paths import segment
from allotment.model.documents import Reservation, ReservationListing


class Reservations:
    """``client.reservations``. Times are aware."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> ReservationListing:
        """Reservations that have not ended, those that begin first in front."""
        return self._connection.read_all(ReservationListing, "/reservations")

    def create(
        self,
        pool: str,
        devices: int,
        begins_at: datetime,
        ends_at: datetime,
        *,
        group: str | None = None,
        person: str | None = None,
        note: str = "",
    ) -> Reservation:
        """Keep devices for a group or for a person."""
        body = {
            "pool": pool,
            "devices": devices,
            "begins_at": begins_at.isoformat(),
            "ends_at": ends_at.isoformat(),
            "group": group,
            "person": person,
            "note": note,
        }
        return self._connection.send(Reservation, "POST", "/reservations", body)

    def edit(
        self,
        key: str,
        *,
        revision: Revision,
        devices: int | None = None,
        begins_at: datetime | None = None,
        ends_at: datetime | None = None,
        note: str | None = None,
    ) -> Reservation:
        """Change a reservation; what is None stays."""
        body = {
            "devices": devices,
            "begins_at": None if begins_at is None else begins_at.isoformat(),
            "ends_at": None if ends_at is None else ends_at.isoformat(),
            "note": note,
        }
        known = {name: value for name, value in body.items() if value is not None}
        return self._connection.send(
            Reservation, "PATCH", f"/reservations/{segment(key)}", known, revision=revision
        )

    def cancel(self, key: str, *, revision: Revision) -> None:
        """Keep the devices no longer."""
        self._connection.delete(f"/reservations/{segment(key)}", revision=revision)
