"""Whose a token is: asked of the hub by HTTP, remembered for seconds."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from allotment.work.hub_api import HubApi, HubAway, TokenOwner

FRESH = 5.0
"""Seconds for which an answer of the hub is used without asking again."""
GRACE = 60.0
"""Seconds for which a token is still known while the hub does not answer."""
_PAUSE = 2.0
"""Seconds for which a hub that did not answer is not asked about tokens that are known."""
_MOST = 20_000
_STRIPES = 64


def hash_token(token: str) -> str:
    """The SHA-256 of a token in hexadecimal: tokens themselves are kept nowhere."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class _Known:
    owner: TokenOwner
    asked_at: float


class Identities:
    """Remembers whose tokens are. Blocks where the hub must be asked; safe to use from threads."""

    def __init__(self, hub: HubApi, seconds: Callable[[], float] = time.monotonic) -> None:
        self._hub = hub
        self._seconds = seconds
        self._lock = threading.Lock()
        # One question to the hub at a time for one token, however many requests come with it.
        self._turns = tuple(threading.Lock() for _ in range(_STRIPES))
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._silent_until = 0.0

    def owner(self, token: str) -> TokenOwner | None:
        """Whose the token is; None where the hub does not know it.

        Raises:
            HubAway: the hub does not answer, and the token was not seen in the last minute.
        """
        digest = hash_token(token)
        known = self._recall(digest)
        if known is not None and self._usable(known):
            return known.owner
        with self._turns[int(digest[:8], 16) % _STRIPES]:
            known = self._recall(digest)
            if known is not None and self._usable(known):
                return known.owner
            return self._ask(token, digest, known)

    def forget(self, token: str) -> None:
        """Ask the hub again at the token's next use."""
        with self._lock:
            self._known.pop(hash_token(token), None)

    def _usable(self, known: _Known) -> bool:
        now = self._seconds()
        age = now - known.asked_at
        return age <= FRESH or (now < self._silent_until and age <= GRACE)

    def _ask(self, token: str, digest: str, known: _Known | None) -> TokenOwner | None:
        try:
            owner = self._hub.owner(token)
        except HubAway:
            now = self._seconds()
            self._silent_until = now + _PAUSE
            if known is not None and now - known.asked_at <= GRACE:
                return known.owner
            raise
        self._silent_until = 0.0
        with self._lock:
            self._known.pop(digest, None)
            if owner is not None:
                self._known[digest] = _Known(owner, self._seconds())
                if len(self._known) > _MOST:
                    self._known.popitem(last=False)
        return owner

    def _recall(self, digest: str) -> _Known | None:
        with self._lock:
            return self._known.get(digest)
