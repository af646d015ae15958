"""Limits: what one person, people of a group, or everybody may hold."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, StringConstraints

from allotment.api.answering import answer, answer_list
from allotment.api.fields import Body, Count
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, Plane, require
from allotment.api.views.foreseeing import foreseen_for_people
from allotment.api.views.people import limit_documents
from allotment.model import documents
from allotment.model.limits import LimitKind, LimitScope, effective_limit
from allotment.model.names import PERSON_PATTERN
from allotment.model.refusals import NotPermitted
from allotment.record import Writing, events, limits, memberships
from allotment.rules.permission import (
    Action,
    Caller,
    Sight,
    Target,
    judge,
    judge_lead_limit,
    sight,
)

router = APIRouter(prefix="/limits", tags=["limits"])

_SUBJECT = rf"^$|{PERSON_PATTERN}"
Subject = Annotated[
    str,
    StringConstraints(pattern=_SUBJECT, max_length=128),
    Field(description="A group or a person; empty for the platform", examples=["analyst-1"]),
]


class LimitEdit(Body):
    """A limit that is to be set; without a value it is taken away, and a wider one binds."""

    scope: LimitScope
    subject: Subject = ""
    kind: LimitKind
    value: Count | None


@router.get("", response_model=documents.LimitListing, summary="List limits")
def list_limits(
    request: Request,
    plane: Plane,
    caller: Asker,
    page: Paged,
    scope: LimitScope | None = None,
    subject: Annotated[str | None, Query(pattern=_SUBJECT, max_length=128)] = None,
) -> Response:
    """Limits that are set: all for those who see everything, else those that concern the caller or led groups."""
    with plane.record.reading() as reading:
        found = limit_documents(reading, sight(caller))
        sequence = events.latest_sequence(reading)
    found = [
        one
        for one in found
        if scope in {None, one.scope} and (subject is None or one.subject == subject)
    ]
    items, following = cut(found, lambda one: (one.scope, one.subject, one.kind), page)
    return answer_list(
        request, documents.LimitListing(items=items, next=following, sequence=sequence)
    )


@router.put("", response_model=documents.LimitListing, summary="Set a limit")
def put_limit(plane: Plane, caller: Asker, body: LimitEdit) -> Response:
    """Set or take away one limit, and answer what is set for its subject then.

    Leads limit members of own groups, within what the group itself may have.
    """
    subject = "" if body.scope is LimitScope.PLATFORM else body.subject
    with plane.record.writing(caller.person, plane.now()) as writing:
        _check(writing, caller, body, subject)
        limits.put(writing, body.scope, subject, body.kind, body.value)
        everything = Sight(everything=True, person=caller.person, groups=(), leads=())
        found = limit_documents(writing, everything)
        sequence = events.latest_sequence(writing)
    items = tuple(one for one in found if (one.scope, one.subject) == (body.scope, subject))
    return answer(documents.LimitListing(items=items, sequence=sequence))


@router.post(
    "/consequences", response_model=documents.Consequences, summary="What a limit would do"
)
def foresee_limit(plane: Plane, caller: Asker, body: LimitEdit) -> Response:
    """Who would hold more than this limit allows. Nothing is changed; refused as the change would be."""
    subject = "" if body.scope is LimitScope.PLATFORM else body.subject

    def change(writing: Writing) -> None:
        _check(writing, caller, body, subject)
        limits.put(writing, body.scope, subject, body.kind, body.value)

    return answer(foreseen_for_people(plane, caller, body.scope, subject, change))


def _check(writing: Writing, caller: Caller, body: LimitEdit, subject: str) -> None:
    if body.scope is not LimitScope.PERSON:
        require(caller, Action.LIMIT_OTHERS)
        return
    inside = memberships.current_groups(writing, subject, writing.now)
    require(caller, Action.LIMIT_PERSON, Target(person=subject, groups=inside))
    if judge(caller, Action.LIMIT_OTHERS) is None:
        return
    wider = tuple(one for one in limits.all_limits(writing) if one.scope is not LimitScope.PERSON)
    for group in inside:
        own = effective_limit(body.kind, wider, group)
        reason = judge_lead_limit(body.kind.words, body.value, own.value)
        if reason is not None:
            raise NotPermitted(reason)
