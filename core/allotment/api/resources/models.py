"""Registered models: named, versioned, with what they came from; their files kept by targets."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, BinaryIO

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field, StringConstraints

from allotment.api.answering import Repeated, answer, answer_list, write_once
from allotment.api.fields import Body, NameField, NamePath
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, ControlPlane, Plane, require
from allotment.api.problems import RequestInvalid
from allotment.api.registering_datasets import must_be_known
from allotment.api.resources.attachments import OCTETS, as_download
from allotment.api.resources.source_bodies import AudienceField, Text
from allotment.api.views.models import model_document
from allotment.api.views.onlooker import NotShared, Onlooker, known_dataset
from allotment.data.versions.kept_files import drop_file, keep_file, open_file
from allotment.model import documents
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotFound, NotPermitted, Refusal
from allotment.model.registered_models import RegisteredModel
from allotment.model.sources import Audience
from allotment.record import Reading, Writing, events, registered_models, versions
from allotment.rules.data_access import may_use_model
from allotment.rules.data_sharing import sharing_reason
from allotment.rules.permission import Action, Caller, Target, judge

router = APIRouter(prefix="/models", tags=["models"])

LARGEST = 10 * 2**30
"""Bytes of a model's file at most. What is larger is put into a bucket and registered by its URI."""
_PIECE = 2**20
_URI = (
    r"^((s3|s3a|azure|az|abfs|abfss|gs|gcs|https?|models|runs|mlflow-artifacts):/{1,2}|file://)?"
    r"/?[^\s\x00-\x1f\x7f]+$"
)
Uri = Annotated[str, StringConstraints(max_length=2048, pattern=_URI)]
Came = Annotated[
    str, StringConstraints(max_length=80, pattern=r"^[a-z0-9][a-z0-9._-]*@[0-9]{1,7}$")
]
Metric = Annotated[float, Field(allow_inf_nan=False)]
FileName = Annotated[
    str, Query(min_length=1, max_length=120, pattern=r"^[^/\\\x00-\x1f\x7f]+$", alias="name")
]
VersionPath = Annotated[str, Path(pattern=r"^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$")]
_CONTENT = {"content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}}}


class NewModel(Body):
    """A version of a model that is to be registered: where it lies, or the target that is to keep its file."""

    name: NameField
    version: NameField
    uri: Uri | None = None
    target: NameField | None = None
    description: Text = ""
    metrics: Annotated[
        dict[Annotated[str, StringConstraints(min_length=1, max_length=80)], Metric],
        Field(max_length=200),
    ] = Field(default_factory=dict)
    datasets: Annotated[tuple[Came, ...], Field(max_length=100)] = Field(
        default=(), description="Dataset versions that it came from, as name@number"
    )
    audience: AudienceField | None = Field(default=None, description="null: whoever registers it")


@router.get("", response_model=documents.RegisteredModelListing, summary="List models")
def list_models(request: Request, plane: Plane, caller: Asker, page: Paged) -> Response:
    """Own models and those shared with the caller; all for those who see everything."""
    with plane.record.reading() as reading:
        onlooker = Onlooker.of(reading, caller, plane.now())
        found = [
            model_document(one, caller)
            for one in registered_models.all_models(reading)
            if _may_know(onlooker, one)
        ]
        sequence = events.latest_sequence(reading)
    found.sort(key=lambda one: (one.name, one.version))
    items, following = cut(found, lambda one: (one.name, one.version), page)
    listing = documents.RegisteredModelListing(items=items, next=following, sequence=sequence)
    return answer_list(request, listing)


@router.post(
    "", response_model=documents.RegisteredModel, status_code=201, summary="Register a model"
)
def create_model(plane: Plane, caller: Asker, repeat: Repeated, body: NewModel) -> Response:
    """Register a version of a model. Each counts towards its person's limit."""
    require(caller, Action.REGISTER_MODEL, Target(person=caller.person))
    must_be_known(caller)
    if (body.uri is None) == (body.target is None):
        message = "A model lies at a URI, or a target keeps its file: name one of them."
        raise RequestInvalid(message)
    own = Audience()
    model = RegisteredModel(
        name=body.name,
        version=body.version,
        person=caller.person,
        uri=body.uri or "",
        target=body.target,
        description=body.description,
        metrics=dict(body.metrics),
        datasets=body.datasets,
        audience=own if body.audience is None else body.audience.audience(),
    )

    def change(writing: Writing) -> documents.Document:
        _may_share(writing, plane, caller, model.audience)
        _came_from(writing, plane, caller, model.datasets)
        return model_document(registered_models.create(writing, model), caller)

    return write_once(plane, caller, repeat, change, status=201)


@router.get("/{name}/{version}", response_model=documents.RegisteredModel, summary="Read a model")
def read_model(plane: Plane, caller: Asker, name: NamePath, version: VersionPath) -> Response:
    """One version of a model."""
    return answer(model_document(_known(plane, caller, name, version), caller))


@router.delete("/{name}/{version}", status_code=204, summary="Delete a model")
async def delete_model(
    plane: Plane, caller: Asker, name: NamePath, version: VersionPath
) -> Response:
    """Forget a version of a model, and the file that a target keeps of it."""

    def delete() -> Response:
        model = _own(plane, caller, name, version)
        if model.target is not None and model.file:
            opened = plane.data.committing.opened(model.target)
            drop_file(opened, name, version, plane.data.opening.door)
        with plane.record.writing(caller.person, plane.now()) as writing:
            registered_models.delete(writing, name, version)
        return Response(status_code=204)

    return await plane.data.outside.call(caller.person, "model", name, delete)


@router.put(
    "/{name}/{version}/audience", response_model=documents.RegisteredModel, summary="Share a model"
)
def share_model(
    plane: Plane, caller: Asker, name: NamePath, version: VersionPath, body: AudienceField
) -> Response:
    """Say who may load a version of a model, beside whoever registered it."""
    _own(plane, caller, name, version)
    with plane.record.writing(caller.person, plane.now()) as writing:
        _may_share(writing, plane, caller, body.audience())
        found = registered_models.share(writing, name, version, body.audience())
    return answer(model_document(found, caller))


@router.put(
    "/{name}/{version}/file",
    response_model=documents.RegisteredModel,
    summary="Send a model's file",
    openapi_extra={"requestBody": {**_CONTENT, "required": True}},
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
    model = await to_thread.run_sync(_own, plane, caller, name, version)
    if model.target is None:
        message = f"Model {name}/{version} lies at its URI: no target keeps a file of it."
        raise Refusal(Reason(Rule.DATA_VERSION, message, remedy="Register another version."))
    with tempfile.TemporaryFile(dir=plane.data.folder) as whole:
        await _receive(request, whole)

        def keep() -> Response:
            opened = plane.data.committing.opened(model.target or "")
            door = plane.data.opening.door
            size, digest = keep_file(opened, name, version, _pieces(whole), LARGEST, door)
            with plane.record.writing(caller.person, plane.now()) as writing:
                kept = registered_models.kept(
                    writing, name, version, file=file, size=size, sha256=digest
                )
            return answer(model_document(kept, caller))

        return await plane.data.outside.call(caller.person, "target", model.target, keep)


@router.get(
    "/{name}/{version}/file",
    response_class=StreamingResponse,
    summary="Download a model's file",
    responses={200: {"description": "The file's bytes", **_CONTENT}},
)
async def read_model_file(
    plane: Plane, caller: Asker, name: NamePath, version: VersionPath
) -> StreamingResponse:
    """The bytes of a model's file, to be saved."""
    require(caller, Action.LEND, Target(person=caller.person))
    model = await to_thread.run_sync(_known, plane, caller, name, version)
    if model.target is None or not model.file:
        raise NotFound("file of the model", f"{name}/{version}")

    def begin() -> Iterator[bytes]:
        opened = plane.data.committing.opened(model.target or "")
        pieces = open_file(opened, name, version, plane.data.opening.door)
        # The first piece is read before anything is answered: a target that is away is a problem then.
        return chain([next(pieces, b"")], pieces)

    pieces = await plane.data.outside.call(caller.person, "target", model.target, begin)
    return StreamingResponse(pieces, media_type=OCTETS, headers=as_download(model.file))


async def _receive(request: Request, whole: BinaryIO) -> None:
    """Write what is sent to a file, without holding it in memory.

    Raises:
        RequestInvalid: it is too large.
    """
    waiting, size = bytearray(), 0
    async for piece in request.stream():
        size += len(piece)
        if size > LARGEST:
            raise RequestInvalid(
                f"A model's file has at most {LARGEST // 2**30} GiB.",
                "Put it into a bucket, and register its URI.",
            )
        waiting += piece
        if len(waiting) >= _PIECE:
            await to_thread.run_sync(whole.write, bytes(waiting))
            waiting.clear()
    whole.write(bytes(waiting))
    whole.seek(0)


def _pieces(whole: BinaryIO) -> Iterator[bytes]:
    while piece := whole.read(_PIECE):
        yield piece


def _known(plane: ControlPlane, caller: Caller, name: str, version: str) -> RegisteredModel:
    """A model that the caller may know of.

    Raises:
        NotShared: there is none, or the caller may not know it.
    """
    with plane.record.reading() as reading:
        onlooker = Onlooker.of(reading, caller, plane.now())
        try:
            model = registered_models.get(reading, name, version)
        except NotFound:
            raise NotShared("model", f"{name}/{version}") from None
    if _may_know(onlooker, model):
        return model
    raise NotShared("model", f"{name}/{version}")


def _may_know(onlooker: Onlooker, model: RegisteredModel) -> bool:
    caller = onlooker.caller
    changes = judge(caller, Action.CHANGE_MODEL, Target(person=model.person)) is None
    uses = onlooker.is_known and may_use_model(model, caller.person, caller.authority.groups)
    return onlooker.sees_all or changes or uses


def _own(plane: ControlPlane, caller: Caller, name: str, version: str) -> RegisteredModel:
    """A model that the caller may change.

    Raises:
        NotShared, NotPermitted: why not.
    """
    model = _known(plane, caller, name, version)
    require(caller, Action.CHANGE_MODEL, Target(person=model.person))
    return model


def _may_share(reading: Reading, plane: ControlPlane, caller: Caller, audience: Audience) -> None:
    onlooker = Onlooker.of(reading, caller, plane.now())
    groups = (*caller.authority.groups, *caller.leads)
    reason = sharing_reason(caller, audience, groups, onlooker.fellows)
    if reason is not None:
        raise NotPermitted(reason)


def _came_from(
    reading: Reading, plane: ControlPlane, caller: Caller, named: tuple[str, ...]
) -> None:
    """Refuse dataset versions that are not there, or that the caller may not know of."""
    onlooker = Onlooker.of(reading, caller, plane.now())
    for one in named:
        dataset, _, number = one.partition("@")
        known_dataset(reading, onlooker, dataset)
        versions.get(reading, dataset, int(number))
