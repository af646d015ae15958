"""What this server's owner is shown, by both ways in."""

from __future__ import annotations

import asyncio

from allotment_server.answers import ControlPlaneState, MeAnswer, put_together
from allotment_server.meter import Meter
from allotment_server.reporting import Reporter
from allotment_server.standing import Standing
from allotment_server.surroundings import Surroundings

MEASURED_WITHIN = 5.0
"""Seconds that a measurement may be old when it is shown."""


class OwnersView:
    """Everything that is known here about the owner's servers, limits and devices."""

    def __init__(
        self, here: Surroundings, standing: Standing, meter: Meter, reporter: Reporter
    ) -> None:
        self.here = here
        self._standing, self._meter, self._reporter = standing, meter, reporter

    async def read(self) -> MeAnswer:
        """Ask and measure, unless that was done a moment ago. Answers without a control plane too."""
        uses, _ = await asyncio.gather(
            self._meter.read_if_older(MEASURED_WITHIN), self._standing.refresh()
        )
        standing = self._standing
        state = ControlPlaneState(
            configured=standing.configured,
            reachable=not standing.why,
            why=standing.why,
            told_at=standing.told_at,
        )
        return put_together(self.here, standing.me, state, uses, self._reporter.state)
