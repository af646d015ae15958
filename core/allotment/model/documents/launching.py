"""Profiles, servers, and whether a launch would be granted."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import Field

from allotment.model.documents.document import Document, Listing
from allotment.model.documents.endings import Ending, Keep
from allotment.model.documents.problems import ReasonDocument
from allotment.model.documents.queue import Way
from allotment.model.profiles import Audience, PoolByModel, Priority
from allotment.model.reports import DeviceUse


class OfferedSoftware(Document):
    """Software that can be chosen with a profile. ``python_environment`` is empty for those who may not see all."""

    name: str
    title: str
    description: str
    image: str | None = None
    python_environment: str = Field(default="", description="Its folder, on one machine")


class Profile(Document):
    """What can be launched: the last good version of a profile's file, and how the file is now.

    ``offered`` is false where it is disabled, its file is gone, or no version was ever good.
    ``source`` and ``problem`` are empty for those who may not see all.
    """

    name: str
    title: str
    description: str
    devices: int
    pool: str | PoolByModel
    cpu: float | None = None
    memory: int | None = Field(default=None, description="Bytes")
    image: str | None = None
    software: tuple[OfferedSoftware, ...] = Field(
        default=(), description="What can be chosen with it; the first is proposed"
    )
    instance_type: str | None = Field(
        default=None, description="The instance type that a server of it takes one of"
    )
    unavailable: str = Field(
        default="", description="Why none can start now, whatever else is free: its instance type"
    )
    priority: Priority
    price: Decimal | None = Field(default=None, description="Per hour")
    visible_to: Audience | None = None
    successor: str | None = Field(default=None, description="The profile that replaces it")
    successor_message: str = Field(
        default="", description="What its users are told about the change"
    )
    enabled: bool
    retired: bool
    offered: bool
    source: str = Field(default="", description="The file it comes from")
    problem: str = Field(default="", description="What is wrong with the file now")
    servers: int = Field(default=0, description="Servers that still hold it")
    revision: int


class ProfileListing(Listing):
    """Profiles, by name."""

    items: tuple[Profile, ...]


class HeldDevice(Document):
    """A device that a server holds, or held last."""

    id: str
    node: str
    model: str
    memory: int = Field(description="Bytes")
    isolation: str


class ServerUse(Document):
    """What a server reported last."""

    at: datetime
    kernels: int
    kernels_busy: int
    terminals: int
    last_activity: datetime
    devices: tuple[DeviceUse, ...] = ()


class Server(Document):
    """A server that exists, with its latest allotment.

    ``since`` is when it came into its state. ``warnings`` are sentences, such as that a device of
    it is unhealthy.
    """

    id: str = Field(examples=["hub~analyst-1~train"])
    hub: str
    person: str
    name: str = Field(description="Empty for the default server")
    display_name: str
    note: str
    profile: str
    profile_title: str
    software: str = Field(default="", description="The software chosen with the profile")
    software_title: str = ""
    instance_type: str | None = Field(
        default=None, description="The instance type of which it takes one"
    )
    group: str | None
    pool: str | None
    state: Literal["offered", "starting", "running", "stopping", "stopped"]
    since: datetime
    created_at: datetime
    admitted_at: datetime
    running_at: datetime | None = None
    allotment: str
    devices: tuple[HeldDevice, ...]
    price: Decimal | None = Field(default=None, description="Per hour, as promised at launch")
    charged_until: datetime | None = Field(
        default=None, description="Charged from running_at until then; None: until now"
    )
    awaits: str = Field(
        default="",
        description="What it waits for while it starts, in the cluster's own words",
    )
    stop_reason: str = ""
    stopped_by: str = ""
    stop_cause: str = Field(
        default="", description="Why it was stopped, as data; empty: it ended by itself"
    )
    endings: tuple[Ending, ...] = Field(default=(), description="Announced ends, earliest first")
    lifetime_end: datetime | None = None
    keep: Keep | None = None
    warnings: tuple[str, ...] = ()
    use: ServerUse | None = None

    @property
    def size_words(self) -> str:
        """Its size and, where that was chosen apart, its software, as people read them."""
        size = self.profile_title or self.profile
        return f"{size}, {self.software_title}" if self.software_title else size


class ServerListing(Listing):
    """Servers, by person, name and hub."""

    items: tuple[Server, ...]


class ServerOutcome(Document):
    """What became of one server in a request for several."""

    server: str
    outcome: Literal[
        "stopping", "stopped", "not-running", "starting", "running", "refused", "later"
    ]
    note: str = ""
    reasons: tuple[ReasonDocument, ...] = ()


class ServerOutcomes(Document):
    """What became of each server, in the order asked. ``later``: the hub was away and is asked again."""

    outcomes: tuple[ServerOutcome, ...]


class ProfileRevocation(Document):
    """A profile that was disabled, and the servers that were stopped because they held it."""

    profile: Profile
    outcomes: tuple[ServerOutcome, ...]


class Explanation(Document):
    """Whether a person may launch a profile now; if not, every rule in the way."""

    person: str
    profile: str
    server: str
    outcome: Literal["granted", "waits", "refused"]
    group: str | None = Field(default=None, description="The group that would pay")
    pool: str | None = None
    model: str | None = None
    reasons: tuple[ReasonDocument, ...] = ()
    starts_half: datetime | None = Field(
        default=None, description="Where it would wait: by when it would start with 50 %"
    )
    starts_most: datetime | None = Field(default=None, description="By when with 90 %")
    sooner: tuple[Way, ...] = Field(
        default=(), description="What would let it in sooner, with the effect"
    )
