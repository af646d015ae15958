"""Roles: named sets of permissions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from allotment.api.answering import ExpectedRevision, Repeated, answer, answer_list, write_once
from allotment.api.fields import Body, NameField, NamePath
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, Plane, require
from allotment.api.views.people import role_documents
from allotment.model import documents
from allotment.model.people import Permission
from allotment.model.refusals import AlreadyExists, NotFound
from allotment.record import Reading, Writing, events, roles
from allotment.rules.permission import Action, Target

router = APIRouter(prefix="/roles", tags=["roles"])

Permissions = Annotated[tuple[Permission, ...], Field(max_length=len(Permission))]


class NewRole(Body):
    """A role that is to be made."""

    name: NameField
    permissions: Permissions


class RoleEdit(Body):
    """What a role is to permit."""

    permissions: Permissions


@router.get("", response_model=documents.RoleListing, summary="List roles")
def list_roles(request: Request, plane: Plane, caller: Asker, page: Paged) -> Response:
    """Every role and what it permits."""
    require(caller, Action.SEE_PLATFORM)
    with plane.record.reading() as reading:
        found = sorted(role_documents(reading), key=_key)
        sequence = events.latest_sequence(reading)
    items, following = cut(found, _key, page)
    return answer_list(
        request, documents.RoleListing(items=items, next=following, sequence=sequence)
    )


def _key(role: documents.Role) -> tuple[str, ...]:
    return ("0" if role.built_in else "1", role.name)


@router.get("/{name}", response_model=documents.Role, summary="Read a role")
def read_role(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """One role, with its revision as the ETag."""
    require(caller, Action.SEE_PLATFORM)
    with plane.record.reading() as reading:
        found = _role(reading, name)
    return answer(found, revision=found.revision)


def _role(reading: Reading, name: str) -> documents.Role:
    found = next((role for role in role_documents(reading) if role.name == name), None)
    if found is None:
        raise NotFound("role", name)
    return found


@router.post("", response_model=documents.Role, status_code=201, summary="Make a role")
def create_role(plane: Plane, caller: Asker, repeat: Repeated, body: NewRole) -> Response:
    """Make a role of own. Nobody gives permissions that they lack."""
    wanted = frozenset(body.permissions)
    require(caller, Action.CHANGE_ROLES, Target(touches=wanted))

    def change(writing: Writing) -> documents.Document:
        if any(role.name == body.name for role in roles.all_roles(writing)):
            raise AlreadyExists("role", body.name)
        roles.put(writing, body.name, wanted)
        return _role(writing, body.name)

    return write_once(plane, caller, repeat, change, status=201)


@router.patch("/{name}", response_model=documents.Role, summary="Change what a role permits")
def edit_role(
    plane: Plane, caller: Asker, name: NamePath, expected: ExpectedRevision, body: RoleEdit
) -> Response:
    """Change an own role. Nobody gives or takes permissions that they lack."""
    require(caller, Action.CHANGE_ROLES)
    wanted = frozenset(body.permissions)
    with plane.record.writing(caller.person, plane.now()) as writing:
        before = frozenset(_role(writing, name).permissions)
        require(caller, Action.CHANGE_ROLES, Target(touches=wanted | before))
        roles.put(writing, name, wanted, expected)
        found = _role(writing, name)
    return answer(found, revision=found.revision)


@router.delete("/{name}", status_code=204, summary="Delete a role")
def delete_role(
    plane: Plane, caller: Asker, name: NamePath, expected: ExpectedRevision
) -> Response:
    """Delete an own role that nobody has."""
    require(caller, Action.CHANGE_ROLES)
    with plane.record.writing(caller.person, plane.now()) as writing:
        before = frozenset(_role(writing, name).permissions)
        require(caller, Action.CHANGE_ROLES, Target(touches=before))
        roles.delete(writing, name, expected)
    return Response(status_code=204)
