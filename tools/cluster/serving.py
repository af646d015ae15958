"""The API over HTTP: addresses, bodies, lists, answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from multidict import MultiMapping
from ruamel.yaml import YAML

from . import escalation, kinds
from .access import Asked, Roles, Tokens, User
from .addresses import address_of
from .discovery import discovered
from .events import as_new_event, as_old_event
from .kinds import Kind
from .listing import listed
from .outage import Outage
from .patching import APPLY, patched
from .registry import Registry
from .reviews import Reviews
from .schema import read
from .statuses import (
    ApiError,
    Document,
    bad_request,
    conflict,
    method_not_allowed,
    no_such_path,
    unsupported_media_type,
    whole_number,
)
from .store import STALE
from .subresources import Subresources
from .watching import Watching

READ = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
PATCH_TRIES = 5


@dataclass(frozen=True)
class Call:
    """One request that is for a kind."""

    kind: Kind
    asked: Asked
    user: User
    body: Any
    query: MultiMapping[str]
    content_type: str


class Serving:
    """Answers requests, each as the user of its token."""

    def __init__(
        self, registry: Registry, tokens: Tokens, roles: Roles, catalogue: list[Kind]
    ) -> None:
        self.registry = registry
        self.tokens = tokens
        self.roles = roles
        self.catalogue = catalogue
        self.outage = Outage()
        self.watching = Watching(registry.store)
        self.reviews = Reviews(registry, tokens, roles)
        self.subresources = Subresources(registry, tokens)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; what is refused is answered with its Status."""
        try:
            await self.outage.stand(request)
            return await self._answer(request)
        except ApiError as refusal:
            return answer(refusal.document(), refusal.code)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        user = self.tokens.read(request.headers.get("Authorization", ""), self.registry.clock())
        address = address_of(request.method, request.path, request.query, self.catalogue)
        self.roles.require(user, address.asked)
        if address.kind is None and address.asked.resource:
            # Only who may ask at all is told that there is nothing.
            raise no_such_path()
        if address.kind is None:
            return discovered(request.path, self.catalogue)
        if address.verb == "watch":
            return await self.watching.stream(request, address)
        if address.asked.subresource == "log":
            return await self.subresources.log(request, address)
        body = await body_of(request)
        call = Call(address.kind, address.asked, user, body, request.query, request.content_type)
        document, code = self._done(call)
        return answer(self._shown(address.kind, document), code)

    def _done(self, call: Call) -> tuple[Document, int]:
        kind, asked = call.kind, call.asked
        if kind in kinds.REVIEWS:
            return self.reviews.review(
                kind, call.user, self._read(call, call.body), asked.namespace
            ), 201
        if asked.subresource and asked.subresource not in ("status", "finalize"):
            return self.subresources.done(asked, call.body)
        if asked.verb not in kind.verbs:
            raise method_not_allowed()
        verbs = {
            "get": self._get,
            "list": self._list,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_all,
        }
        return verbs[asked.verb](call)

    def _guard(self, call: Call, document: Document) -> None:
        """Refuse roles with more than their writer has; a body need not name its namespace."""
        if call.kind.namespaced:
            document["metadata"].setdefault("namespace", call.asked.namespace)
        escalation.check(self.roles, self.registry.store, call.user, call.kind, document)

    def _get(self, call: Call) -> tuple[Document, int]:
        return self.registry.store.get(call.kind, call.asked.namespace, call.asked.name), 200

    def _list(self, call: Call) -> tuple[Document, int]:
        return listed(self.registry.store, call.kind, call.asked, dict(call.query)), 200

    def _create(self, call: Call) -> tuple[Document, int]:
        document = self._read(call, call.body)
        document.setdefault("metadata", {})
        self._guard(call, document)
        dry = "All" in call.query.getall("dryRun", [])
        return self.registry.create(call.kind, document, call.asked.namespace, dry=dry), 201

    def _update(self, call: Call) -> tuple[Document, int]:
        document = self._read(call, call.body)
        metadata = document.setdefault("metadata", {})
        name = call.asked.name
        if metadata.get("name", name) != name:
            raise bad_request(
                f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
            )
        metadata["name"] = name
        namespace = call.asked.namespace if call.kind.namespaced else None
        if namespace and metadata.setdefault("namespace", namespace) != namespace:
            raise bad_request(
                f"the namespace of the object ({metadata['namespace']}) does not match the namespace on "
                f"the URL ({namespace})"
            )
        self._guard(call, document)
        return self.registry.update(call.kind, document, call.asked.subresource), 200

    def _patch(self, call: Call) -> tuple[Document, int]:
        content_type = call.content_type
        if content_type == APPLY:
            raise unsupported_media_type(
                ["application/json-patch+json", "application/merge-patch+json"]
            )
        before = self.registry.store.get(call.kind, call.asked.namespace, call.asked.name)
        shown = self._shown(call.kind, before)
        after = patched(shown, call.body, content_type)
        metadata = after.get("metadata")
        if not isinstance(metadata, dict) or metadata.get("name") != call.asked.name:
            raise bad_request(
                "the name of the object does not match the name on the URL "
                f"({call.asked.name}): {metadata!r}"
            )
        given = metadata.setdefault("resourceVersion", before["metadata"]["resourceVersion"])
        if given != before["metadata"]["resourceVersion"]:
            raise conflict(call.kind.group, call.kind.plural, call.asked.name, STALE)
        document = self._read(call, after)
        self._guard(call, document)
        return self.registry.update(call.kind, document, call.asked.subresource), 200

    def _delete(self, call: Call) -> tuple[Document, int]:
        options = deletion(call)
        asked = call.asked
        return self.registry.delete(call.kind, asked.namespace, asked.name, options), 200

    def _delete_all(self, call: Call) -> tuple[Document, int]:
        options = deletion(call)
        found = listed(self.registry.store, call.kind, call.asked, dict(call.query))
        for document in found["items"]:
            metadata = document["metadata"]
            self.registry.delete(
                call.kind, metadata.get("namespace", ""), metadata["name"], options
            )
        return found, 200

    def _read(self, call: Call, body: Any) -> Document:
        kind = call.kind
        if not isinstance(body, dict):
            raise bad_request(
                "the object provided is unrecognized (must be of type " + kind.kind + ")"
            )
        given = (body.get("apiVersion", kind.api_version), body.get("kind", kind.kind))
        if given != (kind.api_version, kind.kind):
            raise bad_request(
                f'{given[1]} in version "{given[0]}" cannot be handled as a {kind.kind}: no kind '
                f'"{given[1]}" is registered for version "{given[0]}" in scheme "k8s.io/kubernetes"'
            )
        if not kind.model:
            return dict(body)
        document, unknown = read(body, kind.model, kind.kind)
        if unknown and call.query.get("fieldValidation") == "Strict":
            listed_fields = ", ".join(f'unknown field "{one}"' for one in unknown)
            raise bad_request(
                f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: strict '
                f"decoding error: {listed_fields}"
            )
        return as_old_event(document) if kind is kinds.NEW_EVENTS else document

    def _shown(self, kind: Kind, document: Document) -> Document:
        return as_new_event(document) if kind is kinds.NEW_EVENTS else document


