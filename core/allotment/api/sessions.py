"""Browsers that signed in: an encrypted cookie that holds the browser's own token of the hub.

The key comes from the control plane's own token, which the hub makes anew at each of its starts;
a browser whose cookie no longer opens is sent through the hub again, without being asked anything.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass

from cryptography.fernet import Fernet, InvalidToken

COOKIE = "allotment-session"
STATE_COOKIE = "allotment-sign-in"
SESSION_SECONDS = 14 * 24 * 3600
SIGN_IN_SECONDS = 600
"""How long a sign-in may take from its start at the control plane to its return from the hub."""
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in under way: bound to the browser by a cookie. ``verifier`` is that of PKCE."""

    state: str
    verifier: str
    following: str
    """The path to show afterwards."""


class Sessions:
    """Seals and opens cookies."""

    def __init__(self, secret: str) -> None:
        self._session = _sealer(secret, "session")
        self._sign_in = _sealer(secret, "sign-in")

    def seal(self, token: str) -> str:
        """The cookie of a browser whose token this is."""
        return self._session.encrypt(token.encode()).decode()

    def token(self, cookie: str) -> str | None:
        """The token in a cookie; None where the cookie is not ours, or too old."""
        opened = _open(self._session, cookie, SESSION_SECONDS)
        return None if opened is None else opened.decode()

    def seal_sign_in(self, sign_in: SignIn) -> str:
        """The cookie of a sign-in under way."""
        return self._sign_in.encrypt(json.dumps(asdict(sign_in)).encode()).decode()

    def sign_in(self, cookie: str) -> SignIn | None:
        """The sign-in under way in this browser, if it is not too old."""
        opened = _open(self._sign_in, cookie, SIGN_IN_SECONDS)
        return None if opened is None else SignIn(**json.loads(opened))


def _sealer(secret: str, purpose: str) -> Fernet:
    key = hmac.digest(secret.encode(), f"allotment {purpose}".encode(), hashlib.sha256)
    return Fernet(base64.urlsafe_b64encode(key))


def _open(sealer: Fernet, cookie: str, seconds: int) -> bytes | None:
    if not cookie or len(cookie) > _LONGEST:
        return None
    try:
        return sealer.decrypt(cookie.encode("utf-8", "replace"), ttl=seconds)
    except InvalidToken:
        return None
