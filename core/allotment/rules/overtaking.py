"""Who may overtake a ticket that has waited long and does not fit yet (EASY backfill).

Such a ticket has a node and a *shadow time*: when the node will have room for it, by what is
expected of the servers there. Whatever ends before that, or uses devices that are over then, does
not delay it and may go first. A server whose end is unknown never ends before anything.

Source: D. Lifka, The ANL/IBM SP scheduling system (1995).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import inf

from allotment.rules.queue_standing import WaitingClaim
from allotment.rules.queue_state import PoolState


class Protection:
    """The one ticket that is not overtaken by what would delay it, and the node that it waits for."""

    __slots__ = ("node", "now", "over", "shadow", "ticket")

    def __init__(
        self, ticket: WaitingClaim, node: str, shadow: float, over: int, now: float
    ) -> None:
        self.ticket, self.node, self.now = ticket, node, now
        self.shadow = shadow
        """POSIX seconds; infinite where nobody knows."""
        self.over = over
        """Devices of the node that are over when the ticket has its own."""

    def delayed_by(self, node: str, devices: int, expected: float | None) -> bool:
        """Whether a start on a node would delay the ticket."""
        if node != self.node:
            return False
        return not self._ends_before(expected) and devices > self.over

    def took(self, node: str, devices: int, expected: float | None) -> None:
        """Count a start that does not delay the ticket."""
        if node == self.node and not self._ends_before(expected):
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
