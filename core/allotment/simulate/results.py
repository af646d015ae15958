"""What a replay found."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

_MINUTE, _HOUR = 60.0, 3600.0


class Waits(BaseModel):
    """Waiting in minutes, of so many launches."""

    model_config = ConfigDict(frozen=True)

    launches: int
    mean: float
    half: float
    ninety: float
    ninety_nine: float
    longest: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Waits:
        """Summarise waits given in seconds."""
        count = len(seconds)
        if not count:
            return cls(launches=0, mean=0, half=0, ninety=0, ninety_nine=0, longest=0)
        ordered = sorted(seconds)
        return cls(
            launches=count,
            mean=sum(ordered) / count / _MINUTE,
            half=ordered[count // 2] / _MINUTE,
            ninety=ordered[int(count * 0.9)] / _MINUTE,
            ninety_nine=ordered[int(count * 0.99)] / _MINUTE,
            longest=ordered[-1] / _MINUTE,
        )


class GroupResult(BaseModel):
    """What one group had of a pool."""

    model_config = ConfigDict(frozen=True)

    group: str
    guaranteed: int
    waits: Waits
    device_hours: float
    reclaimed: int
    never: int
    """Launches larger than what the group may ever hold, or than a node."""


class PoolResult(BaseModel):
    """What happened in one pool."""

    model_config = ConfigDict(frozen=True)

    pool: str
    devices: int
    waits: Waits
    device_hours: float
    idle_device_hours: float
    """Device hours that were idle while somebody waited."""
    reclaimed: int
    never: int
    reasons: dict[str, int]
    """Launches that had to wait, by the rule that stood in the way when they came."""
    groups: tuple[GroupResult, ...]


class Result(BaseModel):
    """What happened in all pools."""

    model_config = ConfigDict(frozen=True)

    waits: Waits
    device_hours: float
    idle_device_hours: float
    reclaimed: int
    never: int
    pools: tuple[PoolResult, ...]


class Tally:
    """Counts while a pool is replayed."""

    def __init__(self) -> None:
        self.waited: dict[str, list[float]] = defaultdict(list)
        self.held: dict[str, float] = defaultdict(float)
        """Device seconds."""
        self.reclaimed: Counter[str] = Counter()
        self.never: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.idle = 0.0
        """Device seconds."""

    def result(self, pool: str, devices: int, guaranteed: dict[str, int]) -> PoolResult:
        """The pool's part of the result."""
        names = sorted(set(guaranteed) | set(self.waited) | set(self.never))
        return PoolResult(
            pool=pool,
            devices=devices,
            waits=Waits.of([wait for waits in self.waited.values() for wait in waits]),
            device_hours=sum(self.held.values()) / _HOUR,
            idle_device_hours=self.idle / _HOUR,
            reclaimed=self.reclaimed.total(),
            never=self.never.total(),
            reasons=dict(sorted(self.reasons.items())),
            groups=tuple(self._group(name, guaranteed.get(name, 0)) for name in names),
        )

    def _group(self, name: str, guaranteed: int) -> GroupResult:
        return GroupResult(
            group=name,
            guaranteed=guaranteed,
            waits=Waits.of(self.waited.get(name, [])),
            device_hours=self.held.get(name, 0.0) / _HOUR,
            reclaimed=self.reclaimed[name],
            never=self.never[name],
        )


def together(pools: Sequence[PoolResult], waited: Sequence[float]) -> Result:
    """Put pools together; ``waited`` are all waits, in seconds."""

    def total(field: str) -> Any:
        return sum(getattr(pool, field) for pool in pools)

    return Result(
        waits=Waits.of(waited),
        device_hours=total("device_hours"),
        idle_device_hours=total("idle_device_hours"),
        reclaimed=total("reclaimed"),
        never=total("never"),
        pools=tuple(pools),
    )
