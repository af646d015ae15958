"""Middleware around every request: where it is, how large it may be, how it went."""

from __future__ import annotations

import logging
import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from allotment.api.authentication import API
from allotment.api.plane import ControlPlane
from allotment.api.problems import problem_response
from allotment.data.datasets import attachments
from allotment.rules.permission import Caller

log = logging.getLogger(__name__)

LARGEST_BODY = 2**20
"""Bytes. The largest thing sent is a settings file."""


_LARGER = (
    ("POST", re.compile(rf"{API}/simulations"), 10 * 2**20),
    ("PUT", re.compile(rf"{API}/datasets/[^/]+/attachments/[^/]+"), attachments.LARGEST),
)
"""Bytes, where more may be sent: a trace, a document beside a dataset."""
_IN_PIECES = ("PUT", re.compile(rf"{API}/models/[^/]+/[^/]+/file"))
"""Where a file is sent that is never held in memory; its route says how large it may be."""


class Prefix:
    """Middleware: tells the routes below which prefix they are. The proxy passes it on."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"].startswith(f"{self._prefix}/"):
            scope = {**scope, "root_path": self._prefix}
        await self._app(scope, receive, send)


class BodyLimit:
    """Middleware: refuses requests whose body is too large, before it is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or _matches(scope, *_IN_PIECES):
            await self._app(scope, receive, send)
            return
        larger = (most for method, path, most in _LARGER if _matches(scope, method, path))
        most = next(larger, LARGEST_BODY)
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > most:
                detail = f"A request has at most {most // 2**20} MiB."
                await problem_response(413, detail)(scope, receive, send)
                return
        given = False

        async def whole() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, whole, send)


def _matches(scope: Scope, method: str, path: re.Pattern[str]) -> bool:
    """Whether a request is of this method, to such a path."""
    asked = scope["path"].removeprefix(scope["root_path"])
    return bool(scope["method"] == method and path.fullmatch(asked))


class Watch:
    """Middleware: counts and logs every request: who, what, how it went; never queries, headers or bodies."""

    def __init__(self, app: ASGIApp, plane: ControlPlane) -> None:
        self._app = app
        self._plane = plane

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started = 500, time.monotonic()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", [])
                message["headers"] += _HEADERS
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            self._note(scope, status, time.monotonic() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        self._plane.measures.request(scope["method"], route, status, seconds)
        caller = (scope.get("state") or {}).get("caller")
        person = caller.person if isinstance(caller, Caller) else ""
        level = logging.DEBUG if status < 400 and scope["method"] == "GET" else logging.INFO  # noqa: PLR2004 - HTTP's line between success and failure
        extra = {
            "method": scope["method"],
            "route": route,
            "status": status,
            "seconds": round(seconds, 4),
            "person": person,
        }
        log.log(level, "%s %s %d", scope["method"], route, status, extra=extra)


_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    ),
]
