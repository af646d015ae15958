"""How long a home is kept that nobody uses. Pure.

Nothing ends unannounced: however long ago its last server was deleted, and whatever the settings
say since, a home ends when it was announced to end, the whole time of the warning after the warning.
What is kept longer since is announced anew. What an heir was promised never ends by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from allotment.model.amounts import format_memory
from allotment.model.homes import Home, HomeTerms
from allotment.model.limits import EffectiveLimit
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.rules.limiting import GIB


class Turn(StrEnum):
    """What a home's time has come for."""

    STAY = "stay"
    WARN = "warn"
    HAND_OVER = "hand-over"
    """Nothing ends: it is told that somebody is to get it."""
    END = "end"


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is to be done now, and when the home ends; None: it is kept for ever."""

    turn: Turn
    ends_at: datetime | None = None


def keeping(home: Home, terms: HomeTerms, now: datetime) -> Keeping:
    """Say what a home's time has come for."""
    if home.unused_since is None:
        return Keeping(Turn.STAY)
    if home.heir is not None:
        told = home.warned_at is not None
        return Keeping(Turn.HAND_OVER if home.let_go and not told else Turn.STAY)
    if terms.keep is None:
        return Keeping(Turn.STAY)
    end = home.unused_since + terms.keep
    if home.keep_until is not None:
        end = max(end, home.keep_until)
    announced = home.ends_at if home.warned_at is not None else None
    if announced is not None and end <= announced:
        return Keeping(Turn.END if now >= announced else Turn.STAY, announced)
    if now < end - terms.warn:
        return Keeping(Turn.STAY, end)
    return Keeping(Turn.WARN, max(end, now + terms.warn))


LEAST = 2**30
"""The smallest home that is made anew, in bytes: programs fail in less, without a word of why."""


def room_for_home(limit: EffectiveLimit, held: int, wanted: int) -> int:
    """How large another home of a person is: what is wanted, or what their limit leaves beside ``held``, in bytes.

    Raises:
        Refusal: that is too little for a home.
    """
    if limit.value is None:
        return wanted
    most = limit.value * GIB
    room = min(wanted, most - held)
    if room >= min(LEAST, wanted):
        return room
    message = (
        f"Your homes have {format_memory(held)} together and may have {limit.value} GiB "
        f"({limit.source}): what is left is too little for another."
    )
    raise Refusal(
        Reason(
            Rule.STORAGE_PERSON,
            message,
            limit=limit.value,
            used=-(-held // GIB),
            asked=-(-min(LEAST, wanted) // GIB),
            remedy="Launch a server that has its home already, ask an operator to remove one that "
            "you need no more, or ask for a higher limit.",
        )
    )
