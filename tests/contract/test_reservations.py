"""Reservations on both stores: never more than the pool has, and admission keeps them for their holder."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from allotment.model.claims import Granted, Waits
from allotment.model.groups import Share
from allotment.model.reasons import Rule
from allotment.model.refusals import NotFound, Refusal, RevisionStale
from allotment.model.reservations import Reservation
from allotment.record import groups, people, pools, reservations

pytestmark = pytest.mark.promise("QUEUE-8")


@pytest.fixture
def course(world: Any) -> Any:
    """Four devices: vision (ann) is guaranteed three of them, course (cleo, dan) one."""
    world.devices(4)
    world.pool("a100", [f"gpu-{number}" for number in range(4)])
    with world.write() as writing:
        groups.create(writing, "vision", wanted=[Share("vision", "a100", 3, 3)])
        groups.create(writing, "course", wanted=[Share("course", "a100", 1, 1)])
    world.people("ann", group="vision")
    world.people("cleo", "dan", group="course")
    world.people("zoe")
    world.profile("gpu", devices=1)
    return world


def reserve(
    world: Any, devices: int, begins: float = 0, lasts: float = 4, **fields: Any
) -> Reservation:
    """Keep devices of a100, from some hours from now on, for some hours; for group course unless said."""
    begins_at = world.now + timedelta(hours=begins)
    holder = {} if "person" in fields else {"group": "course"}
    wanted = Reservation(
        "", "a100", devices, begins_at, begins_at + timedelta(hours=lasts), **(holder | fields)
    )
    with world.write() as writing:
        return reservations.create(writing, wanted)


def rules(refused: pytest.ExceptionInfo[Refusal]) -> list[Rule]:
    return [reason.rule for reason in refused.value.reasons]


def test_reserved_devices_are_kept_from_others_while_it_lasts(course: Any) -> None:
    reserve(course, 2)
    course.granted("ann", "gpu", "a")
    course.granted("ann", "gpu", "b")

    outcome = course.claim("ann", "gpu", "c")

    assert isinstance(outcome, Waits)
    assert [reason.rule for reason in outcome.reasons] == [Rule.QUEUE_TURN]
    assert course.sound()


def test_its_group_gets_them_though_its_guarantee_is_smaller(course: Any) -> None:
    reserve(course, 2)

    assert isinstance(course.claim("cleo", "gpu"), Granted)
    assert isinstance(course.claim("dan", "gpu"), Granted)
    assert isinstance(course.claim("dan", "gpu", "more"), Waits)


def test_before_and_after_its_time_nothing_is_kept_and_nothing_lifted(course: Any) -> None:
    reserve(course, 2, begins=100)
    for server in ("a", "b", "c"):
        course.granted("ann", "gpu", server)
    course.granted("cleo", "gpu")
    course.later(hours=200)

    assert isinstance(course.claim("dan", "gpu"), Waits)
    with course.record.reading() as reading:
        assert reservations.all_reservations(reading, course.now) == ()


def test_what_would_run_into_a_reservation_does_not_start_before_it(course: Any) -> None:
    reserve(course, 4, begins=1)

    assert isinstance(course.claim("ann", "gpu"), Waits)
    assert isinstance(course.claim("cleo", "gpu"), Granted)


def test_a_persons_own_reservation_is_for_that_person_only(course: Any) -> None:
    reserve(course, 2, person="cleo")

    assert isinstance(course.claim("cleo", "gpu", "a"), Granted)
    assert isinstance(course.claim("cleo", "gpu", "b"), Granted)
    assert isinstance(course.claim("dan", "gpu"), Waits)


def test_who_has_no_group_gets_reserved_devices_of_the_default_pool_that_groups_are_guaranteed(
    course: Any,
) -> None:
    course.devices(6)
    with course.write() as writing:
        groups.create(writing, "robots", wanted=[Share("robots", "default", 2, 2)])
    assert isinstance(course.claim("zoe", "gpu", "early"), Waits)
    begins = course.now
    wanted = Reservation("", "default", 1, begins, begins + timedelta(hours=4), person="zoe")
    with course.write() as writing:
        reservations.create(writing, wanted)

    assert isinstance(course.claim("zoe", "gpu", "mine"), Granted)
    assert isinstance(course.claim("zoe", "gpu", "more"), Waits)
    assert course.sound()


def test_no_more_is_reserved_at_one_time_than_the_pool_has(course: Any) -> None:
    reserve(course, 3, begins=10)
    reserve(course, 4, begins=14)
    with pytest.raises(Refusal) as refused:
        reserve(course, 2, begins=12)
    assert rules(refused) == [Rule.POOL_CAPACITY]
    (reason,) = refused.value.reasons
    assert (reason.limit, reason.used, reason.asked) == (4, 4, 2)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"group": "course", "person": "cleo"}, Rule.REQUEST),
        ({"lasts": -1}, Rule.REQUEST),
        ({"begins": -9}, Rule.REQUEST),
        ({"person": "zoe"}, Rule.SHARE_POOL),
    ],
)
def test_what_keeps_nothing_for_anybody_is_refused(
    course: Any, fields: dict[str, Any], rule: Rule
) -> None:
    with pytest.raises(Refusal) as refused:
        reserve(course, 1, **fields)
    assert rules(refused) == [rule]


def test_names_must_be_there(course: Any) -> None:
    with pytest.raises(NotFound):
        reserve(course, 1, group="nonesuch")


def test_a_reservation_is_changed_against_its_revision_and_cancelled(course: Any) -> None:
    made = reserve(course, 1, begins=10)
    with course.write() as writing:
        changed = reservations.edit(writing, replace(made, devices=2), made.revision)
    assert (changed.devices, changed.revision) == (2, 2)
    with pytest.raises(RevisionStale), course.write() as writing:
        reservations.cancel(writing, made.id, made.revision)
    with course.write() as writing:
        reservations.cancel(writing, made.id, changed.revision)
    with pytest.raises(NotFound), course.record.reading() as reading:
        reservations.get(reading, made.id)


def test_reservations_go_with_their_holder_and_stand_in_the_way_of_deleting_their_pool(
    course: Any,
) -> None:
    reserve(course, 1, begins=10, person="dan")
    with course.write() as writing:
        for name in ("vision", "course"):
            groups.edit(writing, name, wanted=[])
    with pytest.raises(Refusal) as refused, course.write() as writing:
        pools.delete(writing, "a100")
    assert rules(refused) == [Rule.POOL_SHARED]

    with course.write() as writing:
        people.delete(writing, ["dan"])
        pools.delete(writing, "a100")
