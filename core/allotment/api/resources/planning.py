"""The capacity plan: what was promised and used of every pool, against what is there; and who waited."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from allotment.api.answering import answer_list
from allotment.api.paging import Paged, cut
from allotment.api.periods import Period, times
from allotment.api.plane import Asker, Plane, require
from allotment.api.views.planning import plan_csv, planned_pools
from allotment.model import documents
from allotment.model.names import NAME_PATTERN
from allotment.record import events, platform, waiting
from allotment.record.columns import from_stored, to_stored
from allotment.rules.permission import Action
from allotment.rules.usage import first_instant, local_date
from allotment.rules.waiting import quantile, waited

router = APIRouter(tags=["planning"])

CSV = "text/csv"
HOURLY_UP_TO = timedelta(days=3)
"""A period as long as this is told hour by hour, a longer one day by day."""
MOST_PARTS = 400
_SECOND = 1_000_000
LATELY = timedelta(days=30)
"""The period of peak and average, where none is named."""


@router.get(
    "/capacity-plan",
    response_model=documents.CapacityPlan,
    summary="Guarantees, ceilings and use against capacity",
    responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}},
)
def read_capacity_plan(
    request: Request, plane: Plane, caller: Asker, period: Period, page: Paged
) -> Response:
    """Every pool with what groups were promised of it, what they hold now, and the most they held at once.

    Peak and average are of the last 30 days, where no days are named; a day named as the end is
    part of it. With ``Accept: text/csv`` the whole plan for a spreadsheet.
    """
    require(caller, Action.SEE_PLATFORM)
    now = plane.now()
    with plane.record.reading() as reading:
        zone = platform.time_zone(reading)
        begin, end = times(period, now, zone, now - LATELY)
        found, total = planned_pools(reading, begin, end, now)
        sequence = events.latest_sequence(reading)
    if CSV in request.headers.get("accept", ""):
        name = f'attachment; filename="capacity-plan-{now.astimezone(zone):%Y-%m-%d}.csv"'
        headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
        return Response(plan_csv(found), headers=headers, media_type=CSV)
    items, following = cut(found, lambda pool: (pool.name,), page)
    listing = documents.CapacityPlan(
        items=items,
        next=following,
        sequence=sequence,
        total=total,
        begin=begin,
        end=end,
        time_zone=str(zone),
    )
    return answer_list(request, listing)


@router.get("/waiting", response_model=documents.Waiting, summary="Waiting over time")
def read_waiting(
    request: Request,
    plane: Plane,
    caller: Asker,
    period: Period,
    pool: Annotated[str | None, Query(pattern=NAME_PATTERN, max_length=63)] = None,
) -> Response:
    """How many servers waited, from this month's beginning until now where no days are named.

    A day named as the end is part of it. Of one pool: those that it could have served.
    """
    require(caller, Action.SEE_PLATFORM)
    now = plane.now()
    with plane.record.reading() as reading:
        zone = platform.time_zone(reading)
        begin, end = times(period, now, zone)
        end = max(begin, min(end, now))
        edges = _edges(begin, end, zone)
        found = list(waiting.waits(reading, begin, end, pool))
        sequence = events.latest_sequence(reading)
    points = [
        documents.WaitingPoint(
            begin=from_stored(first),
            end=from_stored(last),
            average=round(one.average, 6),
            most=one.most,
        )
        for first, last, one in zip(edges, edges[1:], waited(found, edges), strict=False)
    ]
    half, most = quantile(found, 0.5), quantile(found, 0.9)
    listing = documents.Waiting(
        items=tuple(points),
        begin=begin,
        end=end,
        time_zone=str(zone),
        served=sum(one.served for one in found),
        half=None if half is None else half / _SECOND,
        most=None if most is None else most / _SECOND,
        sequence=sequence,
    )
    return answer_list(request, listing)


def _edges(begin: datetime, end: datetime, zone: tzinfo) -> list[int]:
    """Where one part of the period ends and the next begins: midnights of the zone, or full hours."""
    first, last = to_stored(begin), to_stored(end)
    if end - begin <= HOURLY_UP_TO:
        hour = 3600 * _SECOND
        inner = list(range(first - first % hour + hour, last, hour))
    else:
        inner, day = [], local_date(first, zone)
        while (midnight := first_instant(day := day + timedelta(days=1), zone)) < last:
            inner.append(midnight)
    edges = [first, *inner, last] if first < last else [first]
    return edges[-(MOST_PARTS + 1) :]
