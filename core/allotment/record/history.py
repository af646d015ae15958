"""The platform's own past, as a replay needs it: launches, those that came to nothing, what was idle."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.record.columns import from_stored, to_stored
from allotment.record.engine import Reading
from allotment.record.schema import events, tickets
from allotment.record.usage import PRICES

MOST_LAUNCHES = 200_000
SLOT = 300
"""Seconds for which one answers whether a server was idle."""
USED_ABOVE = 5.0
"""Percent of the time from which on a device counts as used."""


@dataclass(frozen=True, slots=True)
class Launched:
    """A launch that held devices in the period. ``asked_at``: when it began to wait, or was admitted.

    ``released_at`` is None while it holds them; ``price`` is per hour, as text, or None.
    """

    id: str
    person: str
    server: str
    profile: str
    group: str | None
    pool: str
    devices: int
    priority: str
    asked_at: datetime
    admitted_at: datetime
    released_at: datetime | None
    stop_cause: str
    price: str | None
    held: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unserved:
    """A ticket that ended without a server, or waits still (``ended_at`` None)."""

    person: str
    server: str
    profile: str
    group: str | None
    pools: tuple[str, ...]
    devices: int
    priority: str
    asked_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class RefusedLaunch:
    """A launch that was refused, with the rules that stood in the way."""

    at: datetime
    person: str
    server: str
    profile: str
    group: str | None
    rules: tuple[str, ...]


_LAUNCHED = """
SELECT a.id, a.person, a.server, a.profile, a.group_name, a.pool, a.device_count, a.priority,
    COALESCE(t.since, a.admitted_at) AS asked_at, a.admitted_at, a.released_at, a.stop_cause,
    a.devices, {price} AS price
FROM allotments a LEFT JOIN tickets t ON t.allotment = a.id
WHERE a.device_count > 0 AND a.pool IS NOT NULL AND a.admitted_at < :end
AND (a.released_at IS NULL OR a.released_at > :begin) ORDER BY a.admitted_at, a.id LIMIT :most
"""


def launched(reading: Reading, begin: datetime, end: datetime) -> Iterator[Launched]:
    """Launches that held devices at some time in the period, by when they were admitted."""
    statement = _LAUNCHED.format(price=PRICES[reading.dialect])
    for row in reading.driver(statement, _period(begin, end) | {"most": MOST_LAUNCHES}):
        yield Launched(
            *(row.id, row.person, row.server, row.profile, row.group_name, row.pool),
            *(row.device_count, row.priority),
            from_stored(row.asked_at),
            from_stored(row.admitted_at),
            None if row.released_at is None else from_stored(row.released_at),
            row.stop_cause,
            row.price,
            tuple(device[0] for device in json.loads(row.devices)),
        )


def _period(begin: datetime, end: datetime) -> dict[str, Any]:
    return {"begin": to_stored(begin), "end": to_stored(end)}


def unserved(reading: Reading, begin: datetime, end: datetime) -> Iterator[Unserved]:
    """Tickets of the period that got no devices, by when they came."""
    statement = (
        sa.select(tickets)
        .where(tickets.c.since >= begin, tickets.c.since < end)
        .where(tickets.c.allotment.is_(None), tickets.c.device_count > 0)
        .order_by(tickets.c.since, tickets.c.id)
        .limit(MOST_LAUNCHES)
    )
    for row in reading.all(statement):
        pools = tuple(pool for pool, _ in row.candidates)
        yield Unserved(
            *(row.person, row.server, row.profile, row.group_name, pools),
            *(row.device_count, row.priority, row.since, row.ended_at),
        )


def refused(reading: Reading, begin: datetime, end: datetime) -> Iterator[RefusedLaunch]:
    """Launches of the period that were refused, in their order."""
    statement = (
        sa.select(events)
        .where(events.c.kind == "claim.refused", events.c.at >= begin, events.c.at < end)
        .order_by(events.c.sequence)
        .limit(MOST_LAUNCHES)
    )
    for row in reading.all(statement):
        said = row.after or {}
        rules = tuple(str(reason["rule"]) for reason in said.get("reasons", ()))
        server, profile = str(said.get("server", "")), str(said.get("profile", ""))
        yield RefusedLaunch(row.at, row.person or "", server, profile, row.group_name, rules)


_REPORTED = """
SELECT allotment, minute / :slot AS slot, SUM(samples) AS samples, SUM(busy_samples) AS busy
FROM server_minutes WHERE minute >= :begin AND minute < :end GROUP BY allotment, minute / :slot
"""
_USED = """
SELECT device, minute / :slot AS slot FROM device_minutes
WHERE minute >= :begin AND minute < :end AND utilisation_sum >= samples * :used
GROUP BY device, minute / :slot
"""


def idle_slots(
    reading: Reading, begin: datetime, end: datetime, held: Mapping[str, Iterable[str]]
) -> dict[str, list[int]]:
    """In which slots servers reported, were not busy, and used no device; by allotment.

    A slot is a number: so many times :data:`SLOT` seconds since the epoch. ``held`` are the devices of
    each allotment that is asked about. A time without reports is no idle time.
    """
    asked = _period(begin, end) | {"slot": SLOT * 1_000_000}
    used = {(row.device, row.slot) for row in reading.driver(_USED, asked | {"used": USED_ABOVE})}
    found: dict[str, list[int]] = defaultdict(list)
    for row in reading.driver(_REPORTED, asked):
        devices = held.get(row.allotment)
        if devices is None or row.busy or not row.samples:
            continue
        if all((device, row.slot) not in used for device in devices):
            found[row.allotment].append(row.slot)
    return {allotment: sorted(slots) for allotment, slots in found.items()}
