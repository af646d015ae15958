"""The API's description (OpenAPI): complete, with every error answer, made from the routes themselves."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from allotment.api.authentication import API, OPEN, OWN_SERVER
from allotment.api.examples import ANSWERS, BODIES
from allotment.api.problems import MEDIA_TYPE, TITLES
from allotment.model.documents import Problem

VERSION = "1.0.0"
_DESCRIPTION = """\
The control plane of Allotment: devices, pools, groups, people, limits, profiles and servers.

Send a token of the hub as `Authorization: Bearer …`. A token acts with all of its owner's
permissions only with the scope `custom:allotment:operate`; without it, for its owner's own things.
Every error is a problem (RFC 9457) with the reasons: which rule, its limit, what is used, what was
asked, and what would help.
"""
_EXAMPLES: dict[int, dict[str, Any]] = {
    401: {"detail": "This needs a token of the hub, in the header Authorization: Bearer …"},
    403: {
        "detail": "ana (data-scientist) may not change pools.",
        "reasons": [
            {
                "rule": "permission",
                "message": "ana (data-scientist) may not change pools.",
                "remedy": "Ask an operator; it takes the permission manage-pools.",
                "details": ["manage-pools"],
            }
        ],
    },
    404: {"detail": "There is no pool 'a100'."},
    409: {
        "detail": "a100 has 2 devices; guarantees of 3 would be given out (vision 3).",
        "reasons": [
            {
                "rule": "pool.capacity",
                "message": "a100 has 2 devices; guarantees of 3 would be given out (vision 3).",
                "limit": 2,
                "used": 0,
                "asked": 3,
                "remedy": "Guarantee 1 fewer, or add devices to the pool.",
                "details": ["vision"],
            }
        ],
    },
    412: {
        "detail": "pool 'a100' was changed meanwhile: its revision is 4, not 3. Read it again.",
        "expected": 3,
        "found": 4,
    },
    413: {"detail": "A request has at most 1 MiB."},
    422: {"detail": "body guaranteed: Input should be greater than or equal to 0."},
    428: {"detail": 'Send the revision that you read, as If-Match: "3".'},
    503: {"detail": "The record was busy for 10 s."},
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The description of all routes of an application."""
    document = get_openapi(
        title="Allotment control plane",
        version=VERSION,
        description=_DESCRIPTION,
        routes=app.routes,
        servers=[{"url": "/services/allotment"}],
    )
    components = document["components"]
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    schemas = components["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    components["responses"] = {_name(status): _problem(status) for status in _EXAMPLES}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(path, method, operation)
            _exemplify(operation)
    return document


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """Add what every route of its kind may answer, and who may ask."""
    responses = operation["responses"]
    for status in _statuses(path, method, operation):
        responses[str(status)] = {"$ref": f"#/components/responses/{_name(status)}"}
    if path not in OPEN:
        operation["security"] = [{"token": []}]
    if any(parameter["name"] == "cursor" for parameter in operation.get("parameters", ())):
        responses["304"] = {"description": "The caller has this list already (If-None-Match)"}


def _statuses(path: str, method: str, operation: dict[str, Any]) -> set[int]:
    named = {parameter["name"].lower() for parameter in operation.get("parameters", ())}
    statuses = {503}
    if path not in OPEN:
        statuses |= {401, 403}
    if "{" in path or method in {"post", "put"}:
        statuses.add(404)
    if named or "requestBody" in operation:
        statuses.add(422)
    if "requestBody" in operation:
        statuses.add(413)
    if method != "get" and path not in OWN_SERVER:
        statuses |= {404, 409}
    if "if-match" in named:
        statuses |= {412, 428}
    if path == f"{API}/explain":
        statuses.add(404)
    if path in OPEN:
        statuses.discard(503)
    return statuses


def _exemplify(operation: dict[str, Any]) -> None:
    """Add an example to what is sent and to what is answered."""
    sent = operation.get("requestBody")
    if sent is not None:
        for kind, content in sent["content"].items():
            if kind == "application/json":
                content["example"] = BODIES[_document(content)]
    for status, response in operation["responses"].items():
        content = response.get("content", {}).get("application/json")
        if content is not None and status.startswith("2"):
            content["example"] = ANSWERS[_document(content)]


def _document(content: dict[str, Any]) -> str:
    return str(content["schema"]["$ref"]).rpartition("/")[2]


def _name(status: int) -> str:
    return "".join(part.title() for part in TITLES[status][0].split("-"))


def _problem(status: int) -> dict[str, Any]:
    end, title = TITLES[status]
    example = {"type": f"urn:allotment:problem:{end}", "title": title, "status": status}
    example |= {"reasons": [], **_EXAMPLES[status]}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": title, "content": {MEDIA_TYPE: {"schema": schema, "example": example}}}
