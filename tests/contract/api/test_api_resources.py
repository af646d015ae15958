"""Resources: what the API answers and writes, through the Python client."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from allotment.api.identity import hash_token
from allotment.client import ANY, AllotmentClient, NewShare
from allotment.model.groups import Mode
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.people import Permission
from allotment.model.reasons import Rule
from allotment.model.refusals import (
    AlreadyExists,
    NotFound,
    NotPermitted,
    Refusal,
    RevisionStale,
)
from allotment.model.sharing import PoolPolicy
from allotment.record import claims, credentials, devices, profiles

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


@pytest.fixture
def olga(api: Any) -> Any:
    """The operator, with everything in reach."""
    with api.client("olga+") as client:
        yield client


@pytest.fixture
def ann(api: Any) -> Any:
    """The lead of vision."""
    with api.client("ann+") as client:
        yield client


def rules(refused: pytest.ExceptionInfo[Refusal]) -> set[Rule]:
    return {reason.rule for reason in refused.value.reasons}


# Pools and devices.


@pytest.mark.promise("POOL-1")
def test_a_device_is_shown_with_who_holds_it_since_when(lab: Any, olga: AllotmentClient) -> None:
    lab.granted("ann", "gpu", "train", display_name="Segmentation")

    held, free = olga.devices.all().items

    assert held.holder is not None
    assert (held.state, held.holder.person, held.holder.group) == ("held", "ann", "vision")
    assert (held.holder.server, held.holder.display_name) == ("hub~ann~train", "Segmentation")
    assert (free.state, free.holder, free.pool) == ("free", None, "a100")


@pytest.mark.promise("POOL-3", "POOL-5")
def test_a_pool_is_made_edited_and_deleted(olga: AllotmentClient) -> None:
    vision = olga.groups.get("vision")
    olga.groups.edit("vision", shares=[NewShare("a100", 1)], revision=vision.revision)

    made = olga.pools.create("single", ["gpu-1"])
    edited = olga.pools.edit("single", [], revision=made.revision)
    olga.pools.delete("single", revision=edited.revision)

    assert (made.devices, made.model, made.total) == (("gpu-1",), "A100", 1)
    assert edited.devices == ()
    assert [pool.name for pool in olga.pools.all().items] == ["a100", "default"]


@pytest.mark.promise("POOL-5")
def test_a_pool_in_use_is_not_deleted_and_the_servers_are_named(
    lab: Any, olga: AllotmentClient
) -> None:
    lab.granted("ann", "gpu", "train")

    with pytest.raises(Refusal) as refused:
        olga.pools.delete("a100", revision=ANY)

    assert rules(refused) == {Rule.POOL_IN_USE, Rule.POOL_SHARED}
    assert "ann/train" in str(refused.value)


def test_a_change_against_an_old_revision_is_told_the_new_one(olga: AllotmentClient) -> None:
    read = olga.pools.get("a100")
    olga.pools.edit("a100", ["gpu-0", "gpu-1"], revision=read.revision)

    with pytest.raises(RevisionStale) as stale:
        olga.pools.edit("a100", ["gpu-0", "gpu-1"], revision=read.revision)

    assert (stale.value.expected, stale.value.found) == (read.revision, read.revision + 1)


def test_a_change_without_a_revision_is_asked_for_it(api: Any) -> None:
    answer = api.ask("PATCH", "/pools/a100", "olga+", json={"devices": []})

    assert answer.status_code == 428
    assert "If-Match" in answer.json()["detail"]


def test_a_taken_name_is_told_as_such(olga: AllotmentClient) -> None:
    with pytest.raises(AlreadyExists):
        olga.pools.create("a100")


def test_the_same_request_under_one_key_is_carried_out_once(api: Any) -> None:
    again = {"headers": {"Idempotency-Key": "k1"}, "json": {"name": "once"}}

    first, second = (api.ask("POST", "/pools", "olga+", **again) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"


def test_a_key_serves_one_request_of_one_person(api: Any) -> None:
    key = {"headers": {"Idempotency-Key": "k1"}}
    api.ask("POST", "/pools", "olga+", json={"name": "one"}, **key)

    another = api.ask("POST", "/pools", "olga+", json={"name": "two"}, **key)
    somebody = api.ask("POST", "/pools", "rita+", json={"name": "one"}, **key)

    assert another.status_code == 409
    assert somebody.status_code == 403


# Groups.


@pytest.mark.promise("GROUP-1", "GROUP-4")
def test_a_group_is_made_with_its_share_and_filled(olga: AllotmentClient) -> None:
    olga.pools.create("more")
    olga.groups.create(
        "speech", title="Speech", tags={"department": "x"}, shares=[NewShare("more", 0)]
    )
    filled = olga.groups.put_member("speech", "zoe", lead=True)

    assert filled.shares[0].pool == "more"
    assert filled.members is not None
    assert (filled.people, filled.leads, filled.members[0].origin) == (1, ("zoe",), "console")

    with pytest.raises(Refusal) as refused:
        olga.groups.delete("speech", revision=ANY)
    assert rules(refused) == {Rule.GROUP_IN_USE}
    olga.groups.remove_member("speech", "zoe")
    olga.groups.edit("speech", shares=[], revision=ANY)
    olga.groups.delete("speech", revision=ANY)
    assert [group.name for group in olga.groups.all().items] == ["vision"]


@pytest.mark.promise("GROUP-5")
def test_a_share_below_what_is_in_use_says_first_what_it_will_do(
    lab: Any, olga: AllotmentClient
) -> None:
    lab.granted("ann", "gpu", "train")

    said = olga.groups.consequences("vision", [NewShare("a100", 0)])

    assert "1 server is then over the share" in said.consequences[0]
    assert [(one.person, one.name) for one in said.servers] == [("ann", "train")]
    assert olga.groups.get("vision").shares[0].guaranteed == 2


@pytest.mark.promise("USER-4")
def test_a_lead_adds_and_removes_plain_members_and_makes_no_leads(ann: AllotmentClient) -> None:
    added = ann.groups.put_member("vision", "zoe")
    assert added.members is not None
    assert "zoe" in {member.person for member in added.members}

    with pytest.raises(NotPermitted):
        ann.groups.put_member("vision", "zoe", lead=True)
    with pytest.raises(NotPermitted):
        ann.groups.remove_member("vision", "ann")
    ann.groups.remove_member("vision", "zoe")


@pytest.mark.promise("GROUP-7")
def test_a_membership_can_have_an_end_that_its_person_is_told(
    lab: Any, api: Any, olga: AllotmentClient
) -> None:
    olga.groups.put_member("vision", "zoe", until=lab.now + timedelta(days=3))

    with api.client("zoe") as zoe:
        notice = zoe.me().notices[0]

    assert (notice.kind, notice.message) == (
        "membership",
        "Your membership in vision ends in 3 days.",
    )


def test_a_member_sees_the_share_of_the_own_group_and_not_who_is_in_it(api: Any) -> None:
    with api.client("bob") as bob:
        group = bob.groups.get("vision")
        with pytest.raises(NotFound):
            bob.users.get("ann")

    assert (group.shares[0].guaranteed, group.leads, group.members) == (2, ("ann",), None)


# People and roles.


@pytest.mark.promise("USER-2")
def test_many_are_on_boarded_at_once_and_the_hub_is_told(api: Any, olga: AllotmentClient) -> None:
    done = olga.users.onboard(["new-1", "new-2"], group="vision")

    assert [user.role for user in done.users] == ["data-scientist", "data-scientist"]
    assert {user.memberships[0].group for user in done.users} == {"vision"}
    assert done.notes == ()
    assert ("POST", "/allotment/people") in api.hub.commands()
    assert api.hub.bodies == [{"usernames": ["new-1", "new-2"]}]


@pytest.mark.promise("USER-2")
def test_nobody_is_on_boarded_when_one_name_cannot_be(olga: AllotmentClient) -> None:
    with pytest.raises(NotFound):
        olga.users.onboard(["new-1"], group="nowhere")

    assert "new-1" not in {user.name for user in olga.users.all().items}


def test_on_boarding_with_the_hub_away_says_what_is_left(api: Any, olga: AllotmentClient) -> None:
    olga.me()
    api.hub.broken = True

    done = olga.users.onboard(["new-1"])

    assert done.users[0].name == "new-1"
    assert "hub" in done.notes[0]


@pytest.mark.promise("USER-6")
def test_people_are_removed_all_or_nobody(lab: Any, api: Any, olga: AllotmentClient) -> None:
    lab.granted("ann", "gpu", "train")

    with pytest.raises(Refusal) as refused:
        olga.users.delete(["zoe", "ann"])
    assert rules(refused) == {Rule.PERSON_IN_USE}

    olga.users.delete(["zoe"])
    assert "zoe" not in {user.name for user in olga.users.all().items}
    assert ("DELETE", "/users/zoe") in api.hub.commands()


@pytest.mark.promise("USER-1", "USER-3")
def test_people_are_promoted_and_the_last_operator_stays(olga: AllotmentClient) -> None:
    with pytest.raises(Refusal) as refused:
        olga.users.set_role("olga", "reader", revision=ANY)
    assert rules(refused) == {Rule.LAST_OPERATOR}

    assert olga.users.set_role("zoe", "operator", revision=1).role == "operator"
    assert olga.users.set_role("olga", "reader", revision=ANY).role == "reader"


@pytest.mark.promise("USER-8")
def test_a_role_of_own_permits_what_it_says_and_no_more(api: Any, olga: AllotmentClient) -> None:
    olga.roles.create("keeper", {Permission.MANAGE_POOLS, Permission.MANAGE_ROLES})
    olga.users.set_role("zoe", "keeper", revision=ANY)

    with api.client("zoe+") as zoe:
        zoe.pools.create("zoes")
        with pytest.raises(NotPermitted):
            zoe.limits.put(LimitScope.PERSON, "zoe", LimitKind.DEVICES, 9)
        with pytest.raises(NotPermitted):
            zoe.users.set_role("zoe", "operator", revision=ANY)
        with pytest.raises(NotPermitted):
            zoe.users.set_role("olga", "data-scientist", revision=ANY)
        with pytest.raises(NotPermitted):
            zoe.roles.create("stronger", set(Permission))


@pytest.mark.promise("GROUP-2")
def test_moving_leaves_one_group_and_joins_another(olga: AllotmentClient) -> None:
    olga.groups.create("speech")

    moved = olga.users.move("bob", "speech")

    assert [one.group for one in moved.memberships] == ["speech"]
    assert olga.users.move("bob", None).memberships == ()


def test_a_reset_link_is_told_once_and_works_once(
    lab: Any, api: Any, olga: AllotmentClient
) -> None:
    link = olga.users.reset_link("zoe")

    assert link.link.startswith("http://127.0.0.1:1/hub/reset-password?token=")
    token = link.link.partition("token=")[2]
    with lab.write() as writing:
        assert credentials.use_reset(writing, hash_token(token)) == "zoe"
    assert token not in str(olga.events.after(0).items)

    key = {"headers": {"Idempotency-Key": "k1"}}
    assert api.ask("POST", "/users/zoe/reset-link", "olga+", **key).status_code == 201
    again = api.ask("POST", "/users/zoe/reset-link", "olga+", **key)
    assert again.status_code == 409
    assert "token=" not in again.text


# Limits.


@pytest.mark.promise("LIMIT-1")
def test_a_person_reads_which_limit_binds_and_where_it_comes_from(
    api: Any, olga: AllotmentClient
) -> None:
    olga.limits.put(LimitScope.PLATFORM, "", LimitKind.DEVICES, 2)
    olga.limits.put(LimitScope.PERSON, "bob", LimitKind.DEVICES, 1)

    with api.client("bob") as bob:
        devices = next(one for one in bob.me().limits if one.kind is LimitKind.DEVICES)
    assert (devices.value, devices.used, devices.source) == (1, 0, "set for this person")

    olga.limits.put(LimitScope.PERSON, "bob", LimitKind.DEVICES, None)
    again = next(one for one in olga.users.get("bob").limits or () if one.kind is LimitKind.DEVICES)
    assert (again.value, again.source) == (2, "the platform's default")


@pytest.mark.promise("USER-4")
def test_a_lead_sets_limits_of_members_within_the_groups_own(
    olga: AllotmentClient, ann: AllotmentClient
) -> None:
    olga.limits.put(LimitScope.GROUP, "vision", LimitKind.DEVICES, 2)

    ann.limits.put(LimitScope.PERSON, "bob", LimitKind.DEVICES, 2)
    with pytest.raises(NotPermitted) as refused:
        ann.limits.put(LimitScope.PERSON, "bob", LimitKind.DEVICES, 3)
    with pytest.raises(NotPermitted):
        ann.limits.put(LimitScope.PERSON, "zoe", LimitKind.DEVICES, 1)
    with pytest.raises(NotPermitted):
        ann.limits.put(LimitScope.GROUP, "vision", LimitKind.DEVICES, 3)

    assert (refused.value.reasons[0].limit, refused.value.reasons[0].asked) == (2, 3)


# Profiles.


@pytest.mark.promise("PROFILE-5")
def test_a_disabled_profile_is_not_offered_and_who_holds_it_is_told(
    lab: Any, api: Any, olga: AllotmentClient
) -> None:
    lab.granted("ann", "gpu", "train")

    disabled = olga.profiles.set_enabled("gpu", False, revision=ANY)

    assert (disabled.offered, disabled.servers) == (False, 1)
    assert [one.person for one in olga.servers.all(profile="gpu", active=True).items] == ["ann"]
    with api.client("bob") as bob:
        assert "gpu" not in {profile.name for profile in bob.profiles.all().items}


@pytest.mark.promise("PROFILE-5")
def test_revoking_a_profile_stops_the_servers_that_hold_it(
    lab: Any, api: Any, olga: AllotmentClient
) -> None:
    lab.granted("ann", "gpu", "train")
    lab.granted("bob", "cpu", "desk")

    revoked = olga.profiles.revoke("gpu", "A security hole.")

    assert not revoked.profile.offered
    assert [(one.server, one.outcome) for one in revoked.outcomes] == [
        ("hub~ann~train", "stopping")
    ]
    assert api.hub.commands() == [("DELETE", "/users/ann/servers/train")]
    assert olga.servers.get("hub~ann~train").stop_reason == "A security hole."
    assert olga.servers.get("hub~bob~desk").state == "starting"


@pytest.mark.promise("PROFILE-2", "PROFILE-3")
def test_broken_files_are_told_to_those_who_see_everything_only(
    lab: Any, api: Any, olga: AllotmentClient
) -> None:
    with lab.write() as writing:
        profiles.mark_broken(
            writing, "broken", "broken.yaml", "1" * 64, "broken.yaml:3: cpu: no number"
        )

    broken = olga.profiles.get("broken")
    assert (broken.offered, broken.problem) == (False, "broken.yaml:3: cpu: no number")
    assert "broken.yaml:3" in next(one.message for one in olga.overview().alerts)
    with api.client("bob") as bob:
        assert [one.name for one in bob.profiles.all().items] == ["cpu", "gpu", "two-gpu"]
        with pytest.raises(NotFound):
            bob.profiles.get("broken")


# Servers.


@pytest.mark.promise("SERVER-4")
def test_a_stop_has_a_reason_that_reaches_its_user(
    lab: Any, api: Any, olga: AllotmentClient
) -> None:
    lab.granted("bob", "gpu", "train")

    done = olga.servers.stop(["hub~bob~train"], "Maintenance at noon.")

    assert [(one.server, one.outcome) for one in done.outcomes] == [("hub~bob~train", "stopping")]
    assert api.hub.commands() == [("DELETE", "/users/bob/servers/train")]
    with api.client("bob") as bob:
        me = bob.me()
    assert me.notices[0].message == "olga stopped your server train: Maintenance at noon."
    assert (me.servers[0].state, me.servers[0].stopped_by) == ("stopping", "olga")


@pytest.mark.promise("SERVER-4")
def test_stopping_with_the_hub_away_is_remembered_and_said(
    lab: Any, api: Any, olga: AllotmentClient
) -> None:
    lab.granted("bob", "gpu", "train")
    olga.me()
    api.hub.broken = True

    done = olga.servers.stop(["hub~bob~train"])

    assert done.outcomes[0].outcome == "later"
    assert olga.servers.get("hub~bob~train").state == "stopping"


@pytest.mark.promise("SERVER-4", "USER-4")
def test_a_lead_stops_servers_of_the_own_group_and_nobody_elses(
    lab: Any, ann: AllotmentClient
) -> None:
    lab.granted("bob", "gpu", "train")
    lab.granted("zoe", "cpu", "desk")

    with pytest.raises(NotFound):
        ann.servers.stop(["hub~bob~train", "hub~zoe~desk"])
    assert ann.servers.get("hub~bob~train").state == "starting"

    assert ann.servers.stop(["hub~bob~train"]).outcomes[0].outcome == "stopping"


@pytest.mark.promise("SERVER-4")
def test_a_stopped_server_is_started_again_by_the_hub(
    lab: Any, api: Any, olga: AllotmentClient
) -> None:
    lab.end(lab.granted("bob", "gpu", ""))

    done = olga.servers.start(["hub~bob~"])

    assert done.outcomes[0].outcome == "starting"
    assert api.hub.commands() == [("POST", "/users/bob/server")]


@pytest.mark.promise("LIMIT-4")
def test_a_start_that_admission_refuses_tells_every_reason(
    lab: Any, api: Any, olga: AllotmentClient
) -> None:
    lab.end(lab.granted("bob", "two-gpu", "train"))
    lab.granted("ann", "gpu", "other")
    api.hub.refusing = "2 devices are needed."

    def hub_asks_admission() -> None:
        lab.claim("bob", "two-gpu", "train")

    api.hub.on_command = hub_asks_admission
    refused = olga.servers.start(["hub~bob~train"]).outcomes[0]

    assert (refused.outcome, refused.note) == ("refused", "2 devices are needed.")
    assert [reason.rule for reason in refused.reasons] == ["share.guarantee"]


def test_a_server_of_another_hub_is_left_to_that_hub(
    lab: Any, api: Any, olga: AllotmentClient
) -> None:
    lab.granted("bob", "gpu", "train", hub="east")

    done = olga.servers.stop(["east~bob~train"])

    assert done.outcomes[0].outcome == "later"
    assert api.hub.commands() == []


@pytest.mark.promise("POOL-6")
def test_a_server_whose_device_ails_is_flagged_and_its_user_told(
    lab: Any, api: Any, olga: AllotmentClient
) -> None:
    lab.granted("bob", "gpu", "train")
    with lab.write() as writing:
        devices.set_health(writing, "gpu-0", healthy=False, note="ECC errors")

    server = olga.servers.get("hub~bob~train")
    assert server.warnings == ("gpu-0 is not healthy: ECC errors.",)
    assert "gpu-0" in next(one.message for one in olga.overview().alerts if one.kind == "device")
    with api.client("bob") as bob:
        assert bob.me().notices[0].kind == "device"


# Explaining, configuration, the whole.


@pytest.mark.promise("OPS-9")
def test_explain_says_yes_with_who_pays_and_no_with_every_reason(olga: AllotmentClient) -> None:
    olga.limits.put(LimitScope.PERSON, "bob", LimitKind.SERVERS, 0)
    olga.limits.put(LimitScope.PERSON, "bob", LimitKind.DEVICES, 0)

    yes, no = olga.explain("ann", "gpu"), olga.explain("bob", "gpu")

    assert (yes.outcome, yes.group, yes.pool, yes.model) == ("granted", "vision", "a100", "A100")
    assert no.outcome == "refused"
    assert {reason.rule for reason in no.reasons} == {"limit.servers", "limit.devices"}
    assert all(reason.remedy for reason in no.reasons)


@pytest.mark.promise("OPS-9")
def test_explain_changes_nothing(olga: AllotmentClient) -> None:
    before = olga.events.after(0).sequence

    olga.explain("zoe", "two-gpu")
    olga.explain("olga", "operator-console")

    assert olga.events.after(0).sequence == before


@pytest.mark.promise("OPS-1")
def test_a_configuration_is_exported_planned_and_applied(olga: AllotmentClient) -> None:
    exported = olga.configuration.export()
    planned = olga.configuration.plan(f"{exported}\nmode: strict\n")
    assert [change for change in planned.changes if change.action != "keep"] == []

    text = "groups: [{name: speech, members: [zoe]}]\n"
    assert {change.kind for change in olga.configuration.plan(text).changes} >= {"group"}
    assert "speech" not in {group.name for group in olga.groups.all().items}
    assert olga.configuration.apply(text).applied
    assert olga.groups.get("speech").people == 1


@pytest.mark.promise("OPS-1")
def test_a_configuration_that_cannot_be_is_refused_with_every_problem(
    olga: AllotmentClient,
) -> None:
    with pytest.raises(Refusal) as refused:
        olga.configuration.apply("groups: [{name: UPPER}]\npools: 7\n")

    assert len(refused.value.reasons) >= 2
    assert all(reason.rule is Rule.SETTINGS for reason in refused.value.reasons)


@pytest.mark.promise("OPS-3")
def test_metrics_tell_devices_servers_and_requests(lab: Any, olga: AllotmentClient) -> None:
    lab.granted("ann", "gpu", "train")
    olga.about()

    text = olga.metrics()

    assert 'allotment_devices{pool="a100",state="held"} 1.0' in text
    assert 'allotment_servers{state="starting"} 1.0' in text
    assert 'allotment_group_devices_held{group="vision",pool="a100"} 1.0' in text
    assert 'route="/about"' in text
    assert "olga" not in text


def test_health_and_readiness_tell_anybody_whether_it_works(api: Any) -> None:
    assert api.ask("GET", "/health").json() == {"status": "ok"}
    assert api.ask("GET", "/ready").json()["status"] == "ready"

    api.hub.broken = True

    ready = api.ask("GET", "/ready")
    assert (ready.status_code, ready.json()["hub"]) == (503, "away")


def test_devices_held_over_time_come_from_the_record_of_allotments(
    lab: Any, olga: AllotmentClient
) -> None:
    first = lab.granted("ann", "gpu", "train")
    lab.later(hours=1)
    claims.mark_stopping(lab.record, first, "", "ann", lab.now)
    claims.release(lab.record, first, "gone", lab.now)
    lab.later(hours=1)

    moments = olga.use(hours=4, points=5).items

    assert [moment.held for moment in moments] == [0, 0, 1, 0, 0]
    assert {moment.capacity for moment in moments} == {2}


@pytest.mark.promise("QUEUE-4")
def test_an_operator_says_how_a_pool_is_shared_and_everybody_reads_it(
    lab: Any, olga: AllotmentClient, ann: AllotmentClient
) -> None:
    before = olga.pools.get("a100")
    wanted = PoolPolicy(sharing=True, minimum_runtime=timedelta(hours=1))
    changed = olga.pools.set_policy("a100", wanted, revision=before.revision)
    assert lab.free("a100") == 2
    assert (changed.policy, changed.devices) == (wanted, before.devices)
    assert ann.pools.get("a100").policy == wanted
    with pytest.raises(NotPermitted):
        ann.pools.set_policy("a100", PoolPolicy(), revision=changed.revision)


@pytest.mark.promise("USER-2", "GROUP-3")
def test_mode_and_default_group_are_chosen_and_shown_in_about(
    lab: Any, olga: AllotmentClient
) -> None:
    before = olga.about()
    assert (before.mode, before.default_group) == ("strict", None)

    chosen = olga.choose(revision=before.revision, mode=Mode.FLEXIBLE, default_group="vision")

    assert (chosen.mode, chosen.default_group) == ("flexible", "vision")
    with pytest.raises(RevisionStale):
        olga.choose(revision=before.revision, default_group="")
    assert olga.choose(revision=chosen.revision, default_group="").default_group is None
    lab.group("speech")
    olga.groups.put_member("speech", "ann")
    with pytest.raises(Refusal) as refused:
        olga.choose(revision=ANY, mode=Mode.STRICT)
    assert rules(refused) == {Rule.GROUP_STRICT}


@pytest.mark.promise("GROUP-6")
def test_a_department_is_made_filled_edited_and_deleted_when_it_is_empty(
    lab: Any, olga: AllotmentClient
) -> None:
    olga.departments.create("research", title="Research", ceilings={"a100": 2})
    vision = olga.groups.get("vision")
    inside = olga.groups.edit("vision", revision=vision.revision, department="research")
    assert inside.department == "research"
    lab.granted("ann", "gpu")

    (found,) = olga.departments.all().items
    assert (found.groups, found.ceilings[0].held) == (("vision",), 1)
    edited = olga.departments.edit("research", revision=found.revision, ceilings={"a100": 1})
    assert edited.ceilings[0].ceiling == 1
    with pytest.raises(Refusal) as refused:
        olga.departments.delete("research", revision=ANY)
    assert rules(refused) == {Rule.GROUP_IN_USE}
    assert olga.groups.edit("vision", revision=ANY, department="").department is None
    olga.departments.delete("research", revision=edited.revision)


@pytest.mark.promise("QUEUE-8")
def test_devices_are_reserved_changed_and_given_back(
    lab: Any, api: Any, olga: AllotmentClient
) -> None:
    begins = lab.now + timedelta(days=1)
    made = olga.reservations.create(
        "a100", 1, begins, begins + timedelta(hours=4), group="vision", note="Course"
    )

    assert [one.id for one in olga.overview().reservations] == [made.id]
    with api.client("bob+") as bob, api.client("zoe+") as zoe:
        assert [one.note for one in bob.reservations.all().items] == ["Course"]
        assert zoe.reservations.all().items == ()
    changed = olga.reservations.edit(made.id, revision=made.revision, devices=2)
    assert (changed.devices, changed.note) == (2, "Course")
    with pytest.raises(Refusal) as refused:
        olga.reservations.edit(made.id, revision=changed.revision, devices=3)
    assert rules(refused) == {Rule.POOL_CAPACITY}
    olga.reservations.cancel(made.id, revision=changed.revision)
    assert olga.reservations.all().items == ()
