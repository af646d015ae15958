"""Reservations: devices kept for a group or a person from one time to another."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from allotment.api.answering import ExpectedRevision, Repeated, answer, answer_list, write_once
from allotment.api.fields import Body, NameField, PersonField, Title
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, Plane, require
from allotment.api.views.reservations import reservation_document, reservation_documents
from allotment.model import documents
from allotment.model.moments import Moment
from allotment.model.reservations import Reservation
from allotment.record import Writing, events, reservations
from allotment.rules.permission import Action, sight

router = APIRouter(prefix="/reservations", tags=["reservations"])

Devices = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
Key = Annotated[str, Path(pattern=r"^[0-9a-f]{1,40}$", max_length=40)]


class NewReservation(Body):
    """A reservation that is to be made, for a group or for a person."""

    pool: NameField
    devices: Devices
    begins_at: Moment
    ends_at: Moment
    group: NameField | None = None
    person: PersonField | None = None
    note: Title = ""


class ReservationEdit(Body):
    """What is to change of a reservation; what is left out stays."""

    devices: Devices | None = None
    begins_at: Moment | None = None
    ends_at: Moment | None = None
    note: Title | None = None


@router.get("", response_model=documents.ReservationListing, summary="List reservations")
def list_reservations(request: Request, plane: Plane, caller: Asker, page: Paged) -> Response:
    """Reservations that have not ended: all for those who see everything, else own ones and own groups'."""
    with plane.record.reading() as reading:
        found = reservation_documents(reading, sight(caller), plane.now())
        sequence = events.latest_sequence(reading)
    items, following = cut(found, lambda one: (one.begins_at.isoformat(), one.id), page)
    return answer_list(
        request, documents.ReservationListing(items=items, next=following, sequence=sequence)
    )


@router.post(
    "", response_model=documents.Reservation, status_code=201, summary="Make a reservation"
)
def create_reservation(
    plane: Plane, caller: Asker, repeat: Repeated, body: NewReservation
) -> Response:
    """Keep devices. What runs when it begins goes on; what would run into it is not started."""
    require(caller, Action.CHANGE_POOLS)

    def change(writing: Writing) -> documents.Document:
        return reservation_document(reservations.create(writing, _wanted(body)))

    return write_once(plane, caller, repeat, change, status=201)


def _wanted(body: NewReservation) -> Reservation:
    return Reservation(
        "",
        body.pool,
        body.devices,
        body.begins_at,
        body.ends_at,
        body.group,
        body.person,
        body.note,
    )


@router.patch("/{key}", response_model=documents.Reservation, summary="Change a reservation")
def edit_reservation(
    plane: Plane, caller: Asker, key: Key, expected: ExpectedRevision, body: ReservationEdit
) -> Response:
    """Change devices, times or note; whose it is and of which pool stays."""
    require(caller, Action.CHANGE_POOLS)
    given = {name: value for name, value in body if value is not None}
    with plane.record.writing(caller.person, plane.now()) as writing:
        wanted = replace(reservations.get(writing, key), **given)
        found = reservation_document(reservations.edit(writing, wanted, expected))
    return answer(found, revision=found.revision)


@router.delete("/{key}", status_code=204, summary="Cancel a reservation")
def cancel_reservation(
    plane: Plane, caller: Asker, key: Key, expected: ExpectedRevision
) -> Response:
    """Keep the devices no longer."""
    require(caller, Action.CHANGE_POOLS)
    with plane.record.writing(caller.person, plane.now()) as writing:
        reservations.cancel(writing, key, expected)
    return Response(status_code=204)
