"""Allotments: granted claims, from admission to release."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where an allotment stands. All but *released* hold devices and count."""

    OFFERED = "offered"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    RELEASED = "released"


LEGAL_STEPS: dict[State, frozenset[State]] = {
    State.OFFERED: frozenset({State.STARTING, State.RELEASED}),
    State.STARTING: frozenset({State.RUNNING, State.STOPPING}),
    State.RUNNING: frozenset({State.STOPPING}),
    State.STOPPING: frozenset({State.RELEASED}),
    State.RELEASED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class HeldDevice:
    """A device as its holder needs to know it. ``memory`` is in bytes."""

    id: str
    uuid: str
    node: str
    model: str
    memory: int
    isolation: str
    resource: str = ""
    """What a cluster calls what its pod asks for, such as ``nvidia.com/gpu``; empty on one machine."""


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A local server's process: a pid alone may have been given to another since."""

    pid: int
    started: float
    """Seconds since the epoch, as the operating system tells it."""


@dataclass(frozen=True, slots=True)
class ServerPod:
    """A server's pod: of a name there may be another since, so its uid is what tells it.

    Its name is in the record before the pod is made; the uid is empty until the cluster has said it.
    """

    namespace: str
    name: str
    uid: str = ""
    started: float = 0.0
    """Seconds since the epoch, as the cluster, or the hub that asked for it, tells it."""
    cluster: str = ""
    """Which cluster: what another one says of a pod of that name is no word about this one. Empty: not known."""


ServerPlace = ServerProcess | ServerPod
"""Where a server runs: what is looked for when it must be proven gone."""


@dataclass(frozen=True, slots=True)
class Allotment:
    """One granted claim.

    ``terms`` are frozen at admission: what was promised (the profile's document). ``devices`` are
    the devices held; after release, those that were. ``stop_reason`` is what its user reads;
    ``stop_cause`` is a :class:`~allotment.model.endings.Cause`, or empty where it ended by itself.
    """

    id: str
    hub: str
    person: str
    server: str
    group: str | None
    pool: str | None
    profile: str
    state: State
    terms: dict[str, Any]
    devices: tuple[HeldDevice, ...]
    admitted_at: datetime
    running_at: datetime | None = None
    stopping_at: datetime | None = None
    released_at: datetime | None = None
    charged_until: datetime | None = None
    """The last sign of life of a server that ended unseen; else its charge ends when its stop began."""
    place: ServerPlace | None = None
    awaits: str = ""
    """What it waits for while it starts, in the cluster's own words; empty where nothing is known to hold it up."""
    stop_reason: str = ""
    stopped_by: str = ""
    stop_cause: str = ""
    reclaim_at: datetime | None = None
    """When its devices are taken back, once that was announced."""

    @property
    def process(self) -> ServerProcess | None:
        """Its process, where it runs on a machine."""
        return self.place if isinstance(self.place, ServerProcess) else None

    @property
    def pod(self) -> ServerPod | None:
        """Its pod, where it runs on a cluster."""
        return self.place if isinstance(self.place, ServerPod) else None

    @property
    def charge_end(self) -> datetime | None:
        """When its charge ended; None while it goes on, or where it never began."""
        return self.charged_until or self.stopping_at

    @property
    def active(self) -> bool:
        """Whether it holds devices and counts."""
        return self.state is not State.RELEASED
