"""Answers: documents as JSON, with entity tags; changes with revisions; requests that are repeated."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from allotment.api.plane import ControlPlane
from allotment.api.problems import RevisionMissing
from allotment.model.documents import Document
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.record import Reading, Writing, idempotency
from allotment.record.idempotency import Answer
from allotment.rules.permission import Caller

JSON = "application/json"
_TAG = r'^(\*|(W/)?"[0-9]{1,15}")$'


def answer(document: Document, status: int = 200, *, revision: int | None = None) -> Response:
    """Answer with a document; ``revision`` is what a change of it must be made against."""
    headers = {"Cache-Control": "no-store"}
    if revision is not None:
        headers["ETag"] = f'"{revision}"'
    return Response(document.model_dump_json(), status, headers=headers, media_type=JSON)


def answer_list(request: Request, listing: Document) -> Response:
    """Answer with a list, or with 304 where the caller has the same one already."""
    body = listing.model_dump_json().encode()
    tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache, private"}
    known = request.headers.get("if-none-match", "")
    if tag in {one.strip() for one in known.split(",")}:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=JSON)


def _expected(
    if_match: Annotated[
        str | None,
        Header(
            description='The revision that this change was made against, as its ETag said it; "*" for any',
            examples=['"3"'],
            pattern=_TAG,
        ),
    ] = None,
) -> int | None:
    if if_match is None:
        message = 'Send the revision that you read, as If-Match: "3"; it is in the ETag and in the document.'
        raise RevisionMissing(message)
    return None if if_match == "*" else int(if_match.strip('W/"'))


ExpectedRevision = Annotated[int | None, Depends(_expected)]
"""The revision that a change was made against, in a route's signature; None for any."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """What makes a request the same as an earlier one. ``key`` is empty where none was sent."""

    key: str
    digest: str


async def _repeat(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="The same request under the same key is carried out once, and answered as the first time",
            min_length=1,
            max_length=200,
            pattern=r"^[\x21-\x7e]+$",
        ),
    ] = None,
) -> Repeat:
    digest = hashlib.sha256(f"{request.method} {request.url.path}\n".encode())
    digest.update(await request.body())
    return Repeat(idempotency_key or "", digest.hexdigest())


Repeated = Annotated[Repeat, Depends(_repeat)]
"""The idempotency key of a POST, in a route's signature."""


def without(repeat: Repeat, body: BaseModel, secret: set[str]) -> Repeat:
    """The same key for a body that holds secrets: what is remembered of it says nothing of them."""
    told = f"{type(body).__name__}\n{body.model_dump_json(exclude=secret)}"
    return Repeat(repeat.key, hashlib.sha256(told.encode()).hexdigest())


def write_once(
    plane: ControlPlane,
    caller: Caller,
    repeat: Repeat,
    change: Callable[[Writing], Document],
    *,
    status: int = 200,
    revision: Callable[[Document], int] | None = None,
) -> Response:
    """Change the record in one transaction and answer with what ``change`` returns.

    Under a key that was used before, the first answer is given again and nothing is changed.

    Raises:
        Refusal: the key was used for another request.
    """
    with plane.record.writing(caller.person, plane.now()) as writing:
        known = recalled(writing, caller, repeat)
        if known is not None:
            return known
        document = change(writing)
        remember(writing, caller, repeat, document, status)
    return answer(document, status, revision=None if revision is None else revision(document))


def recalled(reading: Reading, caller: Caller, repeat: Repeat) -> Response | None:
    """The answer given under this key before, if any."""
    known = idempotency.recall(reading, caller.person, repeat.key) if repeat.key else None
    if known is None:
        return None
    if known.digest != repeat.digest:
        message = "This Idempotency-Key was used for another request."
        raise Refusal(Reason(Rule.REQUEST, message, remedy="Use a new key for a new request."))
    if not known.body:
        message = "This was done already, and its answer is told only once."
        raise Refusal(Reason(Rule.REQUEST, message, remedy="Ask again under a new key."))
    headers = {"Idempotent-Replayed": "true"}
    return Response(known.body, known.status, headers=headers, media_type=JSON)


def remember(
    writing: Writing,
    caller: Caller,
    repeat: Repeat,
    document: Document | None,
    status: int,
) -> None:
    """Keep an answer under the request's key, where it has one; no document: it is told only once."""
    if repeat.key:
        body = "" if document is None else document.model_dump_json()
        kept = Answer(repeat.digest, status, body)
        idempotency.remember(writing, caller.person, repeat.key, kept)


def recall_answer(plane: ControlPlane, caller: Caller, repeat: Repeat) -> Response | None:
    """The answer given under this key before, for requests that are more than one transaction."""
    if not repeat.key:
        return None
    with plane.record.reading() as reading:
        return recalled(reading, caller, repeat)


def keep_answer(
    plane: ControlPlane, caller: Caller, repeat: Repeat, document: Document, status: int = 200
) -> Response:
    """Answer, and keep the answer under the request's key where it has one.

    Two requests under one key at the same time are both carried out: stopping and starting twice is
    stopping and starting once.
    """
    if repeat.key:
        with plane.record.writing(caller.person, plane.now()) as writing:
            known = recalled(writing, caller, repeat)
            if known is not None:
                return known
            remember(writing, caller, repeat, document, status)
    return answer(document, status)
