"""Users: who is on the platform, with which role, in which group."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from allotment.api.answering import (
    ExpectedRevision,
    Repeated,
    answer,
    answer_list,
    recalled,
    remember,
    write_once,
)
from allotment.api.fields import Body, NameField, NameQuery, PersonField, PersonPath, Sequence
from allotment.api.identity import hash_token
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, Plane, require
from allotment.api.views.changes import touched
from allotment.api.views.people import user_document, user_documents
from allotment.model import documents
from allotment.model.people import BuiltInRole, Permission
from allotment.model.refusals import NotFound
from allotment.record import (
    Reading,
    Writing,
    credentials,
    events,
    leaving,
    memberships,
    people,
    roles,
)
from allotment.rules.permission import LEAD_PERMISSIONS, Action, Target, sight
from allotment.work.farewells import KEPT
from allotment.work.hub_api import HubAway, HubRefused

router = APIRouter(prefix="/users", tags=["users"])
log = logging.getLogger(__name__)

LINK_LASTS = timedelta(hours=24)
"""How long a link that resets a password can be used."""

Names = Annotated[tuple[PersonField, ...], Field(min_length=1, max_length=1000)]


class NewUsers(Body):
    """People who are to be on-boarded, into a group or none."""

    names: Names
    group: NameField | None = None
    role: NameField = str(BuiltInRole.DATA_SCIENTIST)


class UserEdit(Body):
    """The role that a person is to have."""

    role: NameField


class Move(Body):
    """The one group that a person is to be in; none: leave all."""

    group: NameField | None


class LeavingUsers(Body):
    """People who are to be removed."""

    names: Names


@router.get("", response_model=documents.UserListing, summary="List people")
def list_users(
    request: Request,
    plane: Plane,
    caller: Asker,
    page: Paged,
    group: NameQuery = None,
    changed_after: Sequence = None,
) -> Response:
    """Everybody for those who see everything; members of own groups for leads; else oneself."""
    seen = sight(caller)
    with plane.record.reading() as reading:
        change = None if changed_after is None else touched(reading, seen, changed_after)
        only = None if change is None else change.people
        found = user_documents(reading, seen, only)
        sequence = events.latest_sequence(reading)
    gone = () if only is None else sorted(only - {user.name for user in found})
    if group is not None:
        found = [user for user in found if any(one.group == group for one in user.memberships)]
    items, following = cut(found, lambda user: (user.name,), page)
    listing = documents.UserListing(
        items=items, next=following, sequence=sequence, complete=only is None, removed=tuple(gone)
    )
    return answer_list(request, listing)


@router.get("/{name}", response_model=documents.User, summary="Read a person")
def read_user(plane: Plane, caller: Asker, name: PersonPath) -> Response:
    """One person, with the limits that bind and where each comes from."""
    seen = sight(caller)
    with plane.record.reading() as reading:
        inside = {one.group for one in memberships.all_memberships(reading, person=name)}
        if not seen.sees(name, inside):
            raise NotFound("person", name)
        found = user_document(reading, name, plane.now())
    return answer(found, revision=found.revision)


@router.post(
    "", response_model=documents.OnboardedUsers, status_code=201, summary="On-board people"
)
def onboard_users(plane: Plane, caller: Asker, repeat: Repeated, body: NewUsers) -> Response:
    """Admit one or many people to the platform: all of them or nobody. Who is there already stays as is."""
    require(caller, Action.ONBOARD)

    def change(writing: Writing) -> documents.Document:
        permitted = _permitted(writing, body.role)
        if body.role != BuiltInRole.DATA_SCIENTIST:
            require(caller, Action.ASSIGN_ROLE, Target(touches=permitted))
        people.onboard(writing, body.names, body.group, body.role)
        wanted = dict.fromkeys(body.names)
        users = tuple(user_document(writing, name, plane.now()) for name in wanted)
        return documents.OnboardedUsers(users=users)

    response = write_once(plane, caller, repeat, change, status=201)
    return _with_hub(response, lambda: plane.hub.create_users(body.names), "made known to")


@router.post("/delete", response_model=documents.OnboardedUsers, summary="Remove people")
def delete_users(plane: Plane, caller: Asker, repeat: Repeated, body: LeavingUsers) -> Response:
    """Remove one or many people: all of them or nobody. Refused while one has a running server."""
    require(caller, Action.REMOVE_PEOPLE)

    def change(writing: Writing) -> documents.Document:
        now = plane.now()
        users = tuple(user_document(writing, name, now) for name in dict.fromkeys(body.names))
        for user in users:
            require(caller, Action.REMOVE_PEOPLE, _taken_over(writing, user))
        people.delete(writing, body.names)
        for user in users:
            leaving.removed(writing, user.name)
        return documents.OnboardedUsers(users=users)

    def leave() -> None:
        for name in dict.fromkeys(body.names):
            plane.hub.delete_user(name)
            with plane.record.writing(caller.person, plane.now()) as writing:
                if leaving.is_removed(writing, name):
                    leaving.said_farewell(writing, name, plane.environment.hub, KEPT)

    response = write_once(plane, caller, repeat, change)
    return _with_hub(response, leave, "removed from", " It is done when the hub is back.")


def _with_hub(response: Response, act: Callable[[], None], verb: str, later: str = "") -> Response:
    """Do the hub's part; the record has decided already, so a hub that is away is only a note."""
    if response.headers.get("Idempotent-Replayed"):
        return response
    try:
        act()
    except (HubAway, HubRefused) as error:
        log.warning("the hub's part is left: %s", error)
        done = documents.OnboardedUsers.model_validate_json(bytes(response.body))
        note = f"They could not be {verb} the hub yet: {error}{later}"
        return answer(done.model_copy(update={"notes": (note,)}), response.status_code)
    return response


