"""The queue with everything at once, on both stores: two control planes, servers that start and end, cancellations, edits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from allotment.model.claims import Claim, Granted, Queued
from allotment.model.groups import Share
from allotment.model.refusals import Refusal
from allotment.model.sharing import PoolPolicy
from allotment.model.tickets import TicketState
from allotment.record import Record, claims, events, groups, offers, pools, tickets
from allotment.work.queueing import Queueing

PEOPLE, EACH = ("ann", "bob", "mei"), 5


class Hub:
    """Starts what it is asked to, once, and ends it at once."""

    def __init__(self, record: Record, world: Any) -> None:
        self.record, self.world = record, world
        self.granted: list[str] = []

    def start_server(
        self, person: str, name: str, options: dict[str, str], *, display_name: str = ""
    ) -> None:
        assert display_name == ""
        now = self.world.now
        claim = Claim("hub", person, name, "")
        outcome, _ = offers.take_offer(self.record, claim, options["ticket"], now)
        if isinstance(outcome, Granted):
            self.granted.append(outcome.allotment.id)
            claims.mark_stopping(self.record, outcome.allotment.id, "it has ended", "hub", now)
            claims.release(self.record, outcome.allotment.id, "gone", now)


@pytest.fixture
def lending(world: Any) -> Any:
    """Four devices, which vision and nlp share."""
    world.devices(4)
    world.pool("a100", [f"gpu-{number}" for number in range(4)])
    with world.write() as writing:
        pools.set_policy(writing, "a100", PoolPolicy(sharing=True))
        for name in ("vision", "nlp"):
            groups.create(writing, name, wanted=[Share(name, "a100", 2, 4)])
    world.people("ann", "bob", group="vision")
    world.people("mei", group="nlp")
    world.profile("low", devices=1, priority="low")
    world.profile("two", devices=2, priority="low")
    return world


class Crowd:
    """What people, an operator and control planes do, each in a thread of its own."""

    def __init__(self, world: Any) -> None:
        self.world, self.record = world, world.record
        self.waiting: list[str] = []
        self.over = threading.Event()

    def join(self, person: str) -> None:
        for number in range(EACH):
            claim = Claim("hub", person, f"s{number}", "two" if number % 2 else "low")
            outcome = claims.queue(self.record, claim, self.world.now)
            assert isinstance(outcome, Queued), outcome
            self.waiting.append(outcome.ticket.id)

    def leave(self) -> None:
        for place in (0, 4, 8):
            self.until(lambda place=place: len(self.waiting) > place)
            # Refused where it had started already.
            with suppress(Refusal), self.record.writing("ann", self.world.now) as writing:
                tickets.cancel(writing, self.waiting[place])

    def edit(self) -> None:
        for sharing in (False, True, False, True):
            with self.record.writing("operator", self.world.now) as writing:
                pools.set_policy(writing, "a100", PoolPolicy(sharing=sharing))

    def follow(self, plane: Queueing) -> None:
        while not self.over.is_set():
            plane.follow(self.world.now)

    def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(6_000):
            if condition():
                return
            self.over.wait(0.01)
        message = "it took too long"
        raise TimeoutError(message)

    def nobody_waits(self) -> bool:
        with self.record.reading() as reading:
            return len(self.waiting) == len(PEOPLE) * EACH and not tickets.live(reading)

    def play(self, planes: list[Queueing]) -> None:
        with ThreadPoolExecutor(8) as threads:
            following = [threads.submit(self.follow, plane) for plane in planes]
            acting = [threads.submit(self.join, person) for person in PEOPLE]
            acting += [threads.submit(self.leave), threads.submit(self.edit)]
            try:
                for one in acting:
                    one.result(60)
                self.until(self.nobody_waits)
            finally:
                self.over.set()
                for plane in planes:
                    plane.close()
            for one in following:
                one.result(60)


@pytest.mark.promise("QUEUE-2", "POOL-8", "LIMIT-2")
def test_every_ticket_ends_once_and_no_device_is_lost_with_everything_at_once(lending: Any) -> None:
    hub, crowd = Hub(lending.record, lending), Crowd(lending)
    planes = [Queueing(lending.record, hub, "hub") for _ in range(2)]  # type: ignore[arg-type] # as much of a hub as is asked

    crowd.play(planes)

    with lending.record.reading() as reading:
        ended = tickets.some(reading, crowd.waiting).values()
        offered = events.newest(reading, "ticket.offered", 200)
    assert {one.state for one in ended} <= {TicketState.STARTED, TicketState.CANCELLED}
    started = [str(one.allotment) for one in ended if one.state is TicketState.STARTED]
    assert sorted(hub.granted) == sorted(started)
    assert len({one.subject for one in offered}) == len(offered)
    crowd.over.clear()
    crowd.until(lambda: bool(lending.free("a100") == 4))
    assert lending.sound()
