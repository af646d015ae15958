"""How this server's own devices are used, measured now and then and remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from allotment.inventory.measuring import measure
from allotment.inventory.shown import Slot, measure_shown
from allotment.model.reports import DeviceUse, Measured
from allotment_server.background import in_background

Devices = Sequence[tuple[str, str]]
PATIENCE = 5.0
"""Seconds that a driver may take to answer before the devices count as not measured."""


class Meter:
    """Measures devices given as (id, UUID), or the same as ``slots`` in a pod, one measurement at a time.

    A driver that hangs is not asked again until it answers: never is more than one thread stuck in it.
    """

    def __init__(
        self,
        devices: Devices,
        *,
        slots: Sequence[Slot] = (),
        measuring: Callable[[Devices], tuple[DeviceUse, ...]] = measure,
        patience: float = PATIENCE,
    ) -> None:
        self._devices = tuple(devices)
        self._measuring = (lambda _: measure_shown(slots)) if slots else measuring
        self._never = {slot.id for slot in slots if not slot.kind.measurable}
        self._patience = patience
        self._under_way: asyncio.Task[tuple[DeviceUse, ...]] | None = None
        self.latest: tuple[DeviceUse, ...] = ()
        self.measured_at: datetime | None = None

    async def read(self) -> tuple[DeviceUse, ...]:
        """Measure now."""
        if not self._devices:
            return ()
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.ensure_future(
                in_background(lambda: self._measuring(self._devices))
            )
        under_way = self._under_way
        done, _ = await asyncio.wait({under_way}, timeout=self._patience)
        if done:
            self.latest = under_way.result()
        else:
            self.latest = tuple(self._unanswered(device) for device, _ in self._devices)
        self.measured_at = datetime.now(UTC)
        return self.latest

    async def read_if_older(self, seconds: float) -> tuple[DeviceUse, ...]:
        """The last measurement, or a new one if that is older."""
        age = (datetime.now(UTC) - self.measured_at).total_seconds() if self.measured_at else None
        return self.latest if age is not None and age <= seconds else await self.read()

    def close(self) -> None:
        """Wait no longer for a measurement that is under way."""
        if self._under_way is not None:
            self._under_way.cancel()

    def _unanswered(self, device: str) -> DeviceUse:
        return DeviceUse(
            id=device,
            measured=Measured.UNAVAILABLE,
            note=f"The driver did not answer within {self._patience:g} seconds; it is waited for.",
            measurable=device not in self._never,
        )
