"""Instance types: whether a claim may take one more instance of its type. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from allotment.model.amounts import counted
from allotment.model.instance_types import ADDRESSES, NEAR, Quota, TypeUse
from allotment.model.profiles import Profile
from allotment.model.reasons import Reason, Rule
from allotment.rules.standing import Standing


def type_reason(standing: Standing) -> Reason | None:
    """Say why no instance of the profile's type can start, if none can."""
    profile = standing.profile
    return None if profile is None else _reason(profile, standing.instance_type)


def unavailable(profile: Profile, use: TypeUse | None) -> str:
    """Why nothing of a profile can start now, whatever else is free: its instance type. Empty: it can."""
    reason = _reason(profile, use)
    return "" if reason is None else reason.message


def _reason(profile: Profile, use: TypeUse | None) -> Reason | None:
    name = profile.instance_type
    if name is None:
        return None
    if use is None:
        return Reason(
            Rule.TYPE_ENABLED,
            f"The instance type {name!r} of this profile is not one of this platform's.",
            remedy="Choose another profile, or ask an operator to add the instance type.",
            details=(name,),
        )
    if not use.type.enabled:
        return Reason(
            Rule.TYPE_ENABLED,
            f"The instance type {name!r} of this profile is disabled.",
            remedy="Choose another profile, or ask an operator to enable the instance type.",
            details=(name,),
        )
    return _limit_reason(use) if use.full else None


def _limit_reason(use: TypeUse) -> Reason:
    name = use.type.name
    return Reason(
        Rule.TYPE_LIMIT,
        f"All instances of the type {name!r} are taken: {use.held} of {use.limit} ({use.source}); "
        "this needs 1 more.",
        limit=use.limit,
        used=use.held,
        asked=1,
        remedy=f"Choose a profile of another type, wait until one of {name} ends, "
        "or ask an operator for a higher limit.",
        details=(name,),
    )


def type_warning(use: TypeUse) -> str:
    """What those who run the platform should know of a type's limit; empty: nothing."""
    if not use.near:
        return ""
    used = f"{use.held} of {use.limit} instances of {use.type.name} are taken ({use.source})"
    if use.full:
        return f"{used}: profiles of this type are not offered now."
    return f"{used}: {use.percent} % of the limit."


def quota_warning(quota: Quota) -> str:
    """What should be known of a quota: it was not read, or the account has used most of it."""
    if quota.problem:
        last = (
            "It has never been read"
            if quota.read_at is None
            else f"What is known is of {quota.read_at:%Y-%m-%d %H:%M} UTC"
        )
        return f"{quota.title} could not be read: {quota.problem.rstrip('.')}. {last}."
    if quota.value is None or quota.used is None or 100 * quota.used < NEAR * quota.value:
        return ""
    unit = "addresses" if quota.code == ADDRESSES else "vCPU"
    return (
        f"{quota.title}: the account uses {quota.used} of {quota.value} {unit} in {quota.region}."
    )


def address_warning(quota: Quota | None, instances: int) -> str:
    """Whether there are Elastic IP addresses enough for a user's server on each instance."""
    if quota is None or quota.value is None or instances <= quota.value:
        return ""
    return (
        f"{counted(instances, 'user server')} run on instances, and the account may have "
        f"{quota.value} Elastic IP addresses in {quota.region}: not each can have one."
    )


def profiles_without_type(
    named: Iterable[tuple[str, str]], known: Iterable[str]
) -> tuple[str, ...]:
    """Sentences about profiles (with their instance types) whose type this platform does not have."""
    types = set(known)
    return tuple(
        f"Profile {profile} names the instance type {each}, which this platform does not have: "
        "it cannot be launched."
        for profile, each in named
        if each not in types
    )
