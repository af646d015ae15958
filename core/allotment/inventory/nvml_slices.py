"""MIG slices of a GPU: devices with memory of their own, each profile a model of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

_EIGHTH = 8
_MIB = 2**20
_GIB = 2**30


@dataclass(frozen=True, slots=True)
class Slice:
    """One MIG device. ``memory`` is in bytes; ``model`` is the GPU's with the profile behind it."""

    uuid: str
    model: str
    memory: int


def slicing_is_on(binding: Any, handle: Any) -> bool:
    """Whether the GPU is in MIG mode now. The whole GPU cannot be computed on then, slices or none."""
    try:
        current, _ = binding.nvmlDeviceGetMigMode(handle)
    except binding.NVMLError:  # GPUs without MIG
        return False
    return bool(current == binding.NVML_DEVICE_MIG_ENABLE)


def read_slices(binding: Any, handle: Any, gpu_model: str, gpu_memory: int) -> tuple[Slice, ...]:
    """The slices that exist on a GPU in MIG mode."""
    try:
        places = binding.nvmlDeviceGetMaxMigDeviceCount(handle)
    except binding.NVMLError:
        return ()
    found = (_read_slice(binding, handle, place, gpu_model, gpu_memory) for place in range(places))
    return tuple(slice_ for slice_ in found if slice_ is not None)


def _read_slice(
    binding: Any, handle: Any, place: int, gpu_model: str, gpu_memory: int
) -> Slice | None:
    try:
        slice_handle = binding.nvmlDeviceGetMigDeviceHandleByIndex(handle, place)
        uuid = binding.nvmlDeviceGetUUID(slice_handle)
        attributes = binding.nvmlDeviceGetAttributes(slice_handle)
    except binding.NVMLError:  # nothing at this place, or it was removed while we looked
        return None
    profile = profile_name(
        attributes.computeInstanceSliceCount,
        attributes.gpuInstanceSliceCount,
        attributes.memorySizeMB * _MIB,
        gpu_memory,
    )
    return Slice(uuid, f"{gpu_model} MIG {profile}", attributes.memorySizeMB * _MIB)


def profile_name(compute_slices: int, gpu_slices: int, memory: int, gpu_memory: int) -> str:
    """The profile as NVIDIA writes it: ``3g.20gb``, or ``1c.3g.20gb`` where a slice's compute is divided.

    NVML tells slices and memory only. A slice's nominal memory is its real one, rounded up to the
    next eighth of the GPU's, in whole GiB of the GPU (as NVIDIA's go-nvlib computes it).
    """
    whole = math.ceil(gpu_memory / _GIB)
    eighths = math.ceil(memory / gpu_memory * _EIGHTH) if gpu_memory else 0
    nominal = math.floor(eighths / _EIGHTH * whole + 0.5) if eighths else math.ceil(memory / _GIB)
    size = f"{gpu_slices}g.{nominal}gb"
    return size if compute_slices == gpu_slices else f"{compute_slices}c.{size}"
