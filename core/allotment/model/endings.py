"""Endings: what a server's people are told before it is stopped, and why it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Cause(StrEnum):
    """Why a server is stopped. Kept with its allotment when it was, so that the reasons can be counted."""

    RECLAIM = "reclaim"
    """Its devices were borrowed, and their group wants them back."""
    IDLE = "idle"
    """Nothing runs in it and nobody works in it."""
    IDLE_DEVICES = "idle-devices"
    """Its devices are not used, whatever else it does."""
    LIFETIME = "lifetime"
    """It has run for as long as its profile lets it."""
    BUDGET = "budget"
    """What pays for it is used up."""
    STOPPED = "stopped"
    """A person stopped it, or announced that it will be."""

    DRAIN = "drain"
    """An operator takes out of use what it runs on."""
    UPDATE = "update"
    """Its software is older than an operator's date allows."""

    @property
    def words(self) -> str:
        """The cause in a few words, for a column or a heading."""
        return _WORDS[self]

    @property
    def extendable(self) -> bool:
        """Whether its user may put the end off: not where others wait for the devices, or nothing is left to pay with."""
        return self in {Cause.IDLE, Cause.IDLE_DEVICES, Cause.LIFETIME}


_WORDS = {
    Cause.RECLAIM: "Devices taken back",
    Cause.IDLE: "Idle",
    Cause.IDLE_DEVICES: "Devices not used",
    Cause.LIFETIME: "Lifetime over",
    Cause.BUDGET: "Budget used up",
    Cause.STOPPED: "Stopped by a person",
    Cause.DRAIN: "Taken out of use",
    Cause.UPDATE: "Software update",
}


@dataclass(frozen=True, slots=True)
class Ending:
    """One announced end of a server. It is open until it was withdrawn or carried out.

    ``message`` is what its user reads, before the end and after it. ``extended`` counts how often
    the end was put off; ``stop_at`` is when it comes now.
    """

    id: str
    allotment: str
    cause: Cause
    said_at: datetime
    stop_at: datetime
    message: str
    extended: int = 0
    withdrawn_at: datetime | None = None
    done_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether it still comes."""
        return self.withdrawn_at is None and self.done_at is None


@dataclass(frozen=True, slots=True)
class Keep:
    """Somebody's word that a server be left alone until a time, though it looks idle."""

    allotment: str
    until: datetime
    said_by: str
    said_at: datetime
    note: str = ""
