"""Tickets: who waits, for what, since when, and why."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import Field

from allotment.model.documents.document import Document, Listing
from allotment.model.documents.problems import ReasonDocument
from allotment.model.profiles import Priority
from allotment.model.tickets import TicketState


class Way(Document):
    """Something that a person can do to be let in sooner, with what would come of it.

    ``profile`` is what is launched then; ``server`` is what is to be stopped first.
    """

    kind: Literal["stop", "priority", "pool", "devices"]
    words: str = Field(
        description="What to do", examples=["Choose PyTorch on one GPU (1 device in a100)"]
    )
    profile: str
    server: str | None = None
    pool: str
    devices: int
    price: Decimal | None = Field(default=None, description="Per hour")
    starts_at_once: bool
    starts_half: datetime | None = Field(default=None, description="By when it starts with 50 %")
    starts_most: datetime | None = Field(default=None, description="By when with 90 %")


class TicketPlace(Document):
    """Where a ticket stands now, for the stream: its place and its times change without an event."""

    ticket: str
    person: str
    group: str | None
    position: int | None
    reason: str = Field(description="Why it does not start")
    starts_half: datetime | None = None
    starts_most: datetime | None = None


class Ticket(Document):
    """One server that waits. ``reason`` is why it does not start, as the queue said last."""

    id: str
    hub: str
    person: str
    name: str = Field(description="The server's name; empty for the default server")
    display_name: str
    note: str
    profile: str
    software: str = Field(default="", description="Chosen with the profile; empty: as it proposes")
    group: str | None
    devices: int
    priority: Priority
    pools: tuple[str, ...] = Field(description="Pools that may serve it")
    state: TicketState
    since: datetime
    moved: int = Field(description="An operator's word: higher goes first, 0 is untouched")
    position: int | None = Field(
        default=None, description="Its place in the queue of its pool, from 1"
    )
    reason: ReasonDocument | None = None
    starts_half: datetime | None = Field(
        default=None, description="By when it starts with 50 %, as it was told last"
    )
    starts_most: datetime | None = Field(default=None, description="By when with 90 %")
    allotment: str | None = Field(default=None, description="What was offered to it")
    offered_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str = ""
    sooner: tuple[Way, ...] | None = Field(
        default=None,
        description="What would let it in sooner, with the effect; told where one ticket is read",
    )


class TicketListing(Listing):
    """Tickets, the oldest first."""

    items: tuple[Ticket, ...]
    estimates_told: int = Field(
        default=0,
        description="Tickets of the last 60 days whose turn came and that were told a time",
    )
    estimates_held: int = Field(
        default=0, description="Those of them that started by the first time told with 90 %"
    )
