"""Replays: the policies that are compared, and what was found. One definition for all who ask and tell.

Waits are in minutes, use is in device hours, money in the platform's unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, model_validator

from allotment.model.budgets import MINIMUM_SESSION, AtLimit, Period, Session
from allotment.model.idleness import Lifetime
from allotment.model.profiles import Price
from allotment.model.sharing import PoolPolicy

_MINUTE = 60.0
NOTICED = 60.0
"""Seconds. Who starts within them has not waited."""

_Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
_GroupName = Annotated[str, Field(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Devices = Annotated[int, Field(ge=0, le=100_000, strict=True)]
_SomeDevices = Annotated[int, Field(ge=1, le=100_000, strict=True)]


class ShareInPlan(BaseModel):
    """A group's share of a pool. Left out, the ceiling is all of the pool, the weight the guarantee."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: _Name
    guaranteed: _Devices
    ceiling: _Devices | None = None
    weight: float | None = Field(default=None, gt=0, le=100_000, allow_inf_nan=False)
    department: _GroupName = Field(default="", description="Empty: of none")


class DepartmentInPlan(BaseModel):
    """What all groups of a department may hold of the pool together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    department: _Name
    ceiling: _Devices


class PoolPlan(PoolPolicy):
    """A pool as it might be: its devices, its shares, and how it is shared."""

    name: _Name = "default"
    devices: _SomeDevices
    node_devices: _SomeDevices | None = Field(
        default=None, description="Devices of one node; left out, all are on one"
    )
    nodes: tuple[_SomeDevices, ...] = Field(
        default=(),
        max_length=10_000,
        description="Devices of each node, where they differ; what devices has beyond them is on one more",
    )
    reclaim: bool = Field(default=True, description="Whether borrowers are asked to give back")
    shares: Literal["by-use"] | tuple[ShareInPlan, ...] = Field(
        default="by-use",
        max_length=5_000,
        description="by-use: in proportion to the device hours in the trace",
    )
    departments: tuple[DepartmentInPlan, ...] = Field(default=(), max_length=1_000)
    requests: Literal["as-asked", "capped"] = Field(
        default="as-asked", description="capped: nobody asks for more than the group's guarantee"
    )
    priority: Literal["as-asked", "low", "dedicated"] = "as-asked"

    @property
    def written_shares(self) -> tuple[ShareInPlan, ...]:
        """The shares, where they are written; none where they follow from a trace."""
        return () if self.shares == "by-use" else self.shares

    def share(self, group: str) -> ShareInPlan | None:
        """A group's share, where shares are written."""
        return next((share for share in self.written_shares if share.group == group), None)


class ProfilePlan(BaseModel):
    """What a profile says of the end and the price of its servers.

    ``idle`` is how long a server may be idle before it is stopped, ``lifetime`` how long it may run;
    off (or left out): never.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: _Name
    idle: Lifetime = None
    lifetime: Lifetime = None
    price: Price | None = Field(default=None, description="Per hour; left out: as it was charged")


class BudgetPlan(BaseModel):
    """What a group may spend; at its end nothing new of the group starts, unless it only warns.

    ``spent`` is what was spent in the period in which the replay begins, before it begins.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: _Name
    amount: Price
    period: Period = Period.MONTH
    at_limit: AtLimit = AtLimit.REFUSE
    minimum_session: Session = MINIMUM_SESSION
    spent: Price = Decimal(0)


