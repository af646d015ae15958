"""Where people's notices are sent by e-mail. Told only to themselves and to who manages people."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import Field

from allotment.api.answering import answer
from allotment.api.fields import Body, PersonPath
from allotment.api.plane import Asker, Plane, require
from allotment.model import documents
from allotment.model.mail import LONGEST_ADDRESS
from allotment.record import people
from allotment.rules.permission import Action, Target

router = APIRouter(prefix="/users", tags=["users"])


class NewAddress(Body):
    """Where a person's notices are to be sent; empty: nowhere."""

    email: str = Field(max_length=LONGEST_ADDRESS)


@router.get(
    "/{name}/email", response_model=documents.EmailAddress, summary="Read an e-mail address"
)
def read_address(plane: Plane, caller: Asker, name: PersonPath) -> Response:
    """Where a person's notices are sent: one's own, or with the permission anybody's."""
    require(caller, Action.SEE_ADDRESS, Target(name))
    with plane.record.reading() as reading:
        found = people.get(reading, name)
    return answer(documents.EmailAddress(person=name, email=found.email))


@router.put(
    "/{name}/email", response_model=documents.EmailAddress, summary="Change an e-mail address"
)
def change_address(plane: Plane, caller: Asker, name: PersonPath, body: NewAddress) -> Response:
    """Say where a person's notices are sent, or with an empty address that none are."""
    require(caller, Action.CHANGE_ADDRESS, Target(name))
    with plane.record.writing(caller.person, plane.now()) as writing:
        changed = people.set_email(writing, name, body.email)
    return answer(documents.EmailAddress(person=name, email=changed.email))
