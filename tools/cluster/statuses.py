"""What a Kubernetes API server answers when it refuses: Status documents, in its own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong with a document: FieldValueInvalid, where, and why."""

    reason: str
    field: str
    message: str

    def document(self) -> Document:
        """As it stands among the causes of a Status."""
        return {"reason": self.reason, "message": self.message, "field": self.field}

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class ApiError(Exception):
    """An answer that is no success."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = dict(details or {})
        self.metadata = dict(metadata or {})

    def document(self) -> Document:
        """The Status that a client reads."""
        status: Document = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details:
            status["details"] = self.details
        return status | {"code": self.code}


def success(details: Mapping[str, Any]) -> Document:
    """The Status of a deletion that leaves nothing to show."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": dict(details),
    }


def named(group: str, plural: str, name: str) -> Document:
    """The details that say what an answer is about."""
    about = {"name": name, "group": group, "kind": plural}
    return {key: value for key, value in about.items() if value}


def qualified(group: str, plural: str) -> str:
    """``pods``, ``leases.coordination.k8s.io``."""
    return f"{plural}.{group}" if group else plural


def not_found(group: str, plural: str, name: str) -> ApiError:
    """404 for an object."""
    message = f'{qualified(group, plural)} "{name}" not found'
    return ApiError(404, "NotFound", message, named(group, plural, name))


def no_such_path() -> ApiError:
    """404 for an address that serves nothing."""
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def already_exists(group: str, plural: str, name: str) -> ApiError:
    """409 for a name that is taken."""
    message = f'{qualified(group, plural)} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, named(group, plural, name))


def conflict(group: str, plural: str, name: str, why: str) -> ApiError:
    """409 for a change that rests on what is no longer so."""
    message = f'Operation cannot be fulfilled on {qualified(group, plural)} "{name}": {why}'
    return ApiError(409, "Conflict", message, named(group, plural, name))


def forbidden(group: str, plural: str, name: str, why: str) -> ApiError:
    """403, by a role or by admission."""
    shown = f'{qualified(group, plural)} "{name}"' if name else qualified(group, plural)
    return ApiError(403, "Forbidden", f"{shown} is forbidden: {why}", named(group, plural, name))


def unauthorized() -> ApiError:
    """401 for a token that is not known, or not any more."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def bad_request(message: str) -> ApiError:
    """400 for what cannot be read."""
    return ApiError(400, "BadRequest", message)


def whole_number(query: Mapping[str, str], name: str) -> int:
    """A number of a query, 0 where it is not given.

    Raises:
        ApiError: 400, it is none.
    """
    text = query.get(name) or "0"
    try:
        return int(text)
    except ValueError:
        why = f'strconv.ParseInt: parsing "{text}": invalid syntax'
        raise bad_request(why) from None


def invalid(group: str, kind: str, name: str, causes: Sequence[Cause]) -> ApiError:
    """422 with all that is wrong."""
    shown = f"{kind}.{group}" if group else kind
    listed = str(causes[0]) if len(causes) == 1 else f"[{', '.join(map(str, causes))}]"
    details = named(group, kind, name) | {"causes": [cause.document() for cause in causes]}
    return ApiError(422, "Invalid", f'{shown} "{name}" is invalid: {listed}', details)


def method_not_allowed() -> ApiError:
    """405 for a verb that a resource does not have."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message)


def unsupported_media_type(accepted: Sequence[str]) -> ApiError:
    """415 for a body of a kind that is not read."""
    message = (
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(accepted)
    )
    return ApiError(415, "UnsupportedMediaType", message)


def expired(message: str, metadata: Mapping[str, Any] | None = None) -> ApiError:
    """410 for a past that is not kept."""
    return ApiError(410, "Expired", message, metadata=metadata)


def too_old(asked: int, oldest: int) -> ApiError:
    """410 for a watch that would begin before what is kept."""
    return expired(f"too old resource version: {asked} ({oldest})")


def too_large(asked: int, current: int) -> ApiError:
    """504 for a version that has not come yet."""
    details = {
        "causes": [
            {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"},
        ],
        "retryAfterSeconds": 1,
    }
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    return ApiError(504, "Timeout", message, details)


def away() -> ApiError:
    """503 while the API server starts or ends."""
    return ApiError(503, "ServiceUnavailable", "apiserver not ready")
