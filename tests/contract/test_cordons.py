"""Out of use: nothing new comes there, whose servers run there are told, and they end at the date."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from allotment.model.claims import Granted, Waits
from allotment.model.cordons import Cordon, Scope
from allotment.model.endings import Cause, Ending
from allotment.model.refusals import NotFound, Refusal, RevisionStale
from allotment.record import allotments, cordons, devices, endings, events, pools
from allotment.work.draining import Draining
from allotment.work.endings import Endings
from allotment.work.live_use import LiveUse

HOUR = timedelta(hours=1)


class StoppingHub:
    """As much of a hub as an end asks: it notes whom it was to stop."""

    def __init__(self) -> None:
        self.stopped: list[str] = []

    def stop_server(self, person: str, name: str) -> None:
        """Stop a server."""
        self.stopped.append(f"{person}/{name}")


class Floor:
    """The lab with nodes n1 (gpu-0, gpu-1 of a100) and n2 (other-0, other-1 of the default pool)."""

    def __init__(self, lab: Any) -> None:
        self.lab, self.hub = lab, StoppingHub()
        lab.devices(2, node="n2", prefix="other")
        self.draining = Draining(lab.record, "hub")
        self.endings = Endings(lab.record, self.hub, LiveUse(), "hub")  # type: ignore[arg-type]  # as much of a hub as is asked

    @property
    def now(self) -> datetime:
        """The time."""
        now: datetime = self.lab.now
        return now

    def cordon(
        self,
        scope: Scope,
        *names: str,
        begins_at: datetime | None = None,
        drain_at: datetime | None = None,
        ends_at: datetime | None = None,
    ) -> Cordon:
        """Take something out of use, now unless told otherwise."""
        with self.lab.write("olga") as writing:
            begins = begins_at or writing.now
            times = begins, "", writing.now, drain_at, ends_at
            return cordons.create(writing, Cordon("", scope, names, "New power supply", *times))

    def lift(self, one: Cordon) -> None:
        """Give it back."""
        with self.lab.write("olga") as writing:
            cordons.lift(writing, one.id)

    def round(self) -> None:
        """What the control plane does every few seconds."""
        self.draining.round(self.now)
        self.endings.round(self.now)

    def states(self) -> dict[str, str]:
        """The state of every device."""
        with self.lab.record.reading() as reading:
            return {one.id: one.state for one in devices.all_devices(reading)}

    def told(self, allotment: str) -> list[Ending]:
        """The announced ends of a server."""
        with self.lab.record.reading() as reading:
            return list(endings.of_allotment(reading, allotment))

    def kinds(self) -> list[str]:
        """What happened."""
        with self.lab.record.reading() as reading:
            return [one.kind for one in events.after(reading, 0, 1000)]


@pytest.fixture
def floor(lab: Any) -> Floor:
    """Two nodes with two devices each."""
    return Floor(lab)


@pytest.mark.promise("CLUSTER-3")
@pytest.mark.parametrize(
    ("scope", "names", "out"),
    [
        (Scope.NODE, ("n1",), {"gpu-0", "gpu-1"}),
        (Scope.POOL, ("a100",), {"gpu-0", "gpu-1"}),
        (Scope.DEVICE, ("gpu-1", "other-0"), {"gpu-1", "other-0"}),
    ],
)
def test_nothing_new_is_put_on_what_is_out_of_use(
    floor: Floor, scope: Scope, names: tuple[str, ...], out: set[str]
) -> None:
    one = floor.cordon(scope, *names)

    assert {name for name, state in floor.states().items() if state == "cordoned"} == out
    assert floor.lab.sound()
    floor.lift(one)
    assert set(floor.states().values()) == {"free"}
    assert floor.lab.sound()


@pytest.mark.promise("CLUSTER-3")
def test_a_launch_waits_while_its_pool_is_out_of_use_and_starts_when_it_is_back(
    floor: Floor,
) -> None:
    one = floor.cordon(Scope.POOL, "a100")

    waits = floor.lab.claim("ann", "gpu", "train")

    assert isinstance(waits, Waits)
    floor.lift(one)
    assert isinstance(floor.lab.claim("ann", "gpu", "train"), Granted)


@pytest.mark.promise("CLUSTER-3")
def test_a_server_goes_on_where_nothing_says_that_it_is_stopped(floor: Floor) -> None:
    held = floor.lab.granted("ann", "gpu", "train")

    floor.cordon(Scope.NODE, "n1")
    floor.round()

    assert (floor.told(held), floor.hub.stopped) == ([], [])
    assert floor.states()["gpu-0"] == "held"


@pytest.mark.promise("CLUSTER-3")
def test_users_are_told_when_it_is_said_and_their_servers_end_at_the_date_with_the_reason(
    floor: Floor,
) -> None:
    held = floor.lab.granted("ann", "gpu", "train")
    drain = floor.now + 2 * HOUR

    floor.cordon(Scope.NODE, "n1", begins_at=floor.now + HOUR, drain_at=drain, ends_at=drain + HOUR)
    floor.round()
    (told,) = floor.told(held)
    floor.lab.later(hours=1, minutes=59)
    floor.round()
    before = list(floor.hub.stopped)
    floor.lab.later(minutes=2)
    floor.round()

    assert (told.cause, told.stop_at) == (Cause.DRAIN, drain)
    assert "New power supply" in told.message
    assert "node n1" in told.message
    assert (before, floor.hub.stopped) == ([], ["ann/train"])
    with floor.lab.record.reading() as reading:
        ended = allotments.get(reading, held)
    assert (str(ended.state), ended.stop_cause) == ("stopping", "drain")
    assert "New power supply" in ended.stop_reason


@pytest.mark.promise("CLUSTER-3")
def test_what_begins_at_a_date_is_out_of_use_from_then_on_and_back_by_itself(floor: Floor) -> None:
    floor.cordon(Scope.NODE, "n2", begins_at=floor.now + HOUR, ends_at=floor.now + 2 * HOUR)

    found = []
    for _ in range(3):
        floor.round()
        found.append(floor.states()["other-0"])
        floor.lab.later(hours=1)

    assert found == ["free", "cordoned", "free"]
    assert "cordon.ended" in floor.kinds()
    with floor.lab.record.reading() as reading:
        assert cordons.open_cordons(reading) == ()


@pytest.mark.promise("CLUSTER-3")
def test_a_server_that_comes_before_a_planned_end_is_told_of_it(floor: Floor) -> None:
    drain = floor.now + 3 * HOUR
    floor.cordon(Scope.DEVICE, "gpu-0", "gpu-1", begins_at=floor.now + 2 * HOUR, drain_at=drain)

    held = floor.lab.granted("ann", "gpu", "train")
    floor.round()

    assert [one.stop_at for one in floor.told(held)] == [drain]


@pytest.mark.promise("CLUSTER-3")
def test_an_end_that_was_announced_is_taken_back_when_it_is_lifted(floor: Floor) -> None:
    held = floor.lab.granted("ann", "gpu", "train")
    one = floor.cordon(Scope.POOL, "a100", drain_at=floor.now + HOUR)
    floor.round()

    floor.lift(one)
    floor.round()
    floor.lab.later(hours=2)
    floor.round()

    assert (floor.told(held), floor.hub.stopped) == ([], [])
    assert floor.kinds().count("ending.withdrawn") == 1


@pytest.mark.promise("CLUSTER-3")
def test_users_are_told_again_when_the_date_changes(floor: Floor) -> None:
    held = floor.lab.granted("ann", "gpu", "train")
    one = floor.cordon(Scope.POOL, "a100", drain_at=floor.now + HOUR)
    floor.round()
    later = floor.now + 5 * HOUR

    with floor.lab.write("olga") as writing:
        changed = cordons.edit(
            writing,
            Cordon(one.id, one.scope, one.names, "Later", one.begins_at, "olga", floor.now, later),
            1,
        )
    floor.round()
    floor.round()

    assert changed.revision == 2
    assert [(each.stop_at, "Later" in each.message) for each in floor.told(held)] == [(later, True)]


@pytest.mark.promise("CLUSTER-3")
def test_the_earliest_of_several_dates_holds(floor: Floor) -> None:
    held = floor.lab.granted("ann", "gpu", "train")
    floor.cordon(Scope.POOL, "a100", drain_at=floor.now + 5 * HOUR)
    early = floor.cordon(Scope.NODE, "n1", drain_at=floor.now + 2 * HOUR)
    floor.round()
    first = [one.stop_at for one in floor.told(held)]

    floor.lift(early)
    floor.round()

    assert first == [early.drain_at]
    assert [one.stop_at for one in floor.told(held)] != first
    assert floor.states()["gpu-1"] == "cordoned"


@pytest.mark.promise("CLUSTER-3")
def test_a_device_that_comes_to_a_node_or_a_pool_out_of_use_is_out_of_use(floor: Floor) -> None:
    floor.cordon(Scope.NODE, "n1")
    floor.cordon(Scope.POOL, "a100")

    floor.lab.devices(1, node="n1", prefix="new")
    with floor.lab.write() as writing:
        known = [one.id for one in devices.all_devices(writing, "a100")]
        pools.edit(writing, "a100", [*known, "other-1"])

    assert floor.states()["new-0"] == "cordoned"
    assert floor.states()["other-1"] == "cordoned"
    assert floor.lab.sound()


@pytest.mark.promise("CLUSTER-3")
def test_the_pool_tells_that_it_can_give_out_less(floor: Floor) -> None:
    floor.cordon(Scope.DEVICE, "gpu-0")

    with floor.lab.record.reading() as reading:
        (use,) = (one for one in pools.use(reading) if one.pool == "a100")
    assert (use.total, use.available, use.free, use.guaranteed) == (2, 1, 1, 2)


@pytest.mark.promise("CLUSTER-3")
@pytest.mark.parametrize(
    ("scope", "name"), [(Scope.NODE, "n9"), (Scope.POOL, "n1"), (Scope.DEVICE, "x")]
)
def test_what_nobody_knows_cannot_be_taken_out_of_use(
    floor: Floor, scope: Scope, name: str
) -> None:
    with pytest.raises(NotFound):
        floor.cordon(scope, name)


@pytest.mark.promise("CLUSTER-3")
@pytest.mark.parametrize(
    ("begin", "drain", "end"),
    [(0, None, -1), (2, None, 1), (2, 1, None), (0, 3, 2), (0, 2, 2)],
)
def test_times_that_contradict_each_other_are_refused(
    floor: Floor, begin: int, drain: int | None, end: int | None
) -> None:
    def at(hours: int | None) -> datetime | None:
        return None if hours is None else floor.now + timedelta(hours=hours, minutes=1)

    with pytest.raises(Refusal):
        floor.cordon(Scope.NODE, "n1", begins_at=at(begin), drain_at=at(drain), ends_at=at(end))
    assert set(floor.states().values()) == {"free"}


def test_a_change_of_what_somebody_changed_meanwhile_is_refused(floor: Floor) -> None:
    one = floor.cordon(Scope.NODE, "n1")

    with pytest.raises(RevisionStale), floor.lab.write("olga") as writing:
        cordons.lift(writing, one.id, revision=7)
