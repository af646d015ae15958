"""Cordons: nodes, pools and devices that are out of use, now or at a date."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field, StringConstraints

from allotment.api.answering import ExpectedRevision, Repeated, answer, answer_list, write_once
from allotment.api.fields import Body, DeviceField, Words
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, Plane, require
from allotment.api.views.cordons import consequences, cordon_document, cordon_documents
from allotment.model import documents
from allotment.model.cordons import Cordon, Scope
from allotment.model.moments import Moment
from allotment.record import Writing, cordons, events
from allotment.rules.permission import Action

router = APIRouter(prefix="/cordons", tags=["cordons"])

Reason = Annotated[Words, StringConstraints(min_length=1, max_length=400, pattern=r"\S")]
Names = Annotated[tuple[DeviceField, ...], Field(min_length=1, max_length=1000)]
Key = Annotated[str, Path(pattern=r"^[0-9a-f]{1,40}$", max_length=40)]


class NewCordon(Body):
    """What is to be out of use, why, and from when to when."""

    scope: Scope
    names: Names = Field(description="Nodes, pools or devices", examples=[["dgx-1"]])
    reason: Reason = Field(description="What people are told")
    begins_at: Moment | None = Field(default=None, description="Left out: now")
    drain_at: Moment | None = Field(
        default=None, description="When what runs there is stopped; left out: it may go on"
    )
    ends_at: Moment | None = Field(
        default=None, description="When it is back; left out: when somebody says so"
    )


class CordonEdit(Body):
    """What is to change; what is left out stays, null takes a time away."""

    reason: Reason | None = None
    begins_at: Moment | None = None
    drain_at: Moment | None = None
    ends_at: Moment | None = None


@router.get("", response_model=documents.CordonListing, summary="List what is out of use")
def list_cordons(request: Request, plane: Plane, caller: Asker, page: Paged) -> Response:
    """What is out of use now or will be, for those who see everything."""
    require(caller, Action.SEE_PLATFORM)
    with plane.record.reading() as reading:
        found = cordon_documents(reading, plane.now())
        sequence = events.latest_sequence(reading)
    items, following = cut(found, lambda one: (one.begins_at.isoformat(), one.id), page)
    return answer_list(
        request, documents.CordonListing(items=items, next=following, sequence=sequence)
    )


@router.post("", response_model=documents.Cordon, status_code=201, summary="Take out of use")
def create_cordon(plane: Plane, caller: Asker, repeat: Repeated, body: NewCordon) -> Response:
    """Put nothing new there; where ``drain_at`` says so, tell who uses it, and stop what runs there then."""
    require(caller, Action.CHANGE_POOLS)

    def change(writing: Writing) -> documents.Document:
        made = cordons.create(writing, _wanted(body, caller.person, writing.now))
        return cordon_document(writing, made.id, plane.now())

    return write_once(plane, caller, repeat, change, status=201)


def _wanted(body: NewCordon, person: str, now: datetime) -> Cordon:
    begins, drain = body.begins_at or now, body.drain_at
    if body.begins_at is None and drain is not None:
        drain = max(drain, now)  # "now" has passed on the way here
    return Cordon(
        id="",
        scope=body.scope,
        names=tuple(dict.fromkeys(body.names)),
        reason=body.reason.strip(),
        begins_at=begins,
        said_by=person,
        said_at=now,
        drain_at=drain,
        ends_at=body.ends_at,
    )


@router.post(
    "/consequences",
    response_model=documents.CordonConsequences,
    summary="What taking out of use would do",
)
def foresee_cordon(plane: Plane, caller: Asker, body: NewCordon) -> Response:
    """Devices, servers and promises that it concerns. Nothing is changed; refused as the change itself would be."""
    require(caller, Action.CHANGE_POOLS)
    now = plane.now()
    with plane.record.reading() as reading:
        found = consequences(reading, _wanted(body, caller.person, now), now)
    return answer(found)


@router.patch("/{key}", response_model=documents.Cordon, summary="Change reason or times")
def edit_cordon(
    plane: Plane, caller: Asker, key: Key, expected: ExpectedRevision, body: CordonEdit
) -> Response:
    """Change why, or from when to when; who was told is told again. What it names stays."""
    require(caller, Action.CHANGE_POOLS)
    given = {name: getattr(body, name) for name in body.model_fields_set}
    required = {name: given[name] for name in ("reason", "begins_at") if given.get(name)}
    optional = {name: given[name] for name in ("drain_at", "ends_at") if name in given}
    with plane.record.writing(caller.person, plane.now()) as writing:
        wanted = replace(cordons.get(writing, key), **required, **optional)
        cordons.edit(writing, wanted, expected)
        found = cordon_document(writing, key, plane.now())
    return answer(found, revision=found.revision)


@router.delete("/{key}", status_code=204, summary="Give back to use")
def lift_cordon(plane: Plane, caller: Asker, key: Key, expected: ExpectedRevision) -> Response:
    """Give it back to use; what was to be stopped for it goes on."""
    require(caller, Action.CHANGE_POOLS)
    with plane.record.writing(caller.person, plane.now()) as writing:
        cordons.lift(writing, key, expected)
    return Response(status_code=204)
