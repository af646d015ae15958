"""What somebody is told before and while waiting: when it starts, and what would be sooner."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from allotment.model.claims import Queued
from allotment.model.cordons import Cordon, Scope
from allotment.model.groups import Mode, Share
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.sharing import PoolPolicy
from allotment.record import allotments, cordons, groups, limits, platform, pools
from allotment.record.prospects import Outlook, Prospects, Question
from allotment.rules.sooner import Kind


@pytest.fixture
def store() -> str:
    """Only what other suites have proven on both databases is read here: one is enough."""
    return "sqlite"


@pytest.fixture
def full(world: Any) -> Any:
    """Four A100 of vision, three with ann and one with bob; two L40S of vision; both know past sessions."""
    world.devices(4)
    world.pool("a100", [f"gpu-{n}" for n in range(4)])
    world.devices(2, model="L40S", node="n2", prefix="box")
    world.pool("l40s", ["box-0", "box-1"])
    world.group("vision", ("a100", 4))
    world.people("ann", "bob", "cy", group="vision")
    for name, devices in (("gpu", 1), ("two-gpu", 2), ("three-gpu", 3)):
        world.profile(name, devices=devices, pool="a100")
    world.profile("cpu")
    for number in range(6):
        past = world.granted("ann", "gpu", f"past-{number}")
        world.later(minutes=50)
        world.end(past)
    world.granted("ann", "two-gpu", "sweep", display_name="Sweep 7")
    world.granted("ann", "gpu", "notes")
    world.granted("bob", "gpu", "train")
    return world


def look(world: Any, person: str, **fields: Any) -> Outlook:
    question = Question("hub", person, **{"group": "vision"} | fields)
    with world.record.reading() as reading:
        return Prospects(patience=60).find(reading, question, world.later(seconds=1))


def wait(world: Any, person: str, profile: str, server: str) -> str:
    outcome = world.claim(person, profile, server, wait=True)
    assert isinstance(outcome, Queued), outcome
    return outcome.ticket.id


@pytest.mark.promise("QUEUE-1")
def test_a_full_size_is_told_with_both_confidences_before_somebody_joins(full: Any) -> None:
    found = look(full, "cy", server="fit").prospects["gpu"]

    assert not found.at_once
    assert found.half is not None
    assert found.most is not None
    assert full.now < found.half <= found.most


@pytest.mark.promise("QUEUE-1")
def test_stopping_a_server_of_ones_own_is_told_with_its_effect(full: Any) -> None:
    ways = look(full, "ann", server="fit").ways["gpu"]

    assert [(way.kind, way.server, way.words) for way in ways if way.prospect.at_once] == [
        (Kind.STOP, "notes", "Stop notes"),
        (Kind.STOP, "sweep", "Stop Sweep 7"),
    ]


def test_nobody_is_told_to_stop_what_would_not_be_enough(full: Any) -> None:
    ways = look(full, "ann", server="fit").ways["three-gpu"]

    assert [way for way in ways if way.server == "notes" and way.prospect.at_once] == []


@pytest.mark.promise("QUEUE-1")
def test_fewer_devices_are_told_with_their_effect_where_they_start_sooner(full: Any) -> None:
    full.end(held_by(full, "bob"))

    (way, *_) = look(full, "cy", server="fit").ways["two-gpu"]

    assert (way.kind, way.profile, way.prospect.at_once) == (Kind.DEVICES, "gpu", True)
    assert way.words == "Choose Gpu (1 device in a100)"


@pytest.mark.promise("QUEUE-1")
def test_another_pool_is_told_with_its_effect(full: Any) -> None:
    with full.write() as writing:
        shares = [Share("vision", "l40s", 2, 2), Share("vision", "a100", 4, 4)]
        platform.set_mode(writing, Mode.FLEXIBLE)
        groups.edit(writing, "vision", wanted=shares)
    full.profile("l40s", devices=1, pool="l40s")

    ways = look(full, "cy", server="fit").ways["gpu"]

    assert [(way.kind, way.profile, way.prospect.at_once) for way in ways] == [
        (Kind.POOL, "l40s", True)
    ]


@pytest.mark.promise("QUEUE-1", "QUEUE-4")
def test_low_priority_is_told_where_it_may_borrow_at_once(world: Any) -> None:
    world.devices(2)
    world.pool("a100", ["gpu-0", "gpu-1"])
    with world.write() as writing:
        pools.set_policy(writing, "a100", PoolPolicy(sharing=True))
        for name in ("vision", "nlp"):
            groups.create(writing, name, wanted=[Share(name, "a100", 1, 2)])
    world.people("ann", "bob", group="vision")
    world.profile("gpu", devices=1)
    world.profile("spare", devices=1, priority="low")
    world.granted("bob", "gpu", "train")

    (way,) = look(world, "ann", server="fit").ways["gpu"]

    assert (way.kind, way.profile, way.prospect.at_once) == (Kind.PRIORITY, "spare", True)
    assert "it may be taken back" in way.words


@pytest.mark.promise("QUEUE-1", "LIMIT-4")
def test_who_is_over_a_personal_limit_is_told_which_server_to_stop(full: Any) -> None:
    full.end(held_by(full, "bob"))
    with full.write() as writing:
        limits.put(writing, LimitScope.PERSON, "ann", LimitKind.DEVICES, 3)

    outlook = look(full, "ann", server="fit")

    assert "gpu" not in outlook.prospects
    assert {way.server for way in outlook.ways["gpu"]} == {"notes", "sweep"}
    assert all(way.prospect.at_once for way in outlook.ways["gpu"])


def test_a_server_without_devices_is_told_only_where_the_number_of_servers_binds(full: Any) -> None:
    full.granted("cy", "cpu", "desk")
    assert [way.server for way in look(full, "cy", server="fit").ways["gpu"]] == []

    full.end(held_by(full, "bob"))
    with full.write() as writing:
        limits.put(writing, LimitScope.PERSON, "cy", LimitKind.SERVERS, 1)
    assert [way.server for way in look(full, "cy", server="fit").ways["gpu"]] == ["desk"]


@pytest.mark.promise("QUEUE-1")
def test_a_ticket_keeps_its_place_where_a_server_is_stopped_and_loses_it_for_another_size(
    full: Any,
) -> None:
    first = wait(full, "ann", "two-gpu", "fit")
    wait(full, "cy", "gpu", "fit")

    outlook = look(full, "ann", ticket=first)

    at_once = [way for way in outlook.ways["two-gpu"] if way.prospect.at_once]
    assert [way.server for way in at_once] == ["sweep"]
    assert not outlook.prospects["two-gpu"].at_once
    smaller = [way for way in outlook.ways["two-gpu"] if way.profile == "gpu"]
    assert all(not way.prospect.at_once for way in smaller)


def test_somebody_elses_ticket_and_one_that_ended_have_no_prospects(full: Any) -> None:
    ticket = wait(full, "cy", "gpu", "fit")

    assert look(full, "ann", ticket=ticket) == Outlook()
    assert look(full, "ann", ticket="0" * 32) == Outlook()


def test_looking_changes_nothing_and_is_not_done_again_for_a_while(full: Any) -> None:
    prospects, question = Prospects(fresh=600, patience=60), Question("hub", "cy", "fit", "vision")
    with full.record.reading() as reading:
        found = prospects.find(reading, question, full.now)
    full.end(held_by(full, "bob"))

    with full.record.reading() as reading:
        again = prospects.find(reading, question, full.now)

    assert again is found
    assert prospects.known(question) is found
    assert not prospects.due(question)
    assert full.sound()


def test_what_is_not_reached_in_time_is_left_out(full: Any) -> None:
    with full.record.reading() as reading:
        found = Prospects(patience=0).find(
            reading, Question("hub", "cy", "fit", "vision"), full.now
        )

    assert found.prospects == {}


def held_by(world: Any, person: str) -> str:
    with world.record.reading() as reading:
        return next(one.id for one in allotments.active(reading, person=person) if one.devices)


@pytest.mark.promise("CLUSTER-3", "QUEUE-1")
def test_a_prospect_knows_that_a_node_leaves_and_when_it_is_back(full: Any) -> None:
    before = look(full, "cy", server="fit").prospects["gpu"]
    back = full.now + timedelta(days=2)
    whole = Cordon("", Scope.POOL, ("a100",), "Power", full.now, "", full.now, ends_at=back)
    with full.write("olga") as writing:
        cordons.create(writing, whole)

    after = look(full, "cy", server="fit").prospects["gpu"]

    assert before.most is not None
    assert before.most < back
    assert after.half is not None
    assert after.half >= back
