"""Nodes: the machines that devices are in, and what runs on them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from allotment.model.devices import Isolation
from allotment.model.documents.document import Document, Listing

NodeState = Literal["ready", "cordoned", "not ready", "gone", "machine"]


class NodeDevices(Document):
    """Devices of a node, counted by their state."""

    total: int
    held: int
    free: int
    taken: int = Field(description="Used by others than the platform")
    cordoned: int
    unhealthy: int
    missing: int
    utilisation: float | None = Field(
        default=None, description="Percent, the mean of those that were measured"
    )


class NodeResource(Document):
    """What a cluster's node offers of one kind of device."""

    resource: str = Field(examples=["nvidia.com/gpu"])
    model: str
    memory: int = Field(description="Bytes, of one")
    isolation: Isolation
    isolation_words: str
    capacity: int = Field(description="Those that the node has")
    allocatable: int = Field(description="Those that it gives out: fewer where some are unhealthy")


class Occupant(Document):
    """A pod or a process on a node."""

    kind: Literal["pod", "process"]
    name: str = Field(description="Namespace and name of a pod; the number of a process")
    state: str = Field(description="As the cluster says it; a process's is that of its server")
    devices: int = Field(description="Devices that it asks for or holds")
    server: str | None = Field(
        default=None, description="Id of the server that it is, if it is one"
    )
    person: str | None = None


class Node(Document):
    """A machine. Of one that is no cluster's only the devices and servers are known."""

    name: str
    state: NodeState
    problem: str = Field(default="", description="Why nothing on it can be relied on")
    cordon: str = Field(default="", description="Why its cluster gives it to nobody")
    version: str = Field(default="", description="Of its kubelet")
    cpu: str = ""
    memory: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    models: tuple[str, ...] = Field(default=(), description="Models of its devices")
    resources: tuple[NodeResource, ...] = ()
    devices: NodeDevices
    occupants: tuple[Occupant, ...]
    pods_known: bool = Field(
        default=True, description="False where the platform may not ask about the cluster's pods"
    )
    since: datetime | None = Field(
        default=None, description="When what its cluster says of it changed last"
    )


class NodeListing(Listing):
    """Nodes, by name."""

    items: tuple[Node, ...]
