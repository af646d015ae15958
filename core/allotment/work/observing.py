"""Looking at the devices: those of this machine, or of the cluster that the settings name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from allotment.inventory import Discovery, Inventory
from allotment.model.devices import DeviceOrigin
from allotment.record import Writing, cluster, devices
from allotment.settings import Settings
from allotment.settings.kubernetes import KubernetesSettings

_LOCAL = frozenset({DeviceOrigin.NVML, DeviceOrigin.SETTINGS, DeviceOrigin.SIMULATED})


class Observer(Protocol):
    """What looks at devices, again and again. Blocks while it looks."""

    def observe(self) -> Discovery:
        """Look now."""

    def close(self) -> None:
        """Look no more."""


def observer(settings: Settings, known: Mapping[str, str]) -> Observer:
    """What looks where the settings say. ``known``: UUIDs by id, as the record has them from earlier looks."""
    if settings.kubernetes is not None:
        return _of_cluster(settings.kubernetes)
    return Inventory(settings.declared_devices(), known=known)


def _of_cluster(settings: KubernetesSettings) -> Observer:
    # The client takes a second to import: only who has a cluster pays.
    from allotment.inventory.kubernetes.accelerators import Reading  # noqa: PLC0415 - see above
    from allotment.inventory.kubernetes.inventory import KubernetesInventory  # noqa: PLC0415

    others = {
        resource: Reading(
            model_label=said.model_label or "",
            memory_label=said.memory_label or "",
            model=said.model,
            memory=said.memory,
        )
        for resource, said in settings.accelerators.items()
    }
    return KubernetesInventory(settings, others)


def take_in(writing: Writing, found: Discovery, gone: Collection[str] = ()) -> None:
    """Take a look into the record. Where nobody could look, nothing follows.

    ``gone`` are clusters that are gone for good.

    Raises:
        cluster.AnotherCluster: the record counts the devices of another cluster than the one that was seen.
    """
    if not found.complete:
        return
    if found.cluster is not None:
        cluster.observe(writing, found.devices, found.cluster, gone)
    else:
        devices.observe(writing, found.devices, found.origin)
    # A machine whose devices are told in another way than before has no others.
    for other in sorted(_LOCAL - {found.origin}):
        devices.observe(writing, (), other)
