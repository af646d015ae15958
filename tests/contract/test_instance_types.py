"""Instance types: who may take one more, told by every rule; on both stores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from allotment.model.claims import Granted, Outcome
from allotment.model.instance_types import InstanceType, QuotaReading
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import AlreadyExists, NotFound, Refusal, RevisionStale
from allotment.record import events, instance_types, limits, page_facts, profiles, quotas

G_AND_VT = "L-DB2E81BA"


@pytest.fixture
def cloud(world: Any) -> Any:
    """Two profiles of one instance type, and somebody to launch them."""
    world.people("ann", "bob")
    world.profile("small", instance_type="g5.xlarge")
    world.profile("dear", instance_type="g5.xlarge", price=9)
    return world


def make(world: Any, name: str = "g5.xlarge", **fields: Any) -> InstanceType:
    with world.write() as writing:
        return instance_types.create(writing, InstanceType(name, **fields))


def quota(world: Any, value: int | None, *, code: str = G_AND_VT, problem: str = "") -> None:
    reading = QuotaReading(code, "Running On-Demand G and VT instances", value, 0, problem)
    with world.write() as writing:
        quotas.observe(writing, "eu-central-1", [reading])


def only_reason(outcome: Outcome) -> Reason:
    assert not isinstance(outcome, Granted), "it was granted"
    (reason,) = outcome.reasons
    return reason


@pytest.mark.promise("TYPE-2")
def test_above_its_limit_nothing_of_a_type_starts_and_the_refusal_says_the_amounts(
    cloud: Any,
) -> None:
    make(cloud, most=1)
    first = cloud.granted("ann", "small")
    reason = only_reason(cloud.claim("bob", "dear"))
    assert (reason.rule, reason.limit, reason.used, reason.asked) == (Rule.TYPE_LIMIT, 1, 1, 1)
    assert reason.remedy
    cloud.end(first)
    cloud.granted("bob", "dear")


@pytest.mark.promise("TYPE-2", "LIMIT-2")
def test_many_launches_at_once_against_a_limit_of_a_type_give_exactly_as_many_servers(
    cloud: Any,
) -> None:
    make(cloud, most=2)
    with ThreadPoolExecutor(6) as threads:
        outcomes = list(threads.map(lambda n: cloud.claim("ann", "small", f"s{n}"), range(6)))
    assert sum(isinstance(outcome, Granted) for outcome in outcomes) == 2


@pytest.mark.promise("TYPE-1")
def test_a_quota_of_vcpus_bounds_all_types_of_its_family_together(cloud: Any) -> None:
    cloud.profile("large", instance_type="g5.4xlarge")
    make(cloud, vcpus=4, quota=G_AND_VT)
    make(cloud, "g5.4xlarge", vcpus=16, quota=G_AND_VT)
    quota(cloud, 20)
    cloud.granted("ann", "large")
    cloud.granted("ann", "small", "two")
    assert only_reason(cloud.claim("bob", "small")).rule is Rule.TYPE_LIMIT
    with cloud.record.reading() as reading:
        found = {use.type.name: use for use in instance_types.uses(reading)}
    assert (found["g5.xlarge"].held, found["g5.xlarge"].limit) == (1, 1)
    assert (found["g5.4xlarge"].held, found["g5.4xlarge"].limit) == (1, 1)
    assert "20 vCPU" in found["g5.4xlarge"].source


@pytest.mark.promise("TYPE-1")
def test_the_smaller_of_the_typed_in_limit_and_the_quota_binds(cloud: Any) -> None:
    make(cloud, most=3, vcpus=4, quota=G_AND_VT)
    quota(cloud, 8)
    with cloud.record.reading() as reading:
        (use,) = instance_types.uses(reading)
    assert use.limit == 2
    quota(cloud, 64)
    with cloud.record.reading() as reading:
        (use,) = instance_types.uses(reading)
    assert (use.limit, use.source) == (3, "typed in")


@pytest.mark.promise("PROFILE-5")
def test_a_disabled_type_starts_nothing_new_and_leaves_what_runs_alone(cloud: Any) -> None:
    made = make(cloud)
    cloud.granted("ann", "small")
    with cloud.write() as writing:
        instance_types.edit(writing, InstanceType(made.name, enabled=False), made.revision)
    assert only_reason(cloud.claim("bob", "small")).rule is Rule.TYPE_ENABLED
    with cloud.record.reading() as reading:
        assert instance_types.held(reading) == {"g5.xlarge": 1}


def test_a_type_that_the_platform_does_not_have_is_refused(cloud: Any) -> None:
    reason = only_reason(cloud.claim("ann", "small"))
    assert reason.rule is Rule.TYPE_ENABLED
    assert "g5.xlarge" in reason.message


@pytest.mark.promise("MONEY-1")
def test_a_profile_without_a_price_costs_what_its_type_costs_and_keeps_it_while_it_runs(
    cloud: Any,
) -> None:
    made = make(cloud, price=Decimal("1.212"))
    outcome = cloud.claim("ann", "small")
    own = cloud.claim("ann", "dear", "two")
    assert isinstance(outcome, Granted)
    assert isinstance(own, Granted)
    with cloud.write() as writing:
        instance_types.edit(writing, InstanceType(made.name, price=Decimal(2)))
    assert Decimal(outcome.allotment.terms["profile"]["price"]) == Decimal("1.212")
    assert Decimal(own.allotment.terms["profile"]["price"]) == 9


@pytest.mark.promise("MONEY-1")
def test_pages_know_the_price_and_the_limit_of_a_profiles_type(cloud: Any) -> None:
    make(cloud, price=Decimal("1.5"), most=1)
    cloud.granted("bob", "small")
    with cloud.record.reading() as reading:
        facts = page_facts.read(reading, "ann", cloud.now)
    small = next(one for one in facts.profiles if one.name == "small")
    assert small.price == Decimal("1.5")
    assert facts.types["g5.xlarge"].full


@pytest.mark.promise("LIMIT-1")
@pytest.mark.parametrize("scope", LimitScope)
def test_cloud_instances_at_once_are_limited_per_person(cloud: Any, scope: LimitScope) -> None:
    cloud.group("vision")
    cloud.people("cyd", group="vision")
    make(cloud)
    cloud.profile("none")
    subject = {LimitScope.PERSON: "cyd", LimitScope.GROUP: "vision", LimitScope.PLATFORM: ""}
    with cloud.write() as writing:
        limits.put(writing, scope, subject[scope], LimitKind.INSTANCES, 1)
    cloud.granted("cyd", "small")
    reason = only_reason(cloud.claim("cyd", "small", "two"))
    assert (reason.rule, reason.limit, reason.used, reason.asked) == (
        Rule.LIMIT_INSTANCES,
        1,
        1,
        1,
    )
    cloud.granted("cyd", "none", "three")


def test_a_type_that_servers_hold_or_profiles_name_cannot_be_deleted(cloud: Any) -> None:
    make(cloud)
    cloud.granted("ann", "small")
    with cloud.write() as writing, pytest.raises(Refusal) as refused:
        instance_types.delete(writing, "g5.xlarge")
    assert [reason.rule for reason in refused.value.reasons] == [Rule.TYPE_IN_USE] * 2
    assert refused.value.reasons[1].details == ("dear", "small")


def test_types_are_made_changed_and_deleted_with_events_and_revisions(world: Any) -> None:
    made = make(world, title="Small", most=2)
    with world.write() as writing, pytest.raises(AlreadyExists):
        instance_types.create(writing, made)
    with world.write() as writing, pytest.raises(RevisionStale):
        instance_types.edit(writing, InstanceType("g5.xlarge", most=4), made.revision + 1)
    with world.write() as writing:
        changed = instance_types.edit(
            writing, InstanceType("g5.xlarge", most=4, price=Decimal("0.5")), made.revision
        )
    assert (changed.most, changed.price, changed.revision) == (4, Decimal("0.5"), 2)
    with world.write() as writing:
        instance_types.delete(writing, "g5.xlarge", changed.revision)
    with world.record.reading() as reading:
        kinds = [event.kind for event in events.after(reading, 0)]
        with pytest.raises(NotFound):
            instance_types.get(reading, "g5.xlarge")
    assert kinds[-3:] == [
        "instance-type.created",
        "instance-type.changed",
        "instance-type.deleted",
    ]


@pytest.mark.promise("TYPE-1")
def test_a_reading_that_fails_leaves_the_last_one_with_its_time(world: Any) -> None:
    quota(world, 96)
    read_at = world.now
    quota(world, None, problem="no answer")
    with world.record.reading() as reading:
        (kept,) = quotas.all_quotas(reading)
    assert (kept.value, kept.read_at, kept.problem) == (96, read_at, "no answer")
    assert kept.tried_at > read_at


def test_what_somebody_typed_in_of_a_type_is_not_replaced_by_what_the_cloud_says(
    world: Any,
) -> None:
    make(world, vcpus=8)
    with world.write() as writing:
        assert instance_types.learn(writing, "g5.xlarge", 4, G_AND_VT)
    with world.write() as writing:
        assert not instance_types.learn(writing, "g5.xlarge", 4, G_AND_VT)
    with world.record.reading() as reading:
        known = instance_types.get(reading, "g5.xlarge")
    assert (known.vcpus, known.quota) == (8, G_AND_VT)


def test_the_profiles_that_name_a_type_are_known(cloud: Any) -> None:
    cloud.profile("plain")
    with cloud.record.reading() as reading:
        named = instance_types.named_by_profiles(reading)
        assert len(profiles.all_profiles(reading)) == 3
    assert named == (("dear", "g5.xlarge"), ("small", "g5.xlarge"))
