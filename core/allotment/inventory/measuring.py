"""How devices are used now: measured by NVML where they are real, and never made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from allotment.inventory import nvml
from allotment.inventory.simulated import is_simulated
from allotment.model.reports import DeviceUse, Measured

_REAL = ("GPU-", "MIG-")
"""How UUIDs of NVIDIA devices begin."""


def measure(devices: Sequence[tuple[str, str]]) -> tuple[DeviceUse, ...]:
    """Measure devices given as (id, UUID), in their order. Never fails: what cannot be measured says why.

    Blocks while the driver answers (milliseconds; seconds where it must wake the devices up).
    """
    real = [uuid for _, uuid in devices if is_real(uuid)]
    samples: dict[str, nvml.Sample] = {}
    why = ""
    if real:
        try:
            samples = {sample.uuid: sample for sample in nvml.sample(real)}
        except (nvml.NvmlAbsent, nvml.NvmlFailed) as error:
            why = str(error)
    return tuple(_use(device, uuid, samples.get(uuid), why) for device, uuid in devices)


def measured(
    devices: Sequence[tuple[str, str]], samples: Mapping[str, nvml.Sample]
) -> tuple[DeviceUse, ...]:
    """Those of these devices, given as (id, UUID), that were measured: ``samples`` are by UUID."""
    uses = (_use(device, uuid, samples.get(uuid), "") for device, uuid in devices)
    return tuple(use for use in uses if use.measured is Measured.NVML)


def is_real(uuid: str) -> bool:
    """Whether a UUID is one that NVIDIA's driver gives to a GPU or a MIG slice."""
    return uuid.startswith(_REAL)


def _use(device: str, uuid: str, sample: nvml.Sample | None, why: str) -> DeviceUse:
    if is_simulated(uuid):
        return DeviceUse(id=device, measured=Measured.SIMULATED)
    if sample is None:
        undeclared = "The device was declared without a UUID, so it cannot be found to be measured."
        note = why if is_real(uuid) else undeclared
        return DeviceUse(id=device, measured=Measured.UNAVAILABLE, note=note[:500])
    return use_of(device, sample)


def use_of(device: str, sample: nvml.Sample) -> DeviceUse:
    """A device's use as NVML told it: without numbers where it told none."""
    if sample.memory_total is None:
        return DeviceUse(id=device, measured=Measured.UNAVAILABLE, note=sample.note[:500])
    return DeviceUse(
        id=device,
        measured=Measured.NVML,
        utilisation=sample.utilisation,
        memory_used=sample.memory_used,
        memory_total=sample.memory_total,
        note=sample.note[:500],
    )
