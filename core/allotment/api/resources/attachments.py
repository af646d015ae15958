"""Documents beside datasets: kept and handed out as files, never opened or shown."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse

from allotment.api.answering import answer
from allotment.api.fields import NamePath
from allotment.api.plane import Asker, ControlPlane, Plane, require
from allotment.api.registering_datasets import managed_dataset, managed_in
from allotment.api.resources.datasets import described
from allotment.api.resources.versions import loadable
from allotment.data.datasets import attachments as files
from allotment.data.problems import SourceProblem
from allotment.data.room import Room
from allotment.model import documents
from allotment.model.datasets import Attachment
from allotment.model.refusals import Refusal
from allotment.record import attached, datasets
from allotment.rules.permission import Action, Caller, Target

router = APIRouter(prefix="/datasets/{name}/attachments", tags=["datasets"])

OCTETS = "application/octet-stream"
PLAIN_NAME = r"^[^/\\\x00-\x1f\x7f]+$"
"""Of a file: no folder stands in it, and nothing invisible."""
FileName = Annotated[str, Path(min_length=1, max_length=files.LONGEST_NAME, pattern=PLAIN_NAME)]
CONTENT = {"content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}}}


@router.put(
    "/{attachment}",
    response_model=documents.Dataset,
    summary="Attach a document",
    openapi_extra={"requestBody": {**CONTENT, "required": True}},
)
async def attach(
    request: Request, plane: Plane, caller: Asker, name: NamePath, attachment: FileName
) -> Response:
    """Keep a document beside a dataset, in the place of one of the same name: at most 20 of 20 MiB.

    What one person has attached holds at most 2 GiB, beside all datasets.
    """
    content = await request.body()
    await to_thread.run_sync(_attach, plane, caller, name, attachment, content)
    found = await to_thread.run_sync(described, plane, caller, name)
    return answer(found, revision=found.revision)


@router.get(
    "/{attachment}",
    response_class=FileResponse,
    summary="Download an attachment",
    responses={200: {"description": "The document's bytes", **CONTENT}},
)
def read_attachment(
    plane: Plane, caller: Asker, name: NamePath, attachment: FileName
) -> FileResponse:
    """A document's bytes, to be saved: whatever it is, no browser shows it."""
    require(caller, Action.LEND, Target(person=caller.person))
    loadable(plane, caller, name)
    with plane.record.reading() as reading:
        found = datasets.attachment(reading, name, attachment)
    place = files.kept_at(plane.data.attachments, name, found)
    if not place.is_file():
        raise SourceProblem(
            f"What {found.name!r} held is not there any more.",
            remedy="Attach it again, or have an operator restore the platform's files.",
        )
    return FileResponse(place, media_type=OCTETS, headers=as_download(found.name))


@router.delete("/{attachment}", status_code=204, summary="Remove an attachment")
def detach(plane: Plane, caller: Asker, name: NamePath, attachment: FileName) -> Response:
    """Keep a document no longer."""
    with plane.record.writing(caller.person, plane.now()) as writing:
        managed_in(writing, caller, name, plane.now())
        gone = datasets.detach(writing, name, attachment)
    files.remove(plane.data.attachments, name, gone)
    return Response(status_code=204)


def as_download(name: str) -> dict[str, str]:
    """Headers with which a browser saves bytes under a name, and does not look into them."""
    return {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "no-store, private",
    }


def _attach(
    plane: ControlPlane, caller: Caller, name: str, attachment: str, content: bytes
) -> None:
    dataset = managed_dataset(plane, caller, name)
    folder = plane.data.attachments
    Room(folder, "The control plane's disk").ask(len(content))
    key, size, digest = files.save(folder, name, attachment, (content,))
    kept = Attachment(attachment, size, digest, caller.person, plane.now(), key)
    try:
        with plane.record.writing(caller.person, plane.now()) as writing:
            replaced = datasets.attach(writing, name, kept, dataset.space)
            attached.within_limit(writing, caller.person, size)
    except Refusal:
        files.remove(folder, name, kept)
        raise
    if replaced is not None:
        files.remove(folder, name, replaced)
