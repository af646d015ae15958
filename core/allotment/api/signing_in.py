"""Signing a browser in: an OAuth client of the hub, of the control plane's own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from html import escape
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from allotment.api.environment import ServiceEnvironment
from allotment.api.plane import Plane
from allotment.api.problems import NotSignedIn
from allotment.api.sessions import (
    COOKIE,
    SESSION_SECONDS,
    SIGN_IN_SECONDS,
    STATE_COOKIE,
    Sessions,
    SignIn,
)

router = APIRouter(include_in_schema=False)

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Allotment control plane</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;
color-scheme:light dark}}</style></head>
<body><main><h1>Allotment control plane</h1>
<p>This is the address of the platform's API. Programs use it with a token from the
<a href="{hub}token">hub's token page</a>; its description is <a href="{prefix}api/v1/openapi.json">openapi.json</a>.</p>
<p>A browser that is <a href="{prefix}login">signed in here</a> may read
<a href="{prefix}api/v1/me">what its owner holds</a>, and nothing else.</p>
<p><a href="{hub}home">To my servers</a></p></main></body></html>
"""


@router.get("/")
def root(plane: Plane) -> Response:
    """Say what this address is."""
    where = plane.environment
    page = _PAGE.format(hub=escape(where.hub_host + where.hub_path), prefix=escape(where.prefix))
    return HTMLResponse(page)


@router.get("/login")
def login(
    request: Request, plane: Plane, following: Annotated[str, Query(alias="next")] = ""
) -> Response:
    """Send the browser to the hub, to come back with a code."""
    where = plane.environment
    verifier = secrets.token_urlsafe(48)
    started = SignIn(secrets.token_urlsafe(24), verifier, own_path(following, where.prefix))
    challenge = hashlib.sha256(verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": where.client_id,
        "redirect_uri": where.callback_url,
        "state": started.state,
        "code_challenge": base64.urlsafe_b64encode(challenge).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    address = f"{where.hub_host}{where.hub_path}api/oauth2/authorize?{urlencode(query)}"
    response = RedirectResponse(address, 302)
    sealed = _sessions(request).seal_sign_in(started)
    _set_cookie(response, request, where, STATE_COOKIE, sealed, SIGN_IN_SECONDS)
    return response


@router.get("/oauth_callback")
def callback(
    request: Request,
    plane: Plane,
    code: Annotated[str, Query(max_length=512)] = "",
    state: Annotated[str, Query(max_length=512)] = "",
) -> Response:
    """Take the code that the hub gave, and remember the browser.

    Raises:
        NotSignedIn: the sign-in was not begun in this browser, took too long, or the hub refused.
    """
    where = plane.environment
    started = _sessions(request).sign_in(request.cookies.get(STATE_COOKIE, ""))
    if started is None or not hmac.compare_digest(started.state.encode(), state.encode()):
        message = "This sign-in was not begun in this browser, or too long ago."
        raise NotSignedIn(message, f"Begin again at {where.prefix}login.")
    form = {
        "client_id": where.client_id,
        "client_secret": where.token,
        "redirect_uri": where.callback_url,
        "code_verifier": started.verifier,
    }
    token = plane.hub.token_for_code(code, form)
    if token is None:
        message = "The hub did not accept this sign-in."
        raise NotSignedIn(message, f"Begin again at {where.prefix}login.")
    response = RedirectResponse(started.following, 302)
    _set_cookie(response, request, where, COOKIE, _sessions(request).seal(token), SESSION_SECONDS)
    response.delete_cookie(STATE_COOKIE, path=where.prefix)
    return response


def own_path(following: str, prefix: str) -> str:
    """A path of this service to go on to; anything else, another site above all, becomes its root."""
    parts = urlsplit(following.replace("\\", "/"))
    foreign = parts.scheme or parts.netloc or not parts.path.startswith(prefix)
    if foreign or ".." in parts.path or not following.isascii() or not following.isprintable():
        return prefix
    return following


def _sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.sessions
    return sessions


def _set_cookie(
    response: Response,
    request: Request,
    where: ServiceEnvironment,
    name: str,
    value: str,
    seconds: int,
) -> None:
    """Set a cookie that scripts cannot read and that is sent to this service only."""
    forwarded = request.headers.get("x-forwarded-proto", request.url.scheme)
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=where.prefix,
        secure=forwarded.split(",")[0].strip() == "https",
        httponly=True,
        samesite="lax",
    )
