"""What the parts of a settings file say about each other is checked, and everything wrong is told."""

from textwrap import dedent

import pytest

from allotment.model.refusals import SettingsInvalid
from allotment.settings import parse_settings


def refused(text: str) -> list[str]:
    with pytest.raises(SettingsInvalid) as invalid:
        parse_settings(dedent(text), "f.yaml")
    return list(invalid.value.problems)


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
            "f.yaml:8: pools[2].name: the default pool holds every device that no other pool holds; "
            "only how it is shared can be said"
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
