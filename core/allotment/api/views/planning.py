"""The capacity plan as a document, and as a table for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allotment.api.views.usage import harmless
from allotment.model import documents
from allotment.model.groups import Share
from allotment.model.pools import Pool, PoolUse
from allotment.record import Reading, groups, planning, pools
from allotment.record.columns import from_stored, to_stored
from allotment.rules.planning import Held, Key, fit, held

COLUMNS = (
    "pool",
    "group",
    "department",
    "model",
    "capacity",
    "available",
    "guaranteed",
    "ceiling",
    "held",
    "peak",
    "peak_at",
    "average",
    "overcommitted",
    "fit",
)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What was and is held, by key."""

    period: Mapping[Key, Held]
    now: Mapping[Key, int]

    def of(self, *key: str) -> dict[str, Any]:
        found = self.period.get(key, Held())
        return {
            "held": self.now.get(key, 0),
            "peak": found.peak,
            "peak_at": None if found.peak_at is None else from_stored(found.peak_at),
            "average": round(found.average, 6),
        }

    def groups(self, pool: str) -> set[str]:
        """Who held or holds anything of a pool; empty: people without a group."""
        known = [*self.period, *self.now]
        return {key[1] for key in known if len(key) > 1 and key[0] == pool}


def planned_pools(
    reading: Reading, begin: datetime, end: datetime, now: datetime
) -> tuple[tuple[documents.PlannedPool, ...], documents.PlanSum]:
    """Every pool with its shares, by name, and what they are in all; of time to come nothing is known."""
    facts = _facts(reading, begin, min(end, now))
    departments = planning.departments(reading)
    shares = groups.all_shares(reading)
    configured = {pool.name: pool for pool in pools.all_pools(reading)}
    items = tuple(
        _pool(
            use,
            configured[use.pool],
            _shares([one for one in shares if one.pool == use.pool], use.pool, facts, departments),
            facts,
        )
        for use in sorted(pools.use(reading), key=lambda use: use.pool)
    )
    return items, _total(items, facts)


def _facts(reading: Reading, begin: datetime, end: datetime) -> _Facts:
    counts: Counter[Key] = Counter()
    for (pool, group), devices in planning.held_now(reading).items():
        for key in ((), (pool,), (pool, group)):
            counts[key] += devices
    return _Facts(
        held(planning.spans(reading, begin, end), to_stored(begin), to_stored(end)), counts
    )


def _shares(
    shares: Iterable[Share], pool: str, facts: _Facts, departments: Mapping[str, str]
) -> tuple[documents.PlannedShare, ...]:
    by_group = {share.group: share for share in shares}
    names = sorted(by_group.keys() | facts.groups(pool), key=lambda name: (not name, name))
    return tuple(
        documents.PlannedShare(
            group=name,
            department=departments.get(name, ""),
            guaranteed=by_group[name].guaranteed if name in by_group else 0,
            ceiling=by_group[name].ceiling if name in by_group else 0,
            **facts.of(pool, name),
        )
        for name in names
    )


def _pool(
    use: PoolUse, pool: Pool, shares: Sequence[documents.PlannedShare], facts: _Facts
) -> documents.PlannedPool:
    ceilings = sum(share.ceiling for share in shares)
    known = facts.of(use.pool)
    return documents.PlannedPool(
        name=use.pool,
        model=use.model,
        sharing=pool.policy.sharing,
        capacity=use.total,
        available=use.available,
        guaranteed=use.guaranteed,
        ceilings=ceilings,
        overcommitted=max(0, use.guaranteed - use.available),
        fit=fit(use.available, use.guaranteed, ceilings, known["peak"]),
        shares=tuple(shares),
        **known,
    )


def _total(items: Iterable[documents.PlannedPool], facts: _Facts) -> documents.PlanSum:
    pools_planned = list(items)
    names = ("capacity", "available", "guaranteed", "ceilings", "overcommitted")
    sums = {name: sum(getattr(pool, name) for pool in pools_planned) for name in names}
    return documents.PlanSum.model_validate(sums | facts.of())


def plan_csv(pools_planned: Iterable[documents.PlannedPool]) -> str:
    """Comma-separated values: a line for each pool, and below it one for each group in it."""
    stream = io.StringIO()
    writer = csv.DictWriter(
        stream, COLUMNS, restval="", extrasaction="ignore", lineterminator="\r\n"
    )
    writer.writeheader()
    for pool in pools_planned:
        of_pool = {"pool": pool.name, "ceiling": pool.ceilings}
        writer.writerow(_line(pool.model_dump() | of_pool))
        for share in pool.shares:
            named = {"pool": pool.name, "group": share.group or "no group"}
            writer.writerow(_line(share.model_dump() | named))
    return stream.getvalue()


def _line(values: Mapping[str, Any]) -> dict[str, Any]:
    peak_at = values["peak_at"]
    texts = {key: harmless(value) for key, value in values.items() if isinstance(value, str)}
    return {**values, **texts, "peak_at": "" if peak_at is None else peak_at.isoformat()}
