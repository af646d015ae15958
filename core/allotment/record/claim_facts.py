"""What the record says of one claim, in one statement."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from allotment.model.allotments import HeldDevice
from allotment.model.claims import Claim
from allotment.model.groups import Mode, Share
from allotment.model.instance_types import TypeUse
from allotment.model.limits import Limit, LimitKind, LimitScope
from allotment.model.names import CONSOLE_PROFILE
from allotment.model.people import opens_console
from allotment.model.profiles import Profile
from allotment.model.sharing import PoolPolicy
from allotment.record import departments, instance_types, reservations, spending
from allotment.record.columns import from_stored, to_stored
from allotment.record.engine import Reading
from allotment.rules.admission import paying_group
from allotment.rules.limiting import storage_over
from allotment.rules.standing import PoolFacts, ShareFacts, Standing
from allotment.rules.succession import successor_of


@dataclass(frozen=True, slots=True)
class Facts:
    """The standing for the rules, and the devices that each pool would give."""

    standing: Standing
    profile_document: dict[str, Any]
    candidates: dict[tuple[str, str], tuple[HeldDevice, ...]]
    """By pool and model: the devices that the claim would be given there, best fit first."""
    contested: bool = False
    """Whether somebody waits, or devices are kept for somebody, in any pool."""
    tickets: int = 0
    """Tickets of this person that wait or are offered."""
    data: bool = False
    """Whether any source or dataset is shared with anybody: servers may have to be promised it."""


_TEMPLATE = """
WITH mine AS (
    SELECT DISTINCT group_name FROM memberships
    WHERE person = :person AND ("until" IS NULL OR "until" > :now)
), wanted AS (
    SELECT document, device_count FROM profiles
    WHERE name = :profile AND enabled AND NOT retired AND document IS NOT NULL
), usable AS (
    {usable}
)
SELECT
    (SELECT document FROM wanted) AS profile,
    (SELECT value FROM platform WHERE key = 'mode') AS mode,
    EXISTS (SELECT 1 FROM budgets) AS budgeted,
    EXISTS (SELECT 1 FROM department_ceilings) AS divided,
    EXISTS (SELECT 1 FROM audiences) AS data,
    p.onboarded_at,
    CASE WHEN p.confirmed_until <= :now THEN p.confirmed_until END AS lapsed_at,
    r.permissions,
    EXISTS (SELECT 1 FROM memberships WHERE person = :person AND "lead"
        AND ("until" IS NULL OR "until" > :now)) AS leads,
    (SELECT {array}(group_name) FROM mine) AS groups,
    (SELECT {array}({row}(l.scope, l.subject, l.kind, l.value)) FROM (
        SELECT 'platform' AS scope, '' AS subject
        UNION ALL SELECT 'person', CAST(:person AS text)
        UNION ALL SELECT 'group', group_name FROM mine) about
        JOIN limits l ON l.scope = about.scope AND l.subject = about.subject) AS limits,
    (SELECT {array}({row}(s.group_name, s.pool, s.guaranteed, s.ceiling, s.weight, s.held, {dedicated}))
        FROM shares s JOIN mine ON mine.group_name = s.group_name) AS shares,
    (SELECT {row}(COUNT(*), COALESCE(SUM(device_count), 0),
        COALESCE(SUM(CASE WHEN server = :server AND hub = :hub THEN 1 ELSE 0 END), 0), COUNT(instance_type))
        FROM allotments WHERE person = :person AND state <> 'released') AS active,
    (SELECT {row}(COUNT(*), COALESCE(SUM(CASE WHEN name = :server AND hub = :hub THEN 1 ELSE 0 END), 0))
        FROM servers WHERE person = :person) AS existing,
    (SELECT SUM(used) FROM storage WHERE person = :person) AS storage,
    (SELECT {array}({row}(u.pool, u.model, u.total, u.free, u.most,
        (SELECT COALESCE(SUM(CASE WHEN s.guaranteed > s.held THEN s.guaranteed - s.held ELSE 0 END), 0)
            FROM shares s WHERE s.pool = u.pool AND u.pool = 'default'),
        u.largest, (SELECT policy FROM pools WHERE name = u.pool),
        (SELECT {array}({row}(c.id, c.uuid, c.node, c.model, c.memory, c.isolation, c.resource)) FROM (
            SELECT id, uuid, node, model, memory, isolation, resource FROM devices d
            WHERE d.pool = u.pool AND d.model = u.model AND d.free AND d.healthy AND d.present AND d.usable
            AND d.node = (SELECT n.node FROM pool_nodes n WHERE n.pool = u.pool AND n.model = u.model
                AND n.free >= (SELECT device_count FROM wanted) ORDER BY n.free, n.node LIMIT 1)
            ORDER BY d.id LIMIT (SELECT device_count FROM wanted)) c))) FROM usable u) AS usable,
    (SELECT {row}(COUNT(*), COALESCE(SUM(CASE WHEN hub = :hub AND server = :server AND state = 'waiting' THEN 1 ELSE 0 END), 0))
        FROM tickets WHERE person = :person AND state IN ('waiting', 'offered')) AS mine_waiting,
    EXISTS (SELECT 1 FROM tickets WHERE state IN ('waiting', 'offered') AND state = 'waiting') AS waited,
    EXISTS (SELECT 1 FROM reservations WHERE ends_at > :now) AS reserved
