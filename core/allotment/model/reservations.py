"""Reservations: devices kept for a group or a person from one time to another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Reservation:
    """Devices of a pool that are kept for one group, or one person, from one time to another (UTC)."""

    id: str
    pool: str
    devices: int
    begins_at: datetime
    ends_at: datetime
    group: str | None = None
    person: str | None = None
    note: str = ""
    revision: int = 1

    @property
    def holder(self) -> str:
        """For whom, in words."""
        return f"group {self.group}" if self.group is not None else str(self.person)

    def overlaps(self, other: Reservation) -> bool:
        """Whether both keep devices of one pool at one time."""
        return (
            self.pool == other.pool
            and self.begins_at < other.ends_at
            and other.begins_at < self.ends_at
        )
