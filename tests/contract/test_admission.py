"""Claims against limits, shares and devices, on both stores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from allotment.model.allotments import State
from allotment.model.claims import Claim, Granted, Outcome, Refused, Waits
from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.model.groups import Mode, Origin, Share
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.reasons import Rule
from allotment.model.refusals import AllotmentError
from allotment.record import (
    allotments,
    claims,
    devices,
    events,
    groups,
    limits,
    memberships,
    platform,
    profiles,
    servers,
)
from allotment.record.schema import holdings
from allotment.rules.admission import Admitted


def rules(outcome: Outcome) -> set[Rule]:
    assert not isinstance(outcome, Granted), "it was granted"
    return {reason.rule for reason in outcome.reasons}


def limit(
    world: Any,
    kind: LimitKind,
    value: int,
    scope: LimitScope = LimitScope.PLATFORM,
    subject: str = "",
) -> None:
    with world.write() as writing:
        limits.put(writing, scope, subject, kind, value)


@pytest.mark.promise("POOL-2")
def test_with_one_user_and_nothing_configured_that_user_can_have_every_device(world: Any) -> None:
    world.devices(4)
    world.people("ann")
    world.profile("all", devices=4)
    outcome = world.claim("ann", "all")
    assert isinstance(outcome, Granted)
    assert [device.id for device in outcome.allotment.devices] == [
        "gpu-0",
        "gpu-1",
        "gpu-2",
        "gpu-3",
    ]


@pytest.mark.promise("LIMIT-4")
def test_a_refusal_names_every_rule_that_stands_in_the_way(lab: Any) -> None:
    limit(lab, LimitKind.DEVICES, 1)
    limit(lab, LimitKind.SERVERS, 1)
    lab.granted("ann", "gpu", "first")
    lab.granted("bob", "gpu")
    outcome = lab.claim("ann", "gpu", "second")
    assert isinstance(outcome, Refused)
    assert rules(outcome) == {Rule.LIMIT_SERVERS, Rule.LIMIT_DEVICES, Rule.SHARE_GUARANTEE}
    share = next(reason for reason in outcome.reasons if reason.rule is Rule.SHARE_GUARANTEE)
    assert (share.limit, share.used, share.asked) == (2, 2, 1)
    assert all(reason.message and reason.remedy for reason in outcome.reasons)


def test_a_claim_that_only_waits_for_devices_says_what_is_held_and_since_when(lab: Any) -> None:
    lab.granted("bob", "two-gpu", "training")
    outcome = lab.claim("ann", "gpu")
    assert isinstance(outcome, Waits)
    assert outcome.reasons[0].details == (
        "bob holds 2 devices with training since 2026-03-01 12:00 UTC.",
    )


def test_a_holder_of_another_group_is_not_named(lab: Any) -> None:
    lab.devices(1, prefix="spare")
    lab.people("yan")
    lab.granted("zoe", "gpu")
    outcome = lab.claim("yan", "gpu")
    assert "zoe" not in str(outcome)
    assert "Others hold 1 device" in outcome.reasons[0].details[0]


@pytest.mark.promise("LIMIT-1")
@pytest.mark.parametrize(
    ("platform_value", "group_value", "own_value", "granted"),
    [
        (1, None, None, 1),
        (1, 2, None, 2),
        (3, 2, 1, 1),
        (1, 1, 2, 2),
        (None, None, 0, 0),
        (0, None, None, 0),
    ],
)
def test_the_narrowest_limit_that_is_set_binds(
    lab: Any,
    platform_value: int | None,
    group_value: int | None,
    own_value: int | None,
    granted: int,
) -> None:
    with lab.write() as writing:
        limits.put(writing, LimitScope.PLATFORM, "", LimitKind.SERVERS, platform_value)
        limits.put(writing, LimitScope.GROUP, "vision", LimitKind.SERVERS, group_value)
        limits.put(writing, LimitScope.PERSON, "ann", LimitKind.SERVERS, own_value)
    outcomes = [lab.claim("ann", "cpu", f"s{i}") for i in range(3)]
    assert sum(isinstance(outcome, Granted) for outcome in outcomes) == granted


@pytest.mark.promise("LIMIT-1")
def test_servers_that_exist_count_even_when_they_are_stopped_until_they_are_deleted(
    lab: Any,
) -> None:
    limit(lab, LimitKind.SERVERS_EXISTING, 1)
    lab.end(lab.granted("ann", "cpu", "one"))
    assert rules(lab.claim("ann", "cpu", "two")) == {Rule.LIMIT_SERVERS_EXISTING}
    lab.end(lab.granted("ann", "cpu", "one"))
    with lab.write() as writing:
        assert servers.forget(writing, "hub", "ann", "one")
    lab.granted("ann", "cpu", "two")


@pytest.mark.promise("LIMIT-2")
@pytest.mark.parametrize("server_limit", [1, 3])
def test_forty_parallel_claims_against_a_limit_give_exactly_that_many(
    lab: Any, server_limit: int
) -> None:
    limit(lab, LimitKind.SERVERS, server_limit)
    now = lab.later(seconds=1)

    def launch(number: int) -> Outcome:
        return claims.admit(lab.record, Claim("hub", "ann", f"s{number}", "cpu"), now)

    with ThreadPoolExecutor(16) as threads:
        outcomes = list(threads.map(launch, range(40)))
    assert sum(isinstance(outcome, Granted) for outcome in outcomes) == server_limit
    assert lab.sound()


@pytest.mark.promise("POOL-8", "LIMIT-2")
def test_parallel_claims_of_many_people_never_share_a_device(world: Any) -> None:
    world.devices(5)
    people = [f"p{i}" for i in range(20)]
    world.people(*people)
    world.profile("gpu", devices=1)
    now = world.later(seconds=1)

    def launch(person: str) -> Outcome:
        return claims.admit(world.record, Claim("hub", person, "", "gpu"), now)

    with ThreadPoolExecutor(16) as threads:
        outcomes = list(threads.map(launch, people))
    held = [device.id for o in outcomes if isinstance(o, Granted) for device in o.allotment.devices]
    assert sorted(held) == [f"gpu-{i}" for i in range(5)]
    assert world.sound()


@pytest.mark.promise("POOL-8")
def test_the_database_itself_refuses_a_second_holder_of_a_device(lab: Any) -> None:
    first = lab.granted("ann", "gpu")
    second = lab.granted("bob", "cpu")
    with pytest.raises(sa.exc.IntegrityError), lab.write() as writing:
        writing.run(holdings.insert().values(device="gpu-0", allotment=second))
    with lab.record.reading() as reading:
        assert devices.get(reading, "gpu-0").holder == first


def test_a_server_has_one_active_allotment(lab: Any) -> None:
    lab.granted("ann", "cpu", "one")
    assert Rule.SERVER_NAME in rules(lab.claim("ann", "cpu", "one"))


@pytest.mark.promise("LIMIT-3")
def test_devices_are_held_until_the_server_is_proven_gone(lab: Any) -> None:
    allotment = lab.granted("ann", "two-gpu")
    claims.mark_running(lab.record, allotment, lab.later(seconds=1))
    claims.mark_stopping(lab.record, allotment, "stopped by its owner", "ann", lab.later(seconds=1))
    assert lab.free("a100") == 0
    claims.release(lab.record, allotment, "no process is left", lab.later(seconds=1))
    assert lab.free("a100") == 2


def test_releasing_twice_is_releasing_once(lab: Any) -> None:
    allotment = lab.granted("ann", "two-gpu")
    lab.end(allotment)
    lab.granted("bob", "two-gpu")
    assert claims.release(lab.record, allotment, "again", lab.later(seconds=1)) is False
    assert lab.free("a100") == 0
    assert lab.sound()


@pytest.mark.parametrize("running", [False, True])
def test_an_allotment_is_not_released_before_it_is_stopping(lab: Any, running: bool) -> None:
    allotment = lab.granted("ann", "gpu")
    if running:
        claims.mark_running(lab.record, allotment, lab.later(seconds=1))
    with pytest.raises(AllotmentError, match="only after it has been marked as stopping"):
        claims.release(lab.record, allotment, "a hook said so", lab.later(seconds=1))
    assert lab.free("a100") == 1


def test_the_first_reason_to_stop_is_the_one_its_user_reads(lab: Any) -> None:
    allotment = lab.granted("ann", "gpu")
    assert claims.mark_stopping(
        lab.record, allotment, "maintenance at noon", "olga", lab.later(seconds=1)
    )
    assert not claims.mark_stopping(lab.record, allotment, "it ended", "hub", lab.later(seconds=1))
    with lab.record.reading() as reading:
        found = allotments.get(reading, allotment)
    assert (found.state, found.stop_reason, found.stopped_by) == (
        State.STOPPING,
        "maintenance at noon",
        "olga",
    )


@pytest.mark.promise("PROFILE-3")
def test_a_profile_that_a_person_may_not_see_cannot_be_launched(lab: Any) -> None:
    lab.profile("secret", visible_to={"groups": ["vision"], "people": ["olga"]})
    assert rules(lab.claim("zoe", "secret")) == {Rule.PROFILE_VISIBLE}
    assert "secret" not in str(lab.claim("zoe", "nothing"))
    assert "Choose one of: cpu, gpu, two-gpu." in str(
        lab.claim("zoe", "operator-console", "console")
    )
    lab.granted("ann", "secret")
    lab.granted("olga", "secret")


@pytest.mark.promise("PROFILE-5")
def test_a_disabled_profile_is_not_launched_and_running_servers_keep_their_terms(lab: Any) -> None:
    running = lab.granted("ann", "gpu")
    with lab.write() as writing:
        profiles.set_enabled(writing, "gpu", enabled=False)
    assert rules(lab.claim("bob", "gpu")) == {Rule.PROFILE_VISIBLE}
    with lab.record.reading() as reading:
        found = allotments.get(reading, running)
    assert found.active
    assert found.terms["profile"]["title"] == "Gpu"


def test_terms_are_frozen_when_the_profile_changes(lab: Any) -> None:
    running = lab.granted("ann", "gpu")
    lab.profile("gpu", devices=2, title="Changed")
    with lab.record.reading() as reading:
        assert allotments.get(reading, running).terms["profile"]["devices"] == 1


@pytest.mark.parametrize(
    ("person", "profile", "server", "refused"),
    [
        ("olga", "operator-console", "console", set()),
        ("olga", "operator-console", "mine", {Rule.SERVER_NAME}),
        ("olga", "cpu", "console", {Rule.SERVER_NAME}),
        ("ann", "operator-console", "console", {Rule.PROFILE_VISIBLE}),
        ("ann", "cpu", "console", {Rule.SERVER_NAME}),
        ("nobody", "cpu", "", {Rule.PERSON_ONBOARDED}),
        ("ann", "unknown", "", {Rule.PROFILE_VISIBLE}),
    ],
)
def test_who_may_launch_what(
    lab: Any, person: str, profile: str, server: str, refused: set[Rule]
) -> None:
    outcome = lab.claim(person, profile, server)
    assert (set() if isinstance(outcome, Granted) else rules(outcome)) == refused


@pytest.mark.promise("USER-4")
def test_who_leads_a_group_opens_the_console_as_long_as_that_lasts(lab: Any) -> None:
    with lab.write() as writing:
        memberships.set_lead(writing, "ann", "vision", lead=True)
        memberships.set_lead(writing, "bob", "vision", lead=True)
        memberships.set_lead(writing, "bob", "vision", lead=False)
    lab.granted("ann", "operator-console", "console")
    assert rules(lab.claim("bob", "operator-console", "console")) == {Rule.PROFILE_VISIBLE}


@pytest.mark.promise("GROUP-2")
def test_somebody_without_a_group_uses_the_default_pool_only(lab: Any) -> None:
    assert rules(lab.claim("zoe", "gpu")) == {Rule.SHARE_POOL}
    lab.devices(1, prefix="spare")
    outcome = lab.claim("zoe", "gpu")
    assert isinstance(outcome, Granted)
    assert outcome.allotment.pool == "default"
    lab.profile("a100-only", devices=1, pool="a100")
    assert rules(lab.claim("zoe", "a100-only", "b")) == {Rule.SHARE_POOL}


def test_somebody_without_a_group_does_not_take_what_a_group_is_guaranteed(world: Any) -> None:
    world.devices(2)
    world.group("nlp", ("default", 2))
    world.people("zoe")
    world.people("mei", group="nlp")
    world.profile("gpu", devices=1)
    assert rules(world.claim("zoe", "gpu")) == {Rule.DEVICES_FREE}
    world.granted("mei", "gpu")


@pytest.mark.promise("GROUP-2")
def test_guarantees_in_one_pool_are_kept_apart(world: Any) -> None:
    world.devices(3)
    world.pool("a100", ["gpu-0", "gpu-1", "gpu-2"])
    world.group("vision", ("a100", 2))
    world.group("nlp", ("a100", 1))
    world.people("ann", group="vision")
    world.people("mei", group="nlp")
    world.profile("gpu", devices=1)
    world.granted("mei", "gpu", "a")
    assert rules(world.claim("mei", "gpu", "b")) == {Rule.SHARE_GUARANTEE}
    world.granted("ann", "gpu", "a")
    world.granted("ann", "gpu", "b")


@pytest.mark.promise("GROUP-1", "GROUP-2")
def test_a_person_whom_the_provider_maps_to_two_groups_is_refused_with_both_named(lab: Any) -> None:
    lab.group("nlp")
    with lab.write() as writing:
        memberships.add(writing, "ann", "nlp", Origin.PROVIDER)
    outcome = lab.claim("ann", "gpu", group="vision")
    assert rules(outcome) == {Rule.GROUP_STRICT}
    assert "nlp and vision" in outcome.reasons[0].message
    lab.granted("ann", "cpu")


def test_in_flexible_mode_the_person_chooses_who_pays(lab: Any) -> None:
    lab.devices(1, prefix="h", model="H100")
    lab.pool("h100", ["h-0"])
    with lab.write() as writing:
        platform.set_mode(writing, Mode.FLEXIBLE)
        groups.create(writing, "nlp", wanted=[Share("nlp", "h100", 1, 1)])
        memberships.add(writing, "ann", "nlp", Origin.CONSOLE)
    assert rules(lab.claim("ann", "gpu")) == {Rule.GROUP_CHOSEN}
    outcome = lab.claim("ann", "gpu", group="nlp")
    assert isinstance(outcome, Granted)
    assert (outcome.allotment.group, outcome.allotment.pool) == ("nlp", "h100")


def test_a_group_that_one_is_not_in_is_refused(lab: Any) -> None:
    assert rules(lab.claim("zoe", "cpu", group="vision")) == {Rule.GROUP_CHOSEN}
    assert rules(lab.claim("ann", "gpu", group="x" * 5000)) >= {Rule.GROUP_CHOSEN}


def test_an_ended_membership_admits_nothing(lab: Any) -> None:
    with lab.write() as writing:
        memberships.add(writing, "ann", "vision", Origin.CONSOLE, until=lab.now)
    assert rules(lab.claim("ann", "gpu")) == {Rule.SHARE_POOL}


def test_a_claim_takes_devices_of_one_node_best_fit_first(world: Any) -> None:
    world.devices(3, node="n1", prefix="a")
    world.devices(2, node="n2", prefix="b")
    world.people("ann")
    world.profile("two", devices=2)
    world.profile("four", devices=4)
    outcome = world.claim("ann", "two")
    assert isinstance(outcome, Granted)
    assert {device.node for device in outcome.allotment.devices} == {"n2"}
    world.end(outcome.allotment.id)
    refused = world.claim("ann", "four", "big")
    assert rules(refused) == {Rule.DEVICES_FREE}
    assert "the most on one node is 3" in refused.reasons[0].message


def test_a_profile_of_one_model_gets_devices_of_that_model(world: Any) -> None:
    world.devices(1, model="T4", prefix="t")
    world.devices(1, model="A100", prefix="a")
    world.people("ann")
    world.profile("t4", devices=1, pool={"model": "T4"})
    outcome = world.claim("ann", "t4")
    assert isinstance(outcome, Granted)
    assert outcome.allotment.devices[0].id == "t-0"


@pytest.mark.promise("POOL-6")
def test_an_unhealthy_device_is_not_allotted_its_server_keeps_it_and_it_comes_back(
    lab: Any,
) -> None:
    holder = lab.granted("ann", "gpu")
    with lab.write() as writing:
        devices.set_health(writing, "gpu-0", healthy=False, note="ECC errors")
        devices.set_health(writing, "gpu-1", healthy=False, note="ECC errors")
    assert rules(lab.claim("bob", "gpu")) == {Rule.DEVICES_FREE}
    with lab.record.reading() as reading:
        device = devices.get(reading, "gpu-0")
        assert (device.healthy, device.holder) == (False, holder)
    lab.end(holder)
    assert lab.free("a100") == 0
    with lab.write() as writing:
        devices.set_health(writing, "gpu-0", healthy=True)
    lab.granted("bob", "gpu")
    assert lab.sound()


@pytest.mark.promise("POOL-6")
def test_a_device_that_vanishes_is_flagged_and_comes_back_by_itself(lab: Any) -> None:
    specs = [
        DeviceSpec(f"gpu-{i}", "n1", "A100", 80 << 30, f"GPU-gpu-{i}", DeviceOrigin.SETTINGS)
        for i in range(2)
    ]
    holder = lab.granted("ann", "gpu")
    with lab.write() as writing:
        assert devices.observe(writing, specs[1:], DeviceOrigin.SETTINGS)
    with lab.record.reading() as reading:
        vanished = devices.get(reading, "gpu-0")
        assert (vanished.present, vanished.holder) == (False, holder)
    lab.end(holder)
    assert lab.free("a100") == 1
    with lab.write() as writing:
        devices.observe(writing, specs, DeviceOrigin.SETTINGS)
        assert not devices.observe(writing, specs, DeviceOrigin.SETTINGS)
    assert lab.free("a100") == 2
    with lab.record.reading() as reading:
        kinds = [event.kind for event in events.after(reading, 0) if event.subject == "gpu-0"]
    assert kinds == ["device.found", "device.vanished", "device.returned"]
    assert lab.sound()


def test_what_is_foreseen_is_what_is_decided(lab: Any) -> None:
    claim = Claim("hub", "ann", "s", "two-gpu")
    with lab.record.reading() as reading:
        assert isinstance(claims.foresee(reading, claim, lab.now), Admitted)
    lab.granted("bob", "gpu")
    with lab.record.reading() as reading:
        foreseen = claims.foresee(reading, claim, lab.now)
    decided = claims.admit(lab.record, claim, lab.now)
    assert foreseen == decided


def test_a_server_name_that_is_too_long_is_refused(lab: Any) -> None:
    assert Rule.SERVER_NAME in rules(lab.claim("ann", "cpu", "x" * 64))


def test_a_refusal_is_kept_as_data(lab: Any) -> None:
    lab.claim("zoe", "gpu", "x")
    with lab.record.reading() as reading:
        event = events.newest(reading, "claim.refused")[0]
    assert event.person == "zoe"
    assert event.after is not None
    assert event.after["reasons"][0]["rule"] == "share.pool"


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE allotments; --",
        "x" * 10_000,
        "<script>",
        "\u202e",
        "%s %(id)s :now",
        "a\nb",
        "nul\x00",
    ],
)
def test_hostile_text_in_a_claim_is_refused_and_nothing_is_lost(lab: Any, text: str) -> None:
    assert rules(lab.claim("ann", text, "s")) == {Rule.PROFILE_VISIBLE}
    assert Rule.GROUP_CHOSEN in rules(lab.claim("ann", "gpu", "s", group=text))
    lab.granted("ann", "gpu", "s", note=text, display_name=text)
    with lab.record.reading() as reading:
        assert servers.all_servers(reading, person="ann")[0].note == text.replace("\x00", "\ufffd")
    assert lab.sound()
