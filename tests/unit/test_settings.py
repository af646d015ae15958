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

    assert str(settings.zone) == "Europe/Berlin"
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
        (
            "f.yaml:3: sign_in.kind: expected 'local', 'oidc', 'github', 'google', 'azuread', 'okta' or "
            "'keycloak', found 'ldap'"
        ),
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
            "expected one of: devices, instances, models, servers, servers_existing, storage"
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


def test_a_lead_need_not_be_named_as_a_member_as_well() -> None:
    settings = parse_settings(WHOLE)

    assert [member.name for member in settings.groups[0].people] == [
        "analyst-2",
        "analyst-3",
        "analyst-1",
    ]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("mysql://me:hunter2@db/x", "sqlite:///{state}/record.sqlite or postgresql://"),
        ("sqlite:///relative.sqlite", "an absolute path"),
        ("postgresql://me:hunter2@db/{place}", "no other placeholder than {state}"),
        ("postgresql://me:hunter2@db/allotment", "no password here"),
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


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("record_password_file: p", "record_password_file: a record in SQLite has no password"),
        (
            "record: postgresql://me@db/a\nrecord_password_file: p\nrecord_password_variable: V",
            "record_password_file: expected this or record_password_variable, not both",
        ),
    ],
)
def test_a_password_of_the_record_is_in_one_place(more: str, expected: str) -> None:
    (problem,) = refused(more)

    assert problem.endswith(expected)


def test_the_records_address_says_where_its_password_is(tmp_path: Path) -> None:
    file = tmp_path / "allotment.yaml"
    file.write_text(
        "record: postgresql://me@db/a?sslmode=require\nrecord_password_file: secret/p w\n"
    )

    assert load_settings(file).record == (
        f"postgresql://me@db/a?sslmode=require&password_file={tmp_path}/secret/p%20w"
    )


def test_hubs_of_one_record_have_names() -> None:
    assert parse_settings("").hub == "hub"
    assert parse_settings("hub: north").hub == "north"
    (problem,) = refused("hub: '../x'")
    assert problem.startswith("f.yaml:1: hub: ")


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
