"""The capacity plan: what was promised and what is used, against what is there; and who waited."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from allotment.model.documents.document import Document, Listing, Sequence
from allotment.model.planning import Fit


class HeldDevices(Document):
    """Devices that are held now, and were in the period."""

    held: int = Field(description="Now")
    peak: int = Field(description="The most at once in the period")
    peak_at: datetime | None = Field(default=None, description="When that was first")
    average: float = Field(description="Over the whole period")


class PlannedShare(HeldDevices):
    """A group's part of a pool; without a share of it guarantee and ceiling are 0."""

    group: str = Field(description="Empty: people without a group")
    department: str = ""
    guaranteed: int
    ceiling: int


class PlanSum(HeldDevices):
    """Capacity, and what was promised and used of it. Counts are devices."""

    capacity: int = Field(description="All devices")
    available: int = Field(
        description="Those that are healthy, there, and neither cordoned nor used by others: what can be given out"
    )
    guaranteed: int = Field(description="Sum of all groups' guarantees")
    ceilings: int = Field(description="Sum of all groups' ceilings")
    overcommitted: int = Field(description="Guaranteed beyond what can be given out")


class PlannedPool(PlanSum):
    """One pool of the plan."""

    name: str
    model: str
    sharing: bool = Field(description="Whether what is not used is lent")
    fit: Fit = Field(
        description="overcommitted: more is guaranteed than can be given out; full: all of it was "
        "held at once; lent: the ceilings count on lending"
    )
    shares: tuple[PlannedShare, ...]


class CapacityPlan(Listing):
    """All pools, by name; peak and average from ``begin`` until before ``end``."""

    items: tuple[PlannedPool, ...]
    total: PlanSum
    begin: datetime
    end: datetime
    time_zone: str = Field(examples=["Europe/Berlin"])


class WaitingPoint(Document):
    """One part of the period: how many servers waited in it."""

    begin: datetime
    end: datetime
    average: float = Field(description="Servers waiting, on average")
    most: int = Field(description="Servers waiting at once, at most")


class Waiting(Document):
    """Waiting over a period, in parts of a day, or of an hour where the period is three days or less.

    The waits in seconds are of those whose turn came in it; None: nobody's did.
    """

    items: tuple[WaitingPoint, ...]
    begin: datetime
    end: datetime
    time_zone: str = Field(examples=["Europe/Berlin"])
    served: int = Field(description="Servers whose turn came")
    half: float | None = Field(default=None, description="50 % of them waited at most so long")
    most: float | None = Field(default=None, description="90 % of them waited at most so long")
    sequence: Sequence = 0
