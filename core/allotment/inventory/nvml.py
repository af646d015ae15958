"""What NVIDIA's management library says about this machine's GPUs and MIG slices.

NVML is opened for each reading and closed after it: whoever keeps it open keeps the devices open,
and an operator could neither reset an unhealthy GPU nor repartition one without stopping the hub.
"""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from allotment.inventory.nvml_health import Health, read_health
from allotment.inventory.nvml_slices import Slice, read_slices, slicing_is_on
from allotment.model.refusals import AllotmentError

LIBRARY = "libnvidia-ml.so.1"

_REMEDIES = {
    "LibRmVersionMismatch": "The driver was updated while the old one was loaded: restart the machine, or reload the kernel module.",
    "DriverNotLoaded": "Load the NVIDIA kernel module (nvidia-smi shows the same error), or declare the devices in the settings.",
    "NoPermission": "The hub's user may not open /dev/nvidia*: mend the permissions of these files.",
    "FunctionNotFound": "The library is too old: install driver 450 or newer.",
}


class NvmlAbsent(AllotmentError):
    """This machine has no NVIDIA library (or no Python binding for it)."""


class NvmlFailed(AllotmentError):
    """There is a library, and it cannot be used. The text names its error and what helps."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A whole GPU. ``memory`` is in bytes, 0 where the driver does not tell. ``slices`` is None where MIG is off."""

    index: int
    uuid: str
    model: str
    memory: int
    health: Health
    slices: tuple[Slice, ...] | None

    @property
    def uuids(self) -> tuple[str, ...]:
        """Of what it offers: itself, or its slices."""
        return (self.uuid,) if self.slices is None else tuple(part.uuid for part in self.slices)


@dataclass(frozen=True, slots=True)
class Sample:
    """How one device is used now: percent, bytes. None: the driver does not tell; ``note`` says why."""

    uuid: str
    utilisation: int | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """All that NVML sees, and how it is used. ``problems`` tell of GPUs that cannot even be named."""

    gpus: tuple[Gpu, ...]
    problems: tuple[str, ...]
    samples: tuple[Sample, ...]


@contextmanager
def opened() -> Iterator[Any]:
    """Open NVML for the time of one reading; yields the binding.

    Raises:
        NvmlAbsent: there is none on this machine.
        NvmlFailed: there is one, and it does not work.
    """
    try:
        binding = importlib.import_module("pynvml")
    except ImportError as error:
        raise NvmlAbsent("The Python package nvidia-ml-py is not installed.") from error
    try:
        binding.nvmlInit()
    except binding.NVMLError_LibraryNotFound as error:
        raise _why_not_loaded() from error
    except binding.NVMLError as error:
        raise NvmlFailed(describe(error)) from error
    try:
        yield binding
    except binding.NVMLError as error:
        raise NvmlFailed(describe(error)) from error
    finally:
        with suppress(binding.NVMLError):
            binding.nvmlShutdown()


def _why_not_loaded() -> AllotmentError:
    """Tell a library that is missing from one that is there and does not load; the binding does not."""
    try:
        ctypes.CDLL(LIBRARY)
    except OSError as error:
        if str(error).startswith(f"{LIBRARY}: cannot open shared object file: No such file"):
            return NvmlAbsent(f"There is no {LIBRARY} on this machine.")
        return NvmlFailed(f"NVML is installed but does not load: {error}.")
    return NvmlFailed(f"NVML is installed, but the Python binding does not find {LIBRARY}.")


def describe(error: Any) -> str:
    """An error of NVML's in words: its own text, its number, and what helps, where that is known."""
    text = f"NVML is installed but cannot be used: {str(error).rstrip('.')} (NVML error {error.value})."
    remedy = _REMEDIES.get(type(error).__name__.removeprefix("NVMLError_"), "")
    return f"{text} {remedy}".strip()


def read() -> Reading:
    """Every GPU and slice of this machine, with health and use.

    Raises:
        NvmlAbsent: there is no NVML here.
        NvmlFailed: NVML does not work.
    """
    gpus: list[Gpu] = []
    problems: list[str] = []
    with opened() as binding:
        for index in range(binding.nvmlDeviceGetCount()):
            try:
                gpus.append(_read_gpu(binding, index))
            except binding.NVMLError as error:
                problems.append(
                    f"GPU {index} does not answer: {str(error).rstrip('.')} (NVML error {error.value})."
                )
        samples = tuple(_sample(binding, uuid) for gpu in gpus for uuid in gpu.uuids)
    return Reading(tuple(gpus), tuple(problems), samples)


def _read_gpu(binding: Any, index: int) -> Gpu:
    handle = binding.nvmlDeviceGetHandleByIndex(index)
    uuid = binding.nvmlDeviceGetUUID(handle)
    model = _or_nothing(binding, binding.nvmlDeviceGetName, handle) or "unknown NVIDIA device"
    memory = _or_nothing(binding, binding.nvmlDeviceGetMemoryInfo, handle)
    total = memory.total if memory else 0
    slices = read_slices(binding, handle, model, total) if slicing_is_on(binding, handle) else None
    return Gpu(index, uuid, model, total, read_health(binding, handle), slices)


def _or_nothing(binding: Any, ask: Any, handle: Any) -> Any:
    """An answer of NVML's, or None: a device that is lost still has a UUID by which it is reported."""
    try:
        return ask(handle)
    except binding.NVMLError:
        return None


def sample(uuids: Sequence[str]) -> tuple[Sample, ...]:
    """How these devices are used now, in the order asked. A device that does not answer is a sample with a note.

    Raises:
        NvmlAbsent: there is no NVML here.
        NvmlFailed: NVML does not work.
    """
    with opened() as binding:
        return tuple(_sample(binding, uuid) for uuid in uuids)


def sample_shown() -> tuple[Sample, ...]:
    """How all devices that are seen here are used now, in NVML's order: whole GPUs, and slices of those in MIG mode.

    Raises:
        NvmlAbsent: there is no NVML here.
        NvmlFailed: NVML does not work, or a device cannot even be named: the others' places mean nothing then.
    """
    with opened() as binding:
        number = binding.nvmlDeviceGetCount()
        shown = [uuid for index in range(number) for uuid in _uuids(binding, index)]
        return tuple(_sample(binding, uuid) for uuid in shown)


def _uuids(binding: Any, index: int) -> tuple[str, ...]:
    handle = binding.nvmlDeviceGetHandleByIndex(index)
    if not slicing_is_on(binding, handle):
        return (binding.nvmlDeviceGetUUID(handle),)
    return tuple(part.uuid for part in read_slices(binding, handle, "", 0))


def _sample(binding: Any, uuid: str) -> Sample:
    try:
        handle = binding.nvmlDeviceGetHandleByUUID(uuid)
        memory = binding.nvmlDeviceGetMemoryInfo(handle)
    except binding.NVMLError as error:
        return Sample(
            uuid,
            note=f"The driver does not tell: {str(error).rstrip('.')} (NVML error {error.value}).",
        )
    try:
        utilisation = binding.nvmlDeviceGetUtilizationRates(handle).gpu
    except binding.NVMLError as error:
        note = (
            "NVML tells no utilisation of MIG slices."
            if uuid.startswith("MIG-")
            else f"No utilisation: {error}."
        )
        return Sample(uuid, None, memory.used, memory.total, note)
    return Sample(uuid, utilisation, memory.used, memory.total)
