"""Counting while a pool is replayed, and putting the counts into words of the model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from allotment.model.simulation import GroupResult, PoolResult, Result, Waits
from allotment.simulate.sessions import Stop

_HOUR = 3600.0
_PLACES = Decimal("0.000001")


class Tally:
    """Counts while a pool is replayed, by group; times in (device) seconds."""

    def __init__(self) -> None:
        self.waited: dict[str, list[float]] = defaultdict(list)
        self.held: dict[str, float] = defaultdict(float)
        self.held_idle: dict[str, float] = defaultdict(float)
        self.cost: dict[str, float] = defaultdict(float)
        self.stopped: dict[Stop, Counter[str]] = {stop: Counter() for stop in Stop}
        self.never: Counter[str] = Counter()
        self.over_budget: Counter[str] = Counter()
        self.gave_up: dict[str, list[float]] = defaultdict(list)
        self.reasons: Counter[str] = Counter()
        self.idle = 0.0
        """Device seconds that were idle while somebody waited."""

    def result(self, pool: str, devices: int, guaranteed: Mapping[str, int]) -> PoolResult:
        """The pool's part of the result."""
        names = sorted(
            {*guaranteed, *self.held, *self.waited, *self.never, *self.gave_up, *self.over_budget}
        )
        return PoolResult(
            pool=pool,
            devices=devices,
            idle_device_hours=self.idle / _HOUR,
            reasons=dict(sorted(self.reasons.items())),
            groups=tuple(
                GroupResult(group=name, guaranteed=guaranteed.get(name, 0), **self._of([name]))
                for name in names
            ),
            **self._of(names),
        )

    def _of(self, groups: Sequence[str]) -> dict[str, Any]:
        """What came of some groups' launches together."""
        vain = [wait for group in groups for wait in self.gave_up.get(group, ())]

        def total(amounts: Mapping[str, float]) -> float:
            return sum(amounts.get(group, 0.0) for group in groups)

        def count(counter: Counter[str]) -> int:
            return sum(counter[group] for group in groups)

        return {
            "waits": Waits.of([wait for group in groups for wait in self.waited.get(group, ())]),
            "device_hours": total(self.held) / _HOUR,
            "held_idle_device_hours": total(self.held_idle) / _HOUR,
            "reclaimed": count(self.stopped[Stop.RECLAIM]),
            "stopped_idle": count(self.stopped[Stop.IDLE]),
            "stopped_lifetime": count(self.stopped[Stop.LIFETIME]),
            "never": count(self.never),
            "over_budget": count(self.over_budget),
            "gave_up": len(vain),
            "hours_in_vain": sum(vain) / _HOUR,
            "cost": Decimal(total(self.cost)).quantize(_PLACES),
        }


_SUMS = (
    *("device_hours", "held_idle_device_hours", "idle_device_hours", "reclaimed", "stopped_idle"),
    *("stopped_lifetime", "never", "over_budget", "gave_up", "hours_in_vain"),
)


def together(pools: Sequence[PoolResult], waited: Sequence[float]) -> Result:
    """Put pools together; ``waited`` are all waits, in seconds."""
    sums = {field: sum(getattr(pool, field) for pool in pools) for field in _SUMS}
    cost = sum((pool.cost for pool in pools), Decimal())
    return Result(waits=Waits.of(waited), cost=cost, pools=tuple(pools), **sums)
