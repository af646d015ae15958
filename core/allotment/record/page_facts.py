"""What the record says to one person's pages: read once, asked for every profile.

A page shows many profiles. One claim's facts per profile would be as many statements; here a handful
of statements read what all of them share, and :meth:`PersonFacts.standing` hands the rules the same
standing that :func:`allotment.record.claim_facts.read` would.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from allotment.model.allotments import Allotment
from allotment.model.budgets import Spending
from allotment.model.claims import Claim
from allotment.model.groups import Mode, Share
from allotment.model.instance_types import TypeUse
from allotment.model.limits import Limit, LimitKind, LimitScope
from allotment.model.names import CONSOLE_PROFILE
from allotment.model.people import Permission, opens_console
from allotment.model.profiles import Profile
from allotment.model.tickets import Ticket, TicketState
from allotment.record import (
    allotments,
    claim_facts,
    departments,
    instance_types,
    platform,
    reservations,
    servers,
    spending,
    tickets,
)
from allotment.record import page_statements as statements
from allotment.record.columns import to_stored
from allotment.record.engine import Reading
from allotment.record.servers import Server
from allotment.rules.instance_types import unavailable
from allotment.rules.standing import DepartmentFacts, PoolFacts, ShareFacts, Standing
from allotment.rules.succession import Successor, successor_of

PoolModel = tuple[str, str]
"""A pool's name and a model of device in it."""


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """A group that the person is in now."""

    name: str
    title: str
    leads: bool


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """The devices of one pool and model: what they are, and how many cannot be given out."""

    total: int
    unavailable: int
    """Not healthy or not present; a server may still hold some of them."""
    unavailable_held: int
    isolations: tuple[str, ...]
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """One consistent state of the record, as far as one person's pages need it.

    ``group_devices`` counts the devices that each of the person's groups holds by pool and model,
    the person's own left out; ``own_devices`` counts those. ``active`` is what the person holds
    now, on every hub.
    """

    person: str
    known: bool
    onboarded: bool
    role: str
    permissions: frozenset[Permission]
    must_change_password: bool
    mode: Mode
    groups: tuple[GroupFacts, ...]
    limits: tuple[Limit, ...]
    shares: tuple[ShareFacts, ...]
    pools: tuple[PoolFacts, ...]
    devices: Mapping[PoolModel, DeviceFacts]
    own_devices: Mapping[PoolModel, int]
    group_devices: Mapping[tuple[str, str, str], int]
    servers: tuple[Server, ...]
    active: tuple[Allotment, ...]
    ailing: Mapping[str, tuple[str, ...]]
    """By allotment: its devices that are unhealthy or gone, with what is known of each."""
    profiles: tuple[Profile, ...]
    replaced: Mapping[str, Profile]
    """Profiles that name a successor, by name; those that are not offered any more too."""
    tickets: tuple[Ticket, ...]
    """The person's own that wait or are offered, on every hub."""
    contested: bool
    """Whether somebody waits, or devices are kept for somebody, in any pool."""
    sequence: int
    """The newest event that this state includes."""
    budgets: tuple[Spending, ...] = ()
    """What may have to pay for this person's servers, with what it has paid for."""
    departments: tuple[DepartmentFacts, ...] = ()
    """Ceilings of the departments of the person's groups."""
    types: Mapping[str, TypeUse] = field(default_factory=dict)
    """Instance types that profiles name, with what is used of them."""
    storage: int | None = None
    """What the person's homes hold, in bytes; None where that was never measured."""
    models: int = 0
    """Models that the person has registered, each version counted."""

    @property
    def group_names(self) -> tuple[str, ...]:
        """The person's groups by name."""
        return tuple(group.name for group in self.groups)

    @property
    def may_use_console(self) -> bool:
        """Whether the operator console is open to the person."""
        return opens_console(self.permissions, leads=any(group.leads for group in self.groups))

    def visible(self) -> tuple[Profile, ...]:
        """The profiles that the person may see, the console among them where it is allowed."""
        names = self.group_names
        return tuple(
            profile
            for profile in self.profiles
            if profile.visible_for(self.person, names)
            and (self.may_use_console or profile.name != CONSOLE_PROFILE)
        )

    def offered(self) -> tuple[Profile, ...]:
        """What the launch page offers: without what has no instance of its type left.

        Whoever sees the whole platform is shown that too, with the reason.
        """
        everything = Permission.SEE_ALL in self.permissions
        return tuple(
            profile
            for profile in self.visible()
            if everything or not unavailable(profile, self.types.get(profile.instance_type or ""))
        )

    def successor(self, profile: str) -> Successor | None:
        """What the person uses instead of a profile that was replaced, where there is something."""
        old = self.replaced.get(profile)
        return None if old is None else successor_of(old, self.replaced, self.visible())

    def standing(self, profile: Profile, claim: Claim) -> Standing:
        """What the rules need to decide a claim of this person for this profile."""
        active = self.active
        here = (claim.hub, claim.server)
        return Standing(
            claim=claim,
            profile=profile,
            onboarded=self.onboarded,
            groups=self.group_names,
            mode=self.mode,
            may_use_console=self.may_use_console,
            devices_held=sum(len(allotment.devices) for allotment in active),
            servers_active=len(active),
            instances_active=self.instances,
            servers_existing=len(self.servers),
            server_exists=any((server.hub, server.name) == here for server in self.servers),
            server_active=any((held.hub, held.server) == here for held in active),
            server_waits=any(
                (ticket.hub, ticket.server) == here
                for ticket in self.tickets
                if ticket.state is TicketState.WAITING
            ),
            limits=self.limits,
            shares=self.shares,
            pools=self.pools if profile.devices else (),
            budgets=self.budgets,
            departments=self.departments,
            instance_type=self.types.get(profile.instance_type or ""),
            storage=self.storage,
            cleaning=self.cleaning,
        )

    @property
    def instances(self) -> int:
        """Instances of a cloud that the person's servers take."""
        return sum(bool(_promised(one).get("instance_type")) for one in self.active)

    @property
    def cleaning(self) -> tuple[str, ...]:
        """Profiles with which the person may clean up while storage is over its limit."""
        return tuple(profile.name for profile in self.visible() if profile.cleans_up)


