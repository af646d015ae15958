"""What is out of use, and what taking something out of use would do."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from allotment.model.cordons import Scope
from allotment.model.documents.document import Document, Listing


class Cordon(Document):
    """Nodes, pools or devices that are out of use by an operator's word, now or from a time on."""

    id: str
    scope: Scope
    names: tuple[str, ...]
    subject: str = Field(description="What it names, in words", examples=["node dgx-1"])
    reason: str
    begins_at: datetime = Field(description="From then on nothing new is put there")
    drain_at: datetime | None = Field(
        default=None, description="What runs there is stopped then; null: it may go on"
    )
    ends_at: datetime | None = Field(
        default=None, description="Everything is back then; null: when somebody says so"
    )
    in_force: bool = Field(description="Whether it has begun")
    devices: int = Field(description="How many devices it names now")
    servers: int = Field(description="How many servers hold devices of these now")
    said_by: str
    said_at: datetime
    revision: int


class CordonListing(Listing):
    """What is out of use now or will be, first what begins first."""

    items: tuple[Cordon, ...]


class DrainedServer(Document):
    """A server that holds devices which are to be out of use."""

    server: str
    person: str
    name: str
    group: str | None = None
    pool: str | None = None
    devices: tuple[str, ...]


class ShortPool(Document):
    """A pool that could give out less than is promised of it."""

    pool: str
    available: int = Field(description="Devices that could still be given out, or are")
    guaranteed: int = Field(description="What groups are guaranteed there")
    reserved: int = Field(description="The most that is reserved at one time meanwhile")


class CordonConsequences(Document):
    """What taking something out of use would do. ``servers`` are stopped where a time is given for it."""

    devices: tuple[str, ...]
    servers: tuple[DrainedServer, ...]
    short: tuple[ShortPool, ...]
