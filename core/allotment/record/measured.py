"""What Prometheus is told of the record: numbers, read in one transaction. No person is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allotment.model.pools import PoolUse
from allotment.record import counts, devices, drift, events, groups, leases, pools
from allotment.record.columns import from_stored
from allotment.record.engine import Reading

Shares = Mapping[tuple[str, str], int]
"""Devices by group and pool."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The record at one moment. Times are in seconds."""

    devices: Mapping[tuple[str, str], int]
    """Devices by pool and state."""
    pools: tuple[PoolUse, ...]
    servers: Mapping[str, int]
    held: Shares
    guaranteed: Shares
    tickets: Mapping[str, int]
    longest_wait: float
    """How long the ticket has waited that stands in line longest; 0 where nobody waits."""
    sequence: int
    drift: Mapping[str, int]
    """Servers that are not accounted for, by hub."""
    leases: Mapping[str, float]
    """How long each lease still lasts; nothing is left of one that has run out."""


def measured(reading: Reading, now: datetime) -> Measured:
    """Read the record."""
    waiting, oldest = _tickets(reading)
    return Measured(
        devices=Counter((one.pool, one.state) for one in devices.all_devices(reading)),
        pools=pools.use(reading),
        servers=counts.servers_by_state(reading),
        held=groups.held(reading),
        guaranteed={(one.group, one.pool): one.guaranteed for one in groups.all_shares(reading)},
        tickets=waiting,
        longest_wait=0.0 if oldest is None else max(0.0, (now - oldest).total_seconds()),
        sequence=events.latest_sequence(reading),
        drift=Counter(one.hub for one in drift.open_entries(reading)),
        leases=leases.remaining(reading),
    )


_TICKETS = """
SELECT CASE WHEN state = 'waiting' AND aside_at IS NOT NULL THEN 'aside' ELSE state END AS standing,
    COUNT(*) AS number, MIN(since) AS oldest
FROM tickets WHERE state IN ('waiting', 'offered') GROUP BY 1
"""


def _tickets(reading: Reading) -> tuple[dict[str, int], datetime | None]:
    """Tickets by where they stand, and since when the first in line waits."""
    rows: dict[str, Any] = {row.standing: row for row in reading.driver(_TICKETS, {})}
    counted = {standing: row.number for standing, row in rows.items()}
    first = rows.get("waiting")
    oldest = None if first is None else from_stored(first.oldest)
    return {"waiting": 0, "aside": 0, "offered": 0} | counted, oldest


def lag(reading: Reading, followed: int, now: datetime) -> float:
    """Seconds for which the oldest event has waited that comes after ``followed``; 0 where there is none."""
    for event in events.after(reading, followed, limit=1):
        return max(0.0, (now - event.at).total_seconds())
    return 0.0
