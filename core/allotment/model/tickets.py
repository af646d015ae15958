"""Tickets: claims that wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from allotment.model.profiles import Priority
from allotment.model.reasons import Reason


class TicketState(StrEnum):
    """Where a ticket stands. *Waiting* and *offered* are live; the others have ended."""

    WAITING = "waiting"
    OFFERED = "offered"
    """Its turn has come: an allotment holds the devices, and its server is being started."""
    STARTED = "started"
    CANCELLED = "cancelled"
    """By its owner, a lead or an operator."""
    EXPIRED = "expired"
    """Its server was not placed in time after the offer."""
    REFUSED = "refused"
    """When its turn came, rules refused that waiting does not mend."""


MOST_TICKETS = 20
"""Servers with which one person may wait at the same time."""
LIVE_TICKETS = frozenset({TicketState.WAITING, TicketState.OFFERED})


@dataclass(frozen=True, slots=True)
class Ticket:
    """One claim that waits, bound to a person and a server. Its id is good for one start.

    ``pool`` is what the profile asked for, as one of ``candidates``, in which it may be served:
    pairs of pool and model. ``moved`` is an operator's word: higher goes first, 0 is untouched.
    """

    id: str
    hub: str
    person: str
    server: str
    profile: str
    group: str | None
    devices: int
    priority: Priority
    candidates: tuple[tuple[str, str], ...]
    state: TicketState
    since: datetime
    moved: int = 0
    display_name: str = ""
    note: str = ""
    software: str = ""
    """The software chosen with the profile; empty: the one that it proposes."""
    position: int | None = None
    """Its place when the queue was decided last, from 1; None: not decided yet, or not waiting."""
    waits_for: Reason | None = None
    """Why it does not start, as it was decided last."""
    aside_at: datetime | None = None
    """Since when others pass it, for a limit of its person does not let it start; None: it stands in line."""
    allotment: str | None = None
    offered_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str = ""

    @property
    def live(self) -> bool:
        """Whether it still waits, or is being started."""
        return self.state in LIVE_TICKETS
