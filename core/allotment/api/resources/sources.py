"""Sources: registered, changed, tested, and browsed. Credentials are lent in :mod:`.lending`."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response

from allotment.api.answering import (
    ExpectedRevision,
    Repeated,
    answer,
    answer_list,
    keep_answer,
    recall_answer,
    without,
)
from allotment.api.fields import NamePath
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, ControlPlane, Plane, require
from allotment.api.registering import change_source, managed_in, managed_source, register_source
from allotment.api.resources.source_bodies import NewSource, SourceEdit
from allotment.api.views.holding import held_by
from allotment.api.views.onlooker import Onlooker, known_source, refused
from allotment.api.views.sources import contents_document, form_documents, source_document
from allotment.data.problems import SourceProblem
from allotment.model import documents
from allotment.model.refusals import Refusal
from allotment.model.sources import Source
from allotment.record import declared, events, loans, sources
from allotment.rules.data_access import source_reason
from allotment.rules.permission import Action, Caller, Target

router = APIRouter(tags=["sources"])
Place = Annotated[
    list[Annotated[str, Query(max_length=1024)]],
    Query(max_length=50, description="What leads to the place, from the source's root"),
]


@router.get(
    "/source-kinds", response_model=documents.SourceFormListing, summary="List kinds of sources"
)
def list_source_kinds(request: Request, caller: Asker) -> Response:
    """Every kind of source, with the fields that its form asks for."""
    del caller
    return answer_list(request, documents.SourceFormListing(items=form_documents()))


@router.get("/sources", response_model=documents.SourceListing, summary="List sources")
def list_sources(request: Request, plane: Plane, caller: Asker, page: Paged) -> Response:
    """Sources that the caller manages or may use; asked by a server, those that it may use."""
    with plane.record.reading() as reading:
        onlooker = Onlooker.of(reading, caller, plane.now())
        named = declared.names(reading, "source")
        found = [
            source_document(one, onlooker, declared=named)
            for one in sources.all_sources(reading)
            if onlooker.lists_source(one)
        ]
        sequence = events.latest_sequence(reading)
    items, following = cut(found, lambda one: (one.name,), page)
    return answer_list(
        request, documents.SourceListing(items=items, next=following, sequence=sequence)
    )


@router.post(
    "/sources", response_model=documents.Source, status_code=201, summary="Register a source"
)
async def create_source(plane: Plane, caller: Asker, repeat: Repeated, body: NewSource) -> Response:
    """Register a source, and try to write to it with what its users will get.

    It can be used once that has failed; or once somebody has accepted that it did not.
    """
    repeat = without(repeat, body, {"fields"})

    def change() -> Response:
        known = recall_answer(plane, caller, repeat)
        if known is not None:
            return known
        register_source(plane, caller, body)
        plane.data.proving.prove(body.name, caller.person, plane.now())
        return keep_answer(plane, caller, repeat, _document(plane, caller, body.name), 201)

    return await plane.data.outside.call(caller.person, "source", body.name, change)


@router.get("/sources/{name}", response_model=documents.Source, summary="Read a source")
def read_source(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """One source, with its revision as the ETag."""
    found = _document(plane, caller, name)
    return answer(found, revision=found.revision)


@router.patch("/sources/{name}", response_model=documents.Source, summary="Change a source")
async def edit_source(
    plane: Plane, caller: Asker, name: NamePath, expected: ExpectedRevision, body: SourceEdit
) -> Response:
    """Change what is given. Where it leads or who it is changes, it is proven anew before anybody uses it.

    Disabling acts on new servers; to take a source back from those that run, revoke it.
    """

    def change() -> Response:
        if change_source(plane, caller, name, body, expected):
            plane.data.proving.prove(name, caller.person, plane.now())
        found = _document(plane, caller, name)
        return answer(found, revision=found.revision)

    return await plane.data.outside.call(caller.person, "source", name, change)


@router.delete("/sources/{name}", status_code=204, summary="Delete a source")
async def delete_source(
    plane: Plane, caller: Asker, name: NamePath, expected: ExpectedRevision
) -> Response:
    """Delete a source that no dataset is read through. What was lent of it is withdrawn first."""

    def change() -> Response:
        managed_source(plane, caller, name)
        with plane.record.trying(caller.person, plane.now()) as writing:
            for loan in loans.open_loans(writing, source=name):
                loans.withdrawn(writing, loan.id)
            sources.delete(writing, name, expected)
        plane.data.lending.end_all(name, plane.now())
        with plane.record.writing(caller.person, plane.now()) as writing:
            managed_in(writing, caller, name, plane.now())
            sources.delete(writing, name, expected)
        return Response(status_code=204)

    return await plane.data.outside.call(caller.person, "source", name, change)


@router.post(
    "/sources/{name}/check", response_model=documents.SourceCheck, summary="Test the connection"
)
async def check_source(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """Reach a source from the control plane with the registered account, and say how that went."""
    source = await to_thread.run_sync(_usable, plane, caller, name)
    checked = await plane.data.outside.call(
        caller.person, "source", name, lambda: _checked(plane, source)
    )
    return answer(checked)


@router.post("/sources/{name}/prove", response_model=documents.Source, summary="Prove it read-only")
async def prove_source(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """Try to write with what a user would get, now; the source says what that has shown.

    Refused where nothing could be shown: the proof of before stays then.
    """

    def prove() -> Response:
        managed_source(plane, caller, name)
        proof = plane.data.proving.prove(name, caller.person, plane.now())
        found = _document(plane, caller, name)
        if found.proof is None or found.proof.at != proof.at:
            raise SourceProblem(f"{name} could not be proven now. {proof.problem}")
        return answer(found, revision=found.revision)

    return await plane.data.outside.call(caller.person, "source", name, prove)


@router.post(
    "/sources/{name}/accept", response_model=documents.Source, summary="Accept a source as it is"
)
def accept_source(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """Let people use a source that is not proven read-only. It is marked wherever it is shown."""
    require(caller, Action.ACCEPT_PROOF)
    with plane.record.writing(caller.person, plane.now()) as writing:
        sources.accept(writing, name, caller.person)
    found = _document(plane, caller, name)
    return answer(found, revision=found.revision)


@router.post(
    "/sources/{name}/revoke", response_model=documents.Source, summary="Revoke a source at once"
)
async def revoke_source(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """Disable a source, and take it back from every server. What cannot be withdrawn now is tried again."""

    def revoke() -> None:
        with plane.record.writing(caller.person, plane.now()) as writing:
            managed_in(writing, caller, name, plane.now())
            sources.revoke(writing, name)

    await to_thread.run_sync(revoke)
    # It is revoked, also where so many calls hang that there is no turn: the next round withdraws then.
    with suppress(Refusal):
        await plane.data.outside.call(
            caller.person,
            "source",
            name,
            lambda: plane.data.lending.withdraw_all(name, plane.now()),
        )
    found = await to_thread.run_sync(_document, plane, caller, name)
    return answer(found, revision=found.revision)


@router.get(
    "/sources/{name}/browse", response_model=documents.SourceContents, summary="Browse a source"
)
async def browse_source(
    plane: Plane,
    caller: Asker,
    name: NamePath,
    path: Place = [],  # noqa: B006 - FastAPI reads it, and never changes it
    after: Annotated[str, Query(max_length=4096)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """What lies at a place: schemas, tables and columns, or prefixes and files."""
    require(caller, Action.LEND, Target(person=caller.person))
    source = await to_thread.run_sync(_usable, plane, caller, name)

    def browse() -> Response:
        with plane.record.reading() as reading:
            opened = plane.data.opening.source(reading, source)
        kind, door = plane.data.opening.kind(source), plane.data.opening.door
        found = kind.browse(opened, tuple(path), door, after=after, limit=limit)
        return answer(contents_document(name, tuple(path), found))

    return await plane.data.outside.call(caller.person, "source", name, browse)


def _document(plane: ControlPlane, caller: Caller, name: str) -> documents.Source:
    with plane.record.reading() as reading:
        onlooker = Onlooker.of(reading, caller, plane.now())
        source = known_source(reading, onlooker, name)
        held = held_by(reading, "sources", name)
        return source_document(source, onlooker, held, declared.names(reading, "source"))


def _usable(plane: ControlPlane, caller: Caller, name: str) -> Source:
    """A source that the caller may look into: manages, or may use now.

    Raises:
        Refusal: why not.
    """
    with plane.record.reading() as reading:
        onlooker = Onlooker.of(reading, caller, plane.now())
        source = known_source(reading, onlooker, name)
    if not onlooker.manages_source(source):
        reason = source_reason(source, onlooker.asker)
        if reason is not None:
            raise refused(reason)
    return source


def _checked(plane: ControlPlane, source: Source) -> documents.SourceCheck:
    now = plane.now()
    try:
        with plane.record.reading() as reading:
            opened = plane.data.opening.source(reading, source)
        words = plane.data.opening.kind(source).check(opened, plane.data.opening.door)
    except SourceProblem as problem:
        reason = problem.reasons[0]
        return documents.SourceCheck(
            source=source.name, at=now, reached=False, words=reason.message, remedy=reason.remedy
        )
    return documents.SourceCheck(source=source.name, at=now, reached=True, words=words)
