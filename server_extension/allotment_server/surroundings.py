"""What the spawner put into this server's environment: which allotment it is, and whom to ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from allotment.inventory.shown import Slot
from allotment.model.devices import SlotKind


@dataclass(frozen=True, slots=True)
class Surroundings:
    """This server, as its environment tells it. Every text may be empty: any Jupyter Server may load us.

    ``devices`` are pairs of id and UUID; a UUID is empty where the environment does not tell it.
    """

    api_url: str
    token: str = field(repr=False)
    allotment: str
    hub: str
    person: str
    server: str
    profile: str
    group: str
    devices: tuple[tuple[str, str], ...]
    home_url: str
    """The hub's home page, or empty without a hub."""
    claimed_home: Path | None = None
    """The home, where it is a claim of storage that only this server can look into."""
    slots: tuple[Slot, ...] = ()
    """The devices again, in a pod: which GPU each is only the pod itself can tell."""

    @property
    def control_plane_known(self) -> bool:
        """Whether there is a control plane to ask, and a token to ask with."""
        return bool(self.api_url and self.token)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Surroundings:
        """Read the variables that a server gets from its spawner."""
        hub_base = environment.get("JUPYTERHUB_BASE_URL", "")
        host = environment.get("JUPYTERHUB_HOST", "")
        return cls(
            api_url=environment.get("ALLOTMENT_API_URL", ""),
            token=environment.get("JUPYTERHUB_API_TOKEN", ""),
            allotment=environment.get("ALLOTMENT_ID", ""),
            hub=environment.get("ALLOTMENT_HUB", ""),
            person=environment.get("JUPYTERHUB_USER", ""),
            server=environment.get("JUPYTERHUB_SERVER_NAME", ""),
            profile=environment.get("ALLOTMENT_PROFILE", ""),
            group=environment.get("ALLOTMENT_GROUP", ""),
            devices=_devices(environment),
            slots=_slots(environment),
            home_url=f"{host}{hub_base.rstrip('/')}/hub/home" if hub_base else "",
            claimed_home=Path(claimed)
            if (claimed := environment.get("ALLOTMENT_CLAIMED_HOME"))
            else None,
        )


def _devices(environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Pair ids and UUIDs, which the spawner writes in the same order."""
    ids = _listed(environment.get("ALLOTMENT_DEVICES", ""))
    if environment.get("ALLOTMENT_DEVICE_KINDS"):  # whatever an image says: the node's plugin chose
        return tuple((device, "") for device in ids)
    uuids = _listed(environment.get("CUDA_VISIBLE_DEVICES", ""))
    if len(uuids) != len(
        ids
    ):  # somebody chose fewer for this process: which is which cannot be told
        uuids = [""] * len(ids)
    return tuple(zip(ids, uuids, strict=True))


def _slots(environment: Mapping[str, str]) -> tuple[Slot, ...]:
    """Pair ids and kinds. A kind that a newer hub knows is one whose container tells."""
    ids = _listed(environment.get("ALLOTMENT_DEVICES", ""))
    kinds = _listed(environment.get("ALLOTMENT_DEVICE_KINDS", ""))
    if len(kinds) != len(ids):
        return ()
    known = set(SlotKind)
    return tuple(
        Slot(device, SlotKind(kind) if kind in known else SlotKind.UNKNOWN)
        for device, kind in zip(ids, kinds, strict=True)
    )


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
