"""This process's one way to the control plane, and what it was lent."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from allotment.client import AllotmentClient, ControlPlaneAway
from allotment.model.documents import DatasetAccess
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotPermitted
from allotment.notebook.keeper import lend_directly, lend_from_keeper
from allotment.notebook.lending import ASK_AGAIN, Ask, Lend, Lender, Lent, lent
from allotment.notebook.showing import show_in_cells

Version = int | str | datetime | None
"""A version by its number, its tag, a moment (the newest before it), or ``"promised"``; None: the files as they are now."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """How a dataset is opened, and when that was heard."""

    access: DatasetAccess
    heard_at: float
    credential: Lent
    listed: bool


class Session:
    """The client and what was lent to this process. Safe to use from several threads.

    ``lend_from`` asks for a source's credential: the server's own keeper where there is one.
    """

    def __init__(
        self,
        client: AllotmentClient,
        lend_from: Ask | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.client = client
        self.lender = Lender(lend_from or lend_directly(client), self._still, clock)
        self._clock = clock
        self._opened: dict[tuple[str, Any], _Opened] = {}
        self._lock = threading.Lock()

    def access(self, dataset: str, version: Version = None) -> DatasetAccess:
        """How a dataset is opened now; asked again every half minute.

        Raises:
            Refusal: it may not be loaded, or not any longer, in words.
        """
        return self._current(dataset, version).access

    def lend(self, dataset: str, version: Version = None) -> Lend:
        """What answers with a good credential of a dataset's storage whenever it is called."""
        return lambda: self._current(dataset, version, listed=False).credential

    def _still(self, source: str) -> None:
        """Go on only where a source may still be used.

        Raises:
            Refusal: it may not: it was revoked, or is not shared any more.
        """
        found = self.client.sources.get(source)
        if not found.usable:
            raise NotPermitted(Reason(Rule.DATA_ENABLED, found.obstacle))

    def forget(self, dataset: str | None = None) -> None:
        """Ask anew about one dataset, or about everything."""
        with self._lock:
            for key in [key for key in self._opened if dataset in (None, key[0])]:
                del self._opened[key]
        if dataset is None:
            self.lender.forget()

    def _current(self, dataset: str, version: Version, *, listed: bool = True) -> _Opened:
        """How a dataset is opened now; its files are listed anew only where they are asked for."""
        key, now = (dataset, version), self._clock()
        known = self._opened.get(key)
        if known is not None and self._is_good(known, now) and (known.listed or not listed):
            return known
        with self._lock:
            self._opened.pop(key, None)
        try:
            access = self.client.datasets.access(dataset, version, files=listed)
            opened = _Opened(access, now, lent(access.storage, now), listed)
        except ControlPlaneAway:
            if known is None or not known.credential.works(now) or (listed and not known.listed):
                raise
            # Whoever is reading reads on, as long as what was lent is good.
            opened = replace(known, heard_at=now)
        with self._lock:
            self._opened[key] = opened
        return opened

    def _is_good(self, known: _Opened, now: float) -> bool:
        renew_at = known.credential.renew_at
        heard = now - known.heard_at < ASK_AGAIN
        return heard and (renew_at is None or now < renew_at)


_session: tuple[int, Session] | None = None
_making = threading.Lock()


def session() -> Session:
    """The session of this process, made by its environment at the first call. A fork makes its own.

    Raises:
        AllotmentError: the environment names no control plane or no token.
    """
    global _session  # noqa: PLW0603 - one for the process
    with _making:
        if _session is None or _session[0] != os.getpid():
            client = AllotmentClient.from_environment()
            show_in_cells()
            _session = (os.getpid(), Session(client, lend_from_keeper(os.environ, client)))
        return _session[1]


def use(client: AllotmentClient | None) -> None:
    """Call the control plane by this client from now on; None: by what the environment says."""
    global _session  # noqa: PLW0603 - see above
    with _making:
        _session = None if client is None else (os.getpid(), Session(client))
