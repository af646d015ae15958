"""Which resources of a node are accelerators, and what its labels say of their model and memory.

Read from the labels that the vendors' own discovery writes: NVIDIA's GPU feature discovery
(``nvidia.com/gpu.product``, ``.memory`` in MiB, ``.replicas``, ``.sharing-strategy``, and the same
below ``nvidia.com/mig-<profile>`` in the mixed strategy), AMD's node labeller
(``amd.com/gpu.product-name``, ``.vram`` such as 192G), Intel's feature rules
(``gpu.intel.com/product``, ``.memory.max`` in bytes). Clouds' own labels name the model where these
are not installed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from allotment.model.devices import SHARED_MODEL, Isolation
from allotment.model.nodes import Accelerator

Labels = Mapping[str, str]

_MIG = "nvidia.com/mig-"
_NVIDIA = frozenset({"nvidia.com/gpu", "nvidia.com/gpu.shared"})
_KNOWN = _NVIDIA | {
    "amd.com/gpu",
    "gpu.intel.com/i915",
    "gpu.intel.com/xe",
    "habana.ai/gaudi",
}
_CLOUD_MODELS = (
    "cloud.google.com/gke-accelerator",
    "karpenter.k8s.aws/instance-gpu-name",
    "k8s.amazonaws.com/accelerator",
)
"""Labels by which clouds name the model, the surest first."""
_MEBIBYTE = 2**20
_SIZES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_SIZE = re.compile(r"([0-9]+)([KMGT]?)(?:i?B?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a resource is read that is not known by itself: labels of model and memory, or what they are."""

    model_label: str = ""
    memory_label: str = ""
    model: str = ""
    memory: int = 0


def is_accelerator(resource: str, others: Mapping[str, Reading]) -> bool:
    """Whether a resource of a node is a device that is given out."""
    return resource in _KNOWN or resource.startswith(_MIG) or resource in others


def accelerators(
    capacity: Mapping[str, int],
    allocatable: Mapping[str, int],
    labels: Labels,
    others: Mapping[str, Reading],
) -> tuple[Accelerator, ...]:
    """The devices of a node, by resource; those that it has none of are left out."""
    found = []
    for resource in sorted({*capacity, *allocatable}):
        number = max(capacity.get(resource, 0), allocatable.get(resource, 0))
        if number > 0 and is_accelerator(resource, others):
            model, memory, isolation = _kind(resource, labels, others.get(resource))
            given = allocatable.get(resource, 0)
            found.append(Accelerator(resource, number, given, model, memory, isolation))
    return tuple(found)


def _kind(resource: str, labels: Labels, other: Reading | None) -> tuple[str, int, Isolation]:
    """Model, memory in bytes, and what keeps users apart."""
    if other is not None:
        model = labels.get(other.model_label, "") or other.model or resource
        return (
            model,
            _bytes(labels.get(other.memory_label, "")) or other.memory,
            Isolation.EXCLUSIVE,
        )
    if resource.startswith(_MIG):
        return _mig(resource, labels)
    if resource in _NVIDIA:
        return _nvidia(resource, labels)
    if resource == "amd.com/gpu":
        names = ("amd.com/gpu.product-name", "beta.amd.com/gpu.product-name")
        model = next((labels[name] for name in names if labels.get(name)), "")
        return model or _cloud_model(labels) or resource, _amd_memory(labels), Isolation.EXCLUSIVE
    if resource.startswith("gpu.intel.com/"):
        memory = _number(labels.get("gpu.intel.com/memory.max", ""))
        return labels.get("gpu.intel.com/product", "") or resource, memory, Isolation.EXCLUSIVE
    return _cloud_model(labels) or resource, 0, Isolation.EXCLUSIVE


def _nvidia(resource: str, labels: Labels) -> tuple[str, int, Isolation]:
    """A whole GPU, a share of one, or a slice where the node's only resource are slices (strategy ``single``)."""
    model = labels.get("nvidia.com/gpu.product", "") or _cloud_model(labels) or resource
    memory = _number(labels.get("nvidia.com/gpu.memory", "")) * _MEBIBYTE
    if not memory:
        memory = _number(labels.get("karpenter.k8s.aws/instance-gpu-memory", "")) * _MEBIBYTE
    replicas = _replicas("nvidia.com/gpu", labels)
    if resource.endswith(".shared") or model.endswith(SHARED_MODEL) or replicas > 1:
        return _time_slice(model, memory, labels.get("nvidia.com/gpu.sharing-strategy"), replicas)
    sliced = labels.get("nvidia.com/mig.strategy") == "single" and "-MIG-" in model
    return model, memory, Isolation.MIG if sliced else Isolation.EXCLUSIVE


def _mig(resource: str, labels: Labels) -> tuple[str, int, Isolation]:
    """A slice with memory of its own, or turns on one."""
    profile = resource.removesuffix(".shared")
    whole = labels.get("nvidia.com/gpu.product", "").removesuffix(SHARED_MODEL)
    short = profile.removeprefix(_MIG)
    made_up = f"{whole}-MIG-{short}" if whole else f"MIG-{short}"
    model = labels.get(f"{profile}.product", "") or made_up
    memory = _number(labels.get(f"{profile}.memory", "")) * _MEBIBYTE or _profile_memory(short)
    replicas = _replicas(profile, labels)
    if resource.endswith(".shared") or model.endswith(SHARED_MODEL) or replicas > 1:
        return _time_slice(model, memory, labels.get(f"{profile}.sharing-strategy"), replicas)
    return model, memory, Isolation.MIG


def _time_slice(
    model: str, memory: int, strategy: str | None, replicas: int
) -> tuple[str, int, Isolation]:
    """A share of a device. It counts as a model of its own, whether its label says so or not.

    All shares see the whole memory; MPS lets each take its part only.
    """
    part = memory // replicas if strategy == "mps" else memory
    return f"{model.removesuffix(SHARED_MODEL)}{SHARED_MODEL}", part, Isolation.TIME_SLICE


def _replicas(prefix: str, labels: Labels) -> int:
    return _number(labels.get(f"{prefix}.replicas", "")) or 1


def _profile_memory(profile: str) -> int:
    """The memory that a MIG profile such as ``1g.10gb`` is named after, in bytes."""
    found = re.search(r"\.([0-9]+)gb", profile, re.ASCII)
    return int(found.group(1)) * 2**30 if found else 0


def _amd_memory(labels: Labels) -> int:
    """Bytes: newer labellers write ``amd.com/gpu.vram=192G``, older ones ``beta.amd.com/gpu.vram.64G=8``."""
    size = labels.get("amd.com/gpu.vram", "")
    older = "beta.amd.com/gpu.vram."
    return _bytes(size) or max(
        (_bytes(name.removeprefix(older)) for name in labels if name.startswith(older)), default=0
    )


def _cloud_model(labels: Labels) -> str:
    return next((labels[name] for name in _CLOUD_MODELS if labels.get(name)), "")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else 0


def _bytes(text: str) -> int:
    found = _SIZE.fullmatch(text)
    return int(found.group(1)) * _SIZES[found.group(2)] if found else 0
