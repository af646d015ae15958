"""What SCIM answers where something cannot be done (RFC 7644, 3.12)."""

from __future__ import annotations

import json

from fastapi import Response

from allotment.api.problems import NotSignedIn
from allotment.model.reasons import Rule
from allotment.model.refusals import AllotmentError, NotFound, NotPermitted, Refusal

MEDIA_TYPE = "application/scim+json"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


class ScimProblem(AllotmentError):
    """A request that SCIM refuses. ``kind`` is one of its error types, or empty."""

    def __init__(self, status: int, detail: str, kind: str = "") -> None:
        self.status, self.kind = status, kind
        super().__init__(detail)


def answer_problem(error: Exception) -> Response:
    """The error as SCIM tells it."""
    status, kind = _status(error)
    body = {"schemas": [ERROR], "status": str(status), "detail": str(error)}
    if kind:
        body["scimType"] = kind
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}  # noqa: PLR2004 - not signed in
    return Response(json.dumps(body), status, headers=headers, media_type=MEDIA_TYPE)


def _status(error: Exception) -> tuple[int, str]:
    if isinstance(error, ScimProblem):
        return error.status, error.kind
    for kind, status in ((NotSignedIn, 401), (NotPermitted, 403), (NotFound, 404)):
        if isinstance(error, kind):
            return status, ""
    if isinstance(error, Refusal):
        rules = {reason.rule for reason in error.reasons}
        if Rule.NAME_TAKEN in rules:
            return 409, "uniqueness"
        return (400, "invalidValue") if Rule.REQUEST in rules else (409, "")
    return 503, ""
