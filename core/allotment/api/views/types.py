"""Instance types and quotas as documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from allotment.model import documents
from allotment.model.instance_types import ADDRESSES, Quota, TypeUse
from allotment.record import Reading, instance_types, quotas
from allotment.rules.instance_types import (
    address_warning,
    profiles_without_type,
    quota_warning,
    type_warning,
)


def type_documents(reading: Reading) -> list[documents.InstanceType]:
    """Every instance type, by name."""
    profiles = _profiles(reading)
    return [
        _type_document(use, tuple(profiles[use.type.name])) for use in instance_types.uses(reading)
    ]


def type_document(reading: Reading, name: str) -> documents.InstanceType:
    """One instance type.

    Raises:
        NotFound: there is none of that name.
    """
    instance_types.get(reading, name)
    return next(one for one in type_documents(reading) if one.name == name)


def _profiles(reading: Reading) -> dict[str, list[str]]:
    naming: dict[str, list[str]] = defaultdict(list)
    for profile, named in instance_types.named_by_profiles(reading):
        naming[named].append(profile)
    return naming


def _type_document(use: TypeUse, profiles: tuple[str, ...]) -> documents.InstanceType:
    one = use.type
    return documents.InstanceType(
        name=one.name,
        title=one.title,
        price=one.price,
        limit=one.most,
        vcpus=one.vcpus,
        quota=one.quota,
        enabled=one.enabled,
        held=use.held,
        most=use.limit,
        source=use.source,
        percent=use.percent,
        warning=type_warning(use),
        profiles=profiles,
        revision=one.revision,
    )


def quota_documents(reading: Reading) -> tuple[documents.Quota, ...]:
    """Every quota that was asked for, by title."""
    uses = instance_types.uses(reading)
    held = {use.type.quota: use.quota_held for use in uses}
    number = sum(use.held for use in uses)
    return tuple(
        _quota_document(one, number if one.code == ADDRESSES else held.get(one.code, 0))
        for one in quotas.all_quotas(reading)
    )


def _quota_document(one: Quota, held: int) -> documents.Quota:
    return documents.Quota(
        code=one.code,
        region=one.region,
        title=one.title,
        unit="addresses" if one.code == ADDRESSES else "vCPU",
        value=one.value,
        used=one.used,
        held=held,
        read_at=one.read_at,
        tried_at=one.tried_at,
        problem=one.problem,
        warning=quota_warning(one),
    )


def type_warnings(reading: Reading) -> tuple[str, ...]:
    """What should be known that is no single type's: addresses, and profiles whose type is not there."""
    uses = instance_types.uses(reading)
    addresses = next((one for one in quotas.all_quotas(reading) if one.code == ADDRESSES), None)
    said = address_warning(addresses, sum(use.held for use in uses))
    unknown = profiles_without_type(
        instance_types.named_by_profiles(reading), [use.type.name for use in uses]
    )
    return (*((said,) if said else ()), *unknown)


def all_warnings(reading: Reading) -> Iterator[tuple[str, str]]:
    """Everything that operators should know of types and quotas: subject and sentence."""
    for use in instance_types.uses(reading):
        said = type_warning(use)
        if said:
            yield use.type.name, said
    problems = set()
    for quota in quotas.all_quotas(reading):
        said = quota_warning(quota)
        # Where nobody answers, that is said once, not for every quota.
        if said and (not quota.problem or quota.problem not in problems):
            problems.add(quota.problem)
            yield quota.code, said
    for said in type_warnings(reading):
        yield "instance types", said
