"""Which devices this machine has: declared, found by NVML, or simulated, and how they are."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from allotment.inventory import nvml
from allotment.inventory.declared import declared_devices, match_by_index
from allotment.inventory.measuring import measured
from allotment.inventory.patience import Patient
from allotment.inventory.simulated import simulated_devices
from allotment.model.devices import DeviceOrigin, DeviceSpec, Isolation
from allotment.model.nodes import ClusterSight
from allotment.model.reports import DeviceUse

SIMULATED_NOTE = "This machine has no NVIDIA library, so four devices are simulated: they can be allotted like real ones, and nothing runs on them."


PATIENCE = 30.0
"""Seconds that a driver may take: without its persistence mode it wakes up every GPU first."""


GONE = "The NVIDIA library that was here is gone."


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found at one time. ``note`` is for people: show it wherever it is not empty.

    ``uses`` tell how devices are used, by whomever: those that this machine could measure.
    ``complete`` is False where what is there could not be asked: ``devices`` are then those of the
    last look, and nothing follows from one that is not among them. ``cluster`` is what a cluster said
    of its nodes, where the devices are one's.
    """

    devices: tuple[DeviceSpec, ...]
    origin: DeviceOrigin
    note: str = ""
    uses: tuple[DeviceUse, ...] = ()
    complete: bool = True
    cluster: ClusterSight | None = None


@dataclass(frozen=True, slots=True)
class _Look:
    """What NVML answered at one time. ``absent``: there is none. ``failure``: why it does not work."""

    gpus: tuple[nvml.Gpu, ...] = ()
    notes: tuple[str, ...] = ()
    samples: Mapping[str, nvml.Sample] = field(default_factory=dict)
    absent: bool = False
    failure: str = ""


def discover(
    declared: Sequence[DeviceSpec] | None = None, known: Mapping[str, str] | None = None
) -> Discovery:
    """Look once: see :class:`Inventory`, which a program that looks again and again keeps."""
    return Inventory(declared, known=known).observe()


class Inventory:
    """The devices of this machine, looked at again and again.

    Declared devices are the settings' word, with UUID and health from NVML where they are this
    machine's. None declared: what NVML finds. No NVML: four simulated devices. What it was at the
    first look it stays: a driver that fails later means that no device is there, with a note, and
    never that simulated ones take their place.

    Args:
        declared: the settings' devices; None where the settings leave them out.
        known: UUIDs by id, as the record of devices has them from earlier looks. With them a
            device that is declared without a UUID stays the GPU that it was.
        patience: seconds that the driver has for an answer.
        node: this machine's name; None asks the operating system.
    """

    def __init__(
        self,
        declared: Sequence[DeviceSpec] | None = None,
        *,
        known: Mapping[str, str] | None = None,
        node: str | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._declared = None if declared is None else tuple(declared)
        self._node = node or socket.gethostname()
        self._nodes = frozenset({self._node, self._node.partition(".")[0], "localhost"})
        self._known = dict(known or {})
        self._patience = patience
        self._driver = Patient(_look, patience)
        self._had_nvml = False
        self._last: tuple[DeviceSpec, ...] = ()

    def observe(self) -> Discovery:
        """Look now. Blocks while the driver answers, so not for an event loop's own thread.

        While the driver fails, or does not answer in time, what it found before is unhealthy. What
        a GPU that vanished was is not in the answer: who keeps the record of devices sees that it
        is missing.
        """
        look = self._look()
        self._had_nvml |= not look.absent
        failure = look.failure or (GONE if look.absent and self._had_nvml else "")
        found = self._found(look, failure)
        pairs = [(device.id, device.uuid) for device in found.devices]
        return replace(found, uses=measured(pairs, look.samples))

    def close(self) -> None:
        """Nothing is kept open between two looks."""

    def _found(self, look: _Look, failure: str) -> Discovery:
        if self._declared is not None:
            return self._declared_now(self._declared, look, failure)
        if not self._had_nvml:
            return Discovery(simulated_devices(self._node), DeviceOrigin.SIMULATED, SIMULATED_NOTE)
        if failure:
            note = f"{failure} No device can be allotted until it works."
            ailing = tuple(
                replace(device, healthy=False, health_note=failure) for device in self._last
            )
            return Discovery(ailing, DeviceOrigin.NVML, note)
        self._last = _specs(look.gpus, self._node)
        note = " ".join(look.notes) or ("" if look.gpus else "NVML works and sees no GPU.")
        return Discovery(self._last, DeviceOrigin.NVML, note)

    def _look(self) -> _Look:
        try:
            return self._driver.ask()
        except TimeoutError:
            return _Look(
                failure=f"The NVIDIA driver did not answer for {self._patience:g} seconds."
            )

    def _declared_now(
        self, declared: tuple[DeviceSpec, ...], look: _Look, failure: str
    ) -> Discovery:
        by_index = {gpu.index: gpu.uuid for gpu in look.gpus}
        matched = match_by_index(declared, by_index, self._nodes, self._known)
        self._known |= matched
        there = {spec.uuid: spec for spec in _specs(look.gpus, self._node)}
        seen = there if self._had_nvml else None
        devices = declared_devices(declared, matched, seen, self._nodes, failure)
        return Discovery(devices, DeviceOrigin.SETTINGS, " ".join((*look.notes, failure)).strip())


def _look() -> _Look:
    try:
        reading = nvml.read()
    except nvml.NvmlAbsent:
        return _Look(absent=True)
    except nvml.NvmlFailed as error:
        return _Look(failure=str(error))
    empty = tuple(
        f"GPU {gpu.index} is in MIG mode and has no slices: it offers nothing."
        for gpu in reading.gpus
        if gpu.slices == ()
    )
    samples = {sample.uuid: sample for sample in reading.samples}
    return _Look(reading.gpus, reading.problems + empty, samples)


def _specs(gpus: Sequence[nvml.Gpu], node: str) -> tuple[DeviceSpec, ...]:
    """A device for each whole GPU, and for each slice of those in MIG mode."""
    found: list[DeviceSpec] = []
    for gpu in gpus:
        parts = (
            [(gpu.uuid, gpu.model, gpu.memory, Isolation.COOPERATIVE)]
            if gpu.slices is None
            else [(part.uuid, part.model, part.memory, Isolation.MIG) for part in gpu.slices]
        )
        found += [
            DeviceSpec(
                id=device_id(uuid),
                node=node,
                model=model,
                memory=memory,
                uuid=uuid,
                origin=DeviceOrigin.NVML,
                isolation=isolation,
                healthy=not gpu.health.problem,
                health_note=gpu.health.problem or gpu.health.warning,
            )
            for uuid, model, memory, isolation in parts
        ]
    return tuple(found)


def device_id(uuid: str) -> str:
    """A short name that stays: from the UUID, since NVML's index changes when a neighbour is lost.

    ``GPU-5ab3c1d2-…`` is ``gpu-5ab3c1d2``. MIG UUIDs of drivers before 470 name GPU, instance and
    slice (``MIG-GPU-5ab3c1d2-…/7/0``) and become ``mig-5ab3c1d2-7-0``.
    """
    head, *instance = uuid.lower().split("/")
    kind, _, rest = head.partition("-")
    return "-".join([kind, rest.removeprefix("gpu-").partition("-")[0], *instance])
