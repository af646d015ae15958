"""Credentials of sources, kept for this server's kernels and renewed beside them before they end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from allotment.client import ControlPlaneAway
from allotment.model.documents import SourceCredential
from allotment.model.refusals import AllotmentError, Refusal

LONGEST_MARGIN = 600.0
"""Seconds before its end at which a credential is renewed, at most; kernels ask again five minutes later."""
SHARE_OF_LIFE = 0.4
"""Short-lived ones are renewed with this part of their life left."""


@dataclass(slots=True)
class _Kept:
    """What was lent of one source. ``at`` is when, by this process's clock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    credential: SourceCredential | None = None
    at: float = 0.0
    wanted: bool = False

    def left(self, now: float) -> float:
        """Seconds until it ends, by the control plane's own reckoning."""
        if self.credential is None:
            return 0.0
        return _life(self.credential) - (now - self.at)

    def is_due(self, now: float) -> bool:
        """Whether it should be renewed now."""
        if self.credential is None:
            return True
        return self.left(now) <= min(LONGEST_MARGIN, _life(self.credential) * SHARE_OF_LIFE)


class Keeper:
    """Keeps one credential for each source that a kernel asked for. Safe to use from several threads.

    Args:
        ask: asks the control plane for a new credential.
        log: hears when one could not be renewed.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        ask: Callable[[str], SourceCredential],
        log: logging.Logger | logging.LoggerAdapter[logging.Logger],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._log, self._clock = ask, log, clock
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def lend(self, source: str, *, fresh: bool = False) -> SourceCredential:
        """A credential that is good now; a new one where the one before was refused (``fresh``).

        Its ``now`` is moved on, so that its life can be counted from this moment.

        Raises:
            Refusal: the source may not be used.
            ControlPlaneAway: it was not there to be asked, and nothing is kept that is good.
        """
        with self._lock:
            kept = self._kept.setdefault(source, _Kept())
        with kept.lock:
            kept.wanted = True
            if fresh or kept.is_due(self._clock()):
                self._renew(source, kept, must=fresh)
            return self._as_of_now(kept)

    def renew_due(self) -> None:
        """Renew what ends soon; what nobody has asked for since it was renewed is let go."""
        with self._lock:
            due = [(name, kept) for name, kept in self._kept.items() if kept.is_due(self._clock())]
        for name, kept in due:
            with kept.lock:
                if not kept.wanted:
                    self._drop(name)
                    continue
                try:
                    self._renew(name, kept, must=False)
                    kept.wanted = False
                except AllotmentError as error:
                    self._log.warning("Source %s could not be renewed: %s", name, error)

    def _renew(self, source: str, kept: _Kept, *, must: bool) -> None:
        asked_at = self._clock()
        try:
            answer = self._ask(source)
        except Refusal:
            self._drop(source)
            raise
        except ControlPlaneAway:
            # What is left of the old one is still good; it is tried again until its end.
            if must or kept.left(asked_at) <= 0:
                raise
            return
        kept.credential, kept.at = answer, asked_at

    def _as_of_now(self, kept: _Kept) -> SourceCredential:
        credential = kept.credential
        if credential is None:
            message = "The control plane lent nothing."
            raise ControlPlaneAway(message)
        moved = credential.now + timedelta(seconds=self._clock() - kept.at)
        return credential.model_copy(update={"now": moved})

    def _drop(self, source: str) -> None:
        with self._lock:
            self._kept.pop(source, None)


def _life(credential: SourceCredential) -> float:
    """Seconds that it lives; for ever where it does not end by itself."""
    if credential.expires_at is None:
        return float("inf")
    return (credential.expires_at - credential.now).total_seconds()
