"""Credentials lent to this process: kept while they are good, asked for anew before they end.

Whether they may still be used is asked again every half minute, so that what was revoked stops
here within a minute, even where the provider goes on taking it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from allotment.client import ControlPlaneAway
from allotment.model.refusals import AllotmentError
from allotment.model.sources import SourceKind

ASK_AGAIN = 30.0
"""Seconds for which an answer of the control plane is believed."""
LONGEST_MARGIN = 300.0
"""Seconds before its end at which a credential is renewed, at most; short ones after four fifths of their life."""


@dataclass(frozen=True, slots=True)
class Lent:
    """What one source is read with. ``ends`` is by this process's own clock; None: not by itself.

    ``shared`` where it is the registered account itself and no account of this server's own.
    """

    source: str
    kind: SourceKind
    fields: Mapping[str, Any] = field(repr=False)
    ends: float | None = None
    renew_at: float | None = None
    shared: bool = False

    def works(self, now: float) -> bool:
        """Whether it has not ended at a moment of this process's clock."""
        return self.ends is None or now < self.ends

    def text(self, name: str, default: str = "") -> str:
        """A field as text; the default where it is missing or empty."""
        value = self.fields.get(name)
        return default if value is None or value == "" else str(value)

    def number(self, name: str, default: int) -> int:
        """A field as a number; the default where it is missing or empty."""
        return int(self.text(name, str(default)))


Lend = Callable[[], Lent]
"""Answers with a credential that is good now. What keeps files open calls it again and again."""


class Asking:
    """Lends, and remembers why it was refused: libraries that ask in mid-load say it in words of their own."""

    def __init__(self, lend: Lend) -> None:
        self._lend = lend
        self.refused: AllotmentError | None = None

    def __call__(self) -> Lent:
        """A credential that is good now.

        Raises:
            AllotmentError: there is none, or it may not be used any longer.
        """
        try:
            return self._lend()
        except AllotmentError as error:
            self.refused = error
            raise


class Ask(Protocol):
    """Asks for a credential of a source."""

    def __call__(self, source: str, *, fresh: bool) -> Answered:
        """``fresh``: another one than was answered before, for that one was refused."""


class Answered(Protocol):
    """A credential as the control plane answers it."""

    @property
    def source(self) -> str | None: ...  # noqa: D102 - the model's word
    @property
    def kind(self) -> SourceKind: ...  # noqa: D102
    @property
    def fields(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def expires_at(self) -> datetime | None: ...  # noqa: D102
    @property
    def now(self) -> datetime: ...  # noqa: D102
    @property
    def shared(self) -> bool: ...  # noqa: D102


def lent(answer: Answered, at: float) -> Lent:
    """A credential that was answered at a moment of this process's clock.

    Its life is counted by the control plane's clock alone: this machine's may be wrong.
    """
    if answer.expires_at is None:
        return Lent(answer.source or "", answer.kind, answer.fields, shared=answer.shared)
    life = (answer.expires_at - answer.now).total_seconds()
    margin = min(LONGEST_MARGIN, life / 5)
    return Lent(
        answer.source or "",
        answer.kind,
        answer.fields,
        ends=at + life,
        renew_at=at + life - margin,
        shared=answer.shared,
    )


@dataclass(slots=True)
class _Held:
    """A credential, and when it was last heard that it may be used."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    credential: Lent | None = None
    heard_at: float = 0.0


class Lender:
    """Lends credentials of sources to this process. Safe to use from several threads.

    Args:
        ask: asks for a credential of a source.
        still: asks whether a source may still be used; raises a refusal where not.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        ask: Ask,
        still: Callable[[str], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._still, self._clock = ask, still, clock
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()

    def credential(self, source: str) -> Lent:
        """A credential that is good now.

        Raises:
            Refusal: the source may not be used, or not any longer.
            ControlPlaneAway: it was not there to be asked, and nothing is held that is good.
        """
        held = self._of(source)
        with held.lock:
            now = self._clock()
            known = held.credential
            if known is None or (known.renew_at is not None and now >= known.renew_at):
                return self._renew(source, held)
            if now - held.heard_at >= ASK_AGAIN:
                self._confirm(source, held)
            return known

    def renewed(self, source: str, refused: Lent | None = None) -> Lent:
        """Another credential than the one that the provider refused; None: than any that is held."""
        held = self._of(source)
        with held.lock:
            known = held.credential
            if refused is not None and known is not None and known is not refused:
                return known
            return self._renew(source, held, fresh=True)

    def lend(self, source: str) -> Lend:
        """What answers with a good credential of this source whenever it is called."""
        return lambda: self.credential(source)

    def forget(self) -> None:
        """Hold nothing any more."""
        with self._lock:
            self._held.clear()

    def _of(self, source: str) -> _Held:
        with self._lock:
            return self._held.setdefault(source, _Held())

    def _renew(self, source: str, held: _Held, *, fresh: bool = False) -> Lent:
        known, held.credential = held.credential, None
        asked_at = self._clock()
        try:
            held.credential = lent(self._ask(source, fresh=fresh), asked_at)
        except ControlPlaneAway:
            if fresh or known is None or not known.works(self._clock()):
                raise
            # It is good to its end; nobody can say that it may not be used.
            held.credential = known
            return known
        held.heard_at = asked_at
        return held.credential

    def _confirm(self, source: str, held: _Held) -> None:
        try:
            self._still(source)
        except ControlPlaneAway:
            # Whoever is reading reads on; it is asked again after a while.
            pass
        except Exception:
            held.credential = None
            raise
        held.heard_at = self._clock()
