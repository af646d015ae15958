"""What the queue's rules look at, read from the record in a handful of statements whatever the number of pools."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from allotment.model.profiles import Priority
from allotment.model.sharing import HALF_LIFE, PoolPolicy
from allotment.record.claim_facts import read_policy
from allotment.record.columns import from_stored, to_stored
from allotment.record.engine import Reading
from allotment.rules.queue_standing import (
    NO_GROUP,
    Department,
    GroupInPool,
    HeldClaim,
    Node,
    PoolStanding,
    Reservation,
    WaitingClaim,
)

PoolModel = tuple[str, str]
"""A pool's name and a model of device in it."""
Expected = Callable[[str, str, int], float | None]
"""By profile, group and devices: how long such a session lasts by the estimate, in seconds."""


@dataclass(frozen=True, slots=True)
class Queue:
    """Pools with all that bears on who starts, and who waits for each, the oldest first."""

    standings: Mapping[PoolModel, PoolStanding]
    waiting: Mapping[PoolModel, tuple[WaitingClaim, ...]]


def unknown(_profile: str, _group: str, _devices: int) -> None:
    """The estimate of who has none."""
    return


WAITING_COLUMNS = (
    "id, person, profile, group_name, device_count, priority, candidates, since, moved"
)
_IN_LINE = (
    f"SELECT {WAITING_COLUMNS} FROM tickets "  # noqa: S608 - the columns are named above
    "WHERE state IN ('waiting', 'offered') AND state = 'waiting' AND aside_at IS NULL "
)
WAITING = f"{_IN_LINE}ORDER BY since, id"
"""Everybody who waits in line, the oldest first: others pass who stands aside."""
_WAITING_FOR_ONE = f"{_IN_LINE}AND candidates LIKE :named ORDER BY since, id"
"""Those of one pool, and perhaps a few more: who waits elsewhere is no business of a launch there."""
_NODES = sa.text("""
SELECT n.pool, n.model, n.node, n.total, n.free, p.policy FROM pool_nodes n JOIN pools p ON p.name = n.pool
WHERE n.pool IN :pools ORDER BY n.pool, n.model, n.node
""").bindparams(sa.bindparam("pools", expanding=True))
_SHARES = sa.text("""
SELECT s.group_name, s.pool, s.guaranteed, s.ceiling, s.weight, s.held, s.used, s.used_at, g.department
FROM shares s JOIN groups g ON g.name = s.group_name WHERE s.pool IN :pools ORDER BY s.group_name
""").bindparams(sa.bindparam("pools", expanding=True))
_CEILINGS = sa.text(
    "SELECT department, pool, ceiling FROM department_ceilings WHERE pool IN :pools ORDER BY department"
).bindparams(sa.bindparam("pools", expanding=True))
_RESERVATIONS = sa.text("""
SELECT id, pool, device_count, group_name, person, begins_at, ends_at FROM reservations
WHERE pool IN :pools AND ends_at > :now ORDER BY begins_at, id
""").bindparams(sa.bindparam("pools", expanding=True))


_HELD_TEMPLATE = """
SELECT id, pool, person, profile, group_name, device_count, priority, admitted_at, reclaim_deadline,
    {node} AS node, {model} AS model FROM allotments
WHERE state <> 'released' AND device_count > 0 AND pool IN :pools ORDER BY id
"""


def _held(node: str, model: str) -> sa.TextClause:
    statement = sa.text(_HELD_TEMPLATE.format(node=node, model=model))
    return statement.bindparams(sa.bindparam("pools", expanding=True))


_HELD = {
    "sqlite": _held("json_extract(devices, '$[0][2]')", "json_extract(devices, '$[0][3]')"),
    "postgresql": _held("CAST(devices AS json)->0->>2", "CAST(devices AS json)->0->>3"),
}


def anybody_waits(reading: Reading) -> bool:
    """Whether there is a ticket that waits or is offered."""
    statement = "SELECT 1 FROM tickets WHERE state IN ('waiting', 'offered') LIMIT 1"
    return reading.driver(statement, {}).first() is not None


def reclaimed(reading: Reading) -> dict[str, str]:
    """Servers that were told to give borrowed devices back: their pools by allotment."""
    statement = (
        "SELECT id, pool FROM allotments WHERE state <> 'released' AND state IN ('starting', 'running') "
        "AND reclaim_deadline IS NOT NULL"
    )
    return {row.id: row.pool for row in reading.driver(statement, {})}


def read(
    reading: Reading,
    now: datetime,
    *,
    pools: Collection[str] | None = None,
    expected: Expected = unknown,
) -> Queue:
    """Read these pools with their queues; left out, the pools that somebody waits for."""
    rows = _waiting(reading, pools)
    asked = {pool for row in rows for pool, _ in read_candidates(row.candidates)}
    names = sorted(asked if pools is None else pools)
    if not names:
        return Queue({}, {})
    found = Standings(reading, names, now, expected)
    waiting: dict[PoolModel, list[WaitingClaim]] = defaultdict(list)
    for row in rows:
        for key in read_candidates(row.candidates):
            if key in found.by_pool:
                group = found.group_in(key[0], row.group_name)
                waiting[key].append(waiting_claim(row, group, expected))
    return Queue(found.by_pool, {key: tuple(line) for key, line in waiting.items()})


def _waiting(reading: Reading, pools: Collection[str] | None) -> Sequence[Any]:
    if pools is None or len(pools) != 1:
        return reading.driver(WAITING, {}).all()
    (pool,) = pools
    return reading.driver(_WAITING_FOR_ONE, {"named": f'%"{pool}",%'}).all()


