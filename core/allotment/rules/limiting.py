"""What one person may hold: the limit that binds, and the reason where a claim is over it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from allotment.model.amounts import counted, format_memory
from allotment.model.limits import EffectiveLimit, LimitKind, effective_limit
from allotment.model.reasons import Reason, Rule
from allotment.rules.standing import Standing

GIB = 2**30
"""The unit of a limit of storage, in bytes."""
_LIMIT_RULES = {
    LimitKind.DEVICES: Rule.LIMIT_DEVICES,
    LimitKind.SERVERS: Rule.LIMIT_SERVERS,
    LimitKind.SERVERS_EXISTING: Rule.LIMIT_SERVERS_EXISTING,
    LimitKind.INSTANCES: Rule.LIMIT_INSTANCES,
}
_NOUNS = {
    LimitKind.DEVICES: "device",
    LimitKind.SERVERS: "running server",
    LimitKind.SERVERS_EXISTING: "server",
    LimitKind.INSTANCES: "cloud instance",
}


def limit_reasons(standing: Standing, group: str | None) -> Iterator[Reason]:
    """Every personal limit that the claim would pass, for the group that pays."""
    for kind in _LIMIT_RULES:
        reason = limit_reason(standing, kind, group)
        if reason is not None:
            yield reason
    over = storage_reason(standing, group)
    if over is not None:
        yield over


def _used_and_asked(standing: Standing, kind: LimitKind) -> tuple[int, int]:
    profile = standing.profile
    if kind is LimitKind.DEVICES:
        return standing.devices_held, profile.devices if profile else 0
    if kind is LimitKind.SERVERS:
        return standing.servers_active, 0 if standing.server_active else 1
    if kind is LimitKind.INSTANCES:
        return standing.instances_active, 1 if profile and profile.instance_type else 0
    return standing.servers_existing, 0 if standing.server_exists else 1


def limit_reason(standing: Standing, kind: LimitKind, group: str | None) -> Reason | None:
    """Say which limit of one kind the claim would pass, if any, for the group that pays."""
    limit = effective_limit(kind, standing.limits, group)
    used, asked = _used_and_asked(standing, kind)
    if limit.value is None or not asked or used + asked <= limit.value:
        return None
    return Reason(
        _LIMIT_RULES[kind],
        _limit_message(limit, used, asked),
        limit=limit.value,
        used=used,
        asked=asked,
        remedy=_limit_remedy(limit, used, asked),
    )


def _limit_message(limit: EffectiveLimit, used: int, asked: int) -> str:
    verb = "have" if limit.kind is LimitKind.SERVERS_EXISTING else "hold"
    noun = _NOUNS[limit.kind]
    return f"You {verb} {counted(used, noun)} and may {verb} {limit.value} ({limit.source}); this needs {asked} more."


def _limit_remedy(limit: EffectiveLimit, used: int, asked: int) -> str:
    excess = used + asked - (limit.value or 0)
    if asked > (limit.value or 0):
        return "Choose a smaller profile, or ask your team lead or an operator for a higher limit."
    if limit.kind is LimitKind.DEVICES:
        return f"Stop a server that holds {counted(excess, 'device')}, or ask for a higher limit."
    if limit.kind is LimitKind.INSTANCES:
        return f"Stop {counted(excess, 'server')} on a cloud instance, or ask for a higher limit."
    verb = "Delete" if limit.kind is LimitKind.SERVERS_EXISTING else "Stop"
    return f"{verb} {counted(excess, 'server')}, or ask for a higher limit."


def storage_over(standing: Standing, group: str | None) -> EffectiveLimit | None:
    """The limit of storage where the person's homes hold more than it, for the group that pays."""
    limit = effective_limit(LimitKind.STORAGE, standing.limits, group)
    if limit.value is None or standing.storage is None or standing.storage <= limit.value * GIB:
        return None
    return limit


def storage_reason(standing: Standing, group: str | None) -> Reason | None:
    """Say that the person's homes hold too much, unless the profile is there to clean up."""
    limit, profile = storage_over(standing, group), standing.profile
    if limit is None or standing.storage is None or (profile and profile.cleans_up):
        return None
    used, most = standing.storage, (limit.value or 0) * GIB
    names = ", ".join(standing.cleaning[:3])
    helped = f"Launch {names} to delete files" if names else "Delete files of yours"
    return Reason(
        Rule.STORAGE_PERSON,
        f"Your home holds {format_memory(used)} and may hold {limit.value} GiB ({limit.source}).",
        limit=limit.value,
        used=-(-used // GIB),
        asked=0,
        remedy=f"{helped} ({format_memory(used - most)} at least), or ask for a higher limit.",
        details=standing.cleaning,
    )


def models_reason(bound: Iterable[EffectiveLimit], used: int) -> Reason | None:
    """Why one more model may not be registered; of several limits, one a group, the most generous binds."""
    limits = tuple(bound)
    if not limits or any(one.value is None for one in limits):
        return None
    limit = max(limits, key=lambda one: one.value or 0)
    if used < (limit.value or 0):
        return None
    return Reason(
        Rule.LIMIT_MODELS,
        f"You have {counted(used, 'registered model')} and may have {limit.value} ({limit.source}).",
        limit=limit.value,
        used=used,
        asked=1,
        remedy="Delete a model, or ask your team lead or an operator for a higher limit.",
    )
