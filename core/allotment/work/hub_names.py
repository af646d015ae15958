"""A hub's name in a record stands for one hub: a second one of the same name is refused.

Two of one name would each take the other's servers for its own, and end them. A hub is told from another
by its identity, which outlives its process: the same hub that starts again, here or elsewhere, has its name
at once, and a former process of it that still runs ends. Another hub gets the name when
the one that has it ended, or has not said for a while that it runs.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from allotment.model.refusals import AllotmentError, RecordUnavailable
from allotment.record import Record, hubs
from allotment.record.hubs import SeenHub
from allotment.work.holders import known_to_be_gone, known_to_live, this_process

log = logging.getLogger(__name__)

_PACES = {"postgresql": (timedelta(seconds=20), 5.0), "sqlite": (timedelta(seconds=60), 20.0)}
"""How long a hub counts as running after its last word, and the seconds between two words."""
_LOOK_AGAIN = 0.5
"""Seconds between two looks whether another hub says that it runs; no event tells of it."""
_ACTOR = "hub"


class HubNameTaken(AllotmentError):
    """Another hub of this name runs on the same record."""

    def __init__(self, other: SeenHub) -> None:
        super().__init__(
            f"another hub called {other.name!r} uses this record: it runs on {other.machine} and said so "
            f"{other.ago.total_seconds():.0f} s ago. Two hubs of one name would end each other's servers. "
            "Give this one a name of its own in the settings (hub: …), or end the other one first"
        )
        self.other = other


@dataclass
class HubName:
    """A name, for the hub of an identity. Everything here blocks: use it from a thread, or before the loop runs.

    ``holder`` is this process; ``gone`` and ``lives`` say of a process whether it is known to have
    ended, or to run.
    """

    record: Record
    name: str
    identity: str
    holder: str = field(default_factory=this_process)
    gone: Callable[[str], bool] = known_to_be_gone
    lives: Callable[[str], bool] = known_to_live

    def __post_init__(self) -> None:
        self.lasts, self.every = _PACES[self.record.dialect]

    def wait_until_free(self) -> None:
        """Return when the name is free for this hub: at once, unless another one is seen to run or has said lately that it does.

        Raises:
            HubNameTaken: another one runs: it is seen to, or has said so again meanwhile.
            RecordUnavailable: the record does not answer.
        """
        first = self._other()
        other = first
        while first is not None and other is not None:
            if other.until != first.until or self.lives(other.holder):
                raise HubNameTaken(other)
            time.sleep(min(_LOOK_AGAIN, other.rest.total_seconds()))
            other = self._other()

    def _other(self) -> SeenHub | None:
        """The other hub that has the name and may run; None: there is none."""
        with self.record.reading() as reading:
            found = hubs.get(reading, self.name)
        if found is None or found.identity == self.identity or self.gone(found.holder):
            return None
        return found if found.rest or self.lives(found.holder) else None

    def take(self) -> None:
        """Let the name stand for this process.

        Raises:
            HubNameTaken: another one has it.
            RecordUnavailable: the record does not answer.
        """
        with self.record.writing(_ACTOR, datetime.now(UTC), configuration=False) as writing:
            mine = (self.name, self.identity, self.holder, self.lasts)
            if hubs.take(writing, *mine, gone=self.gone, lives=self.lives):
                return
            other = hubs.get(writing, self.name)
        if other is not None:
            raise HubNameTaken(other)

    def keep(self) -> bool:
        """Say that the hub runs; False where the name is another's by now. A record that is away changes nothing."""
        try:
            with self.record.writing(_ACTOR, datetime.now(UTC), configuration=False) as writing:
                return hubs.keep(writing, self.name, self.holder, self.lasts)
        except RecordUnavailable as error:
            log.warning("that the hub runs could not be said: %s", error)
            return True

    def leave(self) -> None:
        """Say that the hub ends."""
        try:
            with self.record.writing(_ACTOR, datetime.now(UTC), configuration=False) as writing:
                hubs.leave(writing, self.name, self.holder)
        except RecordUnavailable as error:
            log.warning("that the hub ends could not be said: %s", error)


class SignsOfLife:
    """Says in a thread of its own that a hub runs, until it is told that the hub ends, or the name is another's."""

    def __init__(self, name: HubName, lost: Callable[[], None]) -> None:
        """``lost`` is called in that thread when the name is another's."""
        self._name, self._lost = name, lost
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hub-name", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Stop, and say that the hub ends."""
        self._over.set()
        self._thread.join()
        self._name.leave()

    def _run(self) -> None:
        while not self._over.wait(self._name.every):
            if not self._name.keep():
                log.critical(
                    "another process serves as the hub %r: this one ends. Its servers go on.",
                    self._name.name,
                )
                self._lost()
                return
