"""Groups: people with a share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from allotment.api.answering import ExpectedRevision, Repeated, answer, answer_list, write_once
from allotment.api.fields import Body, Count, NameField, NamePath, PersonPath, Title
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, Plane, require
from allotment.api.views.foreseeing import foreseen_in_pools
from allotment.api.views.people import group_document, group_documents
from allotment.model import documents
from allotment.model.groups import Origin, Share
from allotment.model.moments import Moment
from allotment.model.refusals import NotFound
from allotment.record import Writing, events, groups, memberships
from allotment.rules.permission import Action, Caller, Sight, Target, sight

router = APIRouter(prefix="/groups", tags=["groups"])


class ShareField(Body):
    """What a group is to have in a pool, in devices. No ceiling: the guarantee."""

    pool: NameField
    guaranteed: Count
    ceiling: Count | None = None
    weight: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False, strict=True)] = 1.0

    def share(self, group: str) -> Share:
        """The share as the record takes it."""
        ceiling = self.guaranteed if self.ceiling is None else self.ceiling
        return Share(group, self.pool, self.guaranteed, ceiling, self.weight)


Shares = Annotated[tuple[ShareField, ...], Field(max_length=200)]
Tags = Annotated[dict[NameField, Title], Field(max_length=50)]


class NewGroup(Body):
    """A group that is to be made."""

    name: NameField
    title: Title = ""
    tags: Tags = Field(default_factory=dict)
    shares: Shares = ()
    department: NameField | None = None


class GroupEdit(Body):
    """What is to change of a group; what is left out stays."""

    title: Title | None = None
    tags: Tags | None = None
    shares: Shares | None = None
    department: NameField | None = Field(default=None, description="null: in none")


class MemberEdit(Body):
    """How a person is to be in a group. ``lead`` left out stays as it is."""

    lead: Annotated[bool, Field(strict=True)] | None = None
    until: Moment | None = None


@router.get("", response_model=documents.GroupListing, summary="List groups")
def list_groups(request: Request, plane: Plane, caller: Asker, page: Paged) -> Response:
    """All groups for those who see everything; else own ones."""
    with plane.record.reading() as reading:
        found = group_documents(reading, sight(caller))
        sequence = events.latest_sequence(reading)
    items, following = cut(found, lambda group: (group.name,), page)
    return answer_list(
        request, documents.GroupListing(items=items, next=following, sequence=sequence)
    )


@router.get("/{name}", response_model=documents.Group, summary="Read a group")
def read_group(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """One group, with its members for its leads and those who see everything."""
    seen = sight(caller)
    if not seen.sees_group(name):
        raise NotFound("group", name)
    with plane.record.reading() as reading:
        found = group_document(reading, seen, name)
    return answer(found, revision=found.revision)


@router.post("", response_model=documents.Group, status_code=201, summary="Make a group")
def create_group(plane: Plane, caller: Asker, repeat: Repeated, body: NewGroup) -> Response:
    """Make a group with its shares."""
    require(caller, Action.CHANGE_GROUPS)

    def change(writing: Writing) -> documents.Document:
        wanted = [share.share(body.name) for share in body.shares]
        groups.create(writing, body.name, body.title, body.tags, wanted, body.department)
        return group_document(writing, _all(caller), body.name)

    return write_once(plane, caller, repeat, change, status=201)


@router.patch("/{name}", response_model=documents.Group, summary="Change a group")
def edit_group(
    plane: Plane, caller: Asker, name: NamePath, expected: ExpectedRevision, body: GroupEdit
) -> Response:
    """Change title, tags, department or shares. A share may go below what is in use: ask for the consequences first."""
    require(caller, Action.CHANGE_GROUPS)
    with plane.record.writing(caller.person, plane.now()) as writing:
        _edit(writing, name, body, expected)
        found = group_document(writing, _all(caller), name)
    return answer(found, revision=found.revision)


@router.post(
    "/{name}/consequences",
    response_model=documents.Consequences,
    summary="What changing a group would do",
)
def foresee_group(plane: Plane, caller: Asker, name: NamePath, body: GroupEdit) -> Response:
    """What other shares, or another department, would do to what runs and waits. Nothing is changed.

    Refused as the change itself would be.
    """
    require(caller, Action.CHANGE_GROUPS)
    with plane.record.reading() as reading:
        before = groups.all_shares(reading, name)
    concerned = {one.pool for one in before} | {one.pool for one in body.shares or ()}
    found = foreseen_in_pools(
        plane, caller, concerned, lambda writing: _edit(writing, name, body, None)
    )
    return answer(found)


def _edit(writing: Writing, name: str, body: GroupEdit, expected: int | None) -> None:
    """Change what the body names."""
    wanted = None if body.shares is None else [share.share(name) for share in body.shares]
    inside = (body.department or "") if "department" in body.model_fields_set else None
    groups.edit(writing, name, body.title, body.tags, wanted, expected, inside)


@router.delete("/{name}", status_code=204, summary="Delete a group")
def delete_group(
    plane: Plane, caller: Asker, name: NamePath, expected: ExpectedRevision
) -> Response:
    """Delete a group without people, pools and servers."""
    require(caller, Action.CHANGE_GROUPS)
    with plane.record.writing(caller.person, plane.now()) as writing:
        groups.delete(writing, name, expected)
    return Response(status_code=204)


@router.put(
    "/{name}/members/{person}", response_model=documents.Group, summary="Put a person into a group"
)
def put_member(
    plane: Plane, caller: Asker, name: NamePath, person: PersonPath, body: MemberEdit
) -> Response:
    """Add a person to a group, or change how they are in it. Leads add plain members to own groups."""
    require(caller, Action.CHANGE_MEMBERS, Target(groups=(name,)))
    with plane.record.writing(caller.person, plane.now()) as writing:
        leads_now = _leads(writing, name, person)
        lead = leads_now if body.lead is None else body.lead
        # A lead's own time and word are no other lead's to change.
        if lead or leads_now:
            require(caller, Action.APPOINT_LEADS)
        _put(writing, name, person, lead=lead, until=body.until)
        found = group_document(writing, _of(caller, name), name)
    return answer(found, revision=found.revision)


def _put(writing: Writing, name: str, person: str, *, lead: bool, until: datetime | None) -> None:
    """Add the person by the console's word, or where another origin says it already, set the lead only."""
    inside = memberships.all_memberships(writing, name, person)
    if any(one.origin is not Origin.CONSOLE for one in inside) and until is None:
        memberships.set_lead(writing, person, name, lead=lead)
    else:
        memberships.add(writing, person, name, Origin.CONSOLE, lead=lead, until=until)


@router.delete("/{name}/members/{person}", status_code=204, summary="Take a person out of a group")
def remove_member(
    plane: Plane,
    caller: Asker,
    name: NamePath,
    person: PersonPath,
    origin: Annotated[Origin | None, Query(description="By this origin only")] = None,
) -> Response:
    """Take a person out of a group. Leads take plain members out of own groups."""
    require(caller, Action.CHANGE_MEMBERS, Target(groups=(name,)))
    with plane.record.writing(caller.person, plane.now()) as writing:
        groups.get(writing, name)
        if _leads(writing, name, person):
            require(caller, Action.APPOINT_LEADS)
        memberships.remove(writing, person, name, origin)
    return Response(status_code=204)


def _leads(writing: Writing, name: str, person: str) -> bool:
    return any(one.lead for one in memberships.all_memberships(writing, name, person))


def _all(caller: Caller) -> Sight:
    """Whoever may change groups is answered with all of the one that was changed."""
    return Sight(everything=True, person=caller.person, groups=(), leads=())


def _of(caller: Caller, name: str) -> Sight:
    """Whoever may change a group's members is answered with them."""
    return Sight(everything=False, person=caller.person, groups=(), leads=(name,))
