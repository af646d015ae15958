"""What is configured, written as a settings file."""

from __future__ import annotations

import io
from collections import defaultdict
from datetime import datetime
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter

from allotment.model.amounts import format_memory, parse_memory
from allotment.model.budgets import BudgetScope
from allotment.model.devices import DeviceOrigin
from allotment.model.groups import Membership, Mode, Origin
from allotment.model.names import DEFAULT_POOL
from allotment.model.people import BuiltInRole
from allotment.record import (
    Reading,
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
)
from allotment.record import roles as record_roles
from allotment.settings.parts.money import PLACES as BUDGET_PLACES
from allotment.settings.parts.money import terms_words
from allotment.settings.source_export import exported_sources

HEAD = """\
# What is configured, written by `allotment export`. `allotment plan` and `allotment apply` read it.
# What belongs to the machine (bind, servers, folders of profiles, data, the record's address) and what the
# identity provider says is not here. Nor is any secret: under `secrets` of a source stands where it is read.
"""


class _Words(SafeRepresenter):
    """Writes text with anything unusual in it in double quotes, where nothing is folded or lost."""


def _text(representer: SafeRepresenter, text: str) -> ScalarNode:
    style = None if text.isprintable() else '"'
    node: ScalarNode = representer.represent_scalar("tag:yaml.org,2002:str", text, style=style)
    return node


_Words.add_representer(str, _text)


def export(reading: Reading, now: datetime) -> str:
    """Write what is configured as a settings file, which :func:`load_settings` reads.

    Memberships that have ended are left out, and so is what the identity provider says.
    """
    document: dict[str, Any] = {
        "mode": _mode(reading),
        "sign_in": {"operators": _with_role(reading, str(BuiltInRole.OPERATOR))},
        "devices": _devices(reading),
        "pools": _pools(reading),
        "roles": _roles(reading),
        "people": _people(reading),
        "departments": [
            {"name": one.name, "title": one.title, "ceilings": one.ceilings}
            for one in departments.all_departments(reading)
        ],
        "groups": _groups(reading, now),
        "default_group": platform.default_group(reading),
        "limits": _limits(reading),
        "budgets": _budgets(reading),
        "instance_types": _instance_types(reading),
        "sources": exported_sources(reading),
        "disabled_profiles": [
            profile.name
            for profile in profiles.all_profiles(reading)
            if not profile.enabled and not profile.retired
        ],
    }
    if not document["sign_in"]["operators"]:
        del document["sign_in"]
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Words
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    # The order in which people read it. (ruamel declares the attribute as None.)
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 4096  # a long title stays on its line
    stream = io.StringIO()
    yaml.dump({key: value for key, value in document.items() if value}, stream)
    return HEAD + stream.getvalue()


def _mode(reading: Reading) -> str | None:
    """The mode where it is not the one that a file without a word has."""
    mode = platform.mode(reading)
    return None if mode is Mode.STRICT else str(mode)


def _with_role(reading: Reading, role: str) -> list[str]:
    return [
        person.name
        for person in people.all_people(reading)
        if person.role == role and person.onboarded
    ]


def _devices(reading: Reading) -> list[dict[str, Any]]:
    """Devices that the settings declared; all others are discovered again."""
    return [
        {
            "id": device.id,
            "model": device.model,
            "memory": _memory(device.memory),
            "node": device.node,
            **({"uuid": device.uuid} if device.uuid not in {"", device.id} else {}),
            "isolation": str(device.isolation),
        }
        for device in devices.all_devices(reading)
        if device.origin is DeviceOrigin.SETTINGS
    ]


def _memory(amount: int) -> str | int:
    """An amount in words where the words say it exactly."""
    words = format_memory(amount)
    return words if parse_memory(words) == amount else amount


def _pools(reading: Reading) -> list[dict[str, Any]]:
    exported = []
    for pool in pools.all_pools(reading):
        policy = pool.policy.model_dump(mode="json", exclude_defaults=True)
        if pool.name == DEFAULT_POOL:
            exported += [{"name": pool.name, **policy}] if policy else []
            continue
        members = [device.id for device in devices.all_devices(reading, pool.name)]
        model = {"model": pool.model} if pool.model and not members else {}
        if pool.nodes is None:
            has: dict[str, Any] = {"devices": sorted(members), **model}
        else:
            rule = pool.nodes.model_dump(mode="json", exclude_defaults=True)
            rule |= {"memory": _memory(pool.nodes.memory)} if pool.nodes.memory else {}
            has = {"nodes": rule}
            has |= {"model": pool.model} if pool.model else {}
        exported.append({"name": pool.name, **has, **policy})
    return exported


