"""Datasets: registered, changed, and read again. How servers open them is in :mod:`.opening`."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from allotment.api.answering import (
    ExpectedRevision,
    Repeated,
    answer,
    answer_list,
    keep_answer,
    recall_answer,
)
from allotment.api.fields import NamePath
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, ControlPlane, Plane
from allotment.api.registering_datasets import (
    change_dataset,
    managed_in,
    read_again,
    register_dataset,
)
from allotment.api.resources.dataset_bodies import DatasetEdit, NewDataset
from allotment.api.views.datasets import COLUMNS_LISTED, dataset_document
from allotment.api.views.holding import held_by
from allotment.api.views.onlooker import Onlooker, known_dataset
from allotment.data.datasets import attachments
from allotment.model import documents
from allotment.record import datasets, events, sources
from allotment.rules.permission import Caller

router = APIRouter(prefix="/datasets", tags=["datasets"])


@router.get("", response_model=documents.DatasetListing, summary="List datasets")
def list_datasets(request: Request, plane: Plane, caller: Asker, page: Paged) -> Response:
    """Datasets that the caller manages or may know of: own ones, those shared, public ones.

    Of each at most 200 columns are told; asked for alone, it tells all.
    """
    with plane.record.reading() as reading:
        onlooker = Onlooker.of(reading, caller, plane.now())
        through = {one.name: one for one in sources.all_sources(reading)}
        known = [
            one
            for one in datasets.all_datasets(reading, read=False)
            if onlooker.lists_dataset(one, through.get(one.source or ""))
        ]
        chosen, following = cut(known, lambda one: (one.name,), page)
        items = tuple(
            dataset_document(one, through, onlooker, columns=COLUMNS_LISTED)
            for one in datasets.with_readings(reading, chosen)
        )
        sequence = events.latest_sequence(reading)
    return answer_list(
        request, documents.DatasetListing(items=items, next=following, sequence=sequence)
    )


@router.post("", response_model=documents.Dataset, status_code=201, summary="Register a dataset")
async def create_dataset(
    plane: Plane, caller: Asker, repeat: Repeated, body: NewDataset
) -> Response:
    """Register files under a name. They are read at once: footers and listings, not contents.

    Refused with a reason for every file that is missing, unreadable, or of another schema or format.
    """

    def register() -> Response:
        known = recall_answer(plane, caller, repeat)
        if known is not None:
            return known
        register_dataset(plane, caller, body)
        found = described(plane, caller, body.name)
        return keep_answer(plane, caller, repeat, found, 201)

    place = ("dataset", body.name) if body.source is None else ("source", body.source)
    return await plane.data.outside.call(caller.person, *place, register)


@router.get("/{name}", response_model=documents.Dataset, summary="Read a dataset")
def read_dataset(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """One dataset, with its revision as the ETag."""
    found = described(plane, caller, name)
    return answer(found, revision=found.revision)


@router.patch("/{name}", response_model=documents.Dataset, summary="Change a dataset")
async def edit_dataset(
    plane: Plane, caller: Asker, name: NamePath, expected: ExpectedRevision, body: DatasetEdit
) -> Response:
    """Change what is given. Disabling acts on new servers; revoke it to take it from those that run."""

    def change() -> Response:
        change_dataset(plane, caller, name, body, expected)
        found = described(plane, caller, name)
        return answer(found, revision=found.revision)

    return await plane.data.outside.call(caller.person, "dataset", name, change)


@router.delete("/{name}", status_code=204, summary="Delete a dataset")
def delete_dataset(
    plane: Plane, caller: Asker, name: NamePath, expected: ExpectedRevision
) -> Response:
    """Forget a dataset, its versions and what was beside it. Its files stay where they are."""
    with plane.record.writing(caller.person, plane.now()) as writing:
        managed_in(writing, caller, name, plane.now())
        gone = datasets.delete(writing, name, expected)
    for one in gone.attachments:
        attachments.remove(plane.data.attachments, name, one)
    return Response(status_code=204)


@router.post("/{name}/read", response_model=documents.Dataset, summary="Read its files again")
async def read_files(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """Read the files as they are now: of those that have not changed nothing is moved."""

    def read() -> Response:
        read_again(plane, caller, name)
        found = described(plane, caller, name)
        return answer(found, revision=found.revision)

    return await plane.data.outside.call(caller.person, "dataset", name, read)


@router.post("/{name}/revoke", response_model=documents.Dataset, summary="Revoke a dataset at once")
def revoke_dataset(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """Disable a dataset, and take it back from every server that was promised it."""
    with plane.record.writing(caller.person, plane.now()) as writing:
        managed_in(writing, caller, name, plane.now())
        datasets.revoke(writing, name)
    found = described(plane, caller, name)
    return answer(found, revision=found.revision)


def described(plane: ControlPlane, caller: Caller, name: str) -> documents.Dataset:
    """A dataset as the caller may know it.

    Raises:
        NotShared: there is none, or the caller may not know it.
    """
    with plane.record.reading() as reading:
        onlooker = Onlooker.of(reading, caller, plane.now())
        dataset = known_dataset(reading, onlooker, name)
        through = (
            {} if dataset.source is None else {dataset.source: sources.get(reading, dataset.source)}
        )
        return dataset_document(dataset, through, onlooker, held_by(reading, "datasets", name))
