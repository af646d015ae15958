"""Devices that the settings declare, looked up in NVML where they are this machine's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from allotment.inventory.measuring import is_real
from allotment.model.devices import DeviceOrigin, DeviceSpec, Isolation

Seen = Mapping[str, DeviceSpec]
"""What NVML sees on this machine, by UUID."""


def match_by_index(
    declared: Sequence[DeviceSpec],
    by_index: Mapping[int, str],
    nodes: frozenset[str],
    known: Mapping[str, str],
) -> dict[str, str]:
    """The UUIDs of devices that are declared as ``gpu-N`` without one: N is NVML's index.

    The index of a GPU changes when a neighbour falls off the bus, and by it a free device could
    become one that somebody holds. So ``known``, the UUIDs that devices had before by their ids,
    come first, and no GPU is two devices.
    """
    without = [spec for spec in declared if spec.node in nodes and not spec.uuid]
    matched = {spec.id: known[spec.id] for spec in without if is_real(known.get(spec.id, ""))}
    taken = {*matched.values(), *(spec.uuid for spec in declared)}
    for spec in without:
        prefix, _, number = spec.id.partition("-")
        uuid = by_index.get(int(number)) if prefix == "gpu" and number.isdecimal() else None
        if spec.id not in matched and uuid is not None and uuid not in taken:
            matched[spec.id] = uuid
    return matched


def declared_devices(
    declared: Sequence[DeviceSpec],
    matched: Mapping[str, str],
    seen: Seen | None,
    nodes: frozenset[str],
    failure: str = "",
) -> tuple[DeviceSpec, ...]:
    """The declared devices as they are now.

    Args:
        declared: as the settings say.
        matched: UUIDs by id, from :func:`match_by_index`.
        seen: what NVML sees, or None where this machine has none (then nothing can be checked).
        nodes: this machine's names; devices of other machines are taken as declared.
        failure: why NVML does not work, if it does not.
    """
    return tuple(
        _as_now(
            spec, matched.get(spec.id, spec.uuid), seen if spec.node in nodes else None, failure
        )
        for spec in declared
    )


def _as_now(spec: DeviceSpec, uuid: str, seen: Seen | None, failure: str) -> DeviceSpec:
    named = replace(spec, origin=DeviceOrigin.SETTINGS, uuid=uuid or spec.id)
    if spec.isolation is Isolation.EXCLUSIVE:
        # Nothing keeps a local process to one device, whatever the settings wish: see docs/devices.md.
        named = replace(named, isolation=Isolation.COOPERATIVE)
    if not uuid or seen is None:
        return named
    if failure:
        return replace(named, healthy=False, health_note=failure)
    if uuid not in seen:
        return replace(
            named,
            healthy=False,
            health_note=f"NVML does not see {uuid} on this machine. If the GPU was replaced, "
            "write the new one's UUID into the settings.",
        )
    real = seen[uuid]
    return replace(named, healthy=real.healthy, health_note=real.health_note)
