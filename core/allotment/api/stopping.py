"""Stopping and starting servers through the hub, with a reason that reaches their users."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from allotment.api.plane import ControlPlane
from allotment.api.views.names import ServerKey, server_id
from allotment.model.allotments import Allotment, State
from allotment.model.documents import ReasonDocument, ServerOutcome, ServerOutcomes
from allotment.model.endings import Cause
from allotment.record import claims, events, tickets
from allotment.rules.permission import Caller
from allotment.work.hub_api import HubAway, HubRefused

PATIENCE = 6.0
"""Seconds to wait for the hub before answering; what is not done then goes on."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A server that is to be stopped or started, with its latest allotment."""

    key: ServerKey
    allotment: Allotment

    @classmethod
    def of(cls, allotment: Allotment) -> Wanted:
        """The server of an allotment."""
        return cls(ServerKey(allotment.hub, allotment.person, allotment.server), allotment)

    @property
    def id(self) -> str:
        """The server's id."""
        return server_id(*self.key)


def stop_servers(
    plane: ControlPlane, caller: Caller, wanted: Sequence[Wanted], reason: str
) -> ServerOutcomes:
    """Mark servers as stopping, with the reason, and have the hub stop them.

    Marking is what counts: where the hub is away now, or the server is another hub's, the periodic
    work stops it later. One that is offered to a ticket has not started yet: it leaves the queue.
    """
    taken = {one.id for one in wanted if _take_out(plane, caller, one, reason)}
    active = [one for one in wanted if one.allotment.active and one.id not in taken]
    for one in active:
        claims.mark_stopping(
            plane.record,
            one.allotment.id,
            reason,
            caller.person,
            plane.now(),
            cause=Cause.STOPPED,
        )
    own = [one for one in active if one.key.hub == plane.environment.hub]
    calls = [partial(plane.hub.stop_server, one.key.person, one.key.name) for one in own]
    asked = dict(zip((one.id for one in own), plane.errands.run(calls, PATIENCE), strict=True))
    return ServerOutcomes(
        outcomes=tuple(
            _taken_out(one) if one.id in taken else _stopped(one, asked.get(one.id))
            for one in wanted
        )
    )


def _take_out(plane: ControlPlane, caller: Caller, one: Wanted, reason: str) -> bool:
    """Take a server that was offered and is not started yet out of the queue."""
    if one.allotment.state is not State.OFFERED:
        return False
    with plane.record.writing(caller.person, plane.now()) as writing:
        return tickets.cancel_of_server(writing, *one.key, reason)


def _taken_out(one: Wanted) -> ServerOutcome:
    note = "Its turn had come, and it had not started yet. It was taken out of the queue."
    return ServerOutcome(server=one.id, outcome="stopped", note=note)


def _stopped(one: Wanted, asked: Future[bool] | None) -> ServerOutcome:
    if not one.allotment.active:
        return ServerOutcome(server=one.id, outcome="not-running")
    if asked is None:
        note = "It is another hub's, which is told to stop it."
        return ServerOutcome(server=one.id, outcome="later", note=note)
    if not asked.done():
        return ServerOutcome(server=one.id, outcome="stopping")
    error = asked.exception()
    if isinstance(error, HubAway | HubRefused):
        note = f"{error} It is stopped as soon as the hub can."
        return ServerOutcome(server=one.id, outcome="later", note=note)
    if error is not None:
        raise error
    note = (
        ""
        if asked.result()
        else "The hub knows of no such server; its devices are given back when no process of it is left."
    )
    return ServerOutcome(server=one.id, outcome="stopping", note=note)


def start_servers(plane: ControlPlane, wanted: Sequence[Wanted]) -> ServerOutcomes:
    """Have the hub start servers as they were launched last. Admission asks every rule again."""
    with plane.record.reading() as reading:
        before = events.latest_sequence(reading)
    startable = [
        one for one in wanted if not one.allotment.active and one.key.hub == plane.environment.hub
    ]
    calls = [partial(plane.hub.start_server, one.key.person, one.key.name) for one in startable]
    asked = dict(
        zip((one.id for one in startable), plane.errands.run(calls, PATIENCE), strict=True)
    )
    return ServerOutcomes(
        outcomes=tuple(_started(plane, one, asked.get(one.id), before) for one in wanted)
    )


def _started(
    plane: ControlPlane, one: Wanted, asked: Future[None] | None, before: int
) -> ServerOutcome:
    if one.allotment.active:
        running = one.allotment.state is State.RUNNING
        note = "" if running else f"It is {one.allotment.state}."
        return ServerOutcome(server=one.id, outcome="running" if running else "refused", note=note)
    if asked is None:
        note = "It is another hub's; start it there."
        return ServerOutcome(server=one.id, outcome="refused", note=note)
    if not asked.done():
        return ServerOutcome(server=one.id, outcome="starting")
    error = asked.exception()
    if isinstance(error, HubAway):
        return ServerOutcome(server=one.id, outcome="refused", note=str(error))
    if isinstance(error, HubRefused):
        reasons = _reasons(plane, one.key, before)
        return ServerOutcome(server=one.id, outcome="refused", note=str(error), reasons=reasons)
    if error is not None:
        raise error
    return ServerOutcome(server=one.id, outcome="starting")


def _reasons(plane: ControlPlane, key: ServerKey, before: int) -> tuple[ReasonDocument, ...]:
    """Why admission refused: the record kept it, with all its parts."""
    with plane.record.reading() as reading:
        refused = events.newest(reading, "claim.refused", 20, person=key.person)
    for event in refused:
        said = event.after or {}
        if event.sequence > before and said.get("server") == key.name:
            return tuple(ReasonDocument.model_validate(one) for one in said.get("reasons", ()))
    return ()
