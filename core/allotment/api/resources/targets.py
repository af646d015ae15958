"""Targets: where versions of datasets, and models' files, are kept. Set up by operators."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from pydantic import Field

from allotment.api.answering import (
    ExpectedRevision,
    Repeated,
    answer,
    answer_list,
    keep_answer,
    recall_answer,
    without,
)
from allotment.api.fields import Body, NameField, NamePath, Title
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, ControlPlane, Plane, require
from allotment.api.resources.source_bodies import Fields
from allotment.api.views.sources import field_documents
from allotment.api.views.versions import target_document
from allotment.data.forms import Filled, fill
from allotment.data.kinds import KINDS
from allotment.data.opening import known_kind
from allotment.data.problems import SourceProblem
from allotment.data.versions.places import overlap_reason
from allotment.data.versions.target import (
    CONTENTS,
    METADATA,
    METADATA_FIELDS,
    SOURCE_KINDS,
    OpenedTarget,
    validate,
)
from allotment.model import documents
from allotment.model.people import Permission
from allotment.model.refusals import Refusal
from allotment.model.versions import ContentsKind, MetadataKind, VersionTarget
from allotment.record import Reading, events, targets
from allotment.rules.permission import Action, Caller

router = APIRouter(tags=["targets"])


class NewTarget(Body):
    """A target that is to be set up."""

    name: NameField
    title: Title = ""
    metadata_kind: MetadataKind
    metadata: Fields = Field(default_factory=dict)
    contents_kind: ContentsKind
    contents: Fields = Field(default_factory=dict)


class TargetEdit(Body):
    """What is to change of a target; what is left out stays, fields and secrets too."""

    title: Title = ""
    metadata: Fields = Field(default_factory=dict)
    contents: Fields = Field(default_factory=dict)
    enabled: Annotated[bool, Field(strict=True)] = True


@router.get(
    "/target-kinds", response_model=documents.TargetFormListing, summary="List kinds of targets"
)
def list_target_kinds(request: Request, caller: Asker) -> Response:
    """What the halves of a target can be, with the fields that their forms ask for."""
    del caller
    histories = (
        documents.TargetForm(part="metadata", kind=kind, fields=field_documents(fields))
        for kind, fields in METADATA_FIELDS.items()
    )
    contents = (
        documents.TargetForm(
            part="contents", kind=kind, fields=field_documents(known_kind(source).fields)
        )
        for kind, source in SOURCE_KINDS.items()
        if source in KINDS
    )
    return answer_list(request, documents.TargetFormListing(items=(*histories, *contents)))


@router.get("/targets", response_model=documents.VersionTargetListing, summary="List targets")
def list_targets(request: Request, plane: Plane, caller: Asker, page: Paged) -> Response:
    """Targets by name; where they lead is told to those who may change them, or see everything."""
    with plane.record.reading() as reading:
        found = [
            target_document(one, inside=_inside(caller)) for one in targets.all_targets(reading)
        ]
        sequence = events.latest_sequence(reading)
    items, following = cut(found, lambda one: (one.name,), page)
    listing = documents.VersionTargetListing(items=items, next=following, sequence=sequence)
    return answer_list(request, listing)


@router.post(
    "/targets", response_model=documents.VersionTarget, status_code=201, summary="Set a target up"
)
async def create_target(plane: Plane, caller: Asker, repeat: Repeated, body: NewTarget) -> Response:
    """Set a target up. It is tested first, and refused where that fails."""
    require(caller, Action.CHANGE_TARGETS)
    repeat = without(repeat, body, {"metadata", "contents"})

    def create() -> Response:
        known = recall_answer(plane, caller, repeat)
        if known is not None:
            return known
        target = VersionTarget(body.name, body.metadata_kind, body.contents_kind, body.title)
        target, secrets = _filled(target, body.metadata, body.contents)
        made = _kept(plane, caller, target, secrets, {}, None)
        return keep_answer(plane, caller, repeat, made, 201)

    return await plane.data.outside.call(caller.person, "target", body.name, create)


@router.get("/targets/{name}", response_model=documents.VersionTarget, summary="Read a target")
def read_target(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """One target, with its revision as the ETag."""
    with plane.record.reading() as reading:
        found = target_document(targets.get(reading, name), inside=_inside(caller))
    return answer(found, revision=found.revision)


@router.patch("/targets/{name}", response_model=documents.VersionTarget, summary="Change a target")
async def edit_target(
    plane: Plane, caller: Asker, name: NamePath, expected: ExpectedRevision, body: TargetEdit
) -> Response:
    """Change what is given. Where it leads somewhere else, it is tested first."""
    require(caller, Action.CHANGE_TARGETS)

    def change() -> Response:
        before = plane.data.committing.opened(name)
        given: dict[str, Any] = {key: getattr(body, key) for key in body.model_fields_set}
        metadata, contents = given.pop("metadata", {}), given.pop("contents", {})
        after = replace(before.target, **given)
        secrets: dict[str, str | None] = {}
        if metadata or contents:
            after, secrets = _filled(after, metadata, contents, before.target)
        found = _kept(plane, caller, after, secrets, before.secrets, expected, before.target)
        return answer(found, revision=found.revision)

    return await plane.data.outside.call(caller.person, "target", name, change)


@router.delete("/targets/{name}", status_code=204, summary="Delete a target")
def delete_target(
    plane: Plane, caller: Asker, name: NamePath, expected: ExpectedRevision
) -> Response:
    """Forget a target that keeps nothing. What lies there stays."""
    require(caller, Action.CHANGE_TARGETS)
    with plane.record.writing(caller.person, plane.now()) as writing:
        targets.delete(writing, name, expected)
    return Response(status_code=204)


@router.post("/targets/{name}/check", response_model=documents.TargetCheck, summary="Test a target")
async def check_target(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """Do everything that a commit does once, and take it away again; say how that went."""
    require(caller, Action.CHANGE_TARGETS)
    opened = await to_thread.run_sync(plane.data.committing.opened, name)
    return answer(
        await plane.data.outside.call(
            caller.person, "target", name, lambda: _checked(plane, caller, opened)
        )
    )


def _inside(caller: Caller) -> bool:
    return not caller.permissions.isdisjoint({Permission.SEE_ALL, Permission.MANAGE_SOURCES})


def _checked(plane: ControlPlane, caller: Caller, opened: OpenedTarget) -> documents.TargetCheck:
    now, problem = plane.now(), ""
    try:
        words = plane.data.committing.check(opened)
    except SourceProblem as found:
        words = problem = str(found)
    with plane.record.writing(caller.person, now) as writing:
        targets.tested(writing, opened.name, now, problem)
    return documents.TargetCheck(target=opened.name, at=now, reached=not problem, words=words)


def _filled(
    target: VersionTarget,
    metadata: dict[str, Any],
    contents: dict[str, Any],
    before: VersionTarget | None = None,
) -> tuple[VersionTarget, dict[str, str | None]]:
    """A target with both halves as they were entered, and the secrets that change."""
    halves = {
        METADATA: (METADATA_FIELDS[target.metadata_kind], metadata, target.metadata),
        CONTENTS: (
            known_kind(SOURCE_KINDS[target.contents_kind]).fields,
            contents,
            target.contents,
        ),
    }
    filled: dict[str, Filled] = {}
    for half, (form, given, known) in halves.items():
        names = [one.removeprefix(half) for one in target.secrets if one.startswith(half)]
        filled[half] = fill(form, given, None if before is None else known, names, may_widen=True)
    secrets = {
        half + name: one for half, made in filled.items() for name, one in made.secrets.items()
    }
    names_now = tuple(half + name for half, made in filled.items() for name in made.names)
    after = replace(
        target,
        metadata=dict(filled[METADATA].fields),
        contents=dict(filled[CONTENTS].fields),
        secrets=names_now,
    )
    return after, secrets


def _kept(
    plane: ControlPlane,
    caller: Caller,
    target: VersionTarget,
    secrets: dict[str, str | None],
    known: Any,
    expected: int | None,
    before: VersionTarget | None = None,
) -> documents.VersionTarget:
    """Test a target that is new or leads somewhere else, and keep it."""
    now = plane.now()
    kept = {name: one for name, one in known.items() if name in target.secrets}
    with plane.record.reading() as reading:
        _must_lie_apart(reading, target)
    opened = OpenedTarget(target, {**kept, **{k: v for k, v in secrets.items() if v is not None}})
    if before is None or secrets or _place(before) != _place(target):
        validate(target)
        known_kind(opened.source_kind).validate(opened.contents_source())
        plane.data.committing.check(opened)
    sealed = plane.data.opening.sealed(secrets)
    with plane.record.writing(caller.person, now) as writing:
        _must_lie_apart(writing, target)
        if before is None:
            new = {name: one for name, one in sealed.items() if one is not None}
            targets.create(writing, target, new)
        else:
            targets.edit(writing, target, sealed, expected)
        if before is None or secrets or _place(before) != _place(target):
            targets.tested(writing, target.name, now, "")
        return target_document(targets.get(writing, target.name), inside=True)


def _must_lie_apart(reading: Reading, target: VersionTarget) -> None:
    """Go on only where no other target lies in the same place.

    Raises:
        Refusal: one does.
    """
    reason = overlap_reason(target, targets.all_targets(reading))
    if reason is not None:
        raise Refusal(reason)


def _place(target: VersionTarget) -> tuple[dict[str, Any], dict[str, Any]]:
    return dict(target.metadata), dict(target.contents)
