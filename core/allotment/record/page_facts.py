"""What the record says to one person's pages: read once, asked for every profile.

A page shows many profiles. One claim's facts per profile would be as many statements; here a handful
of statements read what all of them share, and :meth:`PersonFacts.standing` hands the rules the same
standing that :func:`allotment.record.claim_facts.read` would.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from allotment.model.allotments import Allotment
from allotment.model.budgets import Spending
from allotment.model.claims import Claim
from allotment.model.groups import Mode, Share
from allotment.model.limits import Limit, LimitKind, LimitScope
from allotment.model.names import CONSOLE_PROFILE
from allotment.model.people import Permission
from allotment.model.profiles import Profile
from allotment.model.tickets import Ticket, TicketState
from allotment.record import (
    allotments,
    budgets,
    claim_facts,
    departments,
    platform,
    reservations,
    servers,
    tickets,
)
from allotment.record.columns import to_stored
from allotment.record.engine import Reading
from allotment.record.servers import Server
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

    @property
    def group_names(self) -> tuple[str, ...]:
        """The person's groups by name."""
        return tuple(group.name for group in self.groups)

    @property
    def may_use_console(self) -> bool:
        """Whether the operator console is open to the person."""
        return Permission.USE_CONSOLE in self.permissions

    def visible(self) -> tuple[Profile, ...]:
        """The profiles that the person may see, the console among them where it is allowed."""
        names = self.group_names
        return tuple(
            profile
            for profile in self.profiles
            if profile.visible_for(self.person, names)
            and (self.may_use_console or profile.name != CONSOLE_PROFILE)
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
        )


_PERSON = """
SELECT p.role, p.onboarded_at, r.permissions, c.must_change,
    (SELECT COUNT(*) FROM (SELECT 1 FROM tickets WHERE state IN ('waiting', 'offered') AND state = 'waiting' LIMIT 1) w)
        + (SELECT COUNT(*) FROM reservations WHERE ends_at > :now) AS contested,
    (SELECT value FROM counters WHERE name = 'event') AS sequence,
    EXISTS (SELECT 1 FROM budgets) AS budgeted, EXISTS (SELECT 1 FROM department_ceilings) AS divided
FROM (SELECT 1 AS one) AS always
LEFT JOIN people p ON p.name = :person
LEFT JOIN roles r ON r.name = p.role
LEFT JOIN credentials c ON c.person = p.name
"""
_GROUPS_NOW = """
WITH mine AS (
    SELECT DISTINCT group_name FROM memberships
    WHERE person = :person AND ("until" IS NULL OR "until" > :now)
), usable AS (
    SELECT 'default' AS pool
    UNION SELECT s.pool FROM shares s JOIN mine ON mine.group_name = s.group_name
)
"""


def _of_groups(statement: str) -> str:
    """Let a statement speak of ``mine``, the person's groups now, and ``usable``, their pools."""
    return _GROUPS_NOW + statement


_GROUPS = """
SELECT m.group_name AS name, g.title, MAX(CASE WHEN m."lead" THEN 1 ELSE 0 END) AS leads
FROM memberships m JOIN groups g ON g.name = m.group_name
WHERE m.person = :person AND (m."until" IS NULL OR m."until" > :now)
GROUP BY m.group_name, g.title ORDER BY m.group_name
"""
_LIMITS = _of_groups("""
SELECT scope, subject, kind, value FROM limits
WHERE scope = 'platform' OR (scope = 'person' AND subject = :person)
OR (scope = 'group' AND subject IN (SELECT group_name FROM mine))
ORDER BY scope, subject, kind
""")
_SHARES_TEMPLATE = """
SELECT s.group_name, s.pool, s.guaranteed, s.ceiling, s.weight, s.held, {dedicated} AS dedicated
FROM shares s WHERE s.group_name IN (SELECT group_name FROM mine) ORDER BY s.group_name, s.pool
"""
_SHARES = _of_groups(_SHARES_TEMPLATE.format(dedicated=claim_facts.DEDICATED))
_POOLS = _of_groups("""
SELECT n.pool, n.model, SUM(n.total) AS total, SUM(n.free) AS free, MAX(n.free) AS most, MAX(n.total) AS largest,
    (SELECT COALESCE(SUM(CASE WHEN s.guaranteed > s.held THEN s.guaranteed - s.held ELSE 0 END), 0)
        FROM shares s WHERE s.pool = n.pool AND n.pool = 'default') AS unused,
    (SELECT policy FROM pools WHERE name = n.pool) AS policy
FROM pool_nodes n JOIN usable ON usable.pool = n.pool
GROUP BY n.pool, n.model ORDER BY n.pool, n.model
""")
_DEVICES = _of_groups("""
SELECT d.pool, d.model, d.isolation, d.origin, COUNT(*) AS total,
    SUM(CASE WHEN d.healthy AND d.present THEN 0 ELSE 1 END) AS unavailable,
    SUM(CASE WHEN (d.healthy AND d.present) OR d.free THEN 0 ELSE 1 END) AS unavailable_held
FROM devices d JOIN usable ON usable.pool = d.pool WHERE d.present OR NOT d.free
GROUP BY d.pool, d.model, d.isolation, d.origin ORDER BY d.pool, d.model, d.isolation, d.origin
""")
_HELD = _of_groups("""
SELECT d.pool, d.model, a.group_name,
    CASE WHEN a.person = :person THEN 1 ELSE 0 END AS own, COUNT(*) AS number
FROM allotments a JOIN holdings h ON h.allotment = a.id JOIN devices d ON d.id = h.device
WHERE a.state <> 'released' AND a.device_count > 0 AND (a.person = :person OR (
    a.group_name IN (SELECT group_name FROM mine) AND a.pool IN (SELECT pool FROM usable)))
GROUP BY d.pool, d.model, a.group_name, CASE WHEN a.person = :person THEN 1 ELSE 0 END
""")
_AILING = """
SELECT h.allotment, d.id, d.present, d.health_note
FROM allotments a JOIN holdings h ON h.allotment = a.id JOIN devices d ON d.id = h.device
WHERE a.person = :person AND a.state <> 'released' AND NOT (d.healthy AND d.present) ORDER BY d.id
"""


