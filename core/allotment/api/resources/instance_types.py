"""Instance types: machines of a cloud, their limits and prices, and who holds them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field, StringConstraints

from allotment.api.answering import (
    ExpectedRevision,
    Repeated,
    answer,
    answer_list,
    keep_answer,
    recall_answer,
    write_once,
)
from allotment.api.fields import Body, Count, NameField, NamePath, Title, Words
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, ControlPlane, Plane, require
from allotment.api.stopping import Wanted, stop_servers
from allotment.api.views.types import (
    quota_documents,
    type_document,
    type_documents,
    type_warnings,
)
from allotment.model import documents
from allotment.model.budgets import Amount
from allotment.model.instance_types import QUOTA_CODE, InstanceType
from allotment.record import Writing, allotments, events, instance_types
from allotment.rules.permission import Action

router = APIRouter(prefix="/instance-types", tags=["instance types"])

Vcpus = Annotated[int, Field(ge=1, le=100_000, strict=True)]
QuotaCode = Annotated[str, StringConstraints(pattern=QUOTA_CODE), Field(examples=["L-DB2E81BA"])]
_LIMITING = frozenset({"limit", "vcpus", "quota"})
"""Fields that raise or lower what there may be."""


class NewInstanceType(Body):
    """An instance type that is to be made."""

    name: NameField
    title: Title = ""
    price: Amount | None = Field(default=None, description="Per hour")
    limit: Count | None = Field(default=None, description="Instances at most")
    vcpus: Vcpus | None = None
    quota: QuotaCode | None = None
    enabled: bool = Field(default=True, strict=True)


class InstanceTypeEdit(Body):
    """What is to change of an instance type; what is left out stays, and null takes a value away."""

    title: Title = ""
    price: Amount | None = None
    limit: Count | None = None
    vcpus: Vcpus | None = None
    quota: QuotaCode | None = None
    enabled: bool = Field(default=True, strict=True)


class TypeRevocation(Body):
    """Why an instance type is revoked; the users of its servers read it."""

    reason: Words = Field(min_length=1)


@router.get("", response_model=documents.InstanceTypeListing, summary="List instance types")
def list_types(request: Request, plane: Plane, caller: Asker, page: Paged) -> Response:
    """All instance types with what is used of them, and the quotas of the account as they were read last."""
    require(caller, Action.SEE_PLATFORM)
    found = _listing(plane)
    items, following = cut(list(found.items), lambda one: (one.name,), page)
    return answer_list(request, found.model_copy(update={"items": items, "next": following}))


@router.post(
    "", response_model=documents.InstanceType, status_code=201, summary="Make an instance type"
)
def create_type(plane: Plane, caller: Asker, repeat: Repeated, body: NewInstanceType) -> Response:
    """Make an instance type, for profiles to name."""
    require(caller, Action.CHANGE_TYPES)
    require(caller, Action.LIMIT_TYPES)

    def change(writing: Writing) -> documents.Document:
        made = instance_types.create(writing, _changed(InstanceType(body.name), dict(body)))
        return type_document(writing, made.name)

    return write_once(plane, caller, repeat, change, status=201)


def _changed(before: InstanceType, given: dict[str, Any]) -> InstanceType:
    names = {"limit": "most"}
    return replace(
        before, **{names.get(key, key): value for key, value in given.items() if key != "name"}
    )


@router.get("/{name}", response_model=documents.InstanceType, summary="Read an instance type")
def read_type(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """One instance type, with its revision as the ETag."""
    require(caller, Action.SEE_PLATFORM)
    with plane.record.reading() as reading:
        found = type_document(reading, name)
    return answer(found, revision=found.revision)


@router.patch("/{name}", response_model=documents.InstanceType, summary="Change an instance type")
def edit_type(
    plane: Plane, caller: Asker, name: NamePath, expected: ExpectedRevision, body: InstanceTypeEdit
) -> Response:
    """Change title, price or limits, enable or disable. What runs keeps what it was promised."""
    require(caller, Action.CHANGE_TYPES)
    given = {key: getattr(body, key) for key in body.model_fields_set}
    if _LIMITING & set(given):
        require(caller, Action.LIMIT_TYPES)
    with plane.record.writing(caller.person, plane.now()) as writing:
        before = instance_types.get(writing, name)
        instance_types.edit(writing, _changed(before, given), expected)
        found = type_document(writing, name)
    return answer(found, revision=found.revision)


@router.delete("/{name}", status_code=204, summary="Delete an instance type")
def delete_type(
    plane: Plane, caller: Asker, name: NamePath, expected: ExpectedRevision
) -> Response:
    """Delete an instance type that no server holds and no profile names."""
    require(caller, Action.CHANGE_TYPES)
    require(caller, Action.LIMIT_TYPES)
    with plane.record.writing(caller.person, plane.now()) as writing:
        instance_types.delete(writing, name, expected)
    return Response(status_code=204)


@router.post(
    "/{name}/revoke",
    response_model=documents.InstanceTypeRevocation,
    summary="Revoke an instance type at once",
)
def revoke_type(
    plane: Plane, caller: Asker, repeat: Repeated, name: NamePath, body: TypeRevocation
) -> Response:
    """Disable an instance type and stop every server that holds it."""
    require(caller, Action.REVOKE_TYPE)
    known = recall_answer(plane, caller, repeat)
    if known is not None:
        return known
    with plane.record.writing(caller.person, plane.now()) as writing:
        before = instance_types.get(writing, name)
        instance_types.edit(writing, replace(before, enabled=False))
        holding = [one for one in allotments.active(writing) if _type_of(one.terms) == name]
        found = type_document(writing, name)
    outcomes = stop_servers(plane, caller, [Wanted.of(one) for one in holding], body.reason)
    done = documents.InstanceTypeRevocation(instance_type=found, outcomes=outcomes.outcomes)
    return keep_answer(plane, caller, repeat, done)


def _type_of(terms: dict[str, Any]) -> str | None:
    named: str | None = terms.get("profile", {}).get("instance_type")
    return named


@router.post(
    "/read", response_model=documents.InstanceTypeListing, summary="Read the cloud's limits now"
)
def read_cloud(plane: Plane, caller: Asker) -> Response:
    """Ask the account for its quotas now, and answer the instance types as they are then.

    What could not be read says so in itself, with the reading before it.
    """
    require(caller, Action.CHANGE_TYPES)
    plane.cloud.read(plane.now())
    return answer(_listing(plane))


def _listing(plane: ControlPlane) -> documents.InstanceTypeListing:
    with plane.record.reading() as reading:
        return documents.InstanceTypeListing(
            items=tuple(type_documents(reading)),
            quotas=quota_documents(reading),
            region=plane.cloud.region,
            warnings=type_warnings(reading),
            sequence=events.latest_sequence(reading),
        )
