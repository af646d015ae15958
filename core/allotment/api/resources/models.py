"""Registered models: named, versioned, with what they came from; their files kept by targets."""

from __future__ import annotations

import logging
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, Field, StringConstraints

from allotment.api.answering import Repeated, answer, answer_list, write_once
from allotment.api.fields import Body, NameField, NamePath
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, ControlPlane, Plane, require
from allotment.api.problems import RequestInvalid
from allotment.api.registering_datasets import must_be_known
from allotment.api.resources.model_files import VersionPath, drop
from allotment.api.resources.source_bodies import AudienceField, Text
from allotment.api.views.models import known_model, may_know_model, model_document, own_model
from allotment.api.views.onlooker import Onlooker, known_dataset
from allotment.data.problems import SourceProblem
from allotment.model import documents
from allotment.model.refusals import NotPermitted
from allotment.model.registered_models import URI_PATTERN, RegisteredModel, check_uri
from allotment.model.sources import Audience
from allotment.record import Reading, Writing, events, registered_models, versions
from allotment.rules.data_sharing import sharing_reason
from allotment.rules.permission import Action, Caller, Target

log = logging.getLogger(__name__)

_LATEST = 2**53

router = APIRouter(prefix="/models", tags=["models"])

Uri = Annotated[
    str, StringConstraints(max_length=2048, pattern=URI_PATTERN), AfterValidator(check_uri)
]
Came = Annotated[
    str, StringConstraints(max_length=80, pattern=r"^[a-z0-9][a-z0-9._-]*@[0-9]{1,7}$")
]
Metric = Annotated[float, Field(allow_inf_nan=False)]


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
            if may_know_model(onlooker, one)
        ]
        sequence = events.latest_sequence(reading)
    found.sort(key=_place_in_list)
    items, following = cut(found, _place_in_list, page)
    listing = documents.RegisteredModelListing(items=items, next=following, sequence=sequence)
    return answer_list(request, listing)


def _place_in_list(model: documents.RegisteredModel) -> tuple[str, ...]:
    """By name, the newest version first: what a page goes on after."""
    at = 0 if model.created_at is None else int(model.created_at.timestamp())
    return model.name, f"{_LATEST - at:020d}", model.version


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
    return answer(model_document(known_model(plane, caller, name, version), caller))


@router.delete("/{name}/{version}", status_code=204, summary="Delete a model")
async def delete_model(
    plane: Plane, caller: Asker, name: NamePath, version: VersionPath
) -> Response:
    """Forget a version of a model, and the file that a target keeps of it."""

    def delete() -> Response:
        model = own_model(plane, caller, name, version)
        with plane.record.writing(caller.person, plane.now()) as writing:
            gone = registered_models.delete(writing, model)
        try:
            drop(plane, caller, gone)
        except SourceProblem as problem:
            # It is remembered as left in the target: cleaning that takes it away.
            log.warning("the file of model %s/%s is left: %s", name, version, problem)
        return Response(status_code=204)

    return await plane.data.outside.call(caller.person, "model", name, delete)


@router.put(
    "/{name}/{version}/audience", response_model=documents.RegisteredModel, summary="Share a model"
)
def share_model(
    plane: Plane, caller: Asker, name: NamePath, version: VersionPath, body: AudienceField
) -> Response:
    """Say who may load a version of a model, beside whoever registered it."""
    model = own_model(plane, caller, name, version)
    with plane.record.writing(caller.person, plane.now()) as writing:
        _may_share(writing, plane, caller, body.audience())
        found = registered_models.share(writing, model, body.audience())
    return answer(model_document(found, caller))


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
