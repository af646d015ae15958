"""Instance types: machines of a cloud that a server takes, what an hour costs, how many there may be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

NEAR = 80
"""Percent of a limit from which those who run the platform are told."""
QUOTA_CODE = r"^L-[0-9A-F]{8}$"
"""What the code of one of AWS's quotas looks like."""
ADDRESSES = "L-0263D0A3"
"""AWS's code of the quota of Elastic IP addresses (EC2-VPC Elastic IPs)."""


@dataclass(frozen=True, slots=True)
class InstanceType:
    """One type as it is configured.

    ``price`` is per hour; a profile of this type without a price of its own costs it. ``most`` is the
    typed-in limit in instances. ``quota`` is the code of a cloud's quota, of which each instance takes
    ``vcpus``; where both limits are known, both bind.
    """

    name: str
    title: str = ""
    price: Decimal | None = None
    most: int | None = None
    vcpus: int | None = None
    quota: str | None = None
    enabled: bool = True
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Quota:
    """What a cloud said last of one of its quotas, and when.

    ``value`` is the limit and ``used`` what the whole account uses, in the quota's own unit (vCPUs of
    instances, or addresses); None where it has never been read. ``problem`` says why the last attempt
    failed; the reading before it stays.
    """

    code: str
    region: str
    title: str
    value: int | None
    used: int | None
    read_at: datetime | None
    tried_at: datetime
    problem: str = ""


@dataclass(frozen=True, slots=True)
class QuotaReading:
    """One quota as a cloud told it just now; no value: ``problem`` says why."""

    code: str
    title: str
    value: int | None = None
    used: int | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TypeUse:
    """An instance type with what is used of its limits.

    ``held`` counts the instances of the platform's own servers; ``quota_held`` the vCPUs that these
    and those of other types take of the same quota.
    """

    type: InstanceType
    held: int
    quota: Quota | None = None
    quota_held: int = 0

    @property
    def quota_limit(self) -> int | None:
        """How many instances the quota has room for, those of other types counted; None: it says nothing."""
        quota, each = self.quota, self.type.vcpus
        if quota is None or quota.value is None or each is None:
            return None
        others = self.quota_held - self.held * each
        return max(0, (quota.value - others) // each)

    @property
    def limit(self) -> int | None:
        """How many instances there may be now: the smaller of both limits; None: nothing limits them."""
        known = [one for one in (self.type.most, self.quota_limit) if one is not None]
        return min(known, default=None)

    @property
    def percent(self) -> int:
        """How much of the limit is used, in whole percent, never rounded up to 100."""
        limit = self.limit
        if limit is None:
            return 0
        return 100 * self.held // limit if limit else 100

    @property
    def full(self) -> bool:
        """Whether one more would pass the limit."""
        return self.limit is not None and self.held >= self.limit

    @property
    def near(self) -> bool:
        """Whether it is used to :data:`NEAR` percent or more."""
        return self.limit is not None and (self.full or self.percent >= NEAR)

    @property
    def source(self) -> str:
        """Where the limit that binds comes from, in words."""
        if self.limit is None:
            return "no limit is set"
        if self.quota is not None and self.limit == self.quota_limit:
            return f"quota {self.quota.title} ({self.quota.value} vCPU)"
        return "typed in"
