"""What would let a claim in sooner: the same questions for another claim, or without one of its person's servers.

Pure. Whoever asks makes the changed standing here, asks :func:`~allotment.rules.admission.admit` and
:func:`~allotment.rules.eta.estimate` as for any claim, and compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from allotment.model.allotments import Allotment
from allotment.model.amounts import counted
from allotment.model.names import DEFAULT_POOL
from allotment.model.profiles import Priority, Profile
from allotment.rules.eta import Estimate
from allotment.rules.queue_standing import PoolStanding
from allotment.rules.standing import PoolFacts, Standing

PoolModel = tuple[str, str]
WORTH = timedelta(minutes=1)
"""What saves less is not told."""
WORTH_PART = 0.1
"""Nor what saves less than this part of the wait."""
MOST_WAYS = 4
NEVER = timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class Prospect:
    """When a claim would start: at once, or by ``half`` with 50 % and ``most`` with 90 %. None: nobody can say."""

    pool: str
    at_once: bool
    half: datetime | None = None
    most: datetime | None = None

    def waits(self, now: datetime) -> tuple[timedelta, timedelta]:
        """How long at 90 and at 50 %, to be compared; what nobody can say is longest."""
        if self.at_once:
            return timedelta(0), timedelta(0)
        return (
            NEVER if self.most is None else max(timedelta(0), self.most - now),
            NEVER if self.half is None else max(timedelta(0), self.half - now),
        )


def prospect_of(pool: str, told: Estimate) -> Prospect:
    """What an estimate for one pool says; position 0 is a start now."""
    return Prospect(pool, told.position == 0, told.half, told.most)


def soonest(found: Iterable[Prospect], now: datetime) -> Prospect | None:
    """The best of several pools' prospects; None where there is none."""
    return min(found, key=lambda one: (*one.waits(now), one.pool), default=None)


class Kind(StrEnum):
    """What a person would do."""

    STOP = "stop"
    """Stop a server of one's own."""
    PRIORITY = "priority"
    POOL = "pool"
    DEVICES = "devices"


@dataclass(frozen=True, slots=True)
class Way:
    """One thing that a person can do to be let in sooner, and what would come of it.

    ``profile`` is what is launched then; ``server`` is what is to be stopped first, with its title and
    the devices that it holds.
    """

    kind: Kind
    profile: str
    title: str
    devices: int
    price: Decimal | None
    prospect: Prospect
    server: str | None = None
    server_title: str = ""
    frees: int = 0

    @property
    def words(self) -> str:
        """What to do, as a sentence without its end."""
        if self.kind is Kind.STOP:
            return f"Stop {self.server_title}"
        size = f"{counted(self.devices, 'device')} in {self.prospect.pool}"
        if self.kind is Kind.PRIORITY:
            return f"Choose {self.title} ({size}, low priority: it may be taken back)"
        return f"Choose {self.title} ({size})"


def kind_of(wanted: Profile, other: Profile, pool: str, pools: Iterable[str]) -> Kind | None:
    """How another profile differs from the wanted one; None where it would not help by itself, or asks for more."""
    if not other.devices or other.devices > wanted.devices:
        return None
    if other.priority is Priority.LOW and wanted.priority is not Priority.LOW:
        return Kind.PRIORITY
    if other.devices < wanted.devices:
        return Kind.DEVICES
    return Kind.POOL if pool not in set(pools) else None


def worthwhile(ways: Iterable[Way], base: Prospect | None, now: datetime) -> tuple[Way, ...]:
    """The ways that are sooner than doing nothing, the soonest first; of equals what costs least."""
    helping = [way for way in ways if _sooner(way.prospect, base, now)]
    helping.sort(key=lambda way: (*way.prospect.waits(now), way.frees, way.price or 0, way.words))
    return tuple(helping[:MOST_WAYS])


def _sooner(one: Prospect, base: Prospect | None, now: datetime) -> bool:
    most, half = one.waits(now)
    if half >= NEVER:
        return False
    if base is None:
        return True
    before_most, before_half = base.waits(now)
    before, after = (before_most, most) if most < NEVER else (before_half, half)
    return before - after >= max(WORTH, before * WORTH_PART) or before >= NEVER > after


# As if a server had ended.


def freed(standing: PoolStanding, allotment: str) -> PoolStanding:
    """The pool as if a server of it had ended and its devices were free."""
    gone = next((one for one in standing.held if one.id == allotment), None)
    if gone is None:
        return standing
    low = gone.priority is Priority.LOW
    departments = {group.name: group.department for group in standing.groups}
    nodes = {node.name: node for node in standing.nodes}
    return replace(
        standing,
        nodes=tuple(
            replace(node, free=node.free + gone.devices) if node.name == gone.node else node
            for node in nodes.values()
        ),
        groups=tuple(
            replace(
                group,
                held=group.held - gone.devices,
                held_dedicated=group.held_dedicated - (0 if low else gone.devices),
            )
            if group.name == gone.group
            else group
            for group in standing.groups
        ),
        departments=tuple(
            replace(one, held=one.held - gone.devices)
            if one.name == departments.get(gone.group)
            else one
            for one in standing.departments
        ),
        held=tuple(one for one in standing.held if one.id != allotment),
    )


def without_server(
    standing: Standing, gone: Allotment, pools: Mapping[PoolModel, PoolStanding]
) -> Standing:
    """What the rules of admission look at, as if a server of this person had ended.

    ``pools`` are the pools as they would be then.
    """
    devices = len(gone.devices)
    dedicated = devices if _counts_as_dedicated(standing, gone) else 0
    return replace(
        standing,
        devices_held=standing.devices_held - devices,
        servers_active=standing.servers_active - 1,
        shares=tuple(
            replace(
                facts,
                held=facts.held - devices,
                dedicated=facts.dedicated - dedicated,
            )
            if (facts.share.group, facts.share.pool) == (gone.group, gone.pool)
            else facts
            for facts in standing.shares
        ),
        pools=tuple(
            _as_then(facts, pools.get((facts.pool, facts.model))) for facts in standing.pools
        ),
        departments=tuple(
            replace(one, held=one.held - devices)
            if (one.group, one.pool) == (gone.group, gone.pool)
            else one
            for one in standing.departments
        ),
    )


def _counts_as_dedicated(standing: Standing, gone: Allotment) -> bool:
    """Whether a server counts among those that are never taken back: in a pool that lends nothing, all do."""
    lends = any(pool.sharing for pool in standing.pools if pool.pool == gone.pool)
    return not lends or gone.terms.get("profile", {}).get("priority") != Priority.LOW


def _as_then(facts: PoolFacts, pool: PoolStanding | None) -> PoolFacts:
    if pool is None:
        return facts
    unused = sum(max(0, group.guaranteed - group.held) for group in pool.groups)
    return replace(
        facts,
        free=pool.free,
        free_on_one_node=max((node.free for node in pool.nodes), default=0),
        unused_guarantee=unused if facts.pool == DEFAULT_POOL else facts.unused_guarantee,
    )
