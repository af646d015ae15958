"""Who may overtake a ticket that has waited long and does not fit yet (EASY backfill).

Such a ticket has a node and a *shadow time*: when the node will have room for it, by what is
expected of the servers there. Whatever ends before that, or uses devices that are over then, does
not delay it and may go first. A server whose end is unknown never ends before anything.

The same holds inside a group: a claim that waits since its group's own servers fill the share is not
overtaken for ever by smaller claims of that group.

Source: D. Lifka, The ANL/IBM SP scheduling system (1995).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import inf

from allotment.model.profiles import Priority
from allotment.rules.queue_line import Bucket
from allotment.rules.queue_shares import Room
from allotment.rules.queue_standing import WaitingClaim
from allotment.rules.queue_state import PoolState, expected_end


class Protection:
    """A ticket that is not overtaken by what would delay it, and the node, or share, that it waits for."""

    __slots__ = ("now", "over", "place", "shadow", "ticket")

    def __init__(
        self, ticket: WaitingClaim, place: str, shadow: float, over: int, now: float
    ) -> None:
        self.ticket, self.place, self.now = ticket, place, now
        self.shadow = shadow
        """POSIX seconds; infinite where nobody knows."""
        self.over = over
        """Devices that are over there when the ticket has its own."""

    def delayed_by(self, place: str, devices: int, expected: float | None) -> bool:
        """Whether a start at a place would delay the ticket."""
        if place != self.place:
            return False
        return not self._ends_before(expected) and devices > self.over

    def took(self, place: str, devices: int, expected: float | None) -> None:
        """Count a start that does not delay the ticket."""
        if place == self.place and not self._ends_before(expected):
            self.over -= devices

    def _ends_before(self, expected: float | None) -> bool:
        """Whether a session of so many seconds is over when the ticket's turn comes, as far as known."""
        return self.shadow < inf and expected is not None and self.now + expected <= self.shadow


def protect(
    state: PoolState,
    ticket: WaitingClaim,
    owed: Mapping[str, int],
    now: datetime,
) -> Protection | None:
    """Find the node that has room for a ticket first; None where no node ever has.

    ``owed`` are devices that come back on a node and are promised to others.
    """
    moment = now.timestamp()
    best: tuple[float, int, str, int] | None = None
    for node in state.nodes.names:
        free = before = state.nodes.free(node)
        need = ticket.devices + owed.get(node, 0)
        shadow = moment
        for end, _, devices in state.ends.get(node, ()):
            if free >= need:
                break
            free += devices
            shadow = max(end, moment)
        if free < need:
            continue
        found = (shadow, -before, node, free - need)
        if best is None or found < best:
            best = found
    if best is None:
        return None
    return Protection(ticket, best[2], best[0], best[3], moment)


def protect_share(
    state: PoolState, bucket: Bucket, ticket: WaitingClaim, now: datetime
) -> Protection | None:
    """Find when a group's own servers leave room in its share; None where the share is too small."""
    group = state.group(bucket.group)
    room = group.room(bucket.devices, low=bucket.low, sharing=state.policy.sharing)
    only_dedicated = room is Room.OVER_GUARANTEE and not bucket.low and state.policy.sharing
    limit = group.ceiling if room is Room.OVER_CEILING else group.guaranteed
    missing = (group.dedicated if only_dedicated else group.held) + ticket.devices - limit
    moment = shadow = now.timestamp()
    mine = sorted(
        expected_end(claim)
        for claim in state.held.values()
        if claim.group == bucket.group and not (only_dedicated and claim.priority is Priority.LOW)
    )
    for end, _, devices in mine:
        if missing <= 0:
            break
        missing -= devices
        shadow = max(end, moment)
    if missing > 0:
        return None
    return Protection(ticket, bucket.group, shadow, -missing, moment)