@lru_cache(maxsize=2048)
def _profile(document: str) -> Profile:
    return Profile.model_validate_json(document)


def read(reading: Reading, person: str, now: datetime) -> PersonFacts:
    """Read everything that one person's pages show."""
    parameters = {"person": person, "now": to_stored(now)}
    row = reading.driver(_PERSON, parameters).one()
    found = [
        (_profile(one.document), one.offered) for one in reading.driver(claim_facts.PROFILES, {})
    ]
    permissions = json.loads(row.permissions) if row.permissions else []
    own, group_held = _held(reading, parameters)
    groups = tuple(
        GroupFacts(group.name, group.title, bool(group.leads))
        for group in reading.driver(_GROUPS, parameters)
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
            for limit in reading.driver(_LIMITS, parameters)
        ),
        shares=_shares(reading, person, groups, now, contested=bool(row.contested)),
        pools=_pools(reading, parameters),
        devices=_devices(reading, parameters),
        own_devices=own,
        group_devices=group_held,
        servers=servers.all_servers(reading, person=person),
        active=allotments.active(reading, person=person),
        ailing=_ailing(reading, parameters),
        profiles=tuple(profile for profile, offered in found if offered),
        replaced={profile.name: profile for profile, _ in found if profile.successor},
        tickets=tickets.live(reading, person=person),
        contested=bool(row.contested),
        sequence=int(row.sequence),
        budgets=_budgets(reading, person, groups, now) if row.budgeted else (),
        departments=departments.of_claim(reading, [group.name for group in groups])
        if row.divided
        else (),
    )


def _shares(
    reading: Reading,
    person: str,
    groups: tuple[GroupFacts, ...],
    now: datetime,
    *,
    contested: bool,
) -> tuple[ShareFacts, ...]:
    """Shares of the person's groups, with what reservations add to them now."""
    parameters = {"person": person, "now": to_stored(now)}
    shares = tuple(
        ShareFacts(
            Share(share.group_name, share.pool, share.guaranteed, share.ceiling, share.weight),
            share.held,
            share.dedicated,
        )
        for share in reading.driver(_SHARES, parameters)
    )
    if not contested:
        return shares
    return reservations.lifted(reading, person, shares, [group.name for group in groups], now)


def _budgets(
    reading: Reading, person: str, groups: tuple[GroupFacts, ...], now: datetime
) -> tuple[Spending, ...]:
    return budgets.of_claim(reading, person, [group.name for group in groups], now)


def _pools(reading: Reading, parameters: dict[str, object]) -> tuple[PoolFacts, ...]:
    return tuple(
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
        for row in reading.driver(_POOLS, parameters)
    )


def _devices(reading: Reading, parameters: dict[str, object]) -> dict[PoolModel, DeviceFacts]:
    found: dict[PoolModel, DeviceFacts] = {}
    for row in reading.driver(_DEVICES, parameters):
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
    for row in reading.driver(_HELD, parameters):
        if row.own:
            own[row.pool, row.model] = own.get((row.pool, row.model), 0) + row.number
        else:
            groups[row.pool, row.model, row.group_name] = row.number
    return own, groups


def _ailing(reading: Reading, parameters: dict[str, object]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in reading.driver(_AILING, parameters):
        state = "is unhealthy" if row.present else "is gone"
        note = f" ({row.health_note})" if row.health_note else ""
        found[row.allotment] = (*found.get(row.allotment, ()), f"{row.id} {state}{note}")
    return found


def operators(reading: Reading, limit: int = 4) -> tuple[str, ...]:
    """Names of people who may on-board others: whom to ask."""
    statement = "SELECT name FROM people WHERE role = 'operator' ORDER BY name LIMIT :limit"
    return tuple(row.name for row in reading.driver(statement, {"limit": limit}))