@lru_cache(maxsize=2048)
def _profile(document: str) -> Profile:
    return Profile.model_validate_json(document)


def read(reading: Reading, person: str, now: datetime) -> PersonFacts:
    """Read everything that one person's pages show."""
    parameters = {"person": person, "now": to_stored(now)}
    row = reading.driver(statements.PERSON, parameters).one()
    found = [
        (_profile(one.document), one.offered) for one in reading.driver(claim_facts.PROFILES, {})
    ]
    permissions = json.loads(row.permissions) if row.permissions else []
    types = _types(reading, [profile for profile, _ in found])
    found = [
        (claim_facts.priced(profile, types.get(profile.instance_type or "")), offered)
        for profile, offered in found
    ]
    own, group_held = _held(reading, parameters)
    groups = tuple(
        GroupFacts(group.name, group.title, bool(group.leads))
        for group in reading.driver(statements.GROUPS, parameters)
    )
    return PersonFacts(
        person=person,
        known=row.role is not None,
        onboarded=row.onboarded_at is not None,
        role=row.role or "",
        permissions=frozenset(Permission(permission) for permission in permissions),
        must_change_password=bool(row.must_change),
        mode=platform.mode(reading),
        groups=groups,
        limits=tuple(
            Limit(LimitScope(limit.scope), limit.subject, LimitKind(limit.kind), limit.value)
            for limit in reading.driver(statements.LIMITS, parameters)
        ),
        shares=_shares(reading, person, groups, now, reserved=bool(row.reserved)),
        pools=_pools(reading, person, now, reserved=bool(row.reserved)),
        devices=_devices(reading, parameters),
        own_devices=own,
        group_devices=group_held,
        servers=servers.all_servers(reading, person=person),
        active=allotments.active(reading, person=person),
        ailing=_ailing(reading, parameters),
        profiles=tuple(profile for profile, offered in found if offered),
        replaced={profile.name: profile for profile, _ in found if profile.successor},
        tickets=tickets.live(reading, person=person),
        contested=bool(row.waited or row.reserved),
        sequence=int(row.sequence),
        budgets=_budgets(reading, person, groups, now) if row.budgeted else (),
        departments=departments.of_claim(reading, [group.name for group in groups])
        if row.divided
        else (),
        types=types,
        storage=None if row.storage is None else int(row.storage),
        models=row.models,
    )


