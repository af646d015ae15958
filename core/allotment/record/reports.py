"""Reports of use in minutes: what devices and servers did. Not events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from allotment.record.engine import Reading, Writing
from allotment.record.schema import device_minutes, server_minutes


@dataclass(frozen=True, slots=True)
class DeviceMinute:
    """One device in one minute: percent summed over samples, and bytes of memory at most."""

    device: str
    minute: datetime
    samples: int
    utilisation_sum: float
    memory_most: int

    @property
    def utilisation(self) -> float:
        """The mean utilisation in percent."""
        return self.utilisation_sum / self.samples if self.samples else 0.0


@dataclass(frozen=True, slots=True)
class ServerMinute:
    """One server in one minute: in how many samples it was busy, kernels and bytes of memory at most."""

    allotment: str
    minute: datetime
    samples: int
    busy_samples: int
    kernels_most: int
    memory_most: int


def add_device_minutes(writing: Writing, minutes: Iterable[DeviceMinute]) -> None:
    """Add what was seen to what is there; a minute may come in parts."""
    _add(
        writing, device_minutes, minutes, "device", ("samples", "utilisation_sum"), ("memory_most",)
    )


def add_server_minutes(writing: Writing, minutes: Iterable[ServerMinute]) -> None:
    """Add what was seen to what is there; a minute may come in parts."""
    _add(
        writing,
        server_minutes,
        minutes,
        "allotment",
        ("samples", "busy_samples"),
        ("kernels_most", "memory_most"),
    )


def _add(
    writing: Writing,
    table: sa.Table,
    minutes: Iterable[Any],
    key: str,
    sums: tuple[str, ...],
    mosts: tuple[str, ...],
) -> None:
    rows = [{column.name: getattr(minute, column.name) for column in table.c} for minute in minutes]
    if not rows:
        return
    insert: Any = (postgresql if writing.dialect == "postgresql" else sqlite).insert(table)
    greatest = sa.func.greatest if writing.dialect == "postgresql" else sa.func.max
    changes = {name: table.c[name] + insert.excluded[name] for name in sums}
    changes |= {name: greatest(table.c[name], insert.excluded[name]) for name in mosts}
    writing.run(insert.on_conflict_do_update(index_elements=[key, "minute"], set_=changes), rows)


def read_device_minutes(
    reading: Reading, since: datetime, device: str | None = None
) -> tuple[DeviceMinute, ...]:
    """Minutes since a time, of one device where asked, in order."""
    statement = (
        sa.select(device_minutes)
        .where(device_minutes.c.minute >= since)
        .order_by(device_minutes.c.minute, device_minutes.c.device)
    )
    if device is not None:
        statement = statement.where(device_minutes.c.device == device)
    return tuple(DeviceMinute(**row) for row in reading.connection.execute(statement).mappings())


def read_server_minutes(
    reading: Reading, since: datetime, allotment: str | None = None
) -> tuple[ServerMinute, ...]:
    """Minutes since a time, of one allotment where asked, in order."""
    statement = (
        sa.select(server_minutes)
        .where(server_minutes.c.minute >= since)
        .order_by(server_minutes.c.minute, server_minutes.c.allotment)
    )
    if allotment is not None:
        statement = statement.where(server_minutes.c.allotment == allotment)
    return tuple(ServerMinute(**row) for row in reading.connection.execute(statement).mappings())
