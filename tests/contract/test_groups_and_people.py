"""Groups, memberships, people, roles and limits, on both stores."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from allotment.model.groups import Mode, Origin, Share
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.people import Permission
from allotment.model.reasons import Rule
from allotment.model.refusals import AlreadyExists, NotFound, Refusal, RevisionStale
from allotment.record import groups, limits, memberships, people, platform, roles


def refusal(world: Any, act: Callable[[Any], object]) -> list[Rule]:
    with pytest.raises(Refusal) as refused, world.write() as writing:
        act(writing)
    assert world.sound()
    return [reason.rule for reason in refused.value.reasons]


@pytest.mark.promise("GROUP-1")
def test_a_group_has_people_leads_tags_and_a_share(lab: Any) -> None:
    with lab.write() as writing:
        groups.create(writing, "nlp", "Language", {"department": "research"})
        people.onboard(writing, ["mei"], "nlp")
        memberships.set_lead(writing, "mei", "nlp", lead=True)
    with lab.record.reading() as reading:
        assert groups.get(reading, "nlp").tags == {"department": "research"}
        assert memberships.all_memberships(reading, group="nlp")[0].lead
        assert groups.all_shares(reading, "vision") == (Share("vision", "a100", 2, 2, 1.0),)
        assert people.authority(reading, "mei", lab.now).leads == ("nlp",)


@pytest.mark.promise("GROUP-1")
def test_each_membership_keeps_its_origin_and_none_is_undone_by_another(lab: Any) -> None:
    with lab.write() as writing:
        memberships.add(writing, "ann", "vision", Origin.PROVIDER)
        memberships.remove(writing, "ann", "vision", Origin.PROVIDER)
    with lab.record.reading() as reading:
        assert [row.origin for row in memberships.all_memberships(reading, person="ann")] == [
            Origin.CONSOLE
        ]


@pytest.mark.promise("GROUP-2")
def test_in_strict_mode_a_group_has_one_pool(lab: Any) -> None:
    lab.devices(1, prefix="h", model="H100")
    lab.pool("h100", ["h-0"])
    two = [Share("nlp", "a100", 0, 0), Share("nlp", "h100", 1, 1)]
    assert refusal(lab, lambda writing: groups.create(writing, "nlp", wanted=two)) == [
        Rule.GROUP_STRICT
    ]


@pytest.mark.promise("GROUP-2")
def test_guarantees_never_sum_to_more_than_the_pool_has(lab: Any) -> None:
    one = [Share("nlp", "a100", 1, 1)]
    assert refusal(lab, lambda writing: groups.create(writing, "nlp", wanted=one)) == [
        Rule.POOL_CAPACITY
    ]
    with lab.write() as writing:
        groups.edit(writing, "vision", wanted=[Share("vision", "a100", 1, 2)])
        groups.create(writing, "nlp", wanted=one)


@pytest.mark.promise("GROUP-2")
def test_a_person_is_in_one_group_at_a_time_and_moves_by_leaving_the_old_one(lab: Any) -> None:
    lab.group("nlp")
    assert refusal(lab, lambda writing: memberships.add(writing, "ann", "nlp", Origin.CONSOLE)) == [
        Rule.GROUP_STRICT
    ]
    with lab.write() as writing:
        memberships.move(writing, "ann", "nlp")
    with lab.record.reading() as reading:
        assert memberships.current_groups(reading, "ann", lab.now) == ("nlp",)


def test_strict_mode_is_not_chosen_while_somebody_is_in_two_groups(lab: Any) -> None:
    lab.group("nlp")
    with lab.write() as writing:
        platform.set_mode(writing, Mode.FLEXIBLE)
        memberships.add(writing, "ann", "nlp", Origin.CONSOLE)
    assert refusal(lab, lambda writing: platform.set_mode(writing, Mode.STRICT)) == [
        Rule.GROUP_STRICT
    ]


@pytest.mark.promise("GROUP-4")
def test_a_group_with_people_a_pool_or_servers_is_not_deleted(lab: Any) -> None:
    lab.granted("ann", "gpu")
    assert refusal(lab, lambda writing: groups.delete(writing, "vision")) == [Rule.GROUP_IN_USE] * 3


@pytest.mark.promise("GROUP-4")
def test_people_of_a_deleted_group_are_free(lab: Any) -> None:
    with lab.write() as writing:
        groups.edit(writing, "vision", wanted=[])
        memberships.remove(writing, "ann", "vision")
        memberships.remove(writing, "bob", "vision")
        groups.delete(writing, "vision")
        groups.create(writing, "nlp")
        memberships.add(writing, "ann", "nlp", Origin.CONSOLE)
    with lab.record.reading() as reading:
        assert [group.name for group in groups.all_groups(reading)] == ["nlp"]


def test_a_groups_name_is_taken_once(lab: Any) -> None:
    with pytest.raises(AlreadyExists), lab.write() as writing:
        groups.create(writing, "vision")


@pytest.mark.promise("GROUP-5")
def test_a_share_may_be_lowered_below_what_is_in_use(lab: Any) -> None:
    lab.granted("ann", "gpu", "old")
    lab.granted("bob", "gpu", "new")
    lower = [Share("vision", "a100", 1, 1)]
    with lab.write() as writing:
        groups.edit(writing, "vision", wanted=lower)
    with lab.record.reading() as reading:
        assert groups.held(reading) == {("vision", "a100"): 2}
    assert lab.sound()


def test_a_share_that_is_taken_away_and_given_back_still_knows_what_is_held(lab: Any) -> None:
    running = lab.granted("ann", "gpu")
    with lab.write() as writing:
        groups.edit(writing, "vision", wanted=[])
    with lab.write() as writing:
        groups.edit(writing, "vision", wanted=[Share("vision", "a100", 2, 2)])
    lab.end(running)
    assert lab.sound()


@pytest.mark.promise("USER-1", "USER-3")
def test_the_last_operator_is_neither_downgraded_nor_removed(lab: Any) -> None:
    assert refusal(lab, lambda w: people.set_role(w, "olga", "data-scientist")) == [
        Rule.LAST_OPERATOR
    ]
    assert refusal(lab, lambda w: people.delete(w, ["olga"])) == [Rule.LAST_OPERATOR]
    with lab.write() as writing:
        people.set_role(writing, "ann", "operator")
        people.set_role(writing, "olga", "data-scientist")
    assert refusal(lab, lambda w: people.delete(w, ["zoe", "ann"])) == [Rule.LAST_OPERATOR]


@pytest.mark.promise("USER-2")
def test_many_are_on_boarded_at_once_as_data_scientists_or_none(lab: Any) -> None:
    with lab.write() as writing:
        made = people.onboard(writing, ["mei", "kai", "mei"], "vision")
    assert [(person.name, person.role, person.onboarded) for person in made] == [
        ("mei", "data-scientist", True),
        ("kai", "data-scientist", True),
    ]
    with pytest.raises(ValueError, match="no person's name"), lab.write() as writing:
        people.onboard(writing, ["good", "not good"])
    with lab.record.reading() as reading, pytest.raises(NotFound):
        people.get(reading, "good")


@pytest.mark.promise("USER-6")
def test_people_with_running_servers_are_not_deleted_and_all_of_them_are_named(lab: Any) -> None:
    lab.granted("ann", "cpu", "one")
    lab.granted("bob", "cpu", "two")
    with pytest.raises(Refusal) as refused, lab.write() as writing:
        people.delete(writing, ["zoe", "ann", "bob"])
    assert [reason.details for reason in refused.value.reasons] == [("one",), ("two",)]
    with lab.record.reading() as reading:
        assert people.get(reading, "zoe").onboarded


@pytest.mark.promise("USER-6")
def test_several_people_are_deleted_at_once_and_their_history_stays(lab: Any) -> None:
    ended = lab.granted("ann", "gpu")
    lab.end(ended)
    with lab.write() as writing:
        limits.put(writing, LimitScope.PERSON, "ann", LimitKind.DEVICES, 1)
        people.delete(writing, ["ann", "zoe"])
    with lab.record.reading() as reading:
        assert [person.name for person in people.all_people(reading)] == ["bob", "olga"]
        assert limits.all_limits(reading) == ()
    assert lab.sound()


@pytest.mark.promise("USER-8")
def test_an_operator_makes_roles_of_permissions(lab: Any) -> None:
    with lab.write() as writing:
        roles.put(writing, "profile-keeper", {Permission.MANAGE_PROFILES})
        people.set_role(writing, "ann", "profile-keeper")
    with lab.record.reading() as reading:
        assert people.authority(reading, "ann", lab.now).permissions == {Permission.MANAGE_PROFILES}
    assert refusal(lab, lambda w: roles.delete(w, "profile-keeper")) == [Rule.PERSON_IN_USE]
    assert refusal(lab, lambda w: roles.put(w, "operator", set())) == [Rule.PERMISSION]
    assert refusal(lab, lambda w: roles.delete(w, "reader")) == [Rule.PERMISSION]


def test_somebody_unknown_may_do_nothing(lab: Any) -> None:
    with lab.record.reading() as reading:
        found = people.authority(reading, "stranger", lab.now)
    assert (found.role, found.permissions, found.groups) == ("", frozenset(), ())


@pytest.mark.promise("GROUP-7")
def test_a_membership_with_an_end_ends_by_itself(lab: Any) -> None:
    lab.group("nlp")
    with lab.write() as writing:
        memberships.add(
            writing, "zoe", "nlp", Origin.CONSOLE, lead=True, until=writing.now + timedelta(days=1)
        )
    with lab.record.reading() as reading:
        assert people.authority(reading, "zoe", lab.now).leads == ("nlp",)
        assert people.authority(reading, "zoe", lab.now + timedelta(days=2)).leads == ()
    lab.later(days=2)
    with lab.write() as writing:
        assert [row.person for row in memberships.end_expired(writing)] == ["zoe"]
    with lab.record.reading() as reading:
        assert memberships.all_memberships(reading, person="zoe") == ()


@pytest.mark.promise("LIMIT-1")
def test_a_limit_says_where_it_comes_from(lab: Any) -> None:
    with lab.write() as writing:
        limits.put(writing, LimitScope.PLATFORM, "", LimitKind.DEVICES, 2)
        limits.put(writing, LimitScope.GROUP, "vision", LimitKind.DEVICES, 4)
        limits.put(writing, LimitScope.PERSON, "bob", LimitKind.DEVICES, 1)
    with lab.record.reading() as reading:
        sources = {
            name: limits.effective(reading, name, group)[0]
            for name, group in (("ann", "vision"), ("bob", "vision"), ("zoe", None))
        }
        servers = limits.effective(reading, "ann", "vision")[1]
    assert [(found.value, found.source) for found in sources.values()] == [
        (4, "group vision"),
        (1, "set for this person"),
        (2, "the platform's default"),
    ]
    assert (servers.value, servers.source) == (None, "no limit is set")


def test_a_limit_is_taken_away_and_nonsense_is_refused(lab: Any) -> None:
    with lab.write() as writing:
        limits.put(writing, LimitScope.PERSON, "ann", LimitKind.SERVERS, 1)
        limits.put(writing, LimitScope.PERSON, "ann", LimitKind.SERVERS, None)
    with lab.record.reading() as reading:
        assert limits.all_limits(reading) == ()
    assert refusal(
        lab, lambda w: limits.put(w, LimitScope.PERSON, "ann", LimitKind.SERVERS, -1)
    ) == [Rule.SETTINGS]
    assert refusal(
        lab, lambda w: limits.put(w, LimitScope.PERSON, "nobody", LimitKind.SERVERS, 1)
    ) == [Rule.NOT_FOUND]
    assert refusal(
        lab, lambda w: limits.put(w, LimitScope.GROUP, "none", LimitKind.SERVERS, 1)
    ) == [Rule.NOT_FOUND]


def test_a_stale_change_of_a_group_or_person_is_refused(lab: Any) -> None:
    with lab.write() as writing:
        groups.edit(writing, "vision", title="Vision", revision=1)
        people.set_role(writing, "ann", "reader", revision=1)
    with pytest.raises(RevisionStale), lab.write() as writing:
        groups.edit(writing, "vision", title="Other", revision=1)
    with pytest.raises(RevisionStale), lab.write() as writing:
        people.set_role(writing, "ann", "operator", revision=1)


@pytest.mark.promise("USER-2")
def test_the_default_group_is_chosen_among_those_that_are_there_and_goes_with_its_group(
    lab: Any,
) -> None:
    lab.group("course")
    with lab.write() as writing:
        platform.set_default_group(writing, "course")
    with pytest.raises(NotFound), lab.write() as writing:
        platform.set_default_group(writing, "nonesuch")
    with lab.record.reading() as reading:
        assert platform.default_group(reading) == "course"
    with lab.write() as writing:
        groups.delete(writing, "course")
    with lab.record.reading() as reading:
        assert platform.default_group(reading) is None


def test_a_choice_made_against_an_older_one_is_refused(lab: Any) -> None:
    with lab.write() as writing:
        platform.set_default_group(writing, "vision")
    with pytest.raises(RevisionStale), lab.write() as writing:
        platform.expect(writing, 1)
