"""What targets keep that nothing needs: told, and taken away."""

from __future__ import annotations

from fastapi import APIRouter, Response

from allotment.api.answering import answer
from allotment.api.fields import NamePath
from allotment.api.plane import Asker, Plane, require
from allotment.api.views.versions import cleaning_document
from allotment.model import documents
from allotment.rules.permission import Action

router = APIRouter(prefix="/targets/{name}", tags=["targets"])


@router.get(
    "/leftovers",
    response_model=documents.TargetCleaning,
    summary="Tell what cleaning a target would remove",
)
async def read_leftovers(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """What lies there of deleted datasets and models, and of commits that failed; nothing is removed."""
    require(caller, Action.CHANGE_TARGETS)

    def look() -> Response:
        return answer(cleaning_document(name, plane.data.cleaning.look(name)))

    return await plane.data.outside.call(caller.person, "target", name, look)


@router.post("/clean", response_model=documents.TargetCleaning, summary="Clean a target")
async def clean_target(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """Remove what no version, no commit under way and no model needs, for some twenty seconds.

    Of a dataset that is being committed, or was deleted in the last ten minutes, nothing is removed. While
    one is cleaned, commits of it are refused.
    """
    require(caller, Action.CHANGE_TARGETS)

    def clean() -> Response:
        found, complete = plane.data.cleaning.clean(name, caller.person)
        return answer(cleaning_document(name, found, complete=complete))

    return await plane.data.outside.call(caller.person, "target", name, clean)
