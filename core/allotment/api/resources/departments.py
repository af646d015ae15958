"""Departments: groups above groups, with ceilings that bind all of theirs together."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from allotment.api.answering import ExpectedRevision, Repeated, answer, answer_list, write_once
from allotment.api.fields import Body, Count, NameField, NamePath, Title
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, Plane, require
from allotment.api.views.departments import department_document, department_documents
from allotment.api.views.foreseeing import foreseen_in_pools
from allotment.model import documents
from allotment.record import Writing, departments, events
from allotment.rules.permission import Action

router = APIRouter(prefix="/departments", tags=["departments"])

Ceilings = Annotated[
    dict[NameField, Count],
    Field(max_length=200, description="By pool: the most devices of all its groups together"),
]


class NewDepartment(Body):
    """A department that is to be made."""

    name: NameField
    title: Title = ""
    ceilings: Ceilings = Field(default_factory=dict)


class DepartmentEdit(Body):
    """What is to change of a department; what is left out stays."""

    title: Title | None = None
    ceilings: Ceilings | None = None


@router.get("", response_model=documents.DepartmentListing, summary="List departments")
def list_departments(request: Request, plane: Plane, caller: Asker, page: Paged) -> Response:
    """All departments with their groups, ceilings, and what they hold."""
    require(caller, Action.SEE_PLATFORM)
    with plane.record.reading() as reading:
        found = department_documents(reading)
        sequence = events.latest_sequence(reading)
    items, following = cut(found, lambda one: (one.name,), page)
    return answer_list(
        request, documents.DepartmentListing(items=items, next=following, sequence=sequence)
    )


@router.get("/{name}", response_model=documents.Department, summary="Read a department")
def read_department(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """One department, with its revision as the ETag."""
    require(caller, Action.SEE_PLATFORM)
    with plane.record.reading() as reading:
        found = department_document(reading, name)
    return answer(found, revision=found.revision)


@router.post("", response_model=documents.Department, status_code=201, summary="Make a department")
def create_department(
    plane: Plane, caller: Asker, repeat: Repeated, body: NewDepartment
) -> Response:
    """Make a department. Groups join it by being changed."""
    require(caller, Action.CHANGE_GROUPS)

    def change(writing: Writing) -> documents.Document:
        departments.create(writing, body.name, body.title, body.ceilings)
        return department_document(writing, body.name)

    return write_once(plane, caller, repeat, change, status=201)


@router.patch("/{name}", response_model=documents.Department, summary="Change a department")
def edit_department(
    plane: Plane, caller: Asker, name: NamePath, expected: ExpectedRevision, body: DepartmentEdit
) -> Response:
    """Change title or ceilings. Below what is held nothing stops; nothing new starts until it is given back."""
    require(caller, Action.CHANGE_GROUPS)
    with plane.record.writing(caller.person, plane.now()) as writing:
        departments.edit(writing, name, body.title, body.ceilings, expected)
        found = department_document(writing, name)
    return answer(found, revision=found.revision)


@router.post(
    "/{name}/consequences",
    response_model=documents.Consequences,
    summary="What changing a department would do",
)
def foresee_department(
    plane: Plane, caller: Asker, name: NamePath, body: DepartmentEdit
) -> Response:
    """What other ceilings would do to what runs and waits. Nothing is changed.

    Refused as the change itself would be.
    """
    require(caller, Action.CHANGE_GROUPS)
    with plane.record.reading() as reading:
        before = departments.get(reading, name).ceilings
    found = foreseen_in_pools(
        plane,
        caller,
        before.keys() | (body.ceilings or {}).keys(),
        lambda writing: departments.edit(writing, name, body.title, body.ceilings),
    )
    return answer(found)


@router.delete("/{name}", status_code=204, summary="Delete a department")
def delete_department(
    plane: Plane, caller: Asker, name: NamePath, expected: ExpectedRevision
) -> Response:
    """Delete a department without groups, with its ceilings and its budget."""
    require(caller, Action.CHANGE_GROUPS)
    with plane.record.writing(caller.person, plane.now()) as writing:
        departments.delete(writing, name, expected)
    return Response(status_code=204)
