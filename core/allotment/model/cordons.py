"""Cordons: nodes, pools and devices that are out of use by an operator's word, now or from a time on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Scope(StrEnum):
    """What a cordon names."""

    NODE = "node"
    POOL = "pool"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Cordon:
    """What is out of use, why, and from when to when (UTC).

    From ``begins_at`` on nothing new is put there. At ``drain_at`` what runs there is stopped; None:
    it may go on until it ends by itself. ``ends_at`` gives everything back; None: somebody does.
    """

    id: str
    scope: Scope
    names: tuple[str, ...]
    reason: str
    begins_at: datetime
    said_by: str
    said_at: datetime
    drain_at: datetime | None = None
    ends_at: datetime | None = None
    revision: int = 1

    @property
    def subject(self) -> str:
        """What it names, in words."""
        many = len(self.names)
        if self.scope is Scope.DEVICE and many > 3:  # noqa: PLR2004 - as many as fit into a sentence
            return f"{many} devices"
        plural = "s" if many > 1 and self.scope is not Scope.DEVICE else ""
        before = "" if self.scope is Scope.DEVICE else f"{self.scope}{plural} "
        return before + ", ".join(self.names)

    def in_force(self, now: datetime) -> bool:
        """Whether nothing new is put there now."""
        return self.begins_at <= now and not self.over(now)

    def over(self, now: datetime) -> bool:
        """Whether its time has passed."""
        return self.ends_at is not None and self.ends_at <= now

    def covers(self, device: str, node: str, pool: str) -> bool:
        """Whether a device is among what it names."""
        where = {Scope.NODE: node, Scope.POOL: pool, Scope.DEVICE: device}
        return where[self.scope] in self.names
