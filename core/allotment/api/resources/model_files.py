"""Files of registered models: sent to the target that keeps them, and downloaded again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from allotment.api.answering import answer
from allotment.api.fields import NamePath
from allotment.api.plane import Asker, ControlPlane, Plane, require
from allotment.api.receiving import receive
from allotment.api.resources.attachments import CONTENT, OCTETS, PLAIN_NAME, as_download
from allotment.api.views.models import known_model, model_document, own_model
from allotment.data.versions.kept_files import Keeping, drop_file, new_key, open_file
from allotment.model import documents
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotFound, Refusal
from allotment.model.registered_models import RegisteredModel
from allotment.record import registered_models
from allotment.rules.permission import Action, Caller, Target
from allotment.rules.versioning import disabled_reason

router = APIRouter(prefix="/models", tags=["models"])

LARGEST = 10 * 2**30
"""Bytes of a model's file at most. What is larger is put into a bucket and registered by its URI."""
FileName = Annotated[str, Query(min_length=1, max_length=120, pattern=PLAIN_NAME, alias="name")]
VersionPath = Annotated[str, Path(pattern=r"^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$")]


@router.put(
    "/{name}/{version}/file",
    response_model=documents.RegisteredModel,
    summary="Send a model's file",
    openapi_extra={"requestBody": {**CONTENT, "required": True}},
)
async def keep_model(
    request: Request,
    plane: Plane,
    caller: Asker,
    name: NamePath,
    version: VersionPath,
    file: FileName = "model",
) -> Response:
    """Send the file that the model's target is to keep, at most 10 GiB; it takes the place of one sent before."""
    model = await to_thread.run_sync(own_model, plane, caller, name, version)
    with plane.data.arrivals.turn(caller.person) as arrival:
        keeping = await to_thread.run_sync(_begin, plane, model)
        try:
            await receive(request, keeping, plane.data.arrivals, arrival, LARGEST)
            return await plane.data.outside.call(
                caller.person,
                "target",
                model.target or "",
                lambda: _keep(plane, caller, model, keeping, file),
            )
        finally:
            await to_thread.run_sync(keeping.close)


@router.get(
    "/{name}/{version}/file",
    response_class=StreamingResponse,
    summary="Download a model's file",
    responses={200: {"description": "The file's bytes", **CONTENT}},
)
async def read_model_file(
    plane: Plane, caller: Asker, name: NamePath, version: VersionPath
) -> StreamingResponse:
    """The bytes of a model's file, to be saved."""
    require(caller, Action.LEND, Target(person=caller.person))
    model = await to_thread.run_sync(known_model, plane, caller, name, version)
    if model.target is None or not model.file:
        raise NotFound("file of the model", f"{name}/{version}")

    def begin() -> Iterator[bytes]:
        opened = plane.data.committing.opened(model.target or "")
        pieces = open_file(opened, model.key, plane.data.opening.door)
        # The first piece is read before anything is answered: a target that is away is a problem then.
        return chain([next(pieces, b"")], pieces)

    pieces = await plane.data.outside.call(caller.person, "target", model.target, begin)
    return StreamingResponse(pieces, media_type=OCTETS, headers=as_download(model.file))


def _begin(plane: ControlPlane, model: RegisteredModel) -> Keeping:
    """Open the target of a model for a file.

    Raises:
        Refusal: it has no target, or that takes nothing new.
    """
    if model.target is None:
        message = (
            f"Model {model.name}/{model.version} lies at its URI: no target keeps a file of it."
        )
        raise Refusal(Reason(Rule.DATA_VERSION, message, remedy="Register another version."))
    opened = plane.data.committing.opened(model.target)
    if not opened.target.enabled:
        raise Refusal(disabled_reason(model.target))
    return Keeping(opened, plane.data.opening.door, plane.data.folder)


def _keep(
    plane: ControlPlane, caller: Caller, model: RegisteredModel, keeping: Keeping, file: str
) -> Response:
    """Keep what has come for a model, in the place of what was kept before."""
    key = new_key(model.name, model.version)
    now = replace(model, file=file, size=keeping.size, sha256=keeping.sha256, key=key)
    # Noted before it is there: if this process dies, somebody knows what it has left.
    with plane.record.writing(caller.person, plane.now(), configuration=False) as writing:
        registered_models.coming(writing, model, key, keeping.size)
    keeping.keep(key)
    try:
        with plane.record.writing(caller.person, plane.now()) as writing:
            before = registered_models.kept(
                writing, model, file=file, size=keeping.size, sha256=keeping.sha256, key=key
            )
    except Refusal:
        drop(plane, caller, now)
        raise
    drop(plane, caller, before)
    return answer(model_document(replace(now, audience=before.audience), caller))


def drop(plane: ControlPlane, caller: Caller, model: RegisteredModel) -> None:
    """Delete the file that a target keeps of a model, if it does.

    Raises:
        SourceProblem: the target refused. The file is remembered as left there.
    """
    if model.target is None or not model.key:
        return
    drop_file(plane.data.committing.opened(model.target), model.key, plane.data.opening.door)
    with plane.record.writing(caller.person, plane.now(), configuration=False) as writing:
        registered_models.dropped(writing, model)
