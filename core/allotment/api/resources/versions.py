"""Versions of datasets: committed, listed, compared, tagged."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, StringConstraints

from allotment.api.answering import Repeated, answer, answer_list, keep_answer, recall_answer
from allotment.api.fields import Body, NamePath
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, ControlPlane, Plane
from allotment.api.registering_datasets import managed_dataset, readable_source
from allotment.api.views.onlooker import Onlooker, known_dataset, refused, source_of
from allotment.api.views.versions import (
    difference_document,
    file_documents,
    version_document,
)
from allotment.model import documents
from allotment.model.datasets import Dataset
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.model.versions import Version, VersionState
from allotment.record import Reading, events, versions
from allotment.rules.data_access import dataset_reason
from allotment.rules.permission import Caller
from allotment.work.rights_of_commits import proof_reason

router = APIRouter(prefix="/datasets/{name}/versions", tags=["versions"])

NAMED = r"^[A-Za-z0-9][A-Za-z0-9._:+-]{0,62}$"
VersionPath = Annotated[
    str, Path(pattern=NAMED, description="A number, a tag, or a day, month or time")
]
TagPath = Annotated[str, Path(pattern=r"^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$")]
Message = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=1000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
    ),
]


class NewVersion(Body):
    """Why there is a version."""

    message: Message = Field(examples=["October is complete"])


@router.get("", response_model=documents.VersionListing, summary="List versions")
def list_versions(
    request: Request, plane: Plane, caller: Asker, name: NamePath, page: Paged
) -> Response:
    """The versions of a dataset, the newest first; those under way and one that failed too."""
    loadable(plane, caller, name)
    with plane.record.reading() as reading:
        found = [version_document(one) for one in reversed(versions.of(reading, name))]
        sequence = events.latest_sequence(reading)
    items, following = cut(found, lambda one: (f"{10**9 - one.number:010d}",), page)
    listing = documents.VersionListing(items=items, next=following, sequence=sequence)
    return answer_list(request, listing)


@router.post("", response_model=documents.Version, status_code=202, summary="Commit a version")
def commit_version(
    plane: Plane, caller: Asker, repeat: Repeated, name: NamePath, body: NewVersion
) -> Response:
    """Begin a version of the files as they are now.

    Its number is its own from now on; read it again until its state is no longer *committing*. Commits
    of one dataset are carried out one after the other, in the order in which they were begun: one is
    under way and one may wait, a third is refused. People take turns, and each has eight at most.
    """
    known = recall_answer(plane, caller, repeat)
    if known is not None:
        return known
    dataset = managed_dataset(plane, caller, name)
    unproven = proof_reason(readable_source(plane, caller, dataset))
    if unproven is not None:
        raise Refusal(unproven)
    if dataset.target is None:
        message = f"Dataset {name!r} has no target that keeps its versions."
        reason = Reason(Rule.DATA_VERSION, message, remedy="Name one: change its target.")
        raise Refusal(reason)
    begun = plane.data.committing.begin(dataset, dataset.target, body.message, caller.person)
    return keep_answer(plane, caller, repeat, version_document(begun), 202)


@router.get("/{version}", response_model=documents.Version, summary="Read a version")
async def read_version(
    plane: Plane, caller: Asker, name: NamePath, version: VersionPath
) -> Response:
    """One version with its files; while it is being committed, how far that is."""
    found = await to_thread.run_sync(_version, plane, caller, name, version)
    document = version_document(found)
    if found.state is not VersionState.COMMITTED:
        return answer(document)
    files = await plane.data.outside.call(
        caller.person, "target", found.target, lambda: plane.data.committing.files(found)
    )
    return answer(document.model_copy(update={"contents": file_documents(files)}))


@router.get(
    "/{version}/difference",
    response_model=documents.VersionDifference,
    summary="Compare two versions",
)
async def compare_versions(
    plane: Plane,
    caller: Asker,
    name: NamePath,
    version: VersionPath,
    before: Annotated[
        str | None,
        Query(alias="from", pattern=NAMED, description="The earlier one; else the one before"),
    ] = None,
) -> Response:
    """What is different in a version from an earlier one, by the files' paths."""
    after = await to_thread.run_sync(_version, plane, caller, name, version)
    if before is None:
        earlier = await to_thread.run_sync(_before, plane, after)
    else:
        earlier = await to_thread.run_sync(_version, plane, caller, name, before)
    for one in (earlier, after):
        _committed(one)
    found = await plane.data.outside.call(
        caller.person,
        "target",
        after.target,
        lambda: plane.data.committing.difference(earlier, after),
    )
    return answer(difference_document(name, found))