FROM (SELECT 1 AS one) AS always
LEFT JOIN people p ON p.name = :person
LEFT JOIN roles r ON r.name = p.role
"""

DEDICATED = """CASE WHEN (SELECT policy FROM pools p WHERE p.name = s.pool) = '{}' THEN s.held ELSE (
    SELECT COALESCE(SUM(a.device_count), 0) FROM allotments a WHERE a.pool = s.pool
    AND a.group_name = s.group_name AND a.state <> 'released' AND a.priority <> 'low') END"""
"""What dedicated servers hold of a share ``s``; in a pool that lends nothing the counter says it."""
_SUMS = "SUM(total) AS total, SUM(free) AS free, MAX(free) AS most, MAX(total) AS largest"
_OPEN = """(
    SELECT s.pool FROM shares s JOIN mine ON mine.group_name = s.group_name UNION SELECT 'default'
)"""
_STATEMENTS = {
    "sqlite": _TEMPLATE.format(
        array="json_group_array",
        row="json_array",
        dedicated=DEDICATED,
        usable=f"""SELECT pool, model, {_SUMS} FROM pool_nodes
            WHERE (SELECT device_count FROM wanted) > 0 AND pool IN {_OPEN} GROUP BY pool, model""",
    ),
    # Pool by pool: joined as a whole, PostgreSQL reads every node of every pool.
    "postgresql": _TEMPLATE.format(
        array="json_agg",
        row="json_build_array",
        dedicated=DEDICATED,
        usable=f"""SELECT o.pool, n.* FROM {_OPEN} o CROSS JOIN LATERAL (
            SELECT model, {_SUMS} FROM pool_nodes WHERE pool = o.pool GROUP BY model) n
            WHERE (SELECT device_count FROM wanted) > 0""",
    ),
}

PROFILES = """
SELECT document, CASE WHEN enabled AND NOT retired THEN 1 ELSE 0 END AS offered
FROM profiles WHERE document IS NOT NULL ORDER BY name
"""


@lru_cache(maxsize=2048)
def _profile(document: str) -> Profile:
    return Profile.model_validate_json(document)


@lru_cache(maxsize=256)
def read_policy(document: str) -> PoolPolicy:
    """A pool's policy, as the record stores it."""
    return PoolPolicy.model_validate_json(document)


def _array(value: Any) -> list[Any]:
    """A JSON array, as SQLite's text or as psycopg has read it."""
    if value is None:
        return []
    array: list[Any] = json.loads(value) if isinstance(value, str) else value
    return array


