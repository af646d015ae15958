"""How the devices of a pod are used: those that its container is shown.

A cluster counts devices and names none, so the promised ids have no UUIDs. Which GPUs they became
is chosen by the node's device plugin, and seen in the container only: NVML shows it its own. As many
as were promised are those promised, for a container is always shown its own: one that is shown
others too (it is privileged, or its image asks for all) is shown more, and then nobody can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from allotment.inventory import nvml
from allotment.inventory.measuring import use_of
from allotment.model.amounts import counted
from allotment.model.devices import SlotKind
from allotment.model.reports import DeviceUse, Measured

CONTROL = Path("/dev/nvidiactl")
"""In every container that was given a device of NVIDIA's, and in no other."""
_NEVER_ASKED = {
    SlotKind.SHARED: "The GPU is shared: what its driver tells is the use of all who share it.",
    SlotKind.OTHER: "Only NVIDIA's devices can be measured.",
}


@dataclass(frozen=True, slots=True)
class Slot:
    """A promised device as its pod knows it."""

    id: str
    kind: SlotKind


def measure_shown(slots: Sequence[Slot]) -> tuple[DeviceUse, ...]:
    """Measure the devices that this container is shown, as the promised ones, in their order. Never fails.

    What is not measured and should be says so (``measurable``): its server may be using it, and
    nobody's server ends as idle because a library is missing from an image or a driver fails.
    Blocks while the driver answers.
    """
    asked = [slot for slot in slots if slot.kind not in _NEVER_ASKED]
    samples: tuple[nvml.Sample, ...] = ()
    why = ""
    if asked:
        try:
            samples = nvml.sample_shown()
        except (nvml.NvmlAbsent, nvml.NvmlFailed) as error:
            why = str(error)
    if not why and len(samples) != len(asked):
        why = _disagreement(len(samples), len(asked))
    if why:
        samples = ()
    told = dict(zip((slot.id for slot in asked), samples, strict=bool(samples)))
    return tuple(_use(slot, told.get(slot.id), why) for slot in slots)


def _disagreement(shown: int, promised: int) -> str:
    return (
        f"The container is shown {counted(shown, 'device')} and was promised {promised}, "
        "so which is which cannot be told."
    )


def _use(slot: Slot, sample: nvml.Sample | None, why: str) -> DeviceUse:
    use = None if sample is None else use_of(slot.id, sample)
    if use is not None and use.measured is Measured.NVML:
        return use
    note = use.note if use is not None else _NEVER_ASKED.get(slot.kind, why)
    # A library may be missing from an image; this file comes with each of NVIDIA's devices.
    others = slot.kind is SlotKind.UNKNOWN and not CONTROL.exists()
    return DeviceUse(
        id=slot.id,
        measured=Measured.UNAVAILABLE,
        note=note[:500],
        measurable=slot.kind.measurable and not others,
    )
