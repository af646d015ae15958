"""The devices of pools that planned cordons take out of use, and give back: for estimates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

import sqlalchemy as sa

from allotment.record import cordons
from allotment.record.engine import Reading
from allotment.record.schema import devices, holdings
from allotment.rules.cordoning import Spot
from allotment.rules.outages import Outages, Place, outages

PoolModel = tuple[str, str]
"""A pool's name and a model of device in it."""


def planned(reading: Reading, pools: Collection[str], now: datetime) -> Mapping[PoolModel, Outages]:
    """What is out of use now, or will be, in these pools. Without a cordon it is one small question."""
    known = [one for one in cordons.open_cordons(reading) if not one.over(now)]
    if not known:
        return {}
    places: dict[PoolModel, list[Place]] = defaultdict(list)
    statement = (
        sa.select(
            devices.c.id, devices.c.node, devices.c.pool, devices.c.model, holdings.c.allotment
        )
        .outerjoin(holdings, holdings.c.device == devices.c.id)
        .where(
            devices.c.pool.in_(sorted(pools)),
            devices.c.present,
            devices.c.healthy,
            devices.c.taken_by == "",
            devices.c.node_cordon == "",
        )
        .order_by(devices.c.id)
    )
    for row in reading.all(statement):
        spot = Spot(row.id, row.node, row.pool)
        places[row.pool, row.model].append(Place(spot, row.allotment))
    return {key: outages(known, those) for key, those in places.items()}
