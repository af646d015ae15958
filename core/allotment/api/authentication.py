"""Authentication, before any route is reached: nothing is served to nobody by forgetting to ask.

A request is known by a bearer token, or by the cookie of a browser that signed in here. A cookie
reads its owner's own data and writes nothing: a page of somebody's server is of the same origin,
and could send a visitor's cookie along.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from allotment.api.environment import ServiceEnvironment
from allotment.api.identity import Identities, hash_token
from allotment.api.plane import ControlPlane
from allotment.api.problems import NotSignedIn, answer_error
from allotment.api.scim.problems import answer_problem
from allotment.api.sessions import COOKIE, Sessions
from allotment.model.allotments import Allotment
from allotment.model.people import Authority
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import AllotmentError, NotPermitted, RecordUnavailable
from allotment.model.service_accounts import TOKEN_PREFIX
from allotment.record import allotments, people, service_accounts
from allotment.rules.permission import Caller, Reach, reach
from allotment.work.hub_api import TokenOwner

API = "/api/v1"
OPEN = frozenset(
    {
        "/",
        "/login",
        "/oauth_callback",
        f"{API}/health",
        f"{API}/ready",
        f"{API}/openapi.json",
    }
)
"""Paths that anybody may ask; what they tell is nobody's."""
SCIM = f"{API}/scim/"
"""Where a directory asks, which reads errors in words of its own."""
OWN_SERVER = frozenset({f"{API}/reports"})
"""Paths for servers' own tokens: the record knows them, so that the hub need not be asked."""
_READING = frozenset({"GET", "HEAD"})
_USE_NOTED_AFTER = timedelta(minutes=10)
_THREADS = 20
T = TypeVar("T")


class Authentication:
    """Middleware: knows who asks, or answers itself."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator) -> None:
        self._app = app
        self._authenticator = authenticator
        self._threads = CapacityLimiter(_THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or route_path(scope) in OPEN:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        known: dict[str, Any] = dict(scope.get("state") or {})
        try:
            if route_path(scope) in OWN_SERVER:
                known["server"] = await self._ask(self._authenticator.server_of, request)
            else:
                known["caller"] = await self._ask(self._authenticator.caller_of, request)
        except AllotmentError as error:
            scim = route_path(scope).startswith(SCIM)
            await (answer_problem if scim else answer_error)(error)(scope, receive, send)
            return
        scope["state"] = known
        await self._app(scope, receive, send)

    async def _ask(self, question: Callable[[Request], T], request: Request) -> T:
        """Ask in a thread: hub and record may take their time. Routes have threads of their own."""
        return await to_thread.run_sync(question, request, limiter=self._threads)


class Authenticator:
    """Says who asks, from the headers of a request. Blocks."""

    def __init__(self, plane: ControlPlane, identities: Identities, sessions: Sessions) -> None:
        self._plane = plane
        self._identities = identities
        self._sessions = sessions

    def caller_of(self, request: Request) -> Caller:
        """Who asks with a token or a cookie.

        Raises:
            NotSignedIn: nobody that the hub knows.
            NotPermitted: a token that is not meant for this service, or a cookie that would write.
            HubAway: the hub cannot say.
        """
        bearer = _bearer(request)
        token = bearer or self._sessions.token(_cookies(request).get(COOKIE, ""))
        if not token:
            message = "This needs a token of the hub, in the header Authorization: Bearer …"
            raise NotSignedIn(message, "The hub's token page makes one.")
        if bearer is None and request.method not in _READING:
            raise NotPermitted(_COOKIE_WRITES)
        if bearer is not None and bearer.startswith(TOKEN_PREFIX):
            return self._program(bearer)
        owner = self._identities.owner(token)
        if owner is None:
            message = "The hub does not know this token: it has ended, or was revoked."
            raise NotSignedIn(message, "Make a new one on the hub's token page.")
        _check_meant_for(owner, self._plane.environment)
        return self._caller(owner, token, cookie=bearer is None)

    def _caller(self, owner: TokenOwner, token: str, *, cookie: bool) -> Caller:
        with self._plane.record.reading() as reading:
            authority = people.authority(reading, owner.name, self._plane.now())
            server = allotments.of_token(reading, hash_token(token))
        name = None if server is None else server.server
        how_far = reach(owner.scopes, person=owner.name, cookie=cookie, server=name)
        return Caller(authority, how_far, None if cookie else server)

    def _program(self, token: str) -> Caller:
        """A service account: the record knows it, so the hub need not be asked."""
        now = self._plane.now()
        with self._plane.record.reading() as reading:
            account = service_accounts.of_token(reading, hash_token(token))
        if account is None or account.state(now) == "ended":
            message = "This token of a service account has ended, was revoked, or never was."
            raise NotSignedIn(message, "An operator makes a new one: allotment service-accounts.")
        if account.used_at is None or now - account.used_at > _USE_NOTED_AFTER:
            # Nobody is refused for want of a note.
            with (
                suppress(RecordUnavailable),
                self._plane.record.writing(account.actor, now, configuration=False) as writing,
            ):
                service_accounts.used(writing, account.name)
        authority = Authority(account.actor, "", account.effective, (), ())
        return Caller(authority, Reach.EVERYTHING, program=True)

    def server_of(self, request: Request) -> Allotment:
        """The allotment whose server asks with its own token.

        Raises:
            NotSignedIn: there is no token.
            NotPermitted: it is no running server's own token.
        """
        token = _bearer(request)
        if token is None:
            message = "Reports are sent by a server, with its own token."
            raise NotSignedIn(message, "Nobody else can send them.")
        with self._plane.record.reading() as reading:
            found = allotments.of_token(reading, hash_token(token))
        if found is None:
            message = "This is no token of a server that holds an allotment."
            remedy = "A server reports with the token in its own JUPYTERHUB_API_TOKEN."
            raise NotPermitted(Reason(Rule.PERMISSION, message, remedy=remedy))
        return found


_COOKIE_WRITES = Reason(
    Rule.PERMISSION,
    "A browser's cookie only reads its owner's own data; it changes nothing.",
    remedy="Send a token in the header Authorization: Bearer …; the hub's token page makes one.",
)


def route_path(scope: Scope) -> str:
    """The path below the service's prefix."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")) or "/"


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    return token if scheme.lower() in {"bearer", "token"} and token else None


def _cookies(request: Request) -> dict[str, str]:
    try:
        jar = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def _check_meant_for(owner: TokenOwner, environment: ServiceEnvironment) -> None:
    if owner.kind != "user":
        reason = Reason(
            Rule.PERMISSION,
            f"This token is of the hub's service {owner.name!r}; the control plane serves people.",
            remedy="Use a token of a person.",
        )
        raise NotPermitted(reason)
    if owner.scopes.isdisjoint(environment.access_scopes):
        scope = f"access:services!service={environment.name}"
        reason = Reason(
            Rule.PERMISSION,
            f"This token was not made for the control plane: it lacks the scope {scope}.",
            remedy="Make a token with that scope on the hub's token page.",
            details=(scope,),
        )
        raise NotPermitted(reason)