def _promised(one: Allotment) -> Mapping[str, object]:
    promised: Mapping[str, object] = one.terms.get("profile", {})
    return promised


def _types(reading: Reading, found: Iterable[Profile]) -> dict[str, TypeUse]:
    """The instance types; the record is asked only where a profile names one."""
    if not any(profile.instance_type for profile in found):
        return {}
    return {use.type.name: use for use in instance_types.uses(reading)}


def _shares(
    reading: Reading,
    person: str,
    groups: tuple[GroupFacts, ...],
    now: datetime,
    *,
    reserved: bool,
) -> tuple[ShareFacts, ...]:
    """Shares of the person's groups, with what reservations add to them now."""
    parameters = {"person": person, "now": to_stored(now)}
    shares = tuple(
        ShareFacts(
            Share(share.group_name, share.pool, share.guaranteed, share.ceiling, share.weight),
            share.held,
            share.dedicated,
        )
        for share in reading.driver(statements.SHARES, parameters)
    )
    if not reserved:
        return shares
    return reservations.lifted(reading, person, shares, [group.name for group in groups], now)


def _budgets(
    reading: Reading, person: str, groups: tuple[GroupFacts, ...], now: datetime
) -> tuple[Spending, ...]:
    return spending.of_claim(reading, person, [group.name for group in groups], now)


def _pools(
    reading: Reading, person: str, now: datetime, *, reserved: bool
) -> tuple[PoolFacts, ...]:
    """Pools that the person may use, with what is reserved for this person there."""
    parameters = {"person": person, "now": to_stored(now)}
    pools = tuple(
        PoolFacts(
            row.pool,
            row.model,
            int(row.total),
            int(row.free),
            int(row.most),
            int(row.unused),
            int(row.largest),
            claim_facts.read_policy(row.policy).sharing,
        )
        for row in reading.driver(statements.POOLS, parameters)
    )
    return reservations.kept(reading, person, pools, now) if reserved else pools


def _devices(reading: Reading, parameters: dict[str, object]) -> dict[PoolModel, DeviceFacts]:
    found: dict[PoolModel, DeviceFacts] = {}
    for row in reading.driver(statements.DEVICES, parameters):
        key = (row.pool, row.model)
        before = found.get(key, DeviceFacts(0, 0, 0, (), ()))
        found[key] = DeviceFacts(
            before.total + row.total,
            before.unavailable + row.unavailable,
            before.unavailable_held + row.unavailable_held,
            tuple(dict.fromkeys((*before.isolations, row.isolation))),
            tuple(dict.fromkeys((*before.origins, row.origin))),
        )
    return found


def _held(
    reading: Reading, parameters: dict[str, object]
) -> tuple[dict[PoolModel, int], dict[tuple[str, str, str], int]]:
    own: dict[PoolModel, int] = {}
    groups: dict[tuple[str, str, str], int] = {}
    for row in reading.driver(statements.HELD, parameters):
        if row.own:
            own[row.pool, row.model] = own.get((row.pool, row.model), 0) + row.number
        else:
            groups[row.pool, row.model, row.group_name] = row.number
    return own, groups


def _ailing(reading: Reading, parameters: dict[str, object]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in reading.driver(statements.AILING, parameters):
        state = "is unhealthy" if row.present else "is gone"
        note = f" ({row.health_note})" if row.health_note else ""
        found[row.allotment] = (*found.get(row.allotment, ()), f"{row.id} {state}{note}")
    return found


def operators(reading: Reading, limit: int = 4) -> tuple[str, ...]:
    """Names of people who may on-board others: whom to ask."""
    statement = "SELECT name FROM people WHERE role = 'operator' ORDER BY name LIMIT :limit"
    return tuple(row.name for row in reading.driver(statement, {"limit": limit}))
