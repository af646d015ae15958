"""What the settings declare is made once, left alone afterwards, and can be restored and exported."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import pytest

from allotment.model.groups import Mode, Origin, Share
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.people import Permission
from allotment.model.refusals import Refusal, SettingsInvalid
from allotment.record import (
    Reading,
    Record,
    Writing,
    departments,
    devices,
    events,
    groups,
    limits,
    memberships,
    people,
    platform,
    pools,
    profiles,
    roles,
)
from allotment.settings import declare, parse_settings

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FILE = """\
pools: [{name: a100, devices: [gpu-0, gpu-1]}]
roles: {profile-maker: [manage-profiles]}
people: {visitor: {role: reader}}
groups:
  - name: vision
    title: Vision
    shares: [{pool: a100, guaranteed: 1, ceiling: 2}]
    members: [ann, {name: bob, until: 2027-01-31T18:00:00+01:00}]
    leads: [ann]
  - name: speech
    members: [cleo]
limits:
  defaults: {devices: 2}
  groups: {vision: {servers: 4}}
  people: {ann: {devices: 1}}
disabled_profiles: [large]
"""

Change = Callable[[Writing], object]
Furnished = Callable[[], AbstractContextManager[Record]]


@pytest.fixture
def record(furnished: Furnished) -> Iterator[Record]:
    with furnished() as made:
        yield made


def by_an_operator(record: Record, change: Change) -> None:
    with record.writing("operator", NOW) as writing:
        change(writing)


def planned(record: Record, text: str, *, restore: bool = True) -> tuple[declare.Change, ...]:
    with record.reading() as reading:
        return declare.plan(reading, parse_settings(text), now=NOW, restore=restore)


def exported(record: Record) -> str:
    with record.reading() as reading:
        return declare.export(reading, NOW)


def shares(record: Record, group: str) -> tuple[Share, ...]:
    with record.reading() as reading:
        return groups.all_shares(reading, group)


@pytest.mark.promise("OPS-1")
def test_everything_that_is_declared_is_made(record: Record) -> None:
    declare.apply_once(record, parse_settings(FILE), NOW)

    assert planned(record, FILE) == ()
    assert shares(record, "vision") == (Share("vision", "a100", 1, 2),)
    with record.reading() as reading:
        assert {person.name: person.role for person in people.all_people(reading)} == {
            "operator": "operator",
            "visitor": "reader",
            "ann": "data-scientist",
            "bob": "data-scientist",
            "cleo": "data-scientist",
        }
        (ann,) = memberships.all_memberships(reading, "vision", "ann")
        assert (ann.lead, ann.origin) == (True, Origin.SETTINGS)
        assert not profiles.get(reading, "large").enabled


@pytest.mark.promise("OPS-1")
def test_applying_again_changes_nothing(record: Record) -> None:
    declare.apply_once(record, parse_settings(FILE), NOW)
    with record.reading() as reading:
        before = events.latest_sequence(reading)

    declare.apply(record, parse_settings(FILE), actor="operator", now=NOW, restore=True)

    with record.reading() as reading:
        assert events.latest_sequence(reading) == before


CHANGES: dict[str, Change] = {
    "a share that was raised": lambda w: groups.edit(
        w, "vision", wanted=[Share("vision", "a100", 2, 2)]
    ),
    "a title that was changed": lambda w: groups.edit(w, "vision", title="Seeing"),
    "a device that was taken from a pool": lambda w: pools.edit(w, "a100", ["gpu-0"]),
    "a role that was given": lambda w: people.set_role(w, "visitor", "operator"),
    "a role that permits more": lambda w: roles.put(
        w, "profile-maker", [Permission.MANAGE_PROFILES, Permission.SEE_ALL]
    ),
    "a person who was moved": lambda w: memberships.move(w, "cleo", "vision"),
    "a member who was taken out": lambda w: memberships.remove(w, "ann", "vision"),
    "a lead who is none any more": lambda w: memberships.set_lead(w, "ann", "vision", lead=False),
    "a person who was deleted": lambda w: people.delete(w, ["bob"]),
    "a limit that was raised": lambda w: limits.put(
        w, LimitScope.PERSON, "ann", LimitKind.DEVICES, 4
    ),
    "a limit that was taken away": lambda w: limits.put(
        w, LimitScope.PLATFORM, "", LimitKind.DEVICES, None
    ),
    "a profile that was enabled": lambda w: profiles.set_enabled(w, "large", enabled=True),
    "a group that was deleted": lambda w: (
        memberships.remove(w, "cleo", "speech"),
        groups.delete(w, "speech"),
    ),
    "a pool that was deleted": lambda w: (
        groups.edit(w, "vision", wanted=[]),
        pools.delete(w, "a100"),
    ),
}


@pytest.mark.promise("OPS-1")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_an_operator_changed_stays_at_the_next_start(record: Record, change: Change) -> None:
    declare.apply_once(record, parse_settings(FILE), NOW)
    by_an_operator(record, change)
    before = exported(record)

    applied = declare.apply_once(record, parse_settings(FILE), NOW)

    assert exported(record) == before
    assert applied.made == ()
    assert applied.left_alone != ()


@pytest.mark.promise("OPS-1")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_restoring_makes_it_as_the_file_says_again(record: Record, change: Change) -> None:
    declare.apply_once(record, parse_settings(FILE), NOW)
    before = exported(record)
    by_an_operator(record, change)

    declare.apply(record, parse_settings(FILE), actor="operator", now=NOW, restore=True)

    assert exported(record) == before
    assert planned(record, FILE) == ()


def test_what_differs_is_said_in_words(record: Record, caplog: pytest.LogCaptureFixture) -> None:
    declare.apply_once(record, parse_settings(FILE), NOW)
    by_an_operator(record, CHANGES["a limit that was raised"])
    by_an_operator(record, CHANGES["a person who was moved"])

    with caplog.at_level("INFO", logger="allotment.settings.declare"):
        declare.apply_once(record, parse_settings(FILE), NOW)

    assert caplog.messages == [
        (
            "settings: cleo in group speech is not made (it was deleted since the settings made "
            "it). `allotment apply --restore` changes it."
        ),
        (
            "settings: limit of devices for person ann: value 4 stays, though the settings say 1. "
            "`allotment apply --restore` changes it."
        ),
    ]


@pytest.mark.promise("GROUP-7")
@pytest.mark.parametrize("until", ["2027-01-31T18:00", "2027-01-31T17:00:00Z"])
def test_an_end_without_a_zone_is_in_the_platforms(record: Record, until: str) -> None:
    member = f"{{name: ann, until: {until}}}"
    text = f"time_zone: Europe/Berlin\ngroups: [{{name: vision, members: [{member}]}}]"

    declare.apply_once(record, parse_settings(text), NOW)

    with record.reading() as reading:
        (ann,) = memberships.all_memberships(reading, person="ann")
    assert ann.until == datetime(2027, 1, 31, 17, tzinfo=UTC)
    assert planned(record, text) == ()


def test_what_the_file_does_not_say_is_nobodys_difference(record: Record) -> None:
    declare.apply_once(record, parse_settings("groups: [{name: vision, members: [ann]}]"), NOW)
    by_an_operator(
        record, lambda w: groups.edit(w, "vision", title="Vision", tags={"a": "b"}, wanted=())
    )
    by_an_operator(record, lambda w: people.set_role(w, "ann", "reader"))
    by_an_operator(record, lambda w: memberships.set_lead(w, "ann", "vision", lead=True))

    assert planned(record, "groups: [{name: vision, members: [ann]}]") == ()


def test_what_an_operator_made_before_the_file_named_it_is_left_alone(record: Record) -> None:
    by_an_operator(record, lambda w: pools.create(w, "a100", ["gpu-2"]))

    declare.apply_once(record, parse_settings("pools: [{name: a100, devices: [gpu-0]}]"), NOW)

    with record.reading() as reading:
        assert [device.id for device in devices.all_devices(reading, "a100")] == ["gpu-2"]


def test_a_new_member_of_a_deleted_group_stops_no_start(record: Record) -> None:
    text = "groups: [{name: vision, members: [ann]}]"
    declare.apply_once(record, parse_settings(text), NOW)
    by_an_operator(record, lambda w: memberships.remove(w, "ann", "vision"))
    by_an_operator(record, lambda w: groups.delete(w, "vision"))

    applied = declare.apply_once(record, parse_settings(text.replace("ann", "ann, bob")), NOW)

    assert [change.sentence for change in applied.left_alone][-1] == (
        "bob in group vision is not made (group vision is not there)"
    )


def test_somebody_whom_an_operator_put_elsewhere_stays_there(record: Record) -> None:
    by_an_operator(record, lambda w: groups.create(w, "speech"))
    by_an_operator(record, lambda w: people.onboard(w, ["ann"], "speech"))

    declare.apply_once(record, parse_settings("groups: [{name: vision, members: [ann]}]"), NOW)

    with record.reading() as reading:
        assert memberships.current_groups(reading, "ann", NOW) == ("speech",)


def test_what_the_identity_provider_says_of_a_person_is_not_undone(record: Record) -> None:
    by_an_operator(record, lambda w: groups.create(w, "speech"))
    by_an_operator(record, lambda w: people.onboard(w, ["ann"]))
    by_an_operator(record, lambda w: memberships.add(w, "ann", "speech", Origin.PROVIDER))
    settings = parse_settings("groups: [{name: vision, members: [ann]}]")

    changes = declare.apply(record, settings, actor="operator", now=NOW, restore=True)

    assert changes[-1].note == "ann is in group speech, and a person is in one group at a time"


@pytest.mark.promise("OPS-1")
def test_all_of_a_file_is_applied_or_nothing(record: Record) -> None:
    before = exported(record)
    text = "groups: [{name: vision}]\npools:\n  - {name: p, devices: [gpu-0, gpu-6, gpu-9]}\n"

    with pytest.raises(Refusal) as refused:
        declare.apply(record, parse_settings(text, "f.yaml"), actor="operator", now=NOW)

    assert exported(record) == before
    assert [reason.sentence for reason in refused.value.reasons] == [
        ("f.yaml:3: pools[0]: There is no device 'gpu-9' on this platform. Did you mean 'gpu-6'?")
    ]


@pytest.mark.promise("AUTH-2")
def test_a_start_is_stopped_with_every_place_that_cannot_be_made(record: Record) -> None:
    text = """\
