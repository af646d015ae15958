"""Which pool can serve a claim now: the group's share of it first, then its free devices."""

from __future__ import annotations

from allotment.model.amounts import counted
from allotment.model.names import DEFAULT_POOL
from allotment.model.profiles import PoolByModel, Priority, Profile
from allotment.model.reasons import Reason, Rule
from allotment.rules.standing import DepartmentFacts, PoolFacts, ShareFacts, Standing


def choose_pool(standing: Standing, group: str | None) -> tuple[PoolFacts | None, Reason | None]:
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
    above = _departments(standing, group)
    verdicts = [
        (
            pool,
            _share_reason(pool, shares.get(pool.pool), profile)
            or _over_department(pool, above.get(pool.pool), profile.devices),
        )
        for pool in candidates
    ]
    for pool, reason in sorted(verdicts, key=lambda verdict: (verdict[0].free, verdict[0].pool)):
        if reason is None:
            return pool, None
    return None, verdicts[0][1]


def serving_pools(standing: Standing, group: str | None) -> tuple[PoolFacts, ...]:
    """Pools that could serve the claim at some time as shares and devices are: that waiting is good for."""
    profile = standing.profile
    if profile is None or not profile.devices:
        return ()
    shares = {facts.share.pool: facts for facts in standing.shares if facts.share.group == group}
    above = _departments(standing, group)
    return tuple(
        pool
        for pool in standing.pools
        if _may_use(pool, profile, shares)
        and _could_serve(pool, shares.get(pool.pool), profile)
        and (pool.pool not in above or profile.devices <= above[pool.pool].ceiling)
    )


def _departments(standing: Standing, group: str | None) -> dict[str, DepartmentFacts]:
    """The ceilings of the group's department, by pool."""
    return {one.pool: one for one in standing.departments if one.group == group}


def _over_department(pool: PoolFacts, above: DepartmentFacts | None, asked: int) -> Reason | None:
    """Why the department has no room, whatever its group's share says."""
    if above is None or above.held + asked <= above.ceiling:
        return None
    return _beyond(
        Rule.SHARE_CEILING,
        f"The groups of department {above.name} may hold {counted(above.ceiling, 'device')} in {pool.pool} together and hold {above.held}",
        (above.ceiling, above.held, asked),
        whose="the department's",
        or_ask="ask an operator for a higher ceiling of the department",
    )


def _could_serve(pool: PoolFacts, facts: ShareFacts | None, profile: Profile) -> bool:
    if facts is None:
        return profile.devices <= pool.largest_node
    borrows = pool.sharing and profile.priority is Priority.LOW
    most = facts.share.ceiling if borrows else facts.share.guaranteed
    return profile.devices <= min(most, pool.largest_node)


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


def _share_reason(pool: PoolFacts, facts: ShareFacts | None, profile: Profile) -> Reason | None:
    """Why this pool cannot serve the claim now: the group's share first, then free devices."""
    asked = profile.devices
    over = None if facts is None else _over(pool, facts, profile)
    if over is not None:
        return over
    in_own_right = facts is not None or pool.kept_for_person >= asked
    reserved = 0 if in_own_right else pool.unused_guarantee
    if pool.free - reserved < asked or pool.free_on_one_node < asked:
        return _not_free(pool, asked, reserved)
    return None


def _over(pool: PoolFacts, facts: ShareFacts, profile: Profile) -> Reason | None:
    """Why the share has no room: its guarantee or, for what borrows in a pool that lends, its ceiling."""
    asked, share = profile.devices, facts.share
    if not pool.sharing:
        return None if facts.held + asked <= share.guaranteed else _over_share(pool, facts, asked)
    low = profile.priority is Priority.LOW
    if not low and facts.dedicated + asked > share.guaranteed:
        return _over_dedicated(pool, facts, asked)
    if facts.held + asked > share.ceiling:
        return _over_ceiling(pool, facts, asked)
    return None


def _over_dedicated(pool: PoolFacts, facts: ShareFacts, asked: int) -> Reason:
    share = facts.share
    return Reason(
        Rule.SHARE_GUARANTEE,
        f"{share.group} is guaranteed {counted(share.guaranteed, 'device')} in {pool.pool} and holds {facts.dedicated} "
        f"with dedicated servers; this needs {asked} more.",
        limit=share.guaranteed,
        used=facts.dedicated,
        asked=asked,
        remedy="Choose a low-priority profile, which may borrow what other groups do not use, or wait until the group gives a device back.",
    )


def _over_ceiling(pool: PoolFacts, facts: ShareFacts, asked: int) -> Reason:
    share = facts.share
    return _beyond(
        Rule.SHARE_CEILING,
        f"{share.group} may hold {counted(share.ceiling, 'device')} in {pool.pool} at most, borrowed ones among them, and holds {facts.held}",
        (share.ceiling, facts.held, asked),
        whose="the group's",
        or_ask="ask an operator for a higher ceiling",
    )


def _over_share(pool: PoolFacts, facts: ShareFacts, asked: int) -> Reason:
    share = facts.share
    return _beyond(
        Rule.SHARE_GUARANTEE,
        f"{share.group} may hold {counted(share.guaranteed, 'device')} in {pool.pool} and holds {facts.held}",
        (share.guaranteed, facts.held, asked),
        whose="the group's",
        or_ask="ask your team lead for a larger share",
    )


def _beyond(
    rule: Rule, words: str, amounts: tuple[int, int, int], *, whose: str, or_ask: str
) -> Reason:
    """More than may be held, by ``amounts``: the limit, what is used, what is asked."""
    limit, used, asked = amounts
    first = (
        "Choose a smaller profile"
        if asked > limit
        else f"Wait until {counted(used + asked - limit, 'device')} of {whose} is given back"
    )
    return Reason(
        rule,
        f"{words}; this needs {asked} more.",
        limit=limit,
        used=used,
        asked=asked,
        remedy=f"{first}, or {or_ask}.",
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
