"""Pools: devices of one model."""

from __future__ import annotations

from dataclasses import dataclass, field

from allotment.model.nodes import NodeRule
from allotment.model.sharing import PoolPolicy


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool as configured. The default pool's ``model`` is empty: it may hold any.

    ``revision`` counts changes of the configuration, not of who holds what. ``policy`` says how it
    is shared and how long those who wait can be overtaken.
    """

    name: str
    model: str
    revision: int
    policy: PoolPolicy = field(default_factory=PoolPolicy)
    nodes: NodeRule | None = None
    """Which nodes it is made of; None: of the devices that were given to it."""


@dataclass(frozen=True, slots=True)
class PoolUse:
    """What a pool has and what of it is held, in devices."""

    pool: str
    model: str
    total: int
    healthy: int
    available: int
    """Those that can be given out, or are: healthy, and neither cordoned nor used by others."""
    held: int
    free: int
    guaranteed: int
    """The sum of all groups' guarantees."""
    unused_guarantee: int
    """What groups may still claim of their guarantees."""

    @property
    def spare(self) -> int:
        """Free devices that no group's guarantee covers."""
        return max(0, self.free - self.unused_guarantee)
