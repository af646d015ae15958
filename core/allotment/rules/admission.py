"""Admission: the rules that every claim is asked, in the order in which a page shows them.

Each rule is written once and returns a reason or nothing. All are asked, so that a refusal names
everything that stands in the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from allotment.model.amounts import counted
from allotment.model.claims import Claim, Refused, Waits
from allotment.model.groups import Mode, Share
from allotment.model.limits import EffectiveLimit, Limit, LimitKind, effective_limit
from allotment.model.names import CONSOLE_PROFILE, CONSOLE_SERVER, DEFAULT_POOL
from allotment.model.profiles import PoolByModel, Profile
from allotment.model.reasons import WAITING_RULES, Reason, Rule

LONGEST_SERVER_NAME = 63
"""What a label of Kubernetes and a part of a host name can hold."""


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """What admission must know of one pool and one model of device in it, in devices.

    The devices of one claim are of one model and on one node; only the default pool has several models.
    """

    pool: str
    model: str
    total: int
    free: int
    """Free, healthy devices of that model."""
    free_on_one_node: int
    unused_guarantee: int = 0
    """What groups may still claim of their guarantees here."""


@dataclass(frozen=True, slots=True)
class ShareFacts:
    """A share of the paying group, and what the group holds of it."""

    share: Share
    held: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What the record said in the transaction that writes the outcome."""

    claim: Claim
    profile: Profile | None
    """None where no such profile is published, or it is disabled."""
    onboarded: bool
    groups: tuple[str, ...]
    mode: Mode = Mode.STRICT
    may_use_console: bool = False
    devices_held: int = 0
    servers_active: int = 0
    servers_existing: int = 0
    server_exists: bool = False
    server_active: bool = False
    limits: tuple[Limit, ...] = ()
    shares: tuple[ShareFacts, ...] = ()
    """Shares of all groups the person is in."""
    pools: tuple[PoolFacts, ...] = ()
    """Pools in which the person could be given devices, the default pool among them."""
    visible_profiles: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Admitted:
    """The rules grant the claim: who pays, and from which pool and model (None without devices)."""

    group: str | None
    pool: str | None
    model: str | None


Decision = Admitted | Waits | Refused


def admit(standing: Standing) -> Decision:
    """Decide one claim against the standing. Pure: the same standing gives the same decision."""
    reasons = [reason for rule in _GATES for reason in [rule(standing)] if reason is not None]
    group = paying_group(standing)
    reasons += [
        reason
        for kind in LimitKind
        for reason in [_limit(standing, kind, group)]
        if reason is not None
    ]
    pool, reason = _choose_pool(standing, group)
    if reason is not None:
        reasons.append(reason)
    if not reasons:
        return Admitted(group, pool.pool if pool else None, pool.model if pool else None)
    if all(reason.rule in WAITING_RULES for reason in reasons):
        return Waits(tuple(reasons))
    return Refused(tuple(reasons))


def paying_group(standing: Standing) -> str | None:
    """The group that pays: the one asked for, or the only one there is."""
    if standing.claim.group is not None:
        return standing.claim.group
    return standing.groups[0] if len(standing.groups) == 1 else None


def _server_name(standing: Standing) -> Reason | None:
    claim = standing.claim
    if len(claim.server) > LONGEST_SERVER_NAME:
        return Reason(
            Rule.SERVER_NAME,
            f"A server's name has at most {LONGEST_SERVER_NAME} characters; this one has {len(claim.server)}.",
            limit=LONGEST_SERVER_NAME,
            asked=len(claim.server),
            remedy="Choose a shorter name.",
        )
    if standing.server_active:
        return Reason(
            Rule.SERVER_NAME,
            f"Your server {claim.server or 'default'!r} is still starting, running or stopping.",
            remedy="Wait until it has ended, or choose another name.",
        )
    if (claim.server == CONSOLE_SERVER) != (claim.profile == CONSOLE_PROFILE):
        return Reason(
            Rule.SERVER_NAME,
            f"The server name {CONSOLE_SERVER!r} and the profile {CONSOLE_PROFILE!r} belong to each other: one is not launched without the other.",
            remedy=f"Choose another name than {CONSOLE_SERVER!r}."
            if claim.server == CONSOLE_SERVER
            else f"Name the server {CONSOLE_SERVER!r}.",
        )
    return None


def _profile_visible(standing: Standing) -> Reason | None:
    claim, profile = standing.claim, standing.profile
    visible = profile is not None and profile.visible_for(claim.person, standing.groups)
    if visible and claim.profile == CONSOLE_PROFILE:
        visible = standing.may_use_console
    if visible:
        return None
    offered = standing.visible_profiles
    return Reason(
        Rule.PROFILE_VISIBLE,
        f"There is no profile {claim.profile[:80]!r} that you may launch."
        if claim.profile
        else "No profile was chosen.",
        remedy=f"Choose one of: {', '.join(offered[:12])}."
        if offered
        else "Ask an operator to give you a profile.",
        details=offered,
    )


def _person_onboarded(standing: Standing) -> Reason | None:
    if standing.onboarded:
        return None
    return Reason(
        Rule.PERSON_ONBOARDED,
        f"{standing.claim.person} is not on-boarded to this platform.",
        remedy="Ask an operator to on-board you.",
    )


