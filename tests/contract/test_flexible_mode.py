"""Flexible mode on both stores: several pools a group, several groups a person, one cap for the person."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.model.claims import Granted, Refused, Waits
from allotment.model.groups import Mode, Origin, Share
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.reasons import Rule
from allotment.model.refusals import Refusal
from allotment.record import allotments, groups, limits, memberships, platform

pytestmark = pytest.mark.promise("GROUP-3")


@pytest.fixture
def flexible(lab: Any) -> Any:
    """Ann is in vision (two A100) and in speech (one A100 more, and two H100); the mode is flexible."""
    lab.devices(3)
    lab.devices(2, prefix="h", model="H100", node="n2")
    lab.pool("h100", ["h-0", "h-1"])
    with lab.write() as writing:
        platform.set_mode(writing, Mode.FLEXIBLE)
        groups.create(
            writing,
            "speech",
            wanted=[Share("speech", "default", 1, 1), Share("speech", "h100", 2, 2)],
        )
        memberships.add(writing, "ann", "speech", Origin.CONSOLE)
    return lab


def rules(outcome: Any) -> list[Rule]:
    assert isinstance(outcome, Refused | Waits), outcome
    return [reason.rule for reason in outcome.reasons]


def test_a_group_has_shares_in_several_pools_and_its_people_use_all_of_them(flexible: Any) -> None:
    for server in ("a", "b", "c"):
        flexible.granted("ann", "gpu", server, group="speech")

    with flexible.record.reading() as reading:
        held = groups.held(reading)
    assert (held["speech", "default"], held["speech", "h100"], held["vision", "a100"]) == (1, 2, 0)
    assert rules(flexible.claim("ann", "gpu", "d", group="speech")) == [Rule.SHARE_GUARANTEE]
    assert flexible.sound()


def test_who_is_in_several_groups_says_which_pays(flexible: Any) -> None:
    assert rules(flexible.claim("ann", "gpu")) == [Rule.GROUP_CHOSEN]

    paid = flexible.claim("ann", "gpu", group="vision")

    assert isinstance(paid, Granted)
    assert (paid.allotment.group, paid.allotment.pool) == ("vision", "a100")


def test_a_group_that_one_is_not_in_does_not_pay(flexible: Any) -> None:
    assert Rule.GROUP_CHOSEN in rules(flexible.claim("bob", "gpu", group="speech"))


@pytest.mark.promise("LIMIT-1")
def test_one_cap_holds_for_what_a_person_has_in_all_groups(flexible: Any) -> None:
    with flexible.write() as writing:
        limits.put(writing, LimitScope.PERSON, "ann", LimitKind.DEVICES, 2)
    flexible.granted("ann", "gpu", "one", group="vision")
    flexible.granted("ann", "gpu", "two", group="speech")

    for group in ("vision", "speech"):
        assert rules(flexible.claim("ann", "gpu", "three", group=group)) == [Rule.LIMIT_DEVICES]


@pytest.mark.promise("GROUP-2", "GROUP-3")
def test_strict_mode_does_not_come_back_while_groups_or_people_have_several(flexible: Any) -> None:
    with pytest.raises(Refusal) as refused, flexible.write() as writing:
        platform.set_mode(writing, Mode.STRICT)

    said = [(reason.rule, reason.details) for reason in refused.value.reasons]
    assert said == [(Rule.GROUP_STRICT, ("speech",)), (Rule.GROUP_STRICT, ("ann",))]

    with flexible.write() as writing:
        memberships.remove(writing, "ann", "speech")
        groups.edit(writing, "speech", wanted=[Share("speech", "h100", 2, 2)])
        platform.set_mode(writing, Mode.STRICT)
    with flexible.record.reading() as reading:
        assert platform.mode(reading) is Mode.STRICT


def test_a_server_stays_with_the_group_that_paid_when_its_person_leaves_the_group(
    flexible: Any,
) -> None:
    held = flexible.granted("ann", "gpu", "one", group="speech")
    with flexible.write() as writing:
        memberships.remove(writing, "ann", "speech")

    with flexible.record.reading() as reading:
        (kept,) = allotments.active(reading, person="ann")
    assert (kept.id, kept.group) == (held, "speech")
    flexible.end(held)
    assert flexible.sound()
