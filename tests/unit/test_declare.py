"""What the settings declare is made once, left alone afterwards, and can be restored and exported."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.model.groups import Origin, Share
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.people import Permission
from allotment.model.profiles import Profile
from allotment.model.refusals import Refusal, SettingsInvalid
from allotment.record import (
    Reading,
    Record,
    Writing,
    devices,
    events,
    groups,
    limits,
    memberships,
    open_record,
    people,
    pools,
    profiles,
    roles,
)
from allotment.settings import declare, parse_settings

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DEVICES = tuple(
    DeviceSpec(f"gpu-{number}", "node-1", "H100" if number > 3 else "A100", 80 * 2**30, "", origin)
    for number, origin in enumerate([DeviceOrigin.SETTINGS] * 4 + [DeviceOrigin.NVML] * 3)
)
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


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("record") / "record.sqlite"
    open_record(f"sqlite:///{path}", migrate=True).close()
    return path


@contextmanager
def fresh(migrated: Path) -> Iterator[Record]:
    """A record that knows the devices and two profiles, and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(migrated, f"{folder}/record.sqlite")
        record = open_record(f"sqlite:///{folder}/record.sqlite")
        with record.writing("hub", NOW) as writing:
            for origin in (DeviceOrigin.SETTINGS, DeviceOrigin.NVML):
                mine = [device for device in DEVICES if device.origin is origin]
                devices.observe(writing, mine, origin)
            for name in ("small", "large"):
                profiles.publish(writing, Profile(name=name, title=name), f"{name}.yaml", name)
        yield record
        record.close()


@pytest.fixture
def record(migrated: Path) -> Iterator[Record]:
    with fresh(migrated) as made:
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


NAMES = st.sampled_from(["a", "b-1", "1e5", "0x1f", "007", "null", "true", "x.y_z", "2027-01-31"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["", "~", "<<", "yes", "- x", "# no comment", "a: b", "'", '"', "&a", "*a", "!x", "a\n b\n"]
)
ORIGINS = st.sampled_from([Origin.CONSOLE, Origin.SETTINGS])
ENDS = st.none() | st.sampled_from([-1, 1, 400]).map(
    lambda days: NOW + timedelta(days=days, microseconds=1)
)
LIMIT_KINDS = st.dictionaries(st.sampled_from(list(LimitKind)), st.integers(0, 9))


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Any]:
    """What operators may have configured: pools of one model, shares that fit, people in one group."""
    cut = sorted(draw(st.lists(st.integers(0, 4), min_size=2, max_size=2)))
    wanted = {"p": DEVICES[: cut[0]], "q": DEVICES[cut[0] : cut[1]], "empty": ()}
    sizes = {name: len(mine) for name, mine in wanted.items()}
    made: dict[str, Any] = {}
    for name in draw(st.lists(NAMES, unique=True, min_size=1, max_size=4)):
        pool = draw(st.sampled_from([None, *sizes]))
        guaranteed = draw(st.integers(0, sizes[pool])) if pool else 0
        ceiling, weight = draw(st.integers(guaranteed, 9)), draw(st.floats(0.5, 9))
        if pool:
            sizes[pool] -= guaranteed
        made[name] = {
            "title": draw(TEXTS),
            "tags": draw(st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=2)),
            "wanted": [Share(name, pool, guaranteed, ceiling, weight)] if pool else [],
        }
    return {
        "pools": wanted,
        "groups": made,
        "roles": draw(
            st.dictionaries(NAMES, st.sets(st.sampled_from(list(Permission))), max_size=2)
        ),
        "people": draw(
            st.dictionaries(
                NAMES,
                st.fixed_dictionaries(
                    {
                        "operator": st.booleans(),
                        "group": st.sampled_from([*made, None]),
                        "origins": st.sets(ORIGINS, min_size=1),
                        "lead": st.booleans(),
                        "until": ENDS,
                        "limits": LIMIT_KINDS,
                    }
                ),
                min_size=2,
            )
        ),
        "limits": draw(LIMIT_KINDS),
        "disabled": draw(st.booleans()),
    }


