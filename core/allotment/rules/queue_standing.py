"""What the queue's rules look at: one pool's devices, groups, servers and tickets at one moment.

Everything is of one pool and one model of device; the devices of one claim are on one node. Times are
aware UTC; durations of use are in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from allotment.model.profiles import Priority
from allotment.model.sharing import PoolPolicy
from allotment.rules.outages import Outages

NO_GROUP = ""
"""The group of those who have none: in the default pool they share what no group was guaranteed."""


@dataclass(frozen=True, slots=True)
class GroupInPool:
    """A group's share of the pool, and what it holds and used.

    ``held`` counts devices, ``held_dedicated`` those of servers that are never reclaimed.
    ``recent_use`` is the average number of devices held lately, decayed with the half-life.
    ``department`` binds together with others of the same name.
    """

    name: str
    guaranteed: int
    ceiling: int
    weight: float = 1.0
    held: int = 0
    held_dedicated: int = 0
    recent_use: float = 0.0
    department: str | None = None

    @property
    def borrowed(self) -> int:
        """Devices held beyond the guarantee."""
        return max(0, self.held - self.guaranteed)


@dataclass(frozen=True, slots=True)
class Department:
    """What all groups of a department may hold together in the pool; None: no ceiling of its own."""

    name: str
    ceiling: int | None
    held: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """Devices of the pool on one node: those that could be given out now."""

    name: str
    free: int


@dataclass(frozen=True, slots=True)
class HeldClaim:
    """An active allotment. ``expected_end`` is the estimate of when its devices come back, None: unknown.

    ``reclaim_at`` is set once it was told that it ends then.
    """

    id: str
    group: str
    person: str
    node: str
    devices: int
    priority: Priority
    since: datetime
    expected_end: datetime | None = None
    reclaim_at: datetime | None = None
    server_count: int = 1
    kind: str = ""
    """The profile: sessions of one kind are expected to last alike."""


@dataclass(frozen=True, slots=True)
class WaitingClaim:
    """A ticket as the queue sees it.

    ``expected`` is how long its session will last by the estimate, in seconds; None: unknown.
    ``moved`` is an operator's word: higher goes first.
    """

    id: str
    group: str
    person: str
    devices: int
    priority: Priority
    since: datetime
    expected: float | None = None
    moved: int = 0
    kind: str = ""


@dataclass(frozen=True, slots=True)
class PoolStanding:
    """One pool and model with all that bears on its queue. ``total`` counts healthy devices that are there."""

    pool: str
    model: str
    policy: PoolPolicy
    total: int
    nodes: tuple[Node, ...]
    groups: tuple[GroupInPool, ...] = ()
    departments: tuple[Department, ...] = ()
    held: tuple[HeldClaim, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    outages: Outages = field(default_factory=Outages)
    """Devices that cordons take out of use and give back, where whoever foresees has read them."""

    @property
    def free(self) -> int:
        """Devices that could be given out now, on all nodes."""
        return sum(node.free for node in self.nodes)


@dataclass(frozen=True, slots=True)
class Reservation:
    """Devices kept for a group, or one person, from one time to another."""

    id: str
    devices: int
    begins: datetime
    ends: datetime
    group: str | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """A ticket's turn has come: it gets ``devices`` devices of the node."""

    ticket: str
    node: str
    devices: int
    borrowed: int
    """How many of them are beyond its group's guarantee."""


@dataclass(frozen=True, slots=True)
class Reclaim:
    """A borrower that must give back. ``stop_at`` is the end of its grace, never before its minimum runtime."""

    allotment: str
    for_ticket: str
    stop_at: datetime


class Wait(NamedTuple):
    """Why a ticket does not start now. ``rule`` is an id of :class:`~allotment.model.reasons.Rule`.

    ``position`` counts from 1 in the order in which the pool's tickets are asked.
    """

    ticket: str
    position: int
    rule: str
    message: str
    limit: int | None = None
    used: int | None = None
    asked: int | None = None


@dataclass(frozen=True, slots=True)
class Decisions:
    """What the queue decides for one pool at one moment."""

    starts: tuple[Start, ...] = ()
    reclaims: tuple[Reclaim, ...] = ()
    waits: Sequence[Wait] = field(default=())
    """In their order; they are put into words when one is first looked at."""
    promised: tuple[str, ...] = ()
    """Tickets for which borrowers give back, whether they are told now or were told before."""
    spared: tuple[str, ...] = ()
    """Allotments that were told to give back for tickets that have gone: nobody needs that any more."""
