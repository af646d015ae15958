"""What is configured can be exported, and makes the same platform elsewhere, whatever its words hold."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from allotment.model.budgets import AtLimit, BudgetScope, BudgetTerms, Period
from allotment.model.groups import Mode, Origin, Share
from allotment.model.instance_types import InstanceType
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.people import Permission
from allotment.model.sharing import PoolPolicy
from allotment.model.sources import Audience, Source, SourceKind
from allotment.record import (
    Record,
    Writing,
    budgets,
    departments,
    devices,
    groups,
    instance_types,
    limits,
    memberships,
    people,
    platform,
    pools,
    profiles,
    roles,
    sources,
)
from allotment.settings import declare, parse_settings

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
A100S = ("gpu-0", "gpu-1", "gpu-2", "gpu-3")

Furnished = Callable[[], AbstractContextManager[Record]]


@pytest.fixture
def record(furnished: Furnished) -> Iterator[Record]:
    with furnished() as made:
        yield made


def planned(record: Record, text: str) -> tuple[declare.Change, ...]:
    with record.reading() as reading:
        return declare.plan(reading, parse_settings(text), now=NOW, restore=True)


def exported(record: Record) -> str:
    with record.reading() as reading:
        return declare.export(reading, NOW)


NAMES = st.sampled_from(["a", "b-1", "1e5", "0x1f", "007", "null", "true", "x.y_z", "2027-01-31"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["", "~", "<<", "yes", "- x", "# no comment", "a: b", "'", '"', "&a", "*a", "!x", "a\n b\n"]
)
ORIGINS = st.sampled_from([Origin.CONSOLE, Origin.SETTINGS])
ENDS = st.none() | st.sampled_from([-1, 1, 400]).map(
    lambda days: NOW + timedelta(days=days, microseconds=1)
)
LIMIT_KINDS = st.dictionaries(st.sampled_from(list(LimitKind)), st.integers(0, 9))


POLICIES = st.builds(
    PoolPolicy,
    sharing=st.booleans(),
    grace=st.integers(0, 9_999).map(lambda seconds: timedelta(seconds=seconds)),
)


TYPES = st.builds(
    InstanceType,
    st.just("replaced"),
    title=TEXTS,
    price=st.none() | st.decimals(0, 99, places=4),
    most=st.none() | st.integers(0, 9),
    vcpus=st.none() | st.integers(1, 96),
    quota=st.none() | st.just("L-DB2E81BA"),
    enabled=st.booleans(),
)
FOLDERS = st.builds(
    Source,
    st.just("replaced"),
    st.just(SourceKind.FOLDER),
    title=TEXTS,
    description=TEXTS,
    fields=st.sampled_from(["/srv/a", "/srv/b c: #d"]).map(lambda path: {"path": path}),
    audience=st.builds(Audience, everyone=st.booleans()),
    enabled=st.booleans(),
)
BUDGETS = st.builds(
    BudgetTerms,
    amount=st.decimals(0, 999, places=2),
    period=st.sampled_from(list(Period)),
    at_limit=st.sampled_from(list(AtLimit)),
)


@st.composite
def choices(draw: st.DrawFn, pools: list[str], made: list[str]) -> dict[str, Any]:
    """What is chosen for the platform: mode, departments, the group for new people, types, budgets."""
    above = draw(st.lists(NAMES, unique=True, max_size=2))
    ceilings = st.dictionaries(st.sampled_from(pools), st.integers(0, 9))
    return {
        "mode": draw(st.sampled_from(list(Mode))),
        "departments": {name: (draw(TEXTS), draw(ceilings)) for name in above},
        "above": draw(st.dictionaries(st.sampled_from(made), st.sampled_from(above)))
        if above
        else {},
        "default_group": draw(st.sampled_from([*made, None])),
        "types": draw(st.dictionaries(NAMES, TYPES, max_size=2)),
        "budgets": draw(st.dictionaries(st.sampled_from(made), BUDGETS, max_size=2)),
        "sources": draw(st.dictionaries(NAMES, FOLDERS, max_size=2)),
        "several": draw(st.booleans()),
    }


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Any]:
    """What operators may have configured: pools of one model, shares that fit, people in one group."""
    cut = sorted(draw(st.lists(st.integers(0, 4), min_size=2, max_size=2)))
    wanted = {"p": A100S[: cut[0]], "q": A100S[cut[0] : cut[1]], "empty": ()}
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
        "policies": draw(st.dictionaries(st.sampled_from([*wanted, "default"]), POLICIES)),
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
                        "email": st.sampled_from(["", "a@example.org", "o'b+c@x.example"]),
                    }
                ),
                min_size=2,
            )
        ),
        "limits": draw(LIMIT_KINDS),
        "disabled": draw(st.booleans()),
        **draw(choices([*wanted, "default"], list(made))),
    }


def make(writing: Writing, world: dict[str, Any]) -> None:
    people.onboard(writing, ["operator"], role="operator")
    platform.set_mode(writing, world["mode"])
    for name, permissions in world["roles"].items():
        roles.put(writing, name, permissions)
    for name, mine in world["pools"].items():
        pools.create(writing, name, list(mine), "" if mine else "B200")
    for name, policy in world["policies"].items():
        pools.set_policy(writing, name, policy)
    for name, (title, ceilings) in world["departments"].items():
        departments.create(writing, name, title, ceilings)
    for name, group in world["groups"].items():
        groups.create(writing, name, **group, department=world["above"].get(name))
    for name, person in world["people"].items():
        role = "operator" if person["operator"] else next(iter(world["roles"]), "reader")
        people.onboard(writing, [name], role=role)
        for origin in person["origins"] if person["group"] else ():
            lead, until = person["lead"], person["until"]
            memberships.add(writing, name, person["group"], origin, lead=lead, until=until)
        people.set_email(writing, name, person["email"])
        for kind, value in person["limits"].items():
            limits.put(writing, LimitScope.PERSON, name, kind, value)
    for kind, value in world["limits"].items():
        limits.put(writing, LimitScope.PLATFORM, "", kind, value)
    profiles.set_enabled(writing, "large", enabled=not world["disabled"])
    choose(writing, world)


def choose(writing: Writing, world: dict[str, Any]) -> None:
    platform.set_default_group(writing, world["default_group"])
    for name, of_cloud in world["types"].items():
        instance_types.create(writing, replace(of_cloud, name=name))
    for name, folder in world["sources"].items():
        groups_of = tuple(sorted(world["groups"]))
        audience = replace(folder.audience, groups=groups_of)
        wanted = replace(folder, name=name, audience=audience, group=groups_of[0])
        sources.create(writing, wanted, {})
    for name, terms in world["budgets"].items():
        budgets.put(writing, BudgetScope.GROUP, name, terms)
    if world["mode"] is Mode.FLEXIBLE and world["several"]:
        join_everything(writing, world)


def join_everything(writing: Writing, world: dict[str, Any]) -> None:
    """In flexible mode: everybody in every group, and every group with a share in one pool more."""
    for name in world["groups"]:
        held = groups.all_shares(writing, name)
        if all(share.pool != "empty" for share in held):
            groups.edit(writing, name, wanted=[*held, Share(name, "empty", 0, 3, 1.0)])
        for person, said in world["people"].items():
            if said["group"] != name:
                memberships.add(writing, person, name, Origin.CONSOLE)


def configured(record: Record) -> dict[str, object]:
    """What is configured, read without what the export reads it with; origins and revisions aside."""
    with record.reading() as reading:
        known = devices.all_devices(reading)
        return {
            "pools": {
                pool.name: (
                    pool.model,
                    pool.policy,
                    [one.id for one in known if one.pool == pool.name],
                )
                for pool in pools.all_pools(reading)
            },
            "roles": {role.name: role.permissions for role in roles.all_roles(reading)},
            "people": {
                person.name: (person.role, person.email) for person in people.all_people(reading)
            },
            "groups": {
                each.name: (each.title, each.tags, each.department)
                for each in groups.all_groups(reading)
            },
            "mode": platform.mode(reading),
            "default group": platform.default_group(reading),
            "departments": {
                each.name: (each.title, each.ceilings)
                for each in departments.all_departments(reading)
            },
            "types": [replace(each, revision=1) for each in instance_types.all_types(reading)],
            "sources": [
                replace(each, created_by="", created_at=None, changed_at=None)
                for each in sources.all_sources(reading)
            ],
            "budgets": {
                (row.budget.subject, row.budget.terms) for row in budgets.all_rows(reading)
            },
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
@settings(max_examples=min(settings.default.max_examples // 4, 300))  # each makes two records
@given(world=worlds())
def test_what_is_exported_differs_in_nothing_and_makes_the_same_elsewhere(
    furnished: Furnished, world: dict[str, Any]
) -> None:
    with furnished() as one, furnished() as other:
        with one.writing("operator", NOW) as writing:
            make(writing, world)

        text = exported(one)
        declare.apply(other, parse_settings(text), actor="operator", now=NOW)

        assert planned(one, text) == ()
        assert configured(other) == configured(one)


def test_an_export_names_no_membership_that_has_ended(record: Record) -> None:
    with record.writing("operator", NOW) as writing:
        groups.create(writing, "vision")
        people.onboard(writing, ["ann"])
        memberships.add(writing, "ann", "vision", Origin.CONSOLE, until=NOW)

    assert parse_settings(exported(record)).groups[0].people == ()


def test_an_export_says_nothing_that_the_identity_provider_says(record: Record) -> None:
    with record.writing("provider", NOW) as writing:
        groups.create(writing, "vision")
        people.onboard(writing, ["ann"])
        memberships.add(writing, "ann", "vision", Origin.PROVIDER)

    assert parse_settings(exported(record)).groups[0].people == ()


def test_an_export_names_the_devices_that_were_declared_and_no_others(record: Record) -> None:
    declared = parse_settings(exported(record)).declared_devices()

    assert declared is not None
    assert tuple(device.id for device in declared) == A100S