def make(writing: Writing, world: dict[str, Any]) -> None:
    people.onboard(writing, ["operator"], role="operator")
    for name, permissions in world["roles"].items():
        roles.put(writing, name, permissions)
    for name, mine in world["pools"].items():
        pools.create(writing, name, [device.id for device in mine], "" if mine else "B200")
    for name, group in world["groups"].items():
        groups.create(writing, name, **group)
    for name, person in world["people"].items():
        role = "operator" if person["operator"] else next(iter(world["roles"]), "reader")
        people.onboard(writing, [name], role=role)
        for origin in person["origins"] if person["group"] else ():
            lead, until = person["lead"], person["until"]
            memberships.add(writing, name, person["group"], origin, lead=lead, until=until)
        for kind, value in person["limits"].items():
            limits.put(writing, LimitScope.PERSON, name, kind, value)
    for kind, value in world["limits"].items():
        limits.put(writing, LimitScope.PLATFORM, "", kind, value)
    profiles.set_enabled(writing, "large", enabled=not world["disabled"])


def configured(record: Record) -> dict[str, object]:
    """What is configured, read without what the export reads it with; origins and revisions aside."""
    with record.reading() as reading:
        known = devices.all_devices(reading)
        return {
            "pools": {
                pool.name: (pool.model, [one.id for one in known if one.pool == pool.name])
                for pool in pools.all_pools(reading)
            },
            "roles": {role.name: role.permissions for role in roles.all_roles(reading)},
            "people": {person.name: person.role for person in people.all_people(reading)},
            "groups": {each.name: (each.title, each.tags) for each in groups.all_groups(reading)},
            "shares": groups.all_shares(reading),
            "members": {
                (row.group, row.person, row.lead, row.until)
                for row in memberships.all_memberships(reading)
                if row.until is None or row.until > NOW
            },
            "limits": limits.all_limits(reading),
            "profiles": {each.name: each.enabled for each in profiles.all_profiles(reading)},
        }


@pytest.mark.promise("OPS-1")
@settings(max_examples=min(settings.default.max_examples // 2, 300))  # each makes two records
@given(world=worlds())
def test_what_is_exported_differs_in_nothing_and_makes_the_same_elsewhere(
    migrated: Path, world: dict[str, Any]
) -> None:
    with fresh(migrated) as one, fresh(migrated) as other:
        by_an_operator(one, lambda writing: make(writing, world))

        text = exported(one)
        declare.apply(other, parse_settings(text), actor="operator", now=NOW)

        assert planned(one, text) == ()
        assert configured(other) == configured(one)


def test_an_export_names_no_membership_that_has_ended(record: Record) -> None:
    by_an_operator(record, lambda w: groups.create(w, "vision"))
    by_an_operator(record, lambda w: people.onboard(w, ["ann"]))
    by_an_operator(record, lambda w: memberships.add(w, "ann", "vision", Origin.CONSOLE, until=NOW))

    assert parse_settings(exported(record)).groups[0].people == ()


def test_an_export_of_what_the_file_made_reads_like_the_file(record: Record) -> None:
    declare.apply_once(record, parse_settings(FILE), NOW)

    settings = parse_settings(exported(record))

    assert settings.groups[1].people == parse_settings(FILE).groups[0].people[::-1][::-1]
    assert settings.sign_in.operators == ("operator",)
    assert settings.limits == parse_settings(FILE).limits


def test_reading_a_plan_writes_nothing(record: Record) -> None:
    def count(reading: Reading) -> int:
        return events.latest_sequence(reading)

    with record.reading() as reading:
        before = count(reading)
        declare.plan(reading, parse_settings(FILE), now=NOW)

    with record.reading() as reading:
        assert count(reading) == before