pools:
  - {name: mixed, devices: [gpu-3, gpu-4]}
  - {name: gone, devices: [gpu-9]}
"""
    with pytest.raises(SettingsInvalid) as invalid:
        declare.apply_once(record, parse_settings(text, "f.yaml"), NOW)

    assert [problem.split(":")[1] for problem in invalid.value.problems] == ["2", "3"]


def test_shares_that_are_exchanged_are_restored_though_the_pool_is_full(record: Record) -> None:
    text = """\
pools: [{name: p, devices: [gpu-0, gpu-1, gpu-2, gpu-3]}]
groups:
  - {name: vision, shares: [{pool: p, guaranteed: 3}]}
  - {name: speech, shares: [{pool: p, guaranteed: 1}]}
"""
    declare.apply_once(record, parse_settings(text), NOW)
    by_an_operator(record, lambda w: groups.edit(w, "vision", wanted=[Share("", "p", 1, 1)]))
    by_an_operator(record, lambda w: groups.edit(w, "speech", wanted=[Share("", "p", 3, 3)]))

    declare.apply(record, parse_settings(text), actor="operator", now=NOW, restore=True)

    assert shares(record, "vision") == (Share("vision", "p", 3, 3),)
    assert shares(record, "speech") == (Share("speech", "p", 1, 1),)


def test_an_operator_is_made_before_the_last_other_one_ceases_to_be_one(record: Record) -> None:
    text = "sign_in: {operators: [zoe]}\npeople: {ann: {role: reader}}"
    declare.apply_once(record, parse_settings(text), NOW)
    by_an_operator(record, lambda w: people.set_role(w, "ann", "operator"))
    by_an_operator(record, lambda w: people.set_role(w, "zoe", "reader"))

    declare.apply(record, parse_settings(text), actor="operator", now=NOW, restore=True)

    assert planned(record, text) == ()


def test_reading_a_plan_writes_nothing(record: Record) -> None:
    def count(reading: Reading) -> int:
        return events.latest_sequence(reading)

    with record.reading() as reading:
        before = count(reading)
        declare.plan(reading, parse_settings(FILE), now=NOW)

    with record.reading() as reading:
        assert count(reading) == before


FLEXIBLE = """\
mode: flexible
default_group: course
pools: [{name: a100, devices: [gpu-0, gpu-1]}]
groups:
  - {name: course, members: [ann], shares: [{pool: a100, guaranteed: 1}, {pool: default, guaranteed: 1}]}
  - {name: thesis, members: [ann, bob]}
