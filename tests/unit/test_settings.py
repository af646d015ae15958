"""The settings file: what it may say, and how everything wrong with it is told."""

import json
from pathlib import Path
from textwrap import dedent

import hypothesis.strategies as st
import pytest
from hypothesis import given

from allotment.model.devices import DeviceOrigin, Isolation
from allotment.model.refusals import SettingsInvalid
from allotment.settings import Settings, load_settings, parse_settings

SHIPPED = Path(__file__).parents[2] / "hub_config" / "allotment.yaml"

WHOLE = """\
mode: strict
organisation: Example
time_zone: Europe/Berlin
bind: 127.0.0.1
sign_in: {kind: local, operators: [operator]}
devices:
  - {id: gpu-0, model: NVIDIA A100 80GB, memory: 80GiB, node: dgx-1}
  - {id: gpu-1, model: NVIDIA A100 80GB, memory: 80GiB, node: dgx-1, uuid: GPU-1, isolation: mig}
pools: [{name: a100, devices: [gpu-0, gpu-1]}]
roles: {profile-maker: [manage-profiles]}
people: {visitor: {role: reader}}
groups:
  - name: vision
    title: Computer vision
    tags: {department: research}
    shares: [{pool: a100, guaranteed: 1, ceiling: 2, weight: 2}]
    members: [analyst-2, {name: analyst-3, until: 2027-01-31T18:00:00+01:00}]
    leads: [analyst-1]
limits:
  defaults: {devices: 2, servers: 3, servers_existing: 10}
  groups: {vision: {devices: 1}}
  people: {analyst-2: {devices: 1}}
profiles: []
disabled_profiles: [spark]
servers: {command: [jupyterhub-singleuser, --debug]}
record: sqlite:///{state}/record.sqlite
"""

WORDS = st.sampled_from(
    [
        *Settings.model_fields,
        "name",
        "devices",
        "pool",
        "guaranteed",
        "ceiling",
        "members",
        "leads",
        "kind",
        "operators",
        "defaults",
        "people",
        "role",
        "until",
        "id",
        "model",
        "memory",
        "default",
    ]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.floats() | WORDS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=30,
)


def problems(text: str) -> list[str]:
    try:
        parse_settings(text, "f.yaml")
    except SettingsInvalid as invalid:
        return list(invalid.problems)
    return []


def refused(text: str) -> list[str]:
    found = problems(dedent(text))
    assert found, "nothing was refused"
    return found


def test_everything_that_a_file_can_say_is_read() -> None:
    settings = parse_settings(WHOLE)

    assert settings.zone.key == "Europe/Berlin"
    assert settings.groups[0].shares[0].ceiling == 2
    assert settings.limits.people["analyst-2"].devices == 1
    assert settings.servers.command == ("jupyterhub-singleuser", "--debug")
    assert settings.disabled_profiles == ("spark",)


def test_an_empty_file_is_a_platform_with_one_operator() -> None:
    assert parse_settings("").model_dump() == Settings().model_dump()
    assert parse_settings("").declared_people == {"operator": "operator"}


def test_settings_cannot_be_changed_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        parse_settings("").mode = "flexible"  # type: ignore[assignment, misc]  # the point of the test


@pytest.mark.promise("AUTH-2")
def test_everything_wrong_is_told_at_once_in_the_order_of_the_file() -> None:
    assert refused("""\
        mod: strict
        organisation: 5
        sign_in: {kind: ldap, operators: []}
        pools: {a: b}
        groups:
          - name: Vision
            shares: [{pool: default, guaranteed: two, weight: 0}]
            members: [5, {nam: x}]
        limits: {defaults: {devices: 2.5}}
        servers: {system_users: "yes"}
        """) == [
        "f.yaml:1: mod: is not a key here; did you mean 'mode'?",
        "f.yaml:2: organisation: expected text, found the number 5; put it in quotes",
        "f.yaml:3: sign_in.kind: expected 'local', found 'ldap'",
        "f.yaml:3: sign_in.operators: expected at least one entry, found an empty list",
        "f.yaml:4: pools: expected a list, found keys and values",
        (
            "f.yaml:6: groups[0].name: 'Vision' is no name: 1 to 63 characters: lower-case letters, "
            "digits, '-', '_' and '.', beginning and ending with a letter or digit"
        ),
        "f.yaml:7: groups[0].shares[0].guaranteed: expected a whole number, found 'two'",
        "f.yaml:7: groups[0].shares[0].weight: expected more than 0.0, found the number 0",
        (
            "f.yaml:8: groups[0].members[0]: expected a person's name, or {name: …, until: …}, "
            "found the number 5; put it in quotes"
        ),
        "f.yaml:8: groups[0].members[1].nam: is not a key here; did you mean 'name'?",
        "f.yaml:8: groups[0].members[1].name: is missing",
        "f.yaml:9: limits.defaults.devices: expected a whole number, found the number 2.5",
        "f.yaml:10: servers.system_users: expected true or false, found 'yes'",
    ]


