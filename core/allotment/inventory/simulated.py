"""Four devices that do not exist, for machines without a GPU: everything can be tried, nothing computes."""

from __future__ import annotations

from allotment.model.devices import DeviceOrigin, DeviceSpec, Isolation

SIMULATED_MODEL = "Simulated GPU"
SIMULATED_MEMORY = 16 * 2**30
"""Bytes that a simulated device says it has."""

_PREFIX = "sim-"
_COUNT = 4


def simulated_devices(node: str) -> tuple[DeviceSpec, ...]:
    """Four devices on a node. Their UUIDs are their ids, which no CUDA library takes for a device."""
    return tuple(
        DeviceSpec(
            id=f"{_PREFIX}{number}",
            node=node,
            model=SIMULATED_MODEL,
            memory=SIMULATED_MEMORY,
            uuid=f"{_PREFIX}{number}",
            origin=DeviceOrigin.SIMULATED,
            isolation=Isolation.COOPERATIVE,
        )
        for number in range(_COUNT)
    )


def is_simulated(uuid: str) -> bool:
    """Whether a device's UUID is that of a simulated device."""
    return uuid.startswith(_PREFIX)
