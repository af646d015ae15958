"""What one person may hold: the limit that binds, and the reason where a claim is over it."""

from __future__ import annotations

from allotment.model.amounts import counted
from allotment.model.limits import EffectiveLimit, LimitKind, effective_limit
from allotment.model.reasons import Reason, Rule
from allotment.rules.standing import Standing

_LIMIT_RULES = {
    LimitKind.SERVERS: Rule.LIMIT_SERVERS,
    LimitKind.SERVERS_EXISTING: Rule.LIMIT_SERVERS_EXISTING,
    LimitKind.DEVICES: Rule.LIMIT_DEVICES,
}


def _used_and_asked(standing: Standing, kind: LimitKind) -> tuple[int, int]:
    if kind is LimitKind.DEVICES:
        return standing.devices_held, standing.profile.devices if standing.profile else 0
    if kind is LimitKind.SERVERS:
        return standing.servers_active, 0 if standing.server_active else 1
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
    noun = {
        LimitKind.DEVICES: "device",
        LimitKind.SERVERS: "running server",
        LimitKind.SERVERS_EXISTING: "server",
    }[limit.kind]
    return f"You {verb} {counted(used, noun)} and may {verb} {limit.value} ({limit.source}); this needs {asked} more."


def _limit_remedy(limit: EffectiveLimit, used: int, asked: int) -> str:
    excess = used + asked - (limit.value or 0)
    if asked > (limit.value or 0):
        return "Choose a smaller profile, or ask your team lead or an operator for a higher limit."
    if limit.kind is LimitKind.DEVICES:
        return f"Stop a server that holds {counted(excess, 'device')}, or ask for a higher limit."
    verb = "Delete" if limit.kind is LimitKind.SERVERS_EXISTING else "Stop"
    return f"{verb} {counted(excess, 'server')}, or ask for a higher limit."
