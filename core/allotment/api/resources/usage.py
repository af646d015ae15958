"""Usage: hours, device hours and money, by person, group, pool, profile, day and tag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from allotment.api.answering import answer
from allotment.api.fields import NameQuery, PersonQuery
from allotment.api.paging import Page, Paged, cut
from allotment.api.periods import Period, times
from allotment.api.plane import Asker, Plane
from allotment.api.problems import RequestInvalid
from allotment.api.views.usage import usage_csv, usage_rows, usage_total
from allotment.model import documents
from allotment.model.money import Dimension, Used
from allotment.record import events, platform, usage
from allotment.record.columns import from_stored
from allotment.record.usage import Question
from allotment.rules.permission import Caller, sight

router = APIRouter(tags=["usage"])

CSV = "text/csv"
LONGEST = timedelta(days=400)
"""The longest period that is cut into days."""
_DIMENSIONS = "|".join(Dimension)
By = Annotated[
    str,
    Query(
        pattern=rf"^(({_DIMENSIONS})(,({_DIMENSIONS}))*)?$",
        max_length=100,
        description=f"What to add up by: one or several of {', '.join(Dimension)}",
        examples=["group,day"],
    ),
]


def _asked(
    by: By = "person",
    person: PersonQuery = None,
    group: NameQuery = None,
    pool: NameQuery = None,
    profile: NameQuery = None,
    tag: Annotated[
        str, Query(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$", description="The tag's name")
    ] = "",
) -> Question:
    """What is asked for, before the platform's time zone is known."""
    unset = from_stored(0)
    return Question(unset, unset, _dimensions(by, tag), tag, person, group, pool, profile)


def _dimensions(by: str, tag: str) -> tuple[Dimension, ...]:
    wanted = tuple(Dimension(name) for name in by.split(",") if name)
    if len(set(wanted)) < len(wanted) or {Dimension.DAY, Dimension.MONTH} <= set(wanted):
        message = f"Use cannot be added up by {by}."
        raise RequestInvalid(message, "Name each dimension once, and a day or a month, not both.")
    if (Dimension.TAG in wanted) != bool(tag):
        message = "A tag's name and by=tag belong to each other."
        raise RequestInvalid(message, "Ask for by=tag&tag=project, for example.")
    return wanted


Asked = Annotated[Question, Depends(_asked)]


@router.get(
    "/usage",
    response_model=documents.UsageListing,
    summary="What was used, and what it cost",
    responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}},
)
def read_usage(
    request: Request, plane: Plane, caller: Asker, asked: Asked, period: Period, page: Paged
) -> Response:
    """Use of the caller, of led groups, or of everybody for those who see everything.

    From the beginning of this month until now, where no days are named; a day named as the end is
    part of it. With ``Accept: text/csv`` the whole table for a spreadsheet. A server is charged
    while it runs, by the price that was promised at its launch; tags and departments are those that
    its group has now.
    """
    now = plane.now()
    with plane.record.reading() as reading:
        zone = platform.time_zone(reading)
        question = _question(caller, asked, times(period, now, zone), now)
        used = usage.read(reading, question, now, zone)
        sequence = events.latest_sequence(reading)
    if CSV in request.headers.get("accept", ""):
        headers = {"Content-Disposition": _file_name(question, zone), "Cache-Control": "no-store"}
        body = usage_csv(question.by, usage_rows(used, question.by))
        return Response(body, headers=headers, media_type=CSV)
    return answer(_listing(question, used, page, zone, sequence))


def _listing(
    question: Question, used: Sequence[Used], page: Page, zone: tzinfo, sequence: int
) -> documents.UsageListing:
    def key(row: documents.UsageRow) -> tuple[str, ...]:
        return tuple(getattr(row, str(one)) or "" for one in question.by)

    items, following = cut(usage_rows(used, question.by), key, page)
    return documents.UsageListing(
        items=items,
        next=following,
        sequence=sequence,
        by=question.by,
        begin=question.begin,
        end=question.end,
        time_zone=str(zone),
        total=usage_total(used),
    )


def _question(
    caller: Caller, asked: Question, times: tuple[datetime, datetime], now: datetime
) -> Question:
    begin, end = times
    if Dimension.DAY in asked.by and min(end, now) - begin > LONGEST:
        message = f"A table by day is of at most {LONGEST.days} days."
        raise RequestInvalid(message, "Ask by month, or for a shorter period.")
    seen = sight(caller)
    seen_by = None if seen.everything else (seen.person, seen.leads)
    return replace(asked, begin=begin, end=end, seen_by=seen_by)


def _file_name(question: Question, zone: tzinfo) -> str:
    begin, end = (f"{one.astimezone(zone):%Y-%m-%d}" for one in (question.begin, question.end))
    return f'attachment; filename="use-{begin}-to-{end}.csv"'
