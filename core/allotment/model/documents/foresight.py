"""What an edit would do, before it is made."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import Field

from allotment.model.documents.document import Document
from allotment.model.foresight import Effect, Prospect
from allotment.model.limits import LimitKind


class AffectedServer(Document):
    """A server that the edit concerns: what would become of it, when, and what it costs."""

    allotment: str
    person: str
    name: str = Field(description="Empty for the default server")
    group: str | None
    pool: str | None
    profile: str
    devices: int
    effect: Effect
    words: str = Field(examples=["runs on, over what is allowed"])
    because: str = Field(examples=["beyond the 3 guaranteed to vision"])
    at: datetime | None = Field(
        default=None, description="When it would be stopped, at the earliest; None: it is not"
    )
    price: Decimal | None = Field(default=None, description="Per hour")
    cost: Decimal = Field(description="What it has cost so far")


class AffectedPerson(Document):
    """Somebody who would hold more than a limit allows."""

    person: str
    group: str | None = Field(default=None, description="The group whose servers it binds")
    kind: LimitKind
    words: str = Field(examples=["devices at once"])
    used: int
    limit: int


class AffectedTicket(Document):
    """Somebody who waits, whom the edit concerns."""

    ticket: str
    person: str
    name: str
    devices: int
    prospect: Prospect
    words: str = Field(examples=["starts at once"])


class Consequences(Document):
    """What an edit would do: in sentences, and one by one. All empty: nothing.

    ``rate`` and ``cost`` are sums over ``servers``. At most 200 of each are named; ``more`` counts
    those that are not.
    """

    consequences: tuple[str, ...]
    servers: tuple[AffectedServer, ...] = ()
    people: tuple[AffectedPerson, ...] = ()
    tickets: tuple[AffectedTicket, ...] = ()
    rate: Decimal = Field(default=Decimal(0), description="What an hour of these servers costs")
    cost: Decimal = Field(default=Decimal(0), description="What they have cost so far")
    more: int = 0
