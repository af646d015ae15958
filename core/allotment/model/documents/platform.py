"""The platform as a whole: what it is, how it is, what it holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from allotment.model.documents.capacity import Pool
from allotment.model.documents.cordons import Cordon
from allotment.model.documents.departments import Department
from allotment.model.documents.document import Document, Listing
from allotment.model.documents.happenings import RefusedClaim
from allotment.model.documents.people import Group
from allotment.model.documents.reservations import Reservation


class About(Document):
    """Which platform this is."""

    version: str
    licence: str
    hub: str = Field(description="The id of this control plane's hub")
    record: Literal["sqlite", "postgresql"]
    mode: Literal["strict", "flexible"] = Field(
        description="strict: one pool a group, one group a person; flexible: several of both"
    )
    default_group: str | None = Field(
        default=None, description="The group that is proposed for new people"
    )
    currency: str = Field(default="", description="Of all money here, by ISO 4217; empty: unsaid")
    currency_sign: str = Field(default="", description="Written before amounts")
    time_zone: str = Field(default="UTC", description="In which its days and months begin")
    simulated_devices: bool
    trust: str = Field(description="Whom servers of one person are protected from, in words")
    started_at: datetime
    revision: int = Field(default=1, description="Of mode and default group")


class Health(Document):
    """The control plane answers."""

    status: Literal["ok"]


class Readiness(Document):
    """Whether the control plane can decide and act."""

    status: Literal["ready", "not-ready"]
    record: Literal["ok", "away"]
    hub: Literal["ok", "away"]
    work: Literal["ok", "failing"]


class Step(Document):
    """One piece of periodic work."""

    name: str
    every: float = Field(description="Seconds")
    runs: int
    failures: int = Field(description="Failures in a row; 0 when the last run succeeded")
    last_started_at: datetime | None = None
    last_succeeded_at: datetime | None = None
    last_seconds: float | None = None
    problem: str = Field(default="", description="Why the last run failed")
    note: str = Field(default="", description="What it did last, or why it had nothing to do")


class StepListing(Listing):
    """Periodic work of this control plane."""

    items: tuple[Step, ...]


class Capacity(Document):
    """Devices of the platform, counted."""

    total: int
    held: int
    free: int
    unhealthy: int
    missing: int
    simulated: int
    taken: int = Field(default=0, description="Used by others than the platform")
    cordoned: int = Field(default=0, description="Taken out of use, and held by nobody")


class Alert(Document):
    """Something that an operator should look at."""

    kind: Literal[
        "device", "drift", "profile", "share", "work", "hub", "type", "source", "software", "cordon"
    ]
    message: str
    subject: str


class Overview(Document):
    """Everything at one glance, of one moment."""

    sequence: int
    at: datetime
    capacity: Capacity
    servers: dict[str, int] = Field(description="How many servers are in each state")
    people: int
    pools: tuple[Pool, ...]
    groups: tuple[Group, ...]
    departments: tuple[Department, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    cordons: tuple[Cordon, ...] = Field(default=(), description="What is out of use or will be")
    alerts: tuple[Alert, ...]
    refusals: tuple[RefusedClaim, ...] = Field(description="The latest, newest first")


class Moment(Document):
    """Devices over time: how many there were, were held, and were held and idle; None: not measured."""

    at: datetime
    capacity: int
    held: int
    idle: int | None = None


class MomentListing(Listing):
    """Points in time, oldest first."""

    items: tuple[Moment, ...]


class ConfigurationFile(Document):
    """The platform's configuration as a settings file would say it."""

    yaml: str


class ConfigurationChange(Document):
    """One difference between a settings file and the record."""

    action: Literal["create", "change", "keep"] = Field(
        description="keep: an operator changed it since, and it stays unless restored"
    )
    kind: str = Field(examples=["group"])
    name: str
    sentence: str = Field(examples=["group vision is made"])
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    note: str = ""


class ConfigurationPlan(Document):
    """What applying a settings file would do, or did."""

    changes: tuple[ConfigurationChange, ...]
    applied: bool
