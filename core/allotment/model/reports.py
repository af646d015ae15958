"""Reports: what a running server tells the control plane about itself, every half minute.

A report says nothing about who sends it: the control plane knows the server by its token.
Fields that this version does not know are left aside, so that servers of a newer version can
still report to an older control plane.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from allotment.model.moments import Moment

REPORT_EVERY = 30.0
"""Seconds between two reports of one server."""

Count = Annotated[int, Field(ge=0, le=1_000_000, strict=True)]
Bytes = Annotated[int, Field(ge=0, le=2**60, strict=True)]


class Measured(StrEnum):
    """How a device's numbers were come by. Only what was measured has numbers."""

    NVML = "nvml"
    SIMULATED = "simulated"
    """The device does not exist, so nothing is measured and nothing is made up."""
    UNAVAILABLE = "unavailable"
    """The device was not measured; the note says why."""

    @property
    def words(self) -> str:
        """What a page says about it."""
        return _MEASURED_WORDS[self]


_MEASURED_WORDS = {
    Measured.NVML: "measured",
    Measured.SIMULATED: "simulated: nothing is measured",
    Measured.UNAVAILABLE: "not measured",
}


class DeviceUse(BaseModel):
    """How one device was used at the time of the report.

    ``utilisation`` is the percentage of the last sampling period (up to a second) in which
    something ran on the device; memory is in bytes. None: the driver does not tell, which for the
    utilisation of MIG slices is always so. ``measurable`` is false where nobody could tell how the
    device is used by its holder (a time slice, another vendor's): that it was not measured says nothing.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(min_length=1, max_length=200)
    measured: Measured
    utilisation: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, strict=True)] | None = (
        None
    )
    memory_used: Bytes | None = None
    memory_total: Bytes | None = None
    note: str = Field(default="", max_length=500)
    measurable: bool = True

    @model_validator(mode="after")
    def _only_measured_devices_have_numbers(self) -> DeviceUse:
        numbers = (self.utilisation, self.memory_used, self.memory_total)
        if self.measured is not Measured.NVML and any(number is not None for number in numbers):
            message = f"a device that is {self.measured.words} has no numbers"
            raise ValueError(message)
        return self


class ServerReport(BaseModel):
    """One report of a server: its kernels, terminals, last activity, and its own devices.

    ``kernels_busy`` counts kernels in which a cell runs, ``terminals_busy`` terminals in which a
    program does. ``last_activity`` is that of kernels, terminals and requests, as Jupyter Server
    counts it: a page that is left open asks now and then. ``worked_at`` leaves requests out: cells,
    terminals, and files that were saved. None: a server of an older version, which tells neither.
    ``home_used`` is what its home holds in bytes, where only the server can look: a claim of storage
    in its pod. It is counted now and then, up to a number of files: it is at least that.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    kernels: Count
    kernels_busy: Count
    terminals: Count
    last_activity: Moment
    terminals_busy: Count | None = None
    worked_at: Moment | None = None
    devices: tuple[DeviceUse, ...] = Field(default=(), max_length=1024)
    home_used: Bytes | None = None

    @property
    def busy(self) -> bool:
        """Whether a cell runs, or a program in a terminal: any open terminal where it is not told."""
        terminals = self.terminals if self.terminals_busy is None else self.terminals_busy
        return self.kernels_busy > 0 or terminals > 0
