"""The capacity plan: what was promised and used of every pool, against what is there."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request, Response

from allotment.api.answering import answer_list
from allotment.api.paging import Paged, cut
from allotment.api.periods import Period, times
from allotment.api.plane import Asker, Plane, require
from allotment.api.views.planning import plan_csv, planned_pools
from allotment.model import documents
from allotment.record import events, platform
from allotment.rules.permission import Action

router = APIRouter(tags=["planning"])

CSV = "text/csv"
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
