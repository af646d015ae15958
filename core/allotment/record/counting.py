"""The counters that repeat what holdings say: written again after a change of configuration, and checked."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from allotment.record.engine import Reading, Writing
from allotment.record.schema import allotments, devices, holdings, pool_nodes, shares


def recount_pools(writing: Writing, pools: Iterable[str]) -> None:
    """Write ``pool_nodes`` anew for these pools, from their devices."""
    names = sorted(set(pools))
    writing.run(pool_nodes.delete().where(pool_nodes.c.pool.in_(names)))
    free = sa.and_(devices.c.free, devices.c.healthy, devices.c.present, devices.c.usable)
    counted = (
        sa.select(
            devices.c.pool,
            devices.c.node,
            devices.c.model,
            sa.func.count(),
            sa.func.sum(sa.case((free, 1), else_=0)),
        )
        .where(devices.c.pool.in_(names), devices.c.present)
        .group_by(devices.c.pool, devices.c.node, devices.c.model)
    )
    writing.run(
        pool_nodes.insert().from_select(["pool", "node", "model", "total", "free"], counted)
    )


def held(reading: Reading, group: str, pool: str) -> int:
    """Devices that a group's servers hold in a pool, counted from the allotments."""
    total = sa.select(sa.func.coalesce(sa.func.sum(allotments.c.device_count), 0)).where(
        allotments.c.group_name == group,
        allotments.c.pool == pool,
        allotments.c.state != "released",
    )
    return int(reading.connection.execute(total).scalar_one())


def discrepancies(reading: Reading) -> tuple[str, ...]:
    """Every counter or flag that does not say what the holdings say. Empty in a sound record."""
    held_ids = {row.device for row in reading.all(sa.select(holdings.c.device))}
    rows = reading.all(sa.select(devices))
    found = [
        f"device {row.id}: free is {row.free}" for row in rows if row.free == (row.id in held_ids)
    ]
    for node in reading.all(sa.select(pool_nodes)):
        here = [
            row
            for row in rows
            if (row.pool, row.node, row.model) == (node.pool, node.node, node.model) and row.present
        ]
        free = sum(row.id not in held_ids and row.healthy and row.usable for row in here)
        if (node.total, node.free) != (len(here), free):
            found.append(
                f"{node.pool} on {node.node}: {node.free} of {node.total} free, counted {free} of {len(here)}"
            )
    counted = {(node.pool, node.node, node.model) for node in reading.all(sa.select(pool_nodes))}
    found += [
        f"device {row.id}: its pool's node is not counted"
        for row in rows
        if row.present and (row.pool, row.node, row.model) not in counted
    ]
    for share in reading.all(sa.select(shares)):
        number = held(reading, share.group_name, share.pool)
        if number != share.held:
            found.append(
                f"share of {share.group_name} in {share.pool}: held is {share.held}, counted {number}"
            )
    found += _stray_holdings(reading)
    return tuple(found)


def _stray_holdings(reading: Reading) -> list[str]:
    stray = (
        sa.select(holdings.c.device, allotments.c.id)
        .join(allotments, allotments.c.id == holdings.c.allotment)
        .where(allotments.c.state == "released")
    )
    found = [
        f"device {row.device} is held by {row.id}, which is released" for row in reading.all(stray)
    ]
    number = (
        sa.select(holdings.c.allotment, sa.func.count().label("number"))
        .group_by(holdings.c.allotment)
        .subquery()
    )
    wrong = (
        sa.select(allotments.c.id, allotments.c.device_count, number.c.number)
        .outerjoin(number, number.c.allotment == allotments.c.id)
        .where(
            allotments.c.state != "released",
            allotments.c.device_count != sa.func.coalesce(number.c.number, 0),
        )
    )
    return found + [
        f"allotment {row.id} counts {row.device_count} devices and holds {row.number or 0}"
        for row in reading.all(wrong)
    ]