def test_a_key_that_is_like_no_other_is_answered_with_the_keys_there_are() -> None:
    assert refused("limits: {defaults: {gpus: 3}}") == [
        (
            "f.yaml:1: limits.defaults.gpus: is not a key here; "
            "expected one of: devices, servers, servers_existing"
        )
    ]


def test_true_is_no_number() -> None:
    assert refused("limits: {defaults: {devices: true}}") == [
        "f.yaml:1: limits.defaults.devices: expected a whole number, found true"
    ]


def test_what_yaml_and_the_shape_both_refuse_is_told_once() -> None:
    assert refused("organisation: .inf") == [
        "f.yaml:1: organisation: expected a finite number, found .inf"
    ]


@pytest.mark.promise("POOL-4")
def test_devices_of_a_pool_are_checked_against_the_devices_declared() -> None:
    assert refused("""\
        devices:
          - {id: gpu-0, model: A100, memory: 80GiB}
          - {id: gpu-1, model: H100, memory: 80GiB}
          - {id: gpu-1, model: H100, memory: 80GiB}
        pools:
          - {name: mixed, devices: [gpu-0, gpu-1]}
          - {name: other, devices: [gpu-0, gpu-9]}
          - {name: default, devices: []}
        """) == [
        "f.yaml:4: devices[2].id: device 'gpu-1' is given twice",
        (
            "f.yaml:6: pools[0].devices[1]: a pool holds one model of device; "
            "'gpu-1' is 'H100', and 'gpu-0' is 'A100'"
        ),
        "f.yaml:7: pools[1].devices[0]: device 'gpu-0' is in pool 'mixed' already",
        "f.yaml:7: pools[1].devices[1]: there is no device 'gpu-9'; did you mean 'gpu-1'?",
        (
            "f.yaml:8: pools[2].name: the default pool is not declared: "
            "it holds every device that no other pool holds"
        ),
    ]


def test_devices_that_are_discovered_may_be_named_before_anybody_knows_them() -> None:
    settings = parse_settings("pools: [{name: a100, devices: [gpu-12345678]}]")

    assert settings.pools[0].devices == ("gpu-12345678",)
    assert settings.declared_devices() is None


@pytest.mark.promise("GROUP-2")
def test_strict_mode_gives_a_group_one_pool_and_a_person_one_group() -> None:
    assert refused("""\
        devices: [{id: a, model: A100, memory: 80GiB}, {id: b, model: A100, memory: 80GiB}]
        pools: [{name: p, devices: [a]}, {name: q, devices: [b]}]
        groups:
          - name: vision
            shares: [{pool: p, guaranteed: 1}, {pool: q, guaranteed: 1}]
            members: [ann, bob, ann]
          - name: speech
            members: [{name: bob}]
            leads: [ann]
        """) == [
        "f.yaml:5: groups[0].shares[1]: in strict mode a group has one pool; this one has 2",
        "f.yaml:6: groups[0].members[2]: member 'ann' is given twice",
        (
            "f.yaml:8: groups[1].members[0]: 'bob' is in group 'vision' already; "
            "in strict mode a person is in one group"
        ),
        (
            "f.yaml:9: groups[1].leads[0]: 'ann' is in group 'vision' already; "
            "in strict mode a person is in one group"
        ),
    ]


@pytest.mark.promise("GROUP-2")
def test_guarantees_above_what_a_pool_has_are_refused_with_who_has_which() -> None:
    assert refused("""\
        devices: [{id: a, model: A100, memory: 80GiB}, {id: b, model: A100, memory: 80GiB}]
        groups:
          - {name: vision, shares: [{pool: default, guaranteed: 2}]}
          - {name: speech, shares: [{pool: default, guaranteed: 1, ceiling: 0}]}
          - {name: text, shares: [{pool: defualt, guaranteed: 1}]}
        """) == [
        "f.yaml:4: groups[1].shares[0].ceiling: expected at least the guarantee of 1, found 0",
        (
            "f.yaml:4: groups[1].shares[0].guaranteed: pool 'default' has 2 devices, "
            "and 3 would be guaranteed (vision 2, speech 1)"
        ),
        "f.yaml:5: groups[2].shares[0].pool: there is no pool 'defualt'; did you mean 'default'?",
    ]


def test_a_lead_need_not_be_named_as_a_member_as_well() -> None:
    settings = parse_settings(WHOLE)

    assert [member.name for member in settings.groups[0].people] == [
        "analyst-2",
        "analyst-3",
        "analyst-1",
    ]


def test_limits_are_for_groups_and_people_that_the_file_names() -> None:
    assert refused("""\
        groups: [{name: vision, members: [ann]}]
        limits:
          groups: {visoin: {devices: 1}}
          people: {ann: {devices: 1}, operator: {devices: 0}, anne: {devices: 1}}
        """) == [
        "f.yaml:3: limits.groups.visoin: there is no group 'visoin'; did you mean 'vision'?",
        (
            "f.yaml:4: limits.people.anne: nobody of this name is in a group, in people or among "
            "the operators; did you mean 'ann'?"
        ),
    ]


