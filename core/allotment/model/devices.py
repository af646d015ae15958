"""Devices: one GPU, or one share of one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

DEVICE_VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_DRIVER_CAPABILITIES",
    "NVIDIA_MIG_",
)
"""Beginnings of the variables that say which devices a server sees: the platform's word, nobody else's."""
SHARED_MODEL = "-SHARED"
"""How the models of time slices end on a cluster."""
_OTHER_VENDORS = ("amd.com/", "gpu.intel.com/", "habana.ai/")


class Isolation(StrEnum):
    """What keeps the users of one physical device apart."""

    EXCLUSIVE = "exclusive"
    """Nobody else is given the device, and the platform enforces it (a container runtime)."""
    COOPERATIVE = "cooperative"
    """Nobody else is given the device, but a local process could open it by other means."""
    MIG = "mig"
    """A hardware slice with memory of its own."""
    TIME_SLICE = "time-slice"
    """Turns on a device whose memory all its users share."""

    @property
    def words(self) -> str:
        """What a page says about it."""
        return _ISOLATION_WORDS[self]


_ISOLATION_WORDS = {
    Isolation.EXCLUSIVE: "Exclusive",
    Isolation.COOPERATIVE: "Cooperative: local processes are told which device is theirs",
    Isolation.MIG: "MIG slice with memory of its own",
    Isolation.TIME_SLICE: "Time slice: memory is shared with others",
}


class DeviceOrigin(StrEnum):
    """How the platform came to know a device."""

    NVML = "nvml"
    SETTINGS = "settings"
    SIMULATED = "simulated"
    KUBERNETES = "kubernetes"


class SlotKind(StrEnum):
    """What a slot of a cluster is, as far as that says who can tell how it is used."""

    GPU = "gpu"
    """A whole GPU of NVIDIA's: the driver tells its use. Where it does not, something is broken."""
    MIG = "mig"
    """A slice: the driver tells its memory, and never its utilisation."""
    SHARED = "shared"
    """Turns on a GPU: what the driver tells is the use of all who share it, not its holder's."""
    OTHER = "other"
    """Of a vendor whose devices nobody here can measure."""
    UNKNOWN = "unknown"
    """Of a name that operators gave it: NVIDIA's, or another's. Its container tells."""

    @classmethod
    def of(cls, resource: str, isolation: str, model: str) -> SlotKind:
        """Tell it by what the record knows. Slots of an elastic pool are known by resource and model only."""
        if isolation == Isolation.TIME_SLICE or resource.endswith(".shared"):
            return cls.SHARED
        if model.endswith(SHARED_MODEL):
            return cls.SHARED
        if isolation == Isolation.MIG or resource.startswith("nvidia.com/mig-"):
            return cls.MIG
        if resource.startswith("nvidia.com/"):
            return cls.GPU
        return cls.OTHER if resource.startswith(_OTHER_VENDORS) else cls.UNKNOWN

    @property
    def measurable(self) -> bool:
        """Whether its holder's use must be known before the holder may count as idle."""
        return self in (SlotKind.GPU, SlotKind.UNKNOWN)


DeviceState = Literal["free", "held", "taken", "cordoned", "unhealthy", "missing"]
"""What a device is shown as: *taken* by others than the platform, *cordoned* by an operator's or the cluster's word."""


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """A device as it was found or declared, before the record knows who holds it.

    ``memory`` is in bytes. ``uuid`` is what the driver calls the device (a value that
    ``CUDA_VISIBLE_DEVICES`` understands); for a simulated device it is its id, and empty for one of a
    cluster, which is a slot of its node: ``resource`` is what a pod asks for there.
    """

    id: str
    node: str
    model: str
    memory: int
    uuid: str
    origin: DeviceOrigin
    isolation: Isolation = Isolation.COOPERATIVE
    healthy: bool = True
    health_note: str = ""
    resource: str = ""
    node_cordon: str = ""
    taken_by: str = ""
    pool: str = ""
    """The pool that it belongs to when it is new; empty is the default pool."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device of the record. ``holder`` is the id of the allotment that holds it, if any."""

    id: str
    node: str
    model: str
    memory: int
    uuid: str
    origin: DeviceOrigin
    isolation: Isolation
    pool: str
    healthy: bool
    present: bool
    health_note: str
    holder: str | None
    revision: int
    resource: str = ""
    taken_by: str = ""
    """Who outside the platform uses it, such as ``pod vision/training-0``."""
    cordon: str = ""
    """Why an operator took it out of use."""
    node_cordon: str = ""
    """Why its cluster gives its node to nobody."""

    @property
    def allottable(self) -> bool:
        """Whether the device can be given to a new server now."""
        return self.healthy and self.present and self.usable and self.holder is None

    @property
    def usable(self) -> bool:
        """Whether nobody outside the platform uses it, and nobody took it out of use."""
        return not (self.taken_by or self.cordon or self.node_cordon)

    @property
    def state(self) -> DeviceState:
        """What a plot of the device shows. An ailing device is shown as such, held or not.

        One that is held stays so while others use it too, or it is to be given to nobody else.
        """
        if not self.present:
            return "missing"
        if not self.healthy:
            return "unhealthy"
        if self.holder is not None:
            return "held"
        if self.taken_by:
            return "taken"
        return "cordoned" if self.cordon or self.node_cordon else "free"
