"""What happened, and what should be known."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from allotment.model.documents.document import Document, Listing
from allotment.model.documents.endings import Ending
from allotment.model.documents.launching import ServerUse
from allotment.model.documents.problems import ReasonDocument


class Event(Document):
    """One change of the record."""

    sequence: int
    at: datetime
    actor: str
    kind: str = Field(examples=["allotment.admitted"])
    subject: str
    person: str | None = None
    group: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class EventListing(Listing):
    """Events in their order. Resume after ``sequence``: it counts what was examined, not only what is told."""

    items: tuple[Event, ...]


class UseReport(ServerUse):
    """A server's report, on the stream's topic ``use``."""

    server: str
    allotment: str
    person: str
    group: str | None = None


class RefusedClaim(Document):
    """A launch that was refused, or would have had to wait."""

    sequence: int
    at: datetime
    person: str
    server: str
    group: str | None = None
    profile: str
    would_wait: bool
    reasons: tuple[ReasonDocument, ...]


class RefusedClaimListing(Listing):
    """Refused launches, newest first."""

    items: tuple[RefusedClaim, ...]


class Drift(Document):
    """A server that runs though the record cannot account for it."""

    id: str
    hub: str
    person: str
    server: str
    devices: tuple[str, ...]
    note: str
    seen_at: datetime


class DriftListing(Listing):
    """Open entries, oldest first."""

    items: tuple[Drift, ...]


class Notice(Document):
    """Something that a person should know."""

    at: datetime
    kind: Literal[
        "stopped", "ending", "device", "membership", "budget", "wait", "source", "software", "home"
    ]
    message: str
    id: str = Field(default="", description="Names a notice that can be set aside; else empty")
    server: str | None = Field(default=None, description="Id of the server concerned")
    source: str | None = Field(
        default=None, description="A data source that was added or changed: test it"
    )


class ReportReceipt(Document):
    """What a server that reports is told: its own announced ends, earliest first, and notices to its owner."""

    endings: tuple[Ending, ...] = ()
    notices: tuple[Notice, ...] = ()
