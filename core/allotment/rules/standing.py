"""What the rules of admission look at: read by the record in the transaction that writes the outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from allotment.model.budgets import Spending
from allotment.model.claims import Claim
from allotment.model.groups import Mode, Share
from allotment.model.instance_types import TypeUse
from allotment.model.limits import Limit
from allotment.model.profiles import Profile
from allotment.rules.succession import Successor


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """What admission must know of one pool and one model of device in it, in devices.

    The devices of one claim are of one model and on one node; only the default pool has several models.
    """

    pool: str
    model: str
    total: int
    free: int
    """Free, healthy devices of that model."""
    free_on_one_node: int
    unused_guarantee: int = 0
    """What groups may still claim of their guarantees here."""
    largest_node: int = 0
    """Devices of the node that has most, held ones too."""
    sharing: bool = False
    """Whether low-priority servers borrow here what other groups do not use."""
    kept_for_person: int = 0
    """What the person's own reservation, which has begun, has left here."""


@dataclass(frozen=True, slots=True)
class ShareFacts:
    """A share of the paying group, and what the group holds of it.

    ``dedicated`` counts what servers hold that are never reclaimed; in a pool that lends nothing all
    are such.
    """

    share: Share
    held: int
    dedicated: int


@dataclass(frozen=True, slots=True)
class DepartmentFacts:
    """What the department of a group may hold of a pool with all its groups together, and holds."""

    name: str
    group: str
    pool: str
    ceiling: int
    held: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What the record said in the transaction that writes the outcome."""

    claim: Claim
    profile: Profile | None
    """None where no such profile is published, or it is disabled."""
    onboarded: bool
    groups: tuple[str, ...]
    lapsed_at: datetime | None = None
    """Until when the identity provider's word for the person held, where that is over."""
    mode: Mode = Mode.STRICT
    may_use_console: bool = False
    devices_held: int = 0
    servers_active: int = 0
    instances_active: int = 0
    """Of these, servers that take an instance of a cloud."""
    servers_existing: int = 0
    server_exists: bool = False
    server_active: bool = False
    server_waits: bool = False
    limits: tuple[Limit, ...] = ()
    shares: tuple[ShareFacts, ...] = ()
    """Shares of all groups the person is in."""
    pools: tuple[PoolFacts, ...] = ()
    """Pools in which the person could be given devices, the default pool among them."""
    budgets: tuple[Spending, ...] = ()
    """What may have to pay, with what it has paid for; empty where no budget is set."""
    departments: tuple[DepartmentFacts, ...] = ()
    """Ceilings of the departments of the person's groups; empty where no department has one."""
    instance_type: TypeUse | None = None
    """The type that the profile names; None where it names none, or one that is not known."""
    storage: int | None = None
    """What the person's homes hold, in bytes; None where that was never measured."""
    cleaning: tuple[str, ...] = ()
    """Profiles with which the person may clean up, where storage is over its limit."""
    successor: Successor | None = None
    """What replaces a profile that the person could launch before, where it is not offered now."""
    visible_profiles: tuple[str, ...] = field(default=())