def _roles(reading: Reading) -> dict[str, list[str]]:
    return {
        role.name: sorted(str(permission) for permission in role.permissions)
        for role in record_roles.all_roles(reading)
        if not role.built_in
    }


def _people(reading: Reading) -> dict[str, dict[str, str]]:
    """People and where they are reached. Of operators only that: who is one is said elsewhere."""
    return {
        person.name: {
            **({"role": person.role} if person.role != BuiltInRole.OPERATOR else {}),
            **({"email": person.email} if person.email else {}),
        }
        for person in people.all_people(reading)
        if person.onboarded and (person.role != BuiltInRole.OPERATOR or person.email)
    }


def _groups(reading: Reading, now: datetime) -> list[dict[str, Any]]:
    onboarded = {person.name for person in people.all_people(reading) if person.onboarded}
    members: dict[str, dict[str, list[Membership]]] = defaultdict(lambda: defaultdict(list))
    for row in memberships.all_memberships(reading):
        lasts = row.until is None or row.until > now
        if row.person in onboarded and lasts and row.origin is not Origin.PROVIDER:
            members[row.group][row.person].append(row)
    return [
        {
            "name": group.name,
            "title": group.title,
            "tags": group.tags,
            "shares": [
                {
                    "pool": share.pool,
                    "guaranteed": share.guaranteed,
                    "ceiling": share.ceiling,
                    "weight": share.weight,
                }
                for share in groups.all_shares(reading, group.name)
            ],
            "members": [_member(name, rows) for name, rows in members[group.name].items()],
            "leads": [
                name for name, rows in members[group.name].items() if any(row.lead for row in rows)
            ],
            **({"department": group.department} if group.department else {}),
        }
        for group in groups.all_groups(reading)
    ]


def _member(name: str, rows: list[Membership]) -> str | dict[str, str]:
    ends = [row.until for row in rows if row.until is not None]
    return name if len(ends) < len(rows) else {"name": name, "until": max(ends).isoformat()}


def _budgets(reading: Reading) -> dict[str, Any]:
    onboarded = {person.name for person in people.all_people(reading) if person.onboarded}
    exported: dict[str, Any] = defaultdict(dict)
    for row in budgets.all_rows(reading):
        scope, subject = row.budget.scope, row.budget.subject
        if scope is not BudgetScope.PERSON or subject in onboarded:
            amount = row.budget.terms.amount
            number = int(amount) if amount == int(amount) else float(amount)
            words = terms_words(row.budget.terms) | {"amount": number}
            if scope is BudgetScope.EVERYBODY:
                exported[str(scope)] = words
            else:
                exported[BUDGET_PLACES[scope]][subject] = words
    return dict(exported)


def _instance_types(reading: Reading) -> list[dict[str, Any]]:
    exported = []
    for one in instance_types.all_types(reading):
        said = {key: value for key, value in instance_types.document(one).items() if value}
        if one.price is not None:
            said["price"] = int(one.price) if one.price == int(one.price) else float(one.price)
        told = {"limit": one.most} if one.most is not None else {}
        exported.append({"name": one.name, **said, **told, "enabled": one.enabled})
    return exported


def _limits(reading: Reading) -> dict[str, Any]:
    onboarded = {person.name for person in people.all_people(reading) if person.onboarded}
    exported: dict[str, Any] = {"defaults": {}, "groups": {}, "people": {}}
    for limit in limits.all_limits(reading):
        kind = {str(limit.kind): limit.value}
        if limit.scope == "platform":
            exported["defaults"].update(kind)
        elif limit.scope == "group":
            exported["groups"].setdefault(limit.subject, {}).update(kind)
        elif limit.subject in onboarded:
            exported["people"].setdefault(limit.subject, {}).update(kind)
    return {scope: given for scope, given in exported.items() if given}
