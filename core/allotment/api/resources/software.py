"""Software: the versions that profiles name, and which servers run which."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from allotment.api.answering import answer_list
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, Plane, require
from allotment.api.views.software import software_documents
from allotment.model import documents
from allotment.record import events
from allotment.rules.permission import Action, sight

router = APIRouter(prefix="/software", tags=["software"])


@router.get("", response_model=documents.SoftwareListing, summary="List software and its versions")
def list_software(request: Request, plane: Plane, caller: Asker, page: Paged) -> Response:
    """What published profiles name, each with its versions, newest first, and the servers that run them."""
    require(caller, Action.SEE_PLATFORM)
    with plane.record.reading() as reading:
        found = software_documents(reading, sight(caller))
        sequence = events.latest_sequence(reading)
    items, following = cut(found, lambda one: (one.profile, one.software), page)
    return answer_list(
        request, documents.SoftwareListing(items=items, next=following, sequence=sequence)
    )
