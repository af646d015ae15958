"""Tickets: who waits, for what, since when, and why."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from allotment.model.documents.document import Document, Listing
from allotment.model.documents.problems import ReasonDocument
from allotment.model.profiles import Priority
from allotment.model.tickets import TicketState


class Ticket(Document):
    """One server that waits. ``reason`` is why it does not start, as the queue said last."""

    id: str
    hub: str
    person: str
    name: str = Field(description="The server's name; empty for the default server")
    display_name: str
    note: str
    profile: str
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
    allotment: str | None = Field(default=None, description="What was offered to it")
    offered_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str = ""


class TicketListing(Listing):
    """Tickets, the oldest first."""

    items: tuple[Ticket, ...]
