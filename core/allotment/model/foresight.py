"""What an edit would do to what runs and waits, before anybody agrees to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Effect(StrEnum):
    """What would become of a server."""

    OVER = "over"
    """It is more than what it counts against will allow. It keeps running; nothing new starts."""
    BORROWED = "borrowed"
    """It runs on from what others do not use, and can be asked to give back."""
    RECLAIMED = "reclaimed"
    """It is told at once to give back."""
    STOPPED = "stopped"
    """It is told at once, and stopped after a grace period."""

    @property
    def words(self) -> str:
        """What a table calls it."""
        return _EFFECT_WORDS[self]


_EFFECT_WORDS = {
    Effect.OVER: "runs on, over what is allowed",
    Effect.BORROWED: "runs on, borrowed: can be reclaimed",
    Effect.RECLAIMED: "is reclaimed",
    Effect.STOPPED: "is stopped",
}


class Prospect(StrEnum):
    """What would become of somebody who waits."""

    STARTS = "starts"
    """Its turn would come at once."""
    NEVER = "never"
    """It could not start any more as long as this is so."""

    @property
    def words(self) -> str:
        """What a table calls it."""
        return {"starts": "starts at once", "never": "could not start any more"}[self.value]


@dataclass(frozen=True, slots=True)
class Affected:
    """One server that an edit concerns. ``at`` (UTC): when it would be stopped, at the earliest."""

    allotment: str
    effect: Effect
    because: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Foresight:
    """All that an edit would do: in sentences, server by server, and to whom of those who wait."""

    lines: tuple[str, ...] = ()
    servers: tuple[Affected, ...] = ()
    tickets: tuple[tuple[str, Prospect], ...] = ()
