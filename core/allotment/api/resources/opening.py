"""Opening datasets: for servers' own tokens only, for their own person."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints

from allotment.api.answering import answer
from allotment.api.fields import Body, NamePath
from allotment.api.opening_datasets import open_now, open_version, wanted_version
from allotment.api.plane import Asker, ControlPlane, Plane
from allotment.api.resources.lending import asking_server
from allotment.api.resources.versions import NAMED
from allotment.api.views.onlooker import Onlooker, known_dataset, refused, source_of
from allotment.model import documents
from allotment.model.datasets import Dataset
from allotment.model.refusals import NotFound
from allotment.model.sources import Source
from allotment.record import sources, versions
from allotment.rules.data_access import dataset_reason, version_reason

router = APIRouter(prefix="/datasets", tags=["datasets"])

Number = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
Words = Annotated[str, StringConstraints(pattern=NAMED)]


class Opening(Body):
    """Which version is to be opened."""

    version: Number | Words | None = Field(
        default=None,
        description=(
            "A number, a tag, a day, month or time, or promised: the one that was current when "
            "this server started. null: the files as they are now"
        ),
        examples=["2026-10"],
    )
    files: bool = Field(
        default=True,
        description="Whether its files are told; false only renews what opens them",
    )


@router.post(
    "/{name}/access", response_model=documents.DatasetAccess, summary="Open a dataset to load it"
)
async def open_dataset(plane: Plane, caller: Asker, name: NamePath, body: Opening) -> Response:
    """Where a dataset's files lie, and what the asking server opens them with.

    Only a server's own token is told it, for its own person. Ask again before the storage's end.
    """
    server = asking_server(caller)

    def opened() -> Response:
        with plane.record.reading() as reading:
            onlooker = Onlooker.of(reading, caller, plane.now())
            dataset = known_dataset(reading, onlooker, name)
            source = source_of(reading, dataset)
        reason = dataset_reason(dataset, source, onlooker.asker)
        if reason is not None:
            raise refused(reason)
        version = wanted_version(plane, dataset, onlooker.asker, body.version)
        if version is None:
            return answer(open_now(plane, dataset, source, server, listed=body.files))
        _must_reach(plane, onlooker, dataset)
        return answer(open_version(plane, dataset, version, server))

    return await plane.data.outside.call(caller.person, "dataset", name, opened)


def _must_reach(plane: ControlPlane, onlooker: Onlooker, dataset: Dataset) -> None:
    """Go on only for who may read through every source that versions of a dataset were read through.

    What opens one of them opens the others: they lie in one space. So do contents of commits that failed.

    Raises:
        NotPermitted, Refusal: why not.
    """
    with plane.record.reading() as reading:
        known = versions.of(reading, dataset.name)
        through: dict[str, Source] = {}
        for name in {one.source for one in known if one.source is not None}:
            with suppress(NotFound):
                through[name] = sources.get(reading, name)
    for one in known:
        reason = version_reason(dataset, one, through.get(one.source or ""), onlooker.asker)
        if reason is not None:
            raise refused(reason)