class SimulationPolicy(BaseModel):
    """All pools of a replay. A launch that names no pool goes to the first.

    Of profiles that are not named, servers last as they did.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pools: tuple[PoolPlan, ...] = Field(min_length=1, max_length=200)
    profiles: tuple[ProfilePlan, ...] = Field(default=(), max_length=1_000)
    budgets: tuple[BudgetPlan, ...] = Field(default=(), max_length=5_000)
    time_zone: str = Field(
        default="UTC",
        max_length=64,
        pattern=r"^[A-Za-z0-9_+/-]+$",
        description="The zone in which budgets' months begin",
    )

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        for what, named in (("pool", self.pools), ("profile", self.profiles)):
            names = [one.name for one in named]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                message = f"{what} {twice[0]!r} is there twice"
                raise ValueError(message)
        try:
            ZoneInfo(self.time_zone)
        except (ValueError, OSError, ZoneInfoNotFoundError) as error:
            message = f"{self.time_zone!r} is no time zone"
            raise ValueError(message) from error
        groups = [budget.group for budget in self.budgets]
        if len(set(groups)) < len(groups):
            message = "a group has one budget at most"
            raise ValueError(message)
        return self

    def pool(self, name: str) -> PoolPlan | None:
        """A pool by its name."""
        return next((pool for pool in self.pools if pool.name == name), None)

    def profile(self, name: str) -> ProfilePlan | None:
        """A profile by its name."""
        return next((profile for profile in self.profiles if profile.name == name), None)

    def with_pool(self, pool: PoolPlan) -> SimulationPolicy:
        """The same with another pool of this name."""
        pools = tuple(pool if one.name == pool.name else one for one in self.pools)
        return self.model_copy(update={"pools": pools})

    def with_profile(self, profile: ProfilePlan) -> SimulationPolicy:
        """The same with another profile of this name, or one more."""
        others = [one for one in self.profiles if one.name != profile.name]
        profiles = sorted([*others, profile], key=lambda one: one.name)
        return self.model_copy(update={"profiles": tuple(profiles)})


class Found(BaseModel):
    """Part of what a replay found."""

    model_config = ConfigDict(frozen=True)


class Waits(Found):
    """Waiting in minutes, of so many launches."""

    launches: int
    mean: float
    half: float
    ninety: float
    ninety_nine: float
    longest: float
    noticed: int = Field(default=0, description="Launches that waited a minute or longer")

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
            noticed=sum(wait >= NOTICED for wait in ordered),
        )


class Outcome(Found):
    """What came of launches: waiting, use, ends, money."""

    waits: Waits
    device_hours: float
    held_idle_device_hours: float = Field(
        default=0, description="Device hours held by servers in which nothing was done"
    )
    reclaimed: int = Field(description="Servers stopped for borrowed devices")
    stopped_idle: int = Field(default=0, description="Servers stopped since they were idle")
    stopped_lifetime: int = Field(default=0, description="Servers stopped at their lifetime's end")
    never: int = Field(description="Launches larger than what may ever be given them")
    gave_up: int = Field(default=0, description="Launches whose people did not wait any longer")
    over_budget: int = Field(default=0, description="Launches that a budget could not pay for")
    hours_in_vain: float = Field(default=0, description="Hours that those waited who gave up")
    cost: Decimal = Decimal(0)

    @property
    def not_let_in(self) -> int:
        """Launches that waited a minute or longer, or never began."""
        return self.waits.noticed + self.gave_up + self.never + self.over_budget

    @property
    def hours_waited(self) -> float:
        """Hours of waiting, those in vain included."""
        return self.waits.mean * self.waits.launches / 60 + self.hours_in_vain


class GroupResult(Outcome):
    """What one group had of a pool."""

    group: str
    guaranteed: int


class PoolResult(Outcome):
    """What happened in one pool."""

    pool: str
    devices: int
    idle_device_hours: float = Field(
        description="Device hours that were idle while somebody waited"
    )
    reasons: dict[str, int] = Field(
        description="Launches that had to wait, by the rule that stood in the way when they came"
    )
    groups: tuple[GroupResult, ...]


class Result(Outcome):
    """What happened in all pools."""

    idle_device_hours: float = Field(
        description="Device hours that were idle while somebody waited"
    )
    pools: tuple[PoolResult, ...]


class SimulationQuestion(StrEnum):
    """What a replay is to tell."""

    COMPARE = "compare"
    """The present policy beside a changed one."""
    LET_IN = "let-in"
    """Which single change would have let most people in."""


class ChangeKind(StrEnum):
    """Kinds of single changes that might let people in."""

    DEVICES = "devices"
    CEILING = "ceiling"
    GUARANTEE = "guarantee"
    SHARING = "sharing"
    IDLE = "idle"


class LetIn(Found):
    """One single change, and what it would have done."""

    kind: ChangeKind
    subject: str = Field(description="The pool or profile that changes")
    group: str = Field(default="", description="The group whose share changes, if it is a share")
    words: str = Field(description="The change in words", examples=["One more device in a100"])
    let_in: int = Field(description="Fewer launches that waited a minute, gave up or never began")
    hours_saved: float = Field(description="Hours of waiting less")
    reclaimed: int = Field(description="Servers stopped for borrowed devices, more or fewer")
    stopped_idle: int = Field(description="Servers stopped for idleness, more or fewer")
    cost: Decimal = Field(description="Money, more or less")
    policy: SimulationPolicy


class LetInTable(Found):
    """Single changes, the best first. ``now`` is the present policy."""

    now: Result
    changes: tuple[LetIn, ...]
    tried: int
    untried: int = Field(description="Changes for which no time was left")
