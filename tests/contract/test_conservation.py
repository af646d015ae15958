"""The laws of devices, under any order of launches, ends, crashes, losses and edits, by two hubs.

Devices are conserved; no device has two holders; no new admission exceeds a limit or a share; release
happens only from *stopping* and once. Checked after every step against the plain rows, not the counters.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from allotment.model.allotments import LEGAL_STEPS, Allotment, State
from allotment.model.claims import Claim, Granted, Queued, Refused, Waits
from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.model.groups import Origin, Share
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.profiles import Priority, Profile
from allotment.model.refusals import AllotmentError, Refusal
from allotment.model.sharing import OFFER_LASTS, PoolPolicy
from allotment.model.tickets import LIVE_TICKETS, TicketState
from allotment.record import (
    Record,
    allotments,
    claims,
    counting,
    devices,
    groups,
    limits,
    memberships,
    offers,
    open_record,
    people,
    pools,
    profiles,
    queue_aside,
    queue_facts,
    tickets,
)
from allotment.record.offers import Place, Turn
from allotment.record.queue_lines import Lines
from allotment.rules.queue_line import arrival
from allotment.rules.queueing import schedule

SPECS = [
    DeviceSpec(f"gpu-{i}", f"n{i % 2}", "A100", 80 << 30, f"GPU-{i}", DeviceOrigin.SETTINGS)
    for i in range(5)
]
IDS = [spec.id for spec in SPECS]
PEOPLE = ["ann", "bob", "mei", "zoe"]
HUBS = ["north", "south"]
PROFILES = st.sampled_from(["p0", "p1", "p2", "low"])


class Crash(Exception):
    """The process ends in the middle of a transaction."""


def _crash(_record: object) -> None:
    raise Crash


class Conservation(RuleBasedStateMachine):
    """Random histories of a small platform."""

    make_record: Callable[[], Record]
    ongoing = Bundle("ongoing")
    waiting = Bundle("waiting")

    def __init__(self) -> None:
        super().__init__()
        self.record = self.make_record()
        self.seconds = 0
        self.states: dict[str, State] = {}
        self.queued: dict[str, TicketState] = {}
        self.lines = Lines()

    def teardown(self) -> None:
        self.record.close()

    def now(self) -> Any:
        self.seconds += 1
        return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def change(self, act: Callable[[Any], object]) -> bool:
        """Make a change of configuration; a refusal is an answer, not an error."""
        try:
            with self.record.writing("operator", self.now()) as writing:
                act(writing)
        except Refusal:
            return False
        return True

    @initialize()
    def platform(self) -> None:
        def arrange(writing: Any) -> None:
            devices.observe(writing, SPECS, DeviceOrigin.SETTINGS)
            pools.create(writing, "a100", ["gpu-0", "gpu-1", "gpu-2"])
            groups.create(writing, "vision", wanted=[Share("vision", "a100", 2, 2)])
            groups.create(writing, "nlp", wanted=[Share("nlp", "a100", 1, 1)])
            people.onboard(writing, ["ann", "bob"], "vision")
            people.onboard(writing, ["mei"], "nlp")
            people.onboard(writing, ["zoe"])
            for count in range(3):
                profiles.publish(
                    writing, Profile(name=f"p{count}", title="P", devices=count), "f", "d"
                )
            low = Profile(name="low", title="Low", devices=1, priority=Priority.LOW)
            profiles.publish(writing, low, "f", "d")

        assert self.change(arrange)

    @rule(
        target=ongoing,
        person=st.sampled_from(PEOPLE),
        profile=PROFILES,
        server=st.sampled_from(["", "a", "b"]),
        hub=st.sampled_from(HUBS),
    )
    def launch(self, person: str, profile: str, server: str, hub: str) -> Any:
        outcome = claims.admit(self.record, Claim(hub, person, server, profile), self.now())
        if not isinstance(outcome, Granted):
            return None
        self.began(outcome.allotment, State.STARTING)
        return outcome.allotment.id

    def began(self, granted: Allotment, state: State) -> None:
        assert granted.id not in self.states
        assert len(granted.devices) == {"p0": 0, "p2": 2}.get(granted.profile, 1)
        self.states[granted.id] = state
        self.within_limits(granted.person, granted.group, granted.pool)

    @rule(
        target=waiting,
        person=st.sampled_from(PEOPLE),
        profile=PROFILES,
        server=st.sampled_from(["", "a", "b"]),
        hub=st.sampled_from(HUBS),
    )
    def launch_or_wait(self, person: str, profile: str, server: str, hub: str) -> Any:
        claim = Claim(hub, person, server, profile, wait=True)
        outcome = claims.admit(self.record, claim, self.now())
        if isinstance(outcome, Granted):
            self.began(outcome.allotment, State.STARTING)
            self.runs_to_its_end(outcome.allotment.id)
        if not isinstance(outcome, Queued):
            return None
        self.queued[outcome.ticket.id] = TicketState.WAITING
        return outcome.ticket.id

    @rule()
    def the_queue_decides(self) -> None:
        """What the queue decides is what admission grants: nothing has changed between them."""
        at = self.now()
        with self.record.reading() as reading:
            queue = queue_facts.read(reading, at)
        decided = schedule(tuple(queue.standings.values()), queue.waiting, at)
        for (pool, model), decisions in decided.items():
            for start in decisions.starts:
                place = Place(pool, model, start.node)
                outcome = offers.offer(self.record, start.ticket, place, self.now())
                aside = isinstance(outcome, Waits) and queue_aside.passes(outcome.reasons)
                assert aside or not isinstance(outcome, Waits), (start, outcome)
                if isinstance(outcome, Granted):
                    self.queued[start.ticket] = TicketState.OFFERED
                    self.began(outcome.allotment, State.OFFERED)
                elif isinstance(outcome, Refused):
                    self.queued[start.ticket] = TicketState.REFUSED

    @rule()
    def who_follows_the_events_knows_who_waits(self) -> None:
        """Lines that are kept from one look to the next are those that are read anew."""
        at = self.now()
        with self.record.reading() as reading:
            kept = self.lines.read(reading, at, queue_facts.unknown)
            queue = queue_facts.read(reading, at)
        assert {key: sorted(line, key=arrival) for key, line in kept.lines.items()} == {
            key: sorted(line, key=arrival) for key, line in queue.waiting.items()
        }
        assert kept.standings == {key: queue.standings[key] for key in kept.lines}

    @rule()
    def those_who_stand_aside_line_up_again(self) -> None:
        at = self.now()
        with self.record.reading() as reading:
            able = queue_aside.able(reading, at)
        for ticket in able:
            assert self.change(lambda w, one=ticket: queue_aside.line_up(w, one))

    @rule(node=st.sampled_from(["n0", "n1"]))
    def crash_while_offering(self, node: str) -> None:
        """Offers of one transaction are all made or none is, wherever the process ends."""
        waiting = [key for key, state in self.queued.items() if state is TicketState.WAITING]
        turns = [Turn(key, Place("a100", "A100", node)) for key in sorted(waiting)]
        before = self.rows(), self.tickets()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("allotment.record.offers.Granted", _crash)
            try:
                offers.offer_all(self.record, turns, self.now())
            except Crash:
                assert (self.rows(), self.tickets()) == before
                return
        self.queued |= {key: state for key, state, _ in self.tickets() if key in waiting}

    def tickets(self) -> list[tuple[str, TicketState, Any]]:
        with self.record.reading() as reading:
            known = tickets.some(reading, list(self.queued))
        return [(one.id, one.state, one.aside_at) for _, one in sorted(known.items())]

    @rule(ticket=waiting, node=st.sampled_from(["n0", "n1"]))
    def an_offer_that_nobody_decided(self, ticket: str | None, node: str) -> None:
        """However wrong the queue were, an offer keeps every rule."""
        if ticket is None:
            return
        outcome = offers.offer(self.record, ticket, Place("a100", "A100", node), self.now())
        if isinstance(outcome, Granted):
            self.queued[ticket] = TicketState.OFFERED
            self.began(outcome.allotment, State.OFFERED)
        elif isinstance(outcome, Refused):
            self.queued[ticket] = TicketState.REFUSED

    @rule(target=ongoing, ticket=waiting)
    def an_offer_is_taken(self, ticket: str | None) -> Any:
        if ticket is None:
            return None
        with self.record.reading() as reading:
            known = tickets.get(reading, ticket)
        claim = Claim(known.hub, known.person, known.server, "", token_hash="t")
        outcome, _ = offers.take_offer(self.record, claim, ticket, self.now())
        if not isinstance(outcome, Granted):
            assert self.queued[ticket] is not TicketState.OFFERED
            return None
        assert self.queued[ticket] is TicketState.OFFERED
        self.queued[ticket] = TicketState.STARTED
        self.states[outcome.allotment.id] = State.STARTING
        return outcome.allotment.id

    @rule(ticket=waiting)
    def a_ticket_is_cancelled(self, ticket: str | None) -> None:
        if ticket is None:
            return
        live = self.queued[ticket] in LIVE_TICKETS
        assert self.change(lambda w: tickets.cancel(w, ticket)) is live
        if live:
            self.ended(ticket, TicketState.CANCELLED)

    @rule()
    def offers_expire(self) -> None:
        self.seconds += int(OFFER_LASTS.total_seconds())
        expired = offers.expire_offers(self.record, self.now())
        assert set(expired) == {
            key for key, state in self.queued.items() if state is TicketState.OFFERED
        }
        for ticket in expired:
            self.ended(ticket, TicketState.EXPIRED)

    def ended(self, ticket: str, state: TicketState) -> None:
        with self.record.reading() as reading:
            known = tickets.get(reading, ticket)
        assert known.state is state
        if self.queued[ticket] is TicketState.OFFERED and known.allotment:
            self.states[known.allotment] = State.RELEASED
        self.queued[ticket] = state

    @rule(sharing=st.booleans())
    def the_pool_is_shared_or_strict(self, sharing: bool) -> None:
        self.change(lambda w: pools.set_policy(w, "a100", PoolPolicy(sharing=sharing)))

    def within_limits(self, person: str, group: str | None, pool: str | None) -> None:
        """A new admission has left everybody within what was set, counted from plain rows."""
        with self.record.reading() as reading:
            active = allotments.active(reading)
            bound = {limit.kind: limit.value for limit in limits.effective(reading, person, group)}
            shares = groups.all_shares(reading, group or "", pool) if pool else ()
            sharing = pools.get(reading, pool).policy.sharing if pool else False
        own = [a for a in active if a.person == person]
        held = sum(len(a.devices) for a in own)
        assert (
            bound[LimitKind.DEVICES] is None
            or held <= bound[LimitKind.DEVICES]
            or not own[-1].devices
        )
        assert bound[LimitKind.SERVERS] is None or len(own) <= bound[LimitKind.SERVERS]
        for share in shares:
            mine = [a for a in active if (a.group, a.pool) == (group, share.pool)]
            used = sum(len(a.devices) for a in mine)
            assert used <= (share.ceiling if sharing else share.guaranteed)
            if mine[-1].profile != "low":
                dedicated = sum(len(a.devices) for a in mine if a.profile != "low")
                assert dedicated <= share.guaranteed

    @rule(
        target=ongoing,
        person=st.sampled_from(PEOPLE),
        count=st.integers(1, 2),
        hub=st.sampled_from(HUBS),
    )
    def crash_while_admitting(self, person: str, count: int, hub: str) -> None:
        before = self.rows()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("allotment.record.claims.Granted", _crash)
            try:
                claims.admit(self.record, Claim(hub, person, "crashed", f"p{count}"), self.now())
            except Crash:
                assert self.rows() == before

    def rows(self) -> Any:
        with self.record.reading() as reading:
            return [(d.id, d.pool, d.holder) for d in devices.all_devices(reading)]

    @rule(allotment=ongoing)
    def becomes_ready(self, allotment: str | None) -> None:
        self.step(
            allotment, State.RUNNING, lambda key: claims.mark_running(self.record, key, self.now())
        )

    @rule(allotment=ongoing)
    def is_stopped(self, allotment: str | None) -> None:
        """Also a start that fails, and a stop that fails: the server is not proven gone, so it goes on holding."""
        self.step(
            allotment,
            State.STOPPING,
            lambda key: claims.mark_stopping(self.record, key, "why", "who", self.now()),
        )

    def step(self, allotment: str | None, to: State, act: Callable[[str], bool]) -> None:
        if allotment is None:
            return
        legal = to in LEGAL_STEPS[self.states[allotment]]
        assert act(allotment) is legal
        if legal:
            self.states[allotment] = to

    @rule(allotment=ongoing)
    def is_released(self, allotment: str | None) -> None:
        if allotment is None:
            return
        state = self.states[allotment]
        if state in {State.STARTING, State.RUNNING}:
            with pytest.raises(AllotmentError):
                claims.release(self.record, allotment, "a hook's word", self.now())
            return
        assert claims.release(self.record, allotment, "gone", self.now()) is (
            state is State.STOPPING
        )
        self.states[allotment] = State.RELEASED

    @rule(allotment=consumes(ongoing))
    def runs_to_its_end(self, allotment: str | None) -> None:
        for act in (self.becomes_ready, self.is_stopped, self.is_released, self.is_released):
            act(allotment)

    @rule(seen=st.sets(st.sampled_from(IDS)))
    def devices_are_lost_and_found(self, seen: set[str]) -> None:
        self.change(
            lambda w: devices.observe(w, [s for s in SPECS if s.id in seen], DeviceOrigin.SETTINGS)
        )

    @rule(device=st.sampled_from(IDS), healthy=st.booleans())
    def health_changes(self, device: str, healthy: bool) -> None:
        self.change(
            lambda w: devices.set_health(w, device, healthy=healthy, note="" if healthy else "ECC")
        )

    @rule(members=st.sets(st.sampled_from(IDS)))
    def the_pool_is_edited(self, members: set[str]) -> None:
        with self.record.reading() as reading:
            held = {d.id: d.pool for d in devices.all_devices(reading) if d.holder}
        if self.change(lambda w: pools.edit(w, "a100", sorted(members))):
            with self.record.reading() as reading:
                after = {d.id: d.pool for d in devices.all_devices(reading) if d.holder}
            assert after == held

    @rule(
        group=st.sampled_from(["vision", "nlp"]),
        number=st.integers(0, 3),
        pool=st.sampled_from(["a100", "default", None]),
    )
    def a_share_is_edited(self, group: str, number: int, pool: str | None) -> None:
        wanted = [Share(group, pool, number, number + 1)] if pool else []
        self.change(lambda w: groups.edit(w, group, wanted=wanted))

    @rule(
        person=st.sampled_from(PEOPLE),
        kind=st.sampled_from(LimitKind),
        value=st.none() | st.integers(0, 3),
    )
    def a_limit_is_edited(self, person: str, kind: LimitKind, value: int | None) -> None:
        self.change(lambda w: limits.put(w, LimitScope.PERSON, person, kind, value))

    @rule(
        person=st.sampled_from(PEOPLE),
        group=st.sampled_from(["vision", "nlp"]),
        stays=st.booleans(),
    )
    def somebody_moves(self, person: str, group: str, stays: bool) -> None:
        if stays:
            self.change(lambda w: memberships.add(w, person, group, Origin.CONSOLE))
        else:
            self.change(lambda w: memberships.move(w, person, group))

    @invariant()
    def devices_are_conserved_and_counted_right(self) -> None:
        with self.record.reading() as reading:
            if not allotments_exist(reading):
                return
            assert counting.discrepancies(reading) == ()
            known = devices.all_devices(reading)
            active = allotments.active(reading)
        assert {device.id for device in known} == set(IDS)
        assert {a.id for a in active} == {
            key for key, state in self.states.items() if state is not State.RELEASED
        }
        assert {a.id: a.state for a in active} == {
            k: s for k, s in self.states.items() if s is not State.RELEASED
        }
        with self.record.reading() as reading:
            live = {ticket.id: ticket.state for ticket in tickets.live(reading)}
        assert live == {key: state for key, state in self.queued.items() if state in LIVE_TICKETS}
        holders = {device.id: device.holder for device in known if device.holder}
        assert holders == {device.id: a.id for a in active for device in a.devices}


def allotments_exist(reading: Any) -> bool:
    """Whether the platform has been arranged yet."""
    return bool(devices.all_devices(reading))


@pytest.mark.promise("POOL-8", "LIMIT-2", "LIMIT-3")
def test_devices_are_conserved_in_every_history(
    store: str,
    soak: bool,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    def make_record() -> Record:
        if store == "sqlite":
            file = tmp_path_factory.mktemp("history") / "record.sqlite"
            shutil.copy(request.getfixturevalue("migrated_sqlite"), file)
            return open_record(f"sqlite:///{file}")
        return open_record(request.getfixturevalue("databases").lend())

    machine = type("History", (Conservation,), {"make_record": staticmethod(make_record)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=200 if soak else 12,
            stateful_step_count=60 if soak else 40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
