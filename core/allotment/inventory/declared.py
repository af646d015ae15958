"""Devices that the settings declare, looked up in NVML where they are this machine's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from allotment.model.devices import DeviceOrigin, DeviceSpec

Seen = Mapping[str, DeviceSpec]
"""What NVML sees on this machine, by UUID."""


def match_by_index(
    declared: Sequence[DeviceSpec], by_index: Mapping[int, str], nodes: frozenset[str]
) -> dict[str, str]:
    """The UUIDs of devices that are declared as ``gpu-N`` without one: N is NVML's index.

    Asked once, at the first look: the index of a GPU changes when a neighbour falls off the bus.
    """
    matched: dict[str, str] = {}
    for spec in declared:
        prefix, _, number = spec.id.partition("-")
        here = spec.node in nodes and not spec.uuid
        if here and prefix == "gpu" and number.isdecimal() and int(number) in by_index:
            matched[spec.id] = by_index[int(number)]
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
    if not uuid or seen is None:
        return named
    if failure:
        return replace(named, healthy=False, health_note=failure)
    if uuid not in seen:
        return replace(
            named,
            healthy=False,
            health_note="Declared in the settings, but NVML does not see it on this machine.",
        )
    real = seen[uuid]
    return replace(named, healthy=real.healthy, health_note=real.health_note)