@lru_cache(maxsize=1024)
def read_candidates(document: str) -> tuple[PoolModel, ...]:
    """The pools and models that may serve a ticket, as the record stores them."""
    return tuple((pool, model) for pool, model in json.loads(document))


def waiting_claim(row: Any, group: str, expected: Expected) -> WaitingClaim:
    """A ticket's row as the queue sees it in a pool, where its group goes by ``group``."""
    return WaitingClaim(
        id=row.id,
        group=group,
        person=row.person,
        devices=row.device_count,
        priority=Priority(row.priority),
        since=from_stored(row.since),
        expected=expected(row.profile, row.group_name or NO_GROUP, row.device_count),
        moved=row.moved,
        kind=row.profile,
    )


class Standings:
    """The standings of some pools, read in a handful of statements; ``by_pool`` has one for each model in them."""

    def __init__(
        self, reading: Reading, names: Sequence[str], now: datetime, expected: Expected
    ) -> None:
        self._now, self._expected = now, expected
        wanted = {"pools": names}
        self._shares: dict[str, dict[str, Any]] = defaultdict(dict)
        for row in reading.connection.execute(_SHARES, wanted):
            self._shares[row.pool][row.group_name] = row
        self._held = self._read_held(reading, wanted)
        self._ceilings = reading.connection.execute(_CEILINGS, wanted).all()
        self._reservations = reading.connection.execute(
            _RESERVATIONS, wanted | {"now": to_stored(now)}
        ).all()
        nodes: dict[PoolModel, list[Any]] = defaultdict(list)
        for row in reading.connection.execute(_NODES, wanted):
            nodes[row.pool, row.model].append(row)
        self.by_pool = {key: self._standing(key, rows) for key, rows in nodes.items()}

    def group_in(self, pool: str, group: str | None) -> str:
        """The group as the pool knows it: who has no share there has no group."""
        return group if group is not None and group in self._shares[pool] else NO_GROUP

    def _read_held(
        self, reading: Reading, wanted: dict[str, Any]
    ) -> dict[PoolModel, list[HeldClaim]]:
        held: dict[PoolModel, list[HeldClaim]] = defaultdict(list)
        for row in reading.connection.execute(_HELD[reading.dialect], wanted):
            since = from_stored(row.admitted_at)
            lasts = self._expected(row.profile, row.group_name or NO_GROUP, row.device_count)
            deadline = row.reclaim_deadline
            held[row.pool, row.model].append(
                HeldClaim(
                    id=row.id,
                    group=self.group_in(row.pool, row.group_name),
                    person=row.person,
                    node=row.node,
                    devices=row.device_count,
                    priority=Priority(row.priority),
                    since=since,
                    expected_end=None
                    if lasts is None
                    else max(self._now, since + timedelta(seconds=lasts)),
                    reclaim_at=None if deadline is None else from_stored(deadline),
                    kind=row.profile,
                )
            )
        return held

    def _standing(self, key: PoolModel, nodes: Sequence[Any]) -> PoolStanding:
        pool, model = key
        held: dict[str, list[HeldClaim]] = defaultdict(list)
        for (name, _), some in self._held.items():
            if name == pool:
                for claim in some:
                    held[claim.group].append(claim)
        groups = tuple(
            self._group(row, held.get(name, ())) for name, row in self._shares[pool].items()
        )
        policy: PoolPolicy = read_policy(nodes[0].policy)
        return PoolStanding(
            pool=pool,
            model=model,
            policy=policy,
            total=sum(row.total for row in nodes),
            nodes=tuple(Node(row.node, row.free) for row in nodes),
            groups=groups,
            departments=self._departments(pool, groups),
            held=tuple(self._held.get(key, ())),
            reservations=self._reserved(pool),
        )

    def _group(self, row: Any, mine: Sequence[HeldClaim]) -> GroupInPool:
        """A group's share with what it holds in the pool."""
        dedicated = sum(c.devices for c in mine if c.priority is Priority.DEDICATED)
        recent = row.used * _decayed(self._now - from_stored(row.used_at))
        recent += sum(c.devices * (1 - _decayed(self._now - c.since)) for c in mine)
        return GroupInPool(
            name=row.group_name,
            guaranteed=row.guaranteed,
            ceiling=row.ceiling,
            weight=row.weight,
            held=row.held,
            held_dedicated=dedicated,
            recent_use=recent,
            department=row.department,
        )

    def _departments(self, pool: str, groups: Sequence[GroupInPool]) -> tuple[Department, ...]:
        return tuple(
            Department(
                row.department,
                row.ceiling,
                sum(group.held for group in groups if group.department == row.department),
            )
            for row in self._ceilings
            if row.pool == pool
        )

    def _reserved(self, pool: str) -> tuple[Reservation, ...]:
        return tuple(
            Reservation(
                row.id,
                row.device_count,
                from_stored(row.begins_at),
                from_stored(row.ends_at),
                row.group_name,
                row.person,
            )
            for row in self._reservations
            if row.pool == pool
        )


def _decayed(age: timedelta) -> float:
    """What is left after an age, by the half-life."""
    return float(0.5 ** (max(age, timedelta(0)) / HALF_LIFE))


def with_claim(queue: Queue, key: PoolModel, claim: WaitingClaim) -> tuple[WaitingClaim, ...]:
    """Who waits for a pool with one claim more, that claim's group as the pool knows it."""
    known = {group.name for group in queue.standings[key].groups}
    mine = claim if claim.group in known else replace(claim, group=NO_GROUP)
    return (*queue.waiting.get(key, ()), mine)