"""


@pytest.mark.promise("GROUP-3", "USER-2")
def test_the_file_chooses_flexible_mode_and_the_default_group(record: Record) -> None:
    declare.apply_once(record, parse_settings(FLEXIBLE), NOW)

    assert planned(record, FLEXIBLE) == ()
    with record.reading() as reading:
        assert platform.mode(reading) is Mode.FLEXIBLE
        assert platform.default_group(reading) == "course"
        assert memberships.current_groups(reading, "ann", NOW) == ("course", "thesis")
    assert {"mode: flexible", "default_group: course"} <= set(exported(record).splitlines())
    assert planned(record, exported(record)) == ()


def test_what_an_operator_chose_stays_until_it_is_restored(record: Record) -> None:
    declare.apply_once(record, parse_settings("mode: strict\n"), NOW)
    by_an_operator(record, lambda w: platform.set_mode(w, Mode.FLEXIBLE))

    (kept,) = planned(record, "mode: strict\n", restore=False)
    assert (
        kept.sentence == "the platform's mode: mode flexible stays, though the settings say strict"
    )

    declare.apply(record, parse_settings("mode: strict\n"), actor="o", now=NOW, restore=True)
    with record.reading() as reading:
        assert platform.mode(reading) is Mode.STRICT


def test_strict_mode_is_not_restored_while_somebody_is_in_two_groups(record: Record) -> None:
    declare.apply_once(record, parse_settings(FLEXIBLE), NOW)

    with pytest.raises(Refusal, match="ann is in several groups"):
        declare.apply(record, parse_settings("mode: strict\n"), actor="o", now=NOW, restore=True)


DIVIDED = """\
pools: [{name: a100, devices: [gpu-0, gpu-1]}]
departments: [{name: research, title: Research, ceilings: {a100: 1}}]
groups: [{name: vision, department: research, shares: [{pool: a100, guaranteed: 1}]}, {name: speech}]
"""


@pytest.mark.promise("GROUP-6")
def test_departments_are_made_kept_restored_and_exported(record: Record) -> None:
    declare.apply_once(record, parse_settings(DIVIDED), NOW)
    assert planned(record, DIVIDED) == ()
    assert planned(record, exported(record)) == ()

    by_an_operator(record, lambda w: departments.edit(w, "research", ceilings={"a100": 2}))
    by_an_operator(record, lambda w: groups.edit(w, "vision", department=""))
    assert {change.kind for change in planned(record, DIVIDED)} == {"department", "group"}

    declare.apply(record, parse_settings(DIVIDED), actor="operator", now=NOW, restore=True)
    with record.reading() as reading:
        assert departments.get(reading, "research").ceilings == {"a100": 1}
        assert departments.get(reading, "research").groups == ("vision",)


def test_a_department_that_the_file_does_not_know_is_named() -> None:
    with pytest.raises(SettingsInvalid, match="there is no department 'nonesuch'"):
        parse_settings("groups: [{name: vision, department: nonesuch}]\n")