def deletion(call: Call) -> Document:
    """The options of a deletion: those of the body, or where there is none, of the query."""
    if call.body:
        return dict(call.body)
    options: Document = {}
    if "gracePeriodSeconds" in call.query:
        options["gracePeriodSeconds"] = whole_number(call.query, "gracePeriodSeconds")
    if "propagationPolicy" in call.query:
        options["propagationPolicy"] = call.query["propagationPolicy"]
    if "dryRun" in call.query:
        options["dryRun"] = call.query.getall("dryRun")
    return options


async def body_of(request: web.Request) -> Any:
    """What was sent: JSON or YAML.

    Raises:
        ApiError: 400 or 415.
    """
    raw = await request.read()
    if not raw:
        return None
    try:
        if request.content_type.endswith("yaml"):
            return YAML(typ="safe", pure=True).load(raw)
        if (
            not request.content_type.endswith("json")
            and request.content_type != "application/octet-stream"
        ):
            raise unsupported_media_type(READ)
        return json.loads(raw)
    except ValueError as problem:
        raise bad_request(f"couldn't get version/kind; json parse error: {problem}") from problem


def answer(document: Document, code: int = 200) -> web.Response:
    """A document as an answer."""
    headers = {"Cache-Control": "no-cache, private"}
    if code in (429, 504) and (seconds := (document.get("details") or {}).get("retryAfterSeconds")):
        headers["Retry-After"] = str(seconds)
    body = json.dumps(document, separators=(",", ":")).encode()
    return web.Response(body=body, status=code, content_type="application/json", headers=headers)
