"""Refused launches and drift: what operators should look at."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from allotment.api.answering import answer_list
from allotment.api.paging import Paged, cut, read_cursor, write_cursor
from allotment.api.plane import Asker, Plane, require
from allotment.api.problems import RequestInvalid
from allotment.api.views.happenings import drift_documents, refusal_documents
from allotment.model import documents
from allotment.record import events
from allotment.rules.permission import Action, sight

router = APIRouter(tags=["events"])

_MOST = 1000


@router.get(
    "/refusals", response_model=documents.RefusedClaimListing, summary="List refused launches"
)
def list_refusals(
    request: Request,
    plane: Plane,
    caller: Asker,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 50,
    cursor: Annotated[str | None, Query(max_length=200, pattern=r"^[A-Za-z0-9_-]+$")] = None,
) -> Response:
    """Launches that were refused or would have had to wait, newest first."""
    with plane.record.reading() as reading:
        found = refusal_documents(reading, sight(caller), limit + 1, _before(cursor))
        sequence = events.latest_sequence(reading)
    items = found[:limit]
    following = write_cursor((str(items[-1].sequence),)) if len(found) > limit else None
    listing = documents.RefusedClaimListing(items=tuple(items), next=following, sequence=sequence)
    return answer_list(request, listing)


def _before(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    key = read_cursor(cursor)
    if len(key) != 1 or not key[0].isascii() or not key[0].isdigit() or len(key[0]) > 18:  # noqa: PLR2004 - what a sequence's column can hold
        message = "The cursor is none that this list gave."
        raise RequestInvalid(message, "Begin at the first page, without a cursor.")
    return int(key[0])


@router.get("/drift", response_model=documents.DriftListing, summary="List drift")
def list_drift(request: Request, plane: Plane, caller: Asker, page: Paged) -> Response:
    """Servers that run though the record cannot account for them, oldest first."""
    require(caller, Action.SEE_PLATFORM)
    with plane.record.reading() as reading:
        found = drift_documents(reading)
        sequence = events.latest_sequence(reading)
    items, following = cut(found, lambda one: (one.seen_at.isoformat(), one.id), page)
    listing = documents.DriftListing(items=items, next=following, sequence=sequence)
    return answer_list(request, listing)