def read(reading: Reading, claim: Claim, now: datetime) -> Facts:
    """Read everything that the rules ask about one claim."""
    parameters = {
        "person": claim.person,
        "hub": claim.hub,
        "server": claim.server,
        "profile": claim.profile,
        "now": to_stored(now),
    }
    row = reading.driver(_STATEMENTS[reading.dialect], parameters).one()
    groups = tuple(sorted(_array(row.groups)))
    profile, document, of_type = _what_is_asked(reading, row)
    active, held, here, instances = _array(row.active)
    existing, exists = _array(row.existing)
    tickets, waits_here = _array(row.mine_waiting)
    permissions = json.loads(row.permissions) if row.permissions else []
    console = opens_console(permissions, leads=bool(row.leads))
    seen = profile is not None and _may_see(profile, claim.person, groups, console=console)
    shares, pools = _capacity(reading, claim, groups, row, now)
    standing = Standing(
        claim=claim,
        profile=profile,
        onboarded=row.onboarded_at is not None,
        lapsed_at=None if row.lapsed_at is None else from_stored(row.lapsed_at),
        groups=groups,
        mode=Mode.STRICT if row.mode is None else Mode(json.loads(row.mode)),
        may_use_console=console,
        devices_held=held,
        servers_active=active,
        instances_active=instances,
        servers_existing=existing,
        server_exists=exists > 0,
        server_active=here > 0,
        server_waits=waits_here > 0,
        limits=tuple(
            Limit(LimitScope(scope), subject, LimitKind(kind), value)
            for scope, subject, kind, value in _array(row.limits)
        ),
        shares=shares,
        pools=pools,
        budgets=spending.of_claim(reading, claim.person, groups, now) if row.budgeted else (),
        departments=departments.of_claim(reading, groups) if row.divided else (),
        instance_type=of_type,
        storage=None if row.storage is None else int(row.storage),
    )
    if not seen or storage_over(standing, paying_group(standing)):
        standing = _with_what_is_offered(reading, standing)
    candidates = {
        (pool[0], pool[1]): tuple(HeldDevice(*device) for device in _array(pool[8]))
        for pool in _array(row.usable)
    }
    contested = bool(row.waited or row.reserved)
    return Facts(standing, document, candidates, contested, tickets, bool(row.data))


def _what_is_asked(
    reading: Reading, row: Any
) -> tuple[Profile | None, dict[str, Any], TypeUse | None]:
    """The profile with its price, its document as it will be promised, and its instance type."""
    if row.profile is None:
        return None, {}, None
    profile, document = _profile(row.profile), json.loads(row.profile)
    if profile.instance_type is None:
        return profile, document, None
    of_type = instance_types.of_profile(reading, profile.instance_type)
    profile = priced(profile, of_type)
    document["price"] = None if profile.price is None else str(profile.price)
    return profile, document, of_type


def _capacity(
    reading: Reading, claim: Claim, groups: tuple[str, ...], row: Any, now: datetime
) -> tuple[tuple[ShareFacts, ...], tuple[PoolFacts, ...]]:
    """The groups' shares and the pools that may serve the claim, without what is reserved for others."""
    shares = tuple(
        ShareFacts(Share(*share), held, dedicated) for *share, held, dedicated in _array(row.shares)
    )
    pools = tuple(
        PoolFacts(*[*pool[:7], read_policy(pool[7]).sharing])
        for pool in sorted(_array(row.usable), key=lambda pool: pool[:2])
    )
    if row.reserved:
        shares = reservations.lifted(reading, claim.person, shares, groups, now)
        pools = reservations.kept(reading, claim.person, pools, now)
    return shares, pools


def priced(profile: Profile, use: TypeUse | None) -> Profile:
    """A profile with the price of its instance type, where it has none of its own."""
    if profile.price is not None or use is None or use.type.price is None:
        return profile
    return profile.model_copy(update={"price": use.type.price})


def _may_see(profile: Profile, person: str, groups: tuple[str, ...], *, console: bool) -> bool:
    return profile.visible_for(person, groups) and (console or profile.name != CONSOLE_PROFILE)


def _with_what_is_offered(reading: Reading, standing: Standing) -> Standing:
    """Add what the person may launch instead: read for a refusal only."""
    person, groups, console = standing.claim.person, standing.groups, standing.may_use_console
    rows = [(_profile(row.document), row.offered) for row in reading.driver(PROFILES, {})]
    seen = [(p, offered) for p, offered in rows if _may_see(p, person, groups, console=console)]
    offered = [profile for profile, is_offered in seen if is_offered]
    old = next((p for p, _ in seen if p.name == standing.claim.profile), None)
    replaced = {profile.name: profile for profile, _ in rows if profile.successor}
    return replace(
        standing,
        visible_profiles=tuple(profile.name for profile in offered),
        cleaning=tuple(profile.name for profile in offered if profile.cleans_up),
        successor=None if old is None else successor_of(old, replaced, offered),
    )
