"""Reconciling: what the record says, what the hub says, and what really runs are brought together.

The order of reading matters. A launch is admitted before its process starts, and while it goes on
the hub calls its server pending; so the record is read first, then the hub, then the processes, and
each server that looks wrong is asked about once more before anything is done to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Protocol

from allotment.model.allotments import Allotment, State
from allotment.model.refusals import NotFound
from allotment.record import Reading, Record, allotments, claims, drift
from allotment.record.adopting import NotAdoptable, RunningServer, accounted_for, adopt
from allotment.work.hub_api import HubServer

_AT_ONCE = 16
"""Servers that are ended at the same time: each may take seconds."""
_ACTOR = "reconciling"

Key = tuple[str, str]
"""A server: its person and its name."""


class HubView(Protocol):
    """What the hub believes. A call that fails raises, and nothing is done."""

    def active_servers(self) -> Sequence[HubServer]:
        """Every server that runs, starts or stops."""

    def server(self, person: str, name: str) -> HubServer | None:
        """One server now; None where the hub has none of that name."""

    def stop_server(self, person: str, name: str) -> object:
        """Stop a server, as its owner would."""


class Place(Protocol):
    """Where the servers of one hub run."""

    def running(self) -> Sequence[RunningServer]:
        """What runs there for this hub, one entry an allotment."""

    def end(self, allotment: Allotment) -> str | None:
        """End what is left of a server, and say how it is known to be gone; None while it is not."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was done, each as ``person/server``."""

    released: tuple[str, ...] = ()
    """Their server was gone, and so is what it left behind."""
    lingering: tuple[str, ...] = ()
    """Their server is gone for the hub, but not proven to be gone; they keep their devices."""
    stopped: tuple[str, ...] = ()
    """A stop that had been interrupted was finished."""
    adopted: tuple[str, ...] = ()
    drifting: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()

    @property
    def by_kind(self) -> dict[str, tuple[str, ...]]:
        """What was done, by what it is called."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def words(self) -> str:
        """What was done, in one line; empty when there was nothing to do."""
        return "; ".join(
            f"{name}: {', '.join(names)}" for name, names in self.by_kind.items() if names
        )


def reconcile(
    record: Record, hub_view: HubView, place: Place, *, hub: str, now: datetime
) -> Reconciled:
    """Bring one hub's servers and allotments together.

    Safe to repeat, to interrupt at any point, and to do twice at once: each step asks again. Servers
    that the hub calls pending are left alone.

    Raises:
        RecordUnavailable: the record did not answer.
        AllotmentError: the hub did not answer; what was not yet done is left for the next time.
    """
    return _Round(record, hub_view, place, hub, now).run()


class _Round:
    """One round, for one hub."""

    def __init__(
        self, record: Record, hub_view: HubView, place: Place, hub: str, now: datetime
    ) -> None:
        self._record, self._hub_view, self._place = record, hub_view, place
        self._hub, self._now = hub, now

    def run(self) -> Reconciled:
        held = self._held()
        active = {(one.person, one.name): one for one in self._hub_view.active_servers()}
        running = self._place.running()
        gone, unfinished = self._out_of_step(held, active)
        released, lingering = self._end_all(gone)
        for server in unfinished:
            self._hub_view.stop_server(server.person, server.server)
        strays = self._strays(running, held)
        self._end_strays(strays)
        adopted, drifting = self._take_in(active, running)
        return Reconciled(
            released=_names(released),
            lingering=_names(lingering),
            stopped=_names(unfinished),
            adopted=adopted,
            drifting=drifting,
            resolved=self._resolve_drift(),
        )

    def _held(self) -> tuple[Allotment, ...]:
        """What this hub's servers hold. An offered allotment has no server yet."""
        with self._record.reading() as reading:
            held = allotments.active(reading, hub=self._hub)
        return tuple(one for one in held if one.state is not State.OFFERED)

    def _now_in_hub(self, key: Key) -> HubServer | None:
        """The server, if the hub believes now that it runs, starts or stops."""
        server = self._hub_view.server(*key)
        return server if server is not None and (server.ready or server.pending) else None

    # What the record holds.

    def _out_of_step(
        self, held: Sequence[Allotment], active: Mapping[Key, HubServer]
    ) -> tuple[list[Allotment], list[Allotment]]:
        """Those whose server the hub does not know, and those whose stop was never finished.

        The list of active servers comes in pages and may miss one that moved between two of them.
        """
        gone: list[Allotment] = []
        unfinished: list[Allotment] = []
        for allotment in held:
            key = (allotment.person, allotment.server)
            server = active.get(key) or self._now_in_hub(key)
            if server is None:
                gone.append(allotment)
            elif not server.pending and allotment.state is State.STOPPING:
                unfinished.append(allotment)
        return gone, unfinished

    def _end_all(self, gone: Sequence[Allotment]) -> tuple[list[Allotment], list[Allotment]]:
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="reconciling") as threads:
            ended = list(threads.map(self._end, gone))
        released = [one for one, proven in zip(gone, ended, strict=True) if proven]
        return released, [one for one, proven in zip(gone, ended, strict=True) if not proven]

    def _end(self, allotment: Allotment) -> bool:
        """Mark as stopping, end what is left, and release on proof. Returns whether it was proven."""
        claims.mark_gone(self._record, allotment.id, "Its server was gone.", _ACTOR, self._now)
        proof = self._place.end(allotment)
        if proof is None:
            return False
        claims.release(self._record, allotment.id, proof, self._now)
        return True

    # What runs.

    def _strays(
        self, running: Sequence[RunningServer], held: Sequence[Allotment]
    ) -> list[Allotment]:
        """Released allotments of which something still runs, though the hub has no such server.

        An id that the record does not know may be another platform's on this machine: it is left.
        """
        known = {one.id for one in held}
        suspects = [one for one in running if one.allotment not in known]
        with self._record.reading() as reading:
            found = [_released(reading, one.allotment) for one in suspects]
        return [one for one in found if one is not None and self._left_behind(one)]

    def _left_behind(self, allotment: Allotment) -> bool:
        server = self._now_in_hub((allotment.person, allotment.server))
        if server is None:
            return True
        if server.pending:
            return False
        with self._record.reading() as reading:
            return accounted_for(reading, self._hub, allotment.person, allotment.server)

    def _end_strays(self, strays: Sequence[Allotment]) -> None:
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="reconciling") as threads:
            list(threads.map(self._place.end, strays))

    # What the hub has and the record has not.

    def _take_in(
        self, active: Mapping[Key, HubServer], running: Sequence[RunningServer]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Adopt servers without an allotment, or note them as drift. Returns both, by name."""
        adopted: list[str] = []
        drifting: list[str] = []
        for key in self._unaccounted(active):
            server = self._now_in_hub(key)
            if server is None or server.pending:
                continue
            mine = [one for one in running if (one.person, one.server) == key]
            problem = self._adopt(max(mine, key=lambda one: one.place.started, default=None))
            if problem:
                self._note_drift(key, mine, problem)
            (drifting if problem else adopted).append("/".join(key))
        return tuple(adopted), tuple(drifting)

    def _unaccounted(self, active: Mapping[Key, HubServer]) -> list[Key]:
        with self._record.reading() as reading:
            accounted = {
                (one.person, one.server) for one in allotments.active(reading, hub=self._hub)
            }
        return [key for key, server in active.items() if key not in accounted and server.ready]

    def _adopt(self, running: RunningServer | None) -> str:
        """Adopt a server. Returns why it cannot be; empty when it has an allotment."""
        if running is None:
            return "It runs without an allotment, and nothing of it was found where servers run."
        try:
            with self._record.writing(_ACTOR, self._now) as writing:
                adopt(writing, running)
        except NotAdoptable as problem:
            return str(problem)
        return ""

    def _note_drift(self, key: Key, mine: Sequence[RunningServer], problem: str) -> None:
        on = sorted({device for one in mine for device in one.devices})
        with self._record.writing(_ACTOR, self._now) as writing:
            drift.note(writing, claims.new_id(self._now), self._hub, *key, on, problem)

    def _resolve_drift(self) -> tuple[str, ...]:
        """Close the entries whose server is gone, or accounted for."""
        with self._record.reading() as reading:
            entries = [one for one in drift.open_entries(reading) if one.hub == self._hub]
            settled = {
                one.id
                for one in entries
                if accounted_for(reading, self._hub, one.person, one.server)
            }
        over = [
            one
            for one in entries
            if one.id in settled or self._now_in_hub((one.person, one.server)) is None
        ]
        if over:
            with self._record.writing(_ACTOR, self._now) as writing:
                for entry in over:
                    drift.resolve(writing, entry.id)
        return tuple(f"{one.person}/{one.server}" for one in over)


def _released(reading: Reading, allotment_id: str) -> Allotment | None:
    """The allotment of an id, if the record knows it as released."""
    try:
        allotment = allotments.get(reading, allotment_id)
    except NotFound:
        return None
    return None if allotment.active else allotment


def _names(those: Iterable[Allotment]) -> tuple[str, ...]:
    return tuple(f"{one.person}/{one.server}" for one in those)
