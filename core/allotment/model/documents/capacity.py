"""Devices, pools and shares."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from allotment.model.devices import DeviceOrigin, DeviceState, Isolation
from allotment.model.documents.document import Document, Listing
from allotment.model.nodes import NodeRule
from allotment.model.reports import DeviceUse
from allotment.model.sharing import PoolPolicy


class Holder(Document):
    """Who holds a device."""

    allotment: str
    server: str = Field(description="Id of the server")
    person: str
    name: str = Field(description="The server's name; empty for the default server")
    display_name: str
    group: str | None
    since: datetime


class Device(Document):
    """One GPU, or one share of one. ``state`` is what a plot of it shows."""

    id: str
    node: str
    model: str
    memory: int = Field(description="Bytes")
    uuid: str
    origin: DeviceOrigin
    simulated: bool
    isolation: Isolation
    isolation_words: str
    pool: str
    state: DeviceState
    healthy: bool
    present: bool
    health_note: str
    resource: str = Field(default="", description="What a pod asks for in a cluster")
    taken_by: str = Field(default="", description="Who outside the platform uses it")
    cordon: str = Field(default="", description="Why an operator took it out of use")
    node_cordon: str = Field(default="", description="Why its cluster gives its node to nobody")
    holder: Holder | None = None
    use: DeviceUse | None = Field(
        default=None, description="How it was used when it was measured last"
    )
    used_at: datetime | None = Field(default=None, description="When that was")
    revision: int


class DeviceListing(Listing):
    """Devices, by id."""

    items: tuple[Device, ...]


class PoolShare(Document):
    """What a group has in a pool, and holds of it now, in devices."""

    group: str
    guaranteed: int
    ceiling: int
    weight: float
    held: int


class GroupShare(Document):
    """What a group has in a pool, and holds of it now; ``free`` is what the pool has left for anybody."""

    pool: str
    guaranteed: int
    ceiling: int
    weight: float
    held: int
    free: int


class Pool(Document):
    """Devices of one model, and what of them is held. Counts are devices."""

    name: str
    model: str
    devices: tuple[str, ...] = Field(description="Told to those who see everything")
    total: int
    healthy: int
    available: int = Field(
        default=0,
        description="Those that can be given out, or are: neither cordoned nor used by others",
    )
    held: int
    free: int
    guaranteed: int = Field(description="Sum of all groups' guarantees")
    unused_guarantee: int = Field(description="What groups may still claim of their guarantees")
    spare: int = Field(description="Free devices that no guarantee covers")
    shares: tuple[PoolShare, ...]
    policy: PoolPolicy = Field(default=PoolPolicy(), description="How it is shared")
    nodes: NodeRule | None = Field(
        default=None, description="Which nodes of a cluster it is made of; null: of chosen devices"
    )
    revision: int


class PoolListing(Listing):
    """Pools, by name."""

    items: tuple[Pool, ...]