@router.put("/{version}/tags/{tag}", response_model=documents.Version, summary="Tag a version")
async def tag_version(
    plane: Plane, caller: Asker, name: NamePath, version: VersionPath, tag: TagPath
) -> Response:
    """Give a version a name, in its history too; another version that has it loses it."""
    return await _tagged(plane, caller, name, version, {tag: True})


@router.delete("/{version}/tags/{tag}", status_code=204, summary="Take a tag away")
async def untag_version(
    plane: Plane, caller: Asker, name: NamePath, version: VersionPath, tag: TagPath
) -> Response:
    """Take a name away from a version; one that it does not have is no problem."""
    await _tagged(plane, caller, name, version, {tag: False})
    return Response(status_code=204)


async def _tagged(
    plane: ControlPlane, caller: Caller, name: str, version: str, tags: dict[str, bool]
) -> Response:
    """Give a version names, or take them away; first where the target has them, then in the record."""
    await to_thread.run_sync(managed_dataset, plane, caller, name)
    found = await to_thread.run_sync(_version, plane, caller, name, version)
    wanted = tuple(dict.fromkeys((*found.tags, *tags)))
    kept = tuple(one for one in wanted if tags.get(one, True))

    def label() -> Response:
        with plane.record.trying(caller.person, plane.now()) as writing:
            versions.tag(writing, name, found.number, kept, found.space)
        plane.data.committing.label(found, tags)
        with plane.record.writing(caller.person, plane.now()) as writing:
            after = versions.tag(writing, name, found.number, kept, found.space)
        return answer(version_document(after))

    return await plane.data.outside.call(caller.person, "target", found.target, label)


def _found(reading: Reading, name: str, version: str) -> Version:
    return versions.get(reading, name, int(version) if version.isdigit() else version)


def loadable(plane: ControlPlane, caller: Caller, name: str) -> Dataset:
    """A dataset whose versions the caller may see: who manages it, sees all, or may load it now.

    Raises:
        NotShared, Refusal: why not.
    """
    with plane.record.reading() as reading:
        onlooker = Onlooker.of(reading, caller, plane.now())
        dataset = known_dataset(reading, onlooker, name)
        source = source_of(reading, dataset)
    if not onlooker.manages_dataset(dataset) and not onlooker.sees_all:
        reason = dataset_reason(dataset, source, onlooker.asker)
        if reason is not None:
            raise refused(reason)
    return dataset


def _version(plane: ControlPlane, caller: Caller, name: str, version: str) -> Version:
    loadable(plane, caller, name)
    with plane.record.reading() as reading:
        return _found(reading, name, version)


def _before(plane: ControlPlane, version: Version) -> Version:
    """The committed version before one."""
    with plane.record.reading() as reading:
        earlier = [
            one
            for one in versions.of(reading, version.dataset)
            if one.number < version.number and one.state is VersionState.COMMITTED
        ]
    if not earlier:
        message = f"There is no version of {version.dataset!r} before {version.number}."
        raise Refusal(Reason(Rule.DATA_VERSION, message, remedy="Name one with from."))
    return earlier[-1]


def _committed(version: Version) -> None:
    if version.state is not VersionState.COMMITTED:
        message = f"Version {version.number} of {version.dataset!r} is {version.state}."
        raise Refusal(Reason(Rule.DATA_VERSION, message, remedy="Name one that is committed."))
