"""People of a provider: known by their subject, given what their groups mean, on both stores."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from allotment.model.claims import Granted, Waits
from allotment.model.groups import Mode
from allotment.model.people import BuiltInRole
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.model.sign_on import Admits, GroupMapping, MappedGroup, ProviderIdentity
from allotment.record import (
    credentials,
    events,
    groups,
    mapped,
    memberships,
    people,
    platform,
    sign_ons,
)

ISSUER = "https://idp.example.org"
MAPPING = GroupMapping(
    (
        MappedGroup("ml-vision", group="vision"),
        MappedGroup("ml-leads", group="vision", lead=True),
        MappedGroup("platform", role="operator"),
    )
)


def sign_in(world: Any, subject: str, name: str, *provider_groups: str, **more: Any) -> Any:
    settled = {"admits": Admits.GROUPS} | more
    identity = ProviderIdentity(ISSUER, subject, name, groups=tuple(provider_groups))
    with world.write() as writing:
        return sign_ons.signed_in(writing, identity, settled.pop("mapping", MAPPING), **settled)


def refused(world: Any, subject: str, name: str, *provider_groups: str, **more: Any) -> list[Rule]:
    with pytest.raises(Refusal) as refusal:
        sign_in(world, subject, name, *provider_groups, **more)
    return [reason.rule for reason in refusal.value.reasons]


def belongings(world: Any, person: str) -> set[tuple[str, str, bool]]:
    with world.record.reading() as reading:
        rows = memberships.all_memberships(reading, person=person)
    return {(row.group, str(row.origin), row.lead) for row in rows}


def reasons(world: Any, person: str) -> tuple[Reason, ...]:
    """Why a launch would be refused; nothing where it is granted, and then it has ended again."""
    outcome = world.claim(person, "gpu")
    if isinstance(outcome, Granted):
        world.end(outcome.allotment.id)
        return ()
    assert not isinstance(outcome, Waits)
    return tuple(outcome.reasons)


def sequence(world: Any) -> int:
    with world.record.reading() as reading:
        return events.latest_sequence(reading)


@pytest.mark.promise("AUTH-4")
def test_a_person_keeps_everything_when_the_provider_changes_their_name(lab: Any) -> None:
    first = sign_in(lab, "s-1", "mei", "ml-vision")
    then = sign_in(lab, "s-1", "mei.chen", "ml-vision")
    assert (first.name, then.name) == ("mei", "mei")


@pytest.mark.promise("AUTH-4")
def test_a_name_that_the_provider_gave_to_another_is_refused_and_never_handed_over(
    lab: Any,
) -> None:
    sign_in(lab, "s-1", "mei", "ml-vision")
    assert refused(lab, "s-2", "mei", "ml-vision") == [Rule.NAME_TAKEN]


@pytest.mark.promise("AUTH-4")
def test_the_name_of_somebody_who_was_removed_is_refused_to_another(lab: Any) -> None:
    sign_in(lab, "s-1", "mei", "ml-vision")
    with lab.write() as writing:
        people.delete(writing, ["mei"])
    assert refused(lab, "s-2", "mei", "ml-vision") == [Rule.NAME_TAKEN]


@pytest.mark.promise("AUTH-4")
@pytest.mark.parametrize("name", ["mei", "other"])
def test_who_was_removed_is_not_whoever_has_the_name_next(lab: Any, name: str) -> None:
    sign_in(lab, "s-1", "mei", "ml-vision")
    with lab.write() as writing:
        people.delete(writing, ["mei"])
    assert refused(lab, "s-1", name, "ml-vision") == [Rule.NAME_TAKEN]
    with lab.write() as writing:
        people.onboard(writing, ["mei"], role="operator")
        sign_ons.denied(writing, ISSUER, "s-1", "the account is disabled")
    assert refused(lab, "s-1", name, "ml-vision") == [Rule.NAME_TAKEN]
    with lab.record.reading() as reading:
        assert sign_ons.identity_of(reading, "mei") is None
        assert people.get(reading, "mei").confirmed_until is None


@pytest.mark.promise("AUTH-4")
@pytest.mark.parametrize("subject", ["s-1", "s-2"])
def test_an_operators_word_gives_the_name_of_somebody_removed_to_an_account(
    lab: Any, subject: str
) -> None:
    sign_in(lab, "s-1", "mei", "ml-vision")
    with lab.write() as writing:
        people.delete(writing, ["mei"])
        people.onboard(writing, ["mei"])
        sign_ons.link(writing, "mei", "mei.chen")
    assert sign_in(lab, subject, "mei.chen").name == "mei"
    assert sign_in(lab, subject, "mei").name == "mei"


@pytest.mark.promise("AUTH-4")
def test_a_link_ends_when_the_person_is_given_more(lab: Any) -> None:
    with lab.write() as writing:
        for name in ("mei", "tom"):
            people.onboard(writing, [name], "vision")
            sign_ons.link(writing, name, f"{name}.chen")
        people.set_role(writing, "mei", "operator")
        memberships.set_lead(writing, "tom", "vision", lead=True)
    assert refused(lab, "s-1", "mei.chen", admits=Admits.KNOWN) == [Rule.PERSON_ONBOARDED]
    assert refused(lab, "s-2", "tom.chen", admits=Admits.KNOWN) == [Rule.PERSON_ONBOARDED]


@pytest.mark.promise("AUTH-4")
def test_a_letter_that_only_looks_like_one_of_a_name_is_none(lab: Any) -> None:
    with lab.write() as writing:
        people.onboard(writing, ["kim"], role="operator")
        sign_ons.link(writing, "kim", "kim.lee")
    for name in ("\u212aim", "\u212aim.lee"):
        assert refused(lab, "s-1", name, admits=Admits.KNOWN) == [Rule.REQUEST]


@pytest.mark.promise("AUTH-4", "AUTH-1")
def test_who_is_unlinked_has_no_power_until_they_sign_in_again(lab: Any) -> None:
    until = lab.now + timedelta(hours=12)
    sign_in(lab, "s-1", "mei", "platform", confirmed_until=until)
    with lab.write() as writing:
        people.set_role(writing, "mei", "reader")
    lab.now = until
    with lab.write() as writing:
        sign_ons.unlink(writing, "mei")
    with lab.record.reading() as reading:
        assert people.get(reading, "mei").role == "reader"
        assert not people.authority(reading, "mei", lab.now).permissions


@pytest.mark.promise("AUTH-4")
def test_somebody_with_a_local_password_is_linked_only_by_an_operators_word(lab: Any) -> None:
    with lab.write() as writing:
        credentials.set_password(writing, "ann", "a-hash")
    assert refused(lab, "s-1", "ann", "ml-vision", vouched={"ann"}) == [Rule.NAME_TAKEN]
    with lab.write() as writing:
        sign_ons.link(writing, "ann", "ann@example.org")
    assert sign_in(lab, "s-1", "ann@example.org", "ml-vision").name == "ann"
    assert refused(lab, "s-2", "ann", "ml-vision") == [Rule.NAME_TAKEN]


@pytest.mark.promise("AUTH-4")
def test_an_operators_word_ends_after_a_week(lab: Any) -> None:
    with lab.write() as writing:
        credentials.set_password(writing, "ann", "a-hash")
        sign_ons.link(writing, "ann", "ann")
    lab.now += sign_ons.LINK_LASTS + timedelta(seconds=1)
    assert refused(lab, "s-1", "ann", "ml-vision") == [Rule.NAME_TAKEN]


@pytest.mark.promise("AUTH-4")
def test_somebody_onboarded_ahead_is_linked_at_the_first_sign_in(lab: Any) -> None:
    with lab.write() as writing:
        people.onboard(writing, ["mei"])
    assert sign_in(lab, "s-1", "mei", admits=Admits.KNOWN).name == "mei"


@pytest.mark.promise("USER-2")
@pytest.mark.parametrize(
    ("admits", "provider_groups", "let_in"),
    [
        (Admits.GROUPS, (), False),
        (Admits.GROUPS, ("staff",), False),
        (Admits.GROUPS, ("ml-vision",), True),
        (Admits.KNOWN, ("ml-vision",), False),
        (Admits.EVERYBODY, (), True),
    ],
)
def test_whom_a_sign_in_admits_is_said_by_the_settings(
    lab: Any, admits: Admits, provider_groups: tuple[str, ...], let_in: bool
) -> None:
    if let_in:
        assert sign_in(lab, "s-1", "mei", *provider_groups, admits=admits).onboarded
    else:
        assert refused(lab, "s-1", "mei", *provider_groups, admits=admits) == [
            Rule.PERSON_ONBOARDED
        ]


@pytest.mark.promise("GROUP-1")
def test_membership_follows_the_providers_groups_and_leaves_other_origins_alone(lab: Any) -> None:
    sign_in(lab, "s-1", "ann", "ml-leads", vouched={"ann"})
    assert belongings(lab, "ann") == {("vision", "console", False), ("vision", "provider", True)}
    sign_in(lab, "s-1", "ann", "staff")
    assert belongings(lab, "ann") == {("vision", "console", False)}


@pytest.mark.promise("GROUP-1")
def test_a_refresh_that_changes_nothing_writes_no_event(lab: Any) -> None:
    sign_in(lab, "s-1", "mei", "ml-vision")
    before = sequence(lab)
    sign_in(lab, "s-1", "mei", "ml-vision", confirmed_until=lab.now + timedelta(days=1))
    assert sequence(lab) == before


@pytest.mark.promise("AUTH-1")
def test_a_role_of_the_provider_comes_and_goes_with_its_group(lab: Any) -> None:
    assert sign_in(lab, "s-1", "mei", "platform").role == "operator"
    assert sign_in(lab, "s-1", "mei", "ml-vision").role == "data-scientist"


@pytest.mark.promise("AUTH-1")
def test_a_role_that_an_operator_gave_is_not_undone_by_a_sign_in(lab: Any) -> None:
    sign_in(lab, "s-1", "mei", "ml-vision")
    with lab.write() as writing:
        people.set_role(writing, "mei", BuiltInRole.READER)
    assert sign_in(lab, "s-1", "mei", "platform").role == "reader"


@pytest.mark.promise("USER-1")
def test_the_last_operator_stays_one_whatever_the_provider_says(lab: Any) -> None:
    sign_in(lab, "s-1", "mei", "platform")
    with lab.write() as writing:
        people.set_role(writing, "olga", BuiltInRole.READER)
    assert sign_in(lab, "s-1", "mei", "ml-vision").role == "operator"


@pytest.mark.promise("GROUP-2")
def test_two_groups_of_the_provider_are_refused_at_launch_naming_both(lab: Any) -> None:
    with lab.write() as writing:
        groups.create(writing, "nlp")
    both = GroupMapping((MappedGroup("a", group="vision"), MappedGroup("b", group="nlp")))
    sign_in(lab, "s-1", "mei", "a", "b", mapping=both)
    reason = reasons(lab, "mei")[0]
    assert reason.rule is Rule.GROUP_STRICT
    assert reason.details == ("nlp", "vision")


@pytest.mark.promise("GROUP-1")
def test_whom_the_provider_has_not_confirmed_in_time_is_admitted_to_nothing_new(lab: Any) -> None:
    until = lab.now + timedelta(hours=1)
    sign_in(lab, "s-1", "mei", "ml-vision", confirmed_until=until)
    assert reasons(lab, "mei") == ()
    lab.now = until
    assert [reason.rule for reason in reasons(lab, "mei")] == [Rule.PERSON_CONFIRMED]
    sign_in(lab, "s-1", "mei", "ml-vision", confirmed_until=lab.now + timedelta(hours=1))
    assert reasons(lab, "mei") == ()


@pytest.mark.promise("AUTH-1")
def test_an_operator_whom_the_provider_has_not_confirmed_has_no_power_over_others(
    lab: Any,
) -> None:
    until = lab.now + timedelta(hours=1)
    sign_in(lab, "s-1", "mei", "platform", confirmed_until=until)
    with lab.record.reading() as reading:
        assert people.authority(reading, "mei", lab.now).permissions
        assert not people.authority(reading, "mei", until).permissions


@pytest.mark.promise("AUTH-5")
def test_what_the_provider_gave_ends_when_it_denies_the_account(lab: Any) -> None:
    sign_in(lab, "s-1", "mei", "ml-vision")
    with lab.write() as writing:
        sign_ons.denied(writing, ISSUER, "s-1", "the account is disabled")
    assert belongings(lab, "mei") == set()
    with lab.write() as writing:
        mapped.apply(writing, "mei", MAPPING)
    assert belongings(lab, "mei") == set()
    assert Rule.PERSON_CONFIRMED in {reason.rule for reason in reasons(lab, "mei")}


@pytest.mark.promise("AUTH-6")
def test_who_would_gain_and_lose_what_is_known_before_a_mapping_is_applied(lab: Any) -> None:
    with lab.write() as writing:
        platform.set_mode(writing, Mode.FLEXIBLE)
        groups.create(writing, "nlp")
    sign_in(lab, "s-1", "mei", "ml-leads", "linguists", "admins")
    other = GroupMapping(
        (
            MappedGroup("linguists", group="nlp"),
            MappedGroup("admins", role="operator"),
            MappedGroup("ghosts", group="nowhere", role="nobody"),
        )
    )
    with lab.record.reading() as reading:
        found = mapped.foresee(reading, other)
    assert {(one.person, one.kind, one.name, one.gains) for one in found.changes} == {
        ("mei", "group", "vision", False),
        ("mei", "lead", "vision", False),
        ("mei", "group", "nlp", True),
        ("mei", "role", "operator", True),
    }
    assert (found.unknown_groups, found.unknown_roles) == (("nowhere",), ("nobody",))
    assert belongings(lab, "mei") == {("vision", "provider", True)}


@pytest.mark.promise("AUTH-6")
def test_applying_a_mapping_does_what_was_foreseen(lab: Any) -> None:
    sign_in(lab, "s-1", "mei", "ml-vision", "linguists")
    other = GroupMapping((MappedGroup("linguists", group="vision", lead=True),))
    sign_in(lab, "s-1", "mei", "ml-vision", "linguists", mapping=other)
    with lab.record.reading() as reading:
        assert mapped.foresee(reading, other).changes == ()
    assert belongings(lab, "mei") == {("vision", "provider", True)}


@pytest.mark.promise("AUTH-4")
def test_whose_a_subject_is_can_be_forgotten_by_an_operator(lab: Any) -> None:
    sign_in(lab, "s-1", "mei", "ml-vision")
    with lab.write() as writing:
        assert sign_ons.unlink(writing, "mei")
        assert not sign_ons.unlink(writing, "mei")
    assert belongings(lab, "mei") == set()
    assert sign_in(lab, "s-2", "mei", "ml-vision").name == "mei"


@pytest.mark.promise("AUTH-1", "USER-1")
@pytest.mark.parametrize("keeps", [True, False])
def test_who_keeps_a_password_keeps_power_without_a_provider(lab: Any, keeps: bool) -> None:
    sign_in(lab, "s-1", "mei", "ml-vision")
    with lab.write() as writing:
        people.set_role(writing, "mei", "operator")
        sign_ons.unlink(writing, "mei", keeps_password=keeps)
    with lab.record.reading() as reading:
        assert bool(people.authority(reading, "mei", lab.now).permissions) is keeps


@pytest.mark.promise("AUTH-4")
def test_a_name_that_no_person_can_have_is_refused_in_words(lab: Any) -> None:
    assert refused(lab, "s-1", "mei chen!", "ml-vision") == [Rule.REQUEST]


@pytest.mark.promise("AUTH-1")
def test_whom_to_confirm_next_is_whoever_was_confirmed_longest_ago(lab: Any) -> None:
    sign_in(lab, "s-1", "mei", "ml-vision")
    lab.now += timedelta(minutes=10)
    sign_in(lab, "s-2", "tom", "ml-vision")
    with lab.record.reading() as reading:
        assert sign_ons.unconfirmed(reading, lab.now) == (("mei", ISSUER, "s-1"),)
        assert sign_ons.identity_of(reading, "tom") == (ISSUER, "s-2")
        assert sign_ons.identity_of(reading, "ann") is None
