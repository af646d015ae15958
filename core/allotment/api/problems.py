"""Problem answers (RFC 9457): every way in which a request can fail, said the same way."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from allotment.model.documents import Problem, ReasonDocument
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import (
    AllotmentError,
    AlreadyExists,
    NotFound,
    NotPermitted,
    OutcomeUnknown,
    RecordUnavailable,
    Refusal,
    RevisionStale,
    SettingsInvalid,
)
from allotment.work.hub_api import HubAway, HubRefused

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_RETRY_SECONDS = "2"


class RequestInvalid(Refusal):
    """The request cannot be understood."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(Reason(Rule.REQUEST, message, remedy=remedy))


class RevisionMissing(AllotmentError):
    """A change needs the revision that it was made against."""


class NotSignedIn(NotPermitted):
    """Nobody is known to ask: no token, or one that the hub does not know."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(Reason(Rule.PERMISSION, message, remedy=remedy))


TITLES = {
    401: ("not-signed-in", "Not signed in"),
    403: ("not-permitted", "Not permitted"),
    404: ("not-found", "Not found"),
    405: ("wrong-method", "Wrong method"),
    409: ("refused", "Refused by a rule"),
    412: ("revision-stale", "Changed meanwhile"),
    413: ("too-large", "Too large"),
    422: ("request-invalid", "The request cannot be understood"),
    428: ("revision-missing", "The revision is missing"),
    500: ("fault", "Something is broken in the control plane"),
    503: ("unavailable", "Cannot be decided now"),
}
"""By status: the end of a problem's type, and its title."""


def problem_response(
    status: int,
    detail: str,
    reasons: Sequence[Reason] = (),
    *,
    kind: str | None = None,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """Answer with a problem. ``kind`` overrides the end of its type."""
    end, title = TITLES.get(status, ("error", "Error"))
    document = Problem(
        type=f"urn:allotment:problem:{kind or end}",
        title=title,
        status=status,
        detail=_sound(detail),
        reasons=tuple(ReasonDocument.model_validate(_sound(one.document())) for one in reasons),
        **more,
    )
    body = document.model_dump_json(exclude_none=False).encode()
    return Response(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def _sound(value: Any) -> Any:
    """The same text without lone surrogates, which no JSON can carry."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {key: _sound(one) for key, one in value.items()}
    return [_sound(one) for one in value] if isinstance(value, list) else value


def answer_error(error: Exception) -> Response:
    """The problem answer for an exception; for one that nobody raised on purpose, a fault."""
    if isinstance(error, Refusal):
        headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, NotSignedIn) else None
        return problem_response(_status(error), str(error), error.reasons, headers=headers)
    if isinstance(error, RecordUnavailable | HubAway):
        kind = "record-unavailable" if isinstance(error, RecordUnavailable) else "hub-away"
        # What may have been done is not to be repeated by a program that only waits.
        headers = None if isinstance(error, OutcomeUnknown) else {"Retry-After": _RETRY_SECONDS}
        return problem_response(503, str(error), kind=kind, headers=headers)
    known = _known(error)
    if known is None:
        log.error("fault", exc_info=error)
        return problem_response(
            500, "The control plane could not carry this out; its log says why."
        )
    return known


def _known(error: Exception) -> Response | None:
    if isinstance(error, RevisionStale):
        expected, found = error.expected, error.found
        return problem_response(412, str(error), expected=expected, found=found)
    if isinstance(error, RevisionMissing):
        return problem_response(428, str(error))
    if isinstance(error, SettingsInvalid):
        reasons = [Reason(Rule.SETTINGS, problem) for problem in error.problems]
        return problem_response(422, "The settings cannot be used.", reasons)
    if isinstance(error, HubRefused):
        reason = Reason(Rule.REQUEST, str(error))
        return problem_response(409, str(error), [reason], kind="hub-refused")
    return None


def _status(error: Refusal) -> int:
    kinds: tuple[tuple[type[Refusal], int], ...] = (
        (NotSignedIn, 401),
        (NotPermitted, 403),
        (NotFound, 404),
        (RequestInvalid, 422),
        (AlreadyExists, 409),
    )
    return next((status for kind, status in kinds if isinstance(error, kind)), 409)


def install(app: FastAPI) -> None:
    """Answer every error of this application with a problem."""

    async def on_purpose(_request: Request, error: Exception) -> Response:
        return answer_error(error)

    async def misunderstood(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
        reasons = [_misfit(one) for one in error.errors()[:50]]
        return problem_response(422, " ".join(one.message for one in reasons), reasons)

    async def http(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
        # FastAPI answers 400 where a body is no JSON at all; to a caller that is the same mistake.
        status = 422 if error.status_code == 400 else error.status_code  # noqa: PLR2004
        detail = str(error.detail)
        return problem_response(
            status, detail, [Reason(Rule.REQUEST, detail)], headers=error.headers
        )

    app.add_exception_handler(AllotmentError, on_purpose)
    app.add_exception_handler(Exception, on_purpose)
    app.add_exception_handler(RequestValidationError, misunderstood)
    app.add_exception_handler(HTTPException, http)


def _misfit(error: Mapping[str, Any]) -> Reason:
    """One error of validation, without what was sent: it might be a secret."""
    place = ".".join(str(part) for part in error["loc"][1:])
    where = f"{error['loc'][0]} {place}".strip()
    message = f"{where}: {error['msg']}."
    return Reason(Rule.REQUEST, message, details=(str(error["type"]),))