@pytest.mark.promise("USER-8")
def test_roles_of_ones_own_have_other_names_than_those_built_in() -> None:
    assert refused("""\
        roles: {reader: [see-all]}
        people: {ann: {role: raeder}, operator: {role: reader}}
        """) == [
        "f.yaml:1: roles.reader: role 'reader' is built in; give yours another name",
        "f.yaml:2: people.ann.role: there is no role 'raeder'; did you mean 'reader'?",
        (
            "f.yaml:2: people.operator.role: 'operator' is an operator by sign_in.operators; "
            "expected 'operator', found 'reader'"
        ),
    ]


def test_a_hub_for_one_system_user_listens_on_loopback_only() -> None:
    assert refused("bind: 0.0.0.0") == [
        (
            "f.yaml:1: bind: everyone's servers run as one system user, so only 127.0.0.1 is allowed; "
            "to listen elsewhere, run the hub as root with servers.system_users: true"
        )
    ]


def test_with_system_users_a_hub_may_listen_elsewhere() -> None:
    settings = parse_settings("bind: 0.0.0.0\nservers: {system_users: true}")

    assert not settings.loopback_only


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("mysql://me:hunter2@db/x", "sqlite:///{state}/record.sqlite or postgresql://"),
        ("sqlite:///relative.sqlite", "an absolute path"),
        ("postgresql://me:hunter2@db/{place}", "no other placeholder than {state}"),
        ("[hunter2]", "text"),
    ],
)
def test_an_address_of_the_record_that_cannot_be_used_is_never_repeated(
    record: str, expected: str
) -> None:
    (problem,) = refused(f"record: {record}")

    assert problem.startswith("f.yaml:1: record: expected ")
    assert expected in problem
    assert "hunter2" not in problem


def test_a_password_in_the_records_address_is_not_in_what_python_prints() -> None:
    assert "hunter2" not in repr(parse_settings("record: postgresql://me:hunter2@db/allotment"))


@given(document=st.dictionaries(WORDS, ANYTHING, max_size=6))
def test_whatever_a_file_says_it_is_read_or_refused_with_its_places(
    document: dict[str, object],
) -> None:
    assert all(found.startswith("f.yaml:1: ") for found in problems(json.dumps(document)))


@given(text=st.text())
def test_whatever_text_a_file_holds_it_is_read_or_refused_with_its_lines(text: str) -> None:
    written = text.encode(errors="replace").decode()

    assert all(found.startswith("f.yaml:") for found in problems(written))


def test_names_that_yaml_takes_for_numbers_are_to_be_quoted() -> None:
    assert refused("groups: [{name: vision, leads: [007]}]") == [
        "f.yaml:1: groups[0].leads[0]: expected text, found the number 7; put it in quotes"
    ]


def test_declared_devices_are_of_this_machine_unless_they_say_otherwise() -> None:
    devices = parse_settings(WHOLE).declared_devices()

    assert devices is not None
    assert (devices[0].node, devices[0].memory, devices[0].origin) == (
        "dgx-1",
        80 * 2**30,
        DeviceOrigin.SETTINGS,
    )
    assert (devices[1].uuid, devices[1].isolation) == ("GPU-1", Isolation.MIG)


def test_everybody_whom_the_file_names_is_known_with_a_role() -> None:
    assert parse_settings(WHOLE).declared_people == {
        "analyst-2": "data-scientist",
        "analyst-3": "data-scientist",
        "analyst-1": "data-scientist",
        "visitor": "reader",
        "operator": "operator",
    }


def test_folders_of_profiles_are_taken_from_the_files_own_folder(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    file = tmp_path / "allotment.yaml"
    file.write_text("profiles: [ours/]")

    assert load_settings(file).profiles == (tmp_path / "ours",)


def test_a_folder_of_profiles_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "allotment.yaml"
    file.write_text("organisation: x\nprofiles: [ours/]")

    with pytest.raises(
        SettingsInvalid, match=r"allotment.yaml:2: profiles\[0\]: there is no folder"
    ):
        load_settings(file)


def test_without_a_word_on_profiles_the_folder_beside_the_file_counts(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    file = tmp_path / "allotment.yaml"
    file.write_text("")

    assert load_settings(file).profiles == (tmp_path / "profiles",)


def test_the_records_address_is_completed_with_the_state_folder(tmp_path: Path) -> None:
    file = tmp_path / "allotment.yaml"
    file.write_text("")

    assert load_settings(file, tmp_path / "state").record == (
        f"sqlite:///{tmp_path}/state/record.sqlite"
    )


def test_a_place_in_the_settings_can_be_named_later() -> None:
    settings = parse_settings("groups:\n  - {name: vision}\n", "f.yaml")

    assert settings.where(("groups", 0)) == "f.yaml:2: groups[0]"


@pytest.mark.promise("PROFILE-1")
def test_the_demonstration_that_is_shipped_is_valid(tmp_path: Path) -> None:
    settings = load_settings(SHIPPED, tmp_path)

    assert set(settings.declared_people) == {"operator", "analyst-1", "analyst-2", "analyst-3"}
    assert [folder.name for folder in settings.profiles] == ["profiles"]