def _group_chosen(standing: Standing) -> Reason | None:
    asked, groups = standing.claim.group, standing.groups
    if asked is not None and asked not in groups:
        known = f"You are in {', '.join(groups)}." if groups else "You are in no group."
        return Reason(
            Rule.GROUP_CHOSEN,
            f"You are not in a group {asked[:80]!r}.",
            remedy=f"{known} Choose a group that you are in, or leave the choice out.",
            details=groups,
        )
    if len(groups) < 2 or standing.profile is None or standing.profile.devices == 0:  # noqa: PLR2004 - a choice
        return None
    if standing.mode is Mode.STRICT:
        return Reason(
            Rule.GROUP_STRICT,
            f"You are in {' and '.join(groups)}, and here a person is in one group at a time.",
            limit=1,
            used=len(groups),
            remedy="Ask an operator to take you out of all but one.",
            details=groups,
        )
    if asked is None:
        return Reason(
            Rule.GROUP_CHOSEN,
            f"You are in {' and '.join(groups)}, and only one of them can pay.",
            remedy="Choose the group that pays for this server.",
            details=groups,
        )
    return None


_GATES: tuple[Callable[[Standing], Reason | None], ...] = (
    _server_name,
    _profile_visible,
    _person_onboarded,
    _group_chosen,
)

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


def _limit(standing: Standing, kind: LimitKind, group: str | None) -> Reason | None:
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


def _choose_pool(standing: Standing, group: str | None) -> tuple[PoolFacts | None, Reason | None]:
    """Choose the pool that can serve the claim, or say why the nearest one cannot."""
    profile = standing.profile
    if profile is None or profile.devices == 0:
        return None, None
    if group is None and len(standing.groups) > 1:
        return None, None  # group.chosen says it already
    shares = {facts.share.pool: facts for facts in standing.shares if facts.share.group == group}
    candidates = [pool for pool in standing.pools if _may_use(pool, profile, shares)]
    if not candidates:
        return None, _no_pool(profile, group, shares)
    verdicts = [
        (pool, _share_reason(pool, shares.get(pool.pool), profile, group)) for pool in candidates
    ]
    for pool, reason in sorted(verdicts, key=lambda verdict: (verdict[0].free, verdict[0].pool)):
        if reason is None:
            return pool, None
    return None, verdicts[0][1]


def _may_use(pool: PoolFacts, profile: Profile, shares: dict[str, ShareFacts]) -> bool:
    open_to_group = pool.pool in shares if shares else pool.pool == DEFAULT_POOL
    if isinstance(profile.pool, PoolByModel):
        return open_to_group and profile.pool.model == pool.model
    return open_to_group and profile.pool in {"any", pool.pool}


def _no_pool(profile: Profile, group: str | None, shares: dict[str, ShareFacts]) -> Reason:
    own = ", ".join(sorted(shares)) if shares else DEFAULT_POOL
    who = f"Group {group}" if group else "Somebody without a group"
    return Reason(
        Rule.SHARE_POOL,
        f"{profile.title} takes {counted(profile.devices, 'device')} from {profile.pool_words}; {who} may use {own} only.",
        limit=0,
        used=0,
        asked=profile.devices,
        remedy="Choose another profile, or ask an operator for a share in that pool.",
    )


def _share_reason(
    pool: PoolFacts, facts: ShareFacts | None, profile: Profile, group: str | None
) -> Reason | None:
    """Why this pool cannot serve the claim now: the group's share first, then free devices."""
    asked = profile.devices
    if facts is not None and facts.held + asked > facts.share.guaranteed:
        return _over_share(pool, facts, asked, group)
    reserved = 0 if facts is not None else pool.unused_guarantee
    if pool.free - reserved < asked or pool.free_on_one_node < asked:
        return _not_free(pool, asked, reserved)
    return None


def _over_share(pool: PoolFacts, facts: ShareFacts, asked: int, group: str | None) -> Reason:
    share = facts.share
    smaller = "Choose a smaller profile, or ask your team lead for a larger share."
    return Reason(
        Rule.SHARE_GUARANTEE,
        f"{group} may hold {counted(share.guaranteed, 'device')} in {pool.pool} and holds {facts.held}; this needs {asked} more.",
        limit=share.guaranteed,
        used=facts.held,
        asked=asked,
        remedy=smaller
        if asked > share.guaranteed
        else f"Wait until {counted(facts.held + asked - share.guaranteed, 'device')} of the group's is given back, or ask your team lead for a larger share.",
    )


def _not_free(pool: PoolFacts, asked: int, reserved: int) -> Reason:
    spare = max(0, pool.free - reserved)
    scattered = spare >= asked
    message = (
        f"No node of {pool.pool} has {counted(asked, 'device')} free: the most on one node is {pool.free_on_one_node}."
        if scattered
        else f"{spare} of {counted(pool.total, 'device')} in {pool.pool} {'is' if spare == 1 else 'are'} free; this needs {asked}."
    )
    return Reason(
        Rule.DEVICES_FREE,
        message,
        limit=pool.total,
        used=pool.total - spare,
        asked=asked,
        remedy="Choose a smaller profile, or try again when a device is given back.",
    )
