"""How two policies of a replay differ, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from allotment.model.durations import format_duration
from allotment.model.money import money_words
from allotment.model.simulation import (
    BudgetPlan,
    PoolPlan,
    ProfilePlan,
    ShareInPlan,
    SimulationPolicy,
)

_TIMES = {
    "minimum_runtime": "a borrower keeps devices at least",
    "grace": "from the notice to the stop",
    "protect_after": "nobody overtakes who has waited",
}


def policy_changes(present: SimulationPolicy, changed: SimulationPolicy) -> tuple[str, ...]:
    """Every difference as one line, such as ``a100: devices 20 → 21``; none: they are the same."""
    lines: list[str] = []
    for pool in changed.pools:
        before = present.pool(pool.name)
        lines += [f"{pool.name}: a new pool"] if before is None else _pool(before, pool)
    lines += [
        f"{pool.name}: no longer there" for pool in present.pools if changed.pool(pool.name) is None
    ]
    for profile in changed.profiles:
        lines += _profile(present.profile(profile.name) or ProfilePlan(name=profile.name), profile)
    lines += _budgets(present, changed)
    return tuple(lines)


def _budgets(present: SimulationPolicy, changed: SimulationPolicy) -> Iterator[str]:
    before = {one.group: one for one in present.budgets}
    after = {one.group: one for one in changed.budgets}
    for group in sorted(before.keys() | after.keys()):
        old, new = (_budget(known.get(group)) for known in (before, after))
        if old != new:
            yield _line(f"budget of {group}", "", old, new).replace("  ", " ")


def _budget(plan: BudgetPlan | None) -> str:
    if plan is None:
        return "none"
    return f"{money_words(plan.amount)} {plan.period.words}, at the limit {plan.at_limit.words}"


def _pool(before: PoolPlan, after: PoolPlan) -> Iterator[str]:
    if before.devices != after.devices:
        yield _line(after.name, "devices", before.devices, after.devices)
    if before.sharing != after.sharing:
        does = "lends what groups do not use" if after.sharing else "lends nothing any more"
        yield f"{after.name}: {does}"
    if before.reclaim != after.reclaim:
        does = "borrowers give back" if after.reclaim else "borrowers keep what they have"
        yield f"{after.name}: {does}"
    for key, words in _TIMES.items():
        old, new = getattr(before, key), getattr(after, key)
        if old != new:
            yield _line(after.name, words, format_duration(old), format_duration(new))
    if "by-use" in (before.shares, after.shares):
        if before.shares != after.shares:
            yield f"{after.name}: other shares"
        return
    for share in (
        *after.written_shares,
        *(s for s in before.written_shares if after.share(s.group) is None),
    ):
        yield from _share(after, before.share(share.group), after.share(share.group))


def _share(pool: PoolPlan, before: ShareInPlan | None, after: ShareInPlan | None) -> Iterator[str]:
    named = after or before
    if named is None:
        return
    name = f"{named.group} in {pool.name}"
    if before is None or after is None:
        yield f"{name}: {'a new share' if before is None else 'no share any more'}"
        return
    for key in ("guaranteed", "ceiling", "weight"):
        old, new = getattr(before, key), getattr(after, key)
        if old != new:
            yield _line(name, key, _number(old), _number(new))


def _profile(before: ProfilePlan, after: ProfilePlan) -> Iterator[str]:
    if before.idle != after.idle:
        yield _line(after.name, "stopped when idle for", _off(before.idle), _off(after.idle))
    if before.lifetime != after.lifetime:
        yield _line(after.name, "lifetime", _off(before.lifetime), _off(after.lifetime))
    if before.price != after.price:
        old, new = (
            "none" if price is None else money_words(price) for price in (before.price, after.price)
        )
        yield _line(after.name, "price an hour", old, new)


def _off(duration: timedelta | None) -> str:
    return "off" if duration is None else format_duration(duration)


def _number(value: float | None) -> str:
    return "all of it" if value is None else f"{value:g}"


def _line(name: str, what: str, old: object, new: object) -> str:
    return f"{name}: {what} {old} \N{RIGHTWARDS ARROW} {new}"
