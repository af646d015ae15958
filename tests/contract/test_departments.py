"""Departments above groups, on both stores: their ceilings bind on top of shares."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.model.claims import Claim, Granted, Refused, Waits
from allotment.model.groups import Share
from allotment.model.reasons import Rule
from allotment.model.refusals import AlreadyExists, NotFound, Refusal
from allotment.record import claim_facts, departments, groups, page_facts, pools

pytestmark = pytest.mark.promise("GROUP-6")


@pytest.fixture
def divided(world: Any) -> Any:
    """Four devices; vision (ann) and speech (bob) are guaranteed two each, and research three for both."""
    world.devices(4)
    world.pool("a100", [f"gpu-{number}" for number in range(4)])
    with world.write() as writing:
        departments.create(writing, "research", "Research", {"a100": 3})
        for name in ("vision", "speech"):
            groups.create(writing, name, wanted=[Share(name, "a100", 2, 2)], department="research")
    world.people("ann", group="vision")
    world.people("bob", group="speech")
    world.profile("gpu", devices=1)
    world.profile("four-gpu", devices=4)
    return world


def test_the_ceiling_of_a_department_binds_all_its_groups_together(divided: Any) -> None:
    held = [divided.granted("ann", "gpu", server) for server in ("a", "b")]
    divided.granted("bob", "gpu", "a")

    outcome = divided.claim("bob", "gpu", "b")

    assert isinstance(outcome, Waits)
    (reason,) = outcome.reasons
    assert (reason.rule, reason.limit, reason.used, reason.asked) == (Rule.SHARE_CEILING, 3, 3, 1)
    assert "department research" in reason.message
    divided.end(held[0])
    assert isinstance(divided.claim("bob", "gpu", "b"), Granted)
    assert divided.sound()


def test_somebody_without_a_group_is_bound_by_no_department(divided: Any) -> None:
    divided.people("cy")
    divided.profile("small", devices=0)

    assert isinstance(divided.claim("cy", "small", "a"), Granted)


def test_a_group_outside_is_not_bound_and_joining_binds_what_it_holds_already(divided: Any) -> None:
    with divided.write() as writing:
        groups.edit(writing, "speech", department="")
    for person in ("ann", "bob"):
        for server in ("a", "b"):
            divided.granted(person, "gpu", server)
    with divided.write() as writing:
        groups.edit(writing, "speech", department="research")

    with divided.record.reading() as reading:
        assert departments.held(reading) == {("research", "a100"): 4}
        assert groups.get(reading, "speech").department == "research"


def test_what_no_ceiling_would_ever_allow_does_not_wait(divided: Any) -> None:
    assert isinstance(divided.claim("ann", "four-gpu"), Refused)


def test_the_page_asks_the_same_ceilings_as_admission(divided: Any) -> None:
    for server in ("a", "b"):
        divided.granted("ann", "gpu", server)
    with divided.record.reading() as reading:
        facts = page_facts.read(reading, "bob", divided.now)
        seen = departments.of_claim(reading, ["speech"])

    assert facts.departments == seen
    assert [(one.name, one.ceiling, one.held) for one in seen] == [("research", 3, 2)]
    assert facts.standing(facts.profiles[0], _claim()).departments == seen


def _claim() -> Claim:
    return Claim("hub", "bob", "", "gpu")


def test_a_department_with_groups_is_not_deleted(divided: Any) -> None:
    with pytest.raises(Refusal) as refused, divided.write() as writing:
        departments.delete(writing, "research")
    assert refused.value.reasons[0].details == ("speech", "vision")

    with divided.write() as writing:
        for name in ("vision", "speech"):
            groups.edit(writing, name, department="")
        departments.delete(writing, "research")
    with divided.record.reading() as reading:
        assert departments.all_departments(reading) == ()


def test_a_ceiling_below_what_is_held_stops_nothing_and_lets_nothing_new_start(
    divided: Any,
) -> None:
    divided.granted("ann", "gpu", "a")
    with divided.write() as writing:
        departments.edit(writing, "research", ceilings={"a100": 0})

    assert isinstance(divided.claim("bob", "gpu"), Refused)
    assert divided.free("a100") == 3


def test_names_pools_and_departments_must_be_there(divided: Any) -> None:
    with pytest.raises(AlreadyExists), divided.write() as writing:
        departments.create(writing, "research")
    with pytest.raises(NotFound), divided.write() as writing:
        departments.edit(writing, "research", ceilings={"nonesuch": 1})
    with pytest.raises(NotFound), divided.write() as writing:
        groups.edit(writing, "vision", department="nonesuch")


def test_a_pool_that_is_deleted_takes_its_ceilings_with_it(divided: Any) -> None:
    with divided.write() as writing:
        for name in ("vision", "speech"):
            groups.edit(writing, name, wanted=[])
        pools.delete(writing, "a100")
    with divided.record.reading() as reading:
        assert departments.get(reading, "research").ceilings == {}


def test_without_ceilings_nothing_of_departments_is_read(world: Any) -> None:
    world.people("ann")
    world.profile("cpu")
    with world.record.reading() as reading:
        facts = claim_facts.read(reading, _claim(), world.now)
    assert facts.standing.departments == ()