@router.patch("/{name}", response_model=documents.User, summary="Give a person another role")
def edit_user(
    plane: Plane, caller: Asker, name: PersonPath, expected: ExpectedRevision, body: UserEdit
) -> Response:
    """Promote and downgrade. There is always at least one operator."""
    require(caller, Action.ASSIGN_ROLE)
    with plane.record.writing(caller.person, plane.now()) as writing:
        before = people.get(writing, name).role
        touches = _permitted(writing, before) | _permitted(writing, body.role)
        require(caller, Action.ASSIGN_ROLE, Target(person=name, touches=touches))
        people.set_role(writing, name, body.role, expected)
        found = user_document(writing, name, plane.now())
    return answer(found, revision=found.revision)


@router.post("/{name}/move", response_model=documents.User, summary="Move a person to a group")
def move_user(
    plane: Plane, caller: Asker, repeat: Repeated, name: PersonPath, body: Move
) -> Response:
    """Leave every group and join this one, in one step. Running servers stay charged to who paid."""
    require(caller, Action.MOVE_PEOPLE)

    def change(writing: Writing) -> documents.Document:
        people.get(writing, name)
        inside = memberships.all_memberships(writing, person=name)
        if any(one.lead and one.group != body.group for one in inside):
            require(caller, Action.APPOINT_LEADS)
        if body.group is None:
            for group in sorted({one.group for one in inside}):
                memberships.remove(writing, name, group)
        else:
            memberships.move(writing, name, body.group)
        return user_document(writing, name, plane.now())

    return write_once(plane, caller, repeat, change)


@router.post(
    "/{name}/reset-link",
    response_model=documents.ResetLink,
    status_code=201,
    summary="Make a link that resets a password",
)
def reset_link(plane: Plane, caller: Asker, repeat: Repeated, name: PersonPath) -> Response:
    """Make a link with which the person chooses a new password, once. It is told only in this answer."""
    require(caller, Action.RESET_PASSWORD)
    token, now = secrets.token_urlsafe(32), plane.now()
    with plane.record.writing(caller.person, now) as writing:
        known = recalled(writing, caller, repeat)
        if known is not None:
            return known
        user = user_document(writing, name, now)
        require(caller, Action.RESET_PASSWORD, _taken_over(writing, user))
        credentials.create_reset(writing, name, hash_token(token), now + LINK_LASTS)
        remember(writing, caller, repeat, None, 201)
    where = plane.environment
    link = f"{where.public_origin}{where.hub_path}reset-password?token={token}"
    return answer(documents.ResetLink(person=name, link=link, expires_at=now + LINK_LASTS), 201)


def _taken_over(reading: Reading, user: documents.User) -> Target:
    """What whoever resets this person's password, or removes them, would have power over."""
    touches = set(_permitted(reading, user.role))
    if any(one.lead for one in user.memberships):
        touches |= LEAD_PERMISSIONS
    return Target(person=user.name, touches=frozenset(touches))


def _permitted(reading: Reading, name: str) -> frozenset[Permission]:
    role = next((role for role in roles.all_roles(reading) if role.name == name), None)
    if role is None:
        raise NotFound("role", name)
    return role.permissions
