"""Where kernels ask the keeper: a port of this machine's loopback, with a token of its own.

``POST /credentials/NAME`` answers as the control plane does. ``GET /aws/NAME`` answers an S3
source's keys as Amazon's libraries ask for them (container credentials): they renew by themselves.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import MutableMapping
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from allotment.model.documents import Problem, SourceCredential
from allotment.model.documents.problems import ReasonDocument
from allotment.model.refusals import AllotmentError, NotFound, NotPermitted, Refusal
from allotment.model.sources import SourceKind
from allotment.notebook.keeper import KEEPER_TOKEN, KEEPER_URL
from allotment_server.background import in_background
from allotment_server.keeping import Keeper

_LOOPBACK = "127.0.0.1"


class KeeperDoor:
    """The port, while the server runs."""

    def __init__(self, keeper: Keeper) -> None:
        self.token = secrets.token_urlsafe(32)
        known = {"keeper": keeper, "token": self.token}
        routes = [
            (r"/credentials/([^/]+)", LendHandler, known),
            (r"/aws/([^/]+)", AwsHandler, known),
        ]
        self._server = HTTPServer(Application(routes, log_function=lambda _: None))
        self.url = ""

    def open(self, environment: MutableMapping[str, str]) -> None:
        """Listen, and let everything that starts from now on know where."""
        sockets = bind_sockets(0, _LOOPBACK)
        self._server.add_sockets(sockets)
        self.url = f"http://{_LOOPBACK}:{sockets[0].getsockname()[1]}"
        environment[KEEPER_URL], environment[KEEPER_TOKEN] = self.url, self.token

    def close(self) -> None:
        """Listen no longer."""
        self._server.stop()


class _Asked(RequestHandler):
    """A question of a kernel: only with the token, which other people's processes do not know."""

    def initialize(self, keeper: Keeper, token: str) -> None:
        self.keeper, self.token = keeper, token

    def prepare(self) -> None:
        given = self.request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.set_header("Cache-Control", "no-store")
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            self.set_status(HTTPStatus.UNAUTHORIZED)
            self.finish({"message": "The keeper of credentials does not know this token."})

    async def asked(self, source: str, *, fresh: bool) -> SourceCredential | None:
        """What is lent; None once a refusal was answered."""
        try:
            return await in_background(partial(self.keeper.lend, source, fresh=fresh))
        except AllotmentError as error:
            problem = _problem(error)
            self.set_status(problem.status)
            self.set_header("Content-Type", "application/problem+json")
            self.finish(problem.model_dump_json())
            return None


class LendHandler(_Asked):
    """``POST /credentials/NAME``; with ``?fresh=1`` a new one."""

    async def post(self, source: str) -> None:
        """The credential of a source."""
        lent = await self.asked(source, fresh=self.get_argument("fresh", "") == "1")
        if lent is not None:
            self.set_header("Content-Type", "application/json")
            self.finish(lent.model_dump_json())


class AwsHandler(_Asked):
    """``GET /aws/NAME``."""

    async def get(self, source: str) -> None:
        """An S3 source's keys, in Amazon's words."""
        lent = await self.asked(source, fresh=False)
        if lent is None:
            return
        if lent.kind is not SourceKind.S3:
            self.set_status(HTTPStatus.NOT_FOUND)
            self.finish({"message": f"{source} is no S3 source."})
            return
        self.finish(_aws_words(lent))


def _aws_words(lent: SourceCredential) -> dict[str, Any]:
    words = {
        "AccessKeyId": lent.fields.get("access_key_id", ""),
        "SecretAccessKey": lent.fields.get("secret_access_key", ""),
        "Token": lent.fields.get("session_token", ""),
    }
    if lent.expires_at is None:
        return words
    # Amazon's libraries compare with this machine's clock.
    ends = datetime.now(UTC) + (lent.expires_at - lent.now)
    return words | {"Expiration": f"{ends:%Y-%m-%dT%H:%M:%SZ}"}


def _problem(error: AllotmentError) -> Problem:
    reasons = error.reasons if isinstance(error, Refusal) else ()
    status = HTTPStatus.SERVICE_UNAVAILABLE
    if isinstance(error, Refusal):
        status = HTTPStatus.CONFLICT
    if isinstance(error, NotPermitted):
        status = HTTPStatus.FORBIDDEN
    if isinstance(error, NotFound):
        status = HTTPStatus.NOT_FOUND
    return Problem(
        type="urn:allotment:problem:source",
        title="The source is not lent",
        status=status,
        detail=str(error),
        reasons=tuple(ReasonDocument.model_validate(reason.document()) for reason in reasons),
    )
