"""What an edit of shares, ceilings, pools or their policy would do: the queue as it is against as it would be.

Pure: both standings come in. What is over already is not told again; what was decided anyway (who
starts, who gives back) is no effect of the edit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from allotment.model.amounts import counted
from allotment.model.foresight import Affected, Effect, Foresight, Prospect
from allotment.model.profiles import Priority
from allotment.rules.queue_standing import (
    NO_GROUP,
    Department,
    GroupInPool,
    HeldClaim,
    PoolStanding,
    WaitingClaim,
)
from allotment.rules.queueing import PoolKey, schedule
from allotment.rules.reclaim import stop_at

Standings = Mapping[PoolKey, PoolStanding]
Queues = Mapping[PoolKey, Sequence[WaitingClaim]]


def foresee(
    before: tuple[Standings, Queues], after: tuple[Standings, Queues], now: datetime
) -> Foresight:
    """What the edit that led from one standing to the other does to servers and to those who wait."""
    groups = {claim.id: claim.group for one in before[0].values() for claim in one.held}
    lines: list[str] = []
    servers: dict[str, Affected] = {}
    known = _all_over(before[0], groups, now)
    for pool, over in _all_over(after[0], groups, now).items():
        said, affected = over
        known_lines, known_servers = known.get(pool, ([], {}))
        lines += [line for line in said if line not in known_lines]
        servers |= {
            id_: one
            for id_, one in affected.items()
            if id_ not in known_servers or known_servers[id_].effect is not one.effect
        }
    told, tickets = _decided(before, after, now)
    servers |= told
    if told:
        number = counted(len(told), "server")
        lines.append(
            f"{number} would be told at once to give back what is guaranteed to somebody who waits."
        )
    return Foresight(tuple(lines), tuple(servers.values()), tickets)


def _decided(
    before: tuple[Standings, Queues], after: tuple[Standings, Queues], now: datetime
) -> tuple[dict[str, Affected], tuple[tuple[str, Prospect], ...]]:
    """Who is told to give back and who starts now, that was not decided anyway; who can start no more."""
    was = schedule(tuple(before[0].values()), before[1], now, reasons=False)
    would = schedule(tuple(after[0].values()), after[1], now, reasons=False)
    anyway = {one.allotment for each in was.values() for one in each.reclaims}
    told = {
        one.allotment: Affected(
            one.allotment, Effect.RECLAIMED, "somebody waits within a guarantee", one.stop_at
        )
        for each in would.values()
        for one in each.reclaims
        if one.allotment not in anyway
    }
    started = {one.ticket for each in was.values() for one in each.starts}
    starts = {one.ticket for each in would.values() for one in each.starts} - started
    never = _servable(*before) - _servable(*after)
    tickets = [(id_, Prospect.STARTS) for id_ in sorted(starts)]
    tickets += [(id_, Prospect.NEVER) for id_ in sorted(never)]
    return told, tuple(tickets)


def _servable(standings: Standings, queues: Queues) -> set[str]:
    """Tickets that could start some time as shares, ceilings and devices are."""
    return {
        claim.id
        for key, waiting in queues.items()
        for claim in waiting
        if claim.devices <= _most(standings[key], claim)
    }


def _most(standing: PoolStanding, claim: WaitingClaim) -> int:
    """The most devices that a claim of this group and priority may ever have of a pool."""
    if claim.group == NO_GROUP:
        return standing.total
    group = next(one for one in standing.groups if one.name == claim.group)
    borrows = standing.policy.sharing and claim.priority is Priority.LOW
    most = group.ceiling if borrows else group.guaranteed
    above = [
        one.ceiling
        for one in standing.departments
        if one.name == group.department and one.ceiling is not None
    ]
    return min([most, standing.total, *above])


Over = tuple[list[str], dict[str, Affected]]


def _all_over(
    standings: Standings, groups_before: Mapping[str, str], now: datetime
) -> dict[str, Over]:
    """By pool: what is over, in sentences and server by server."""
    by_pool: dict[str, list[PoolStanding]] = defaultdict(list)
    for standing in standings.values():
        by_pool[standing.pool].append(standing)
    return {pool: _over(models, groups_before, now) for pool, models in by_pool.items()}


def _over(models: Sequence[PoolStanding], groups_before: Mapping[str, str], now: datetime) -> Over:
    """What is over in one pool, whatever models of devices it has."""
    first = models[0]
    shares = {one.name: one for one in first.groups}
    held: dict[str, list[HeldClaim]] = defaultdict(list)
    for claim in sorted(
        (one for standing in models for one in standing.held), key=_newest, reverse=True
    ):
        # Who had a share and has none any more counts as a group whose share is nothing.
        group = claim.group if claim.group != NO_GROUP else groups_before.get(claim.id, NO_GROUP)
        if group != NO_GROUP:
            held[group].append(claim)
    lines: list[str] = []
    servers: dict[str, Affected] = {}
    for name, claims in sorted(held.items()):
        share = shares.get(name, GroupInPool(name, 0, 0))
        said, affected = _over_share(first, share, claims, now)
        lines += said
        servers |= affected
    for department in first.departments:
        inside = {one.name for one in first.groups if one.department == department.name}
        theirs = [claim for name in inside for claim in held.get(name, ())]
        said, affected = _over_department(first, department, theirs)
        lines += said
        servers = affected | servers
    return lines, servers


def _newest(claim: HeldClaim) -> tuple[datetime, str]:
    return claim.since, claim.id


def _over_share(
    standing: PoolStanding, share: GroupInPool, claims: Sequence[HeldClaim], now: datetime
) -> Over:
    """What a group's own share does not allow; its claims come newest first."""
    pool, group = standing.pool, share.name
    held = sum(claim.devices for claim in claims)
    if held <= share.guaranteed:
        return [], {}
    begins = f"{group} holds {counted(held, 'device')} in {pool} and would be guaranteed {share.guaranteed}"
    because = f"beyond the {share.guaranteed} guaranteed to {group}"
    if not standing.policy.sharing:
        over = _newest_of(claims, held - share.guaranteed)
        line = (
            f"{begins}: {_runs_on(over, 'the share')}; "
            f"nothing new of {group} starts there until {_ends(over)}."
        )
        return [line], {claim.id: Affected(claim.id, Effect.OVER, because) for claim in over}
    return _over_where_lent(standing, share, claims, now, begins, because)


def _over_where_lent(
    standing: PoolStanding,
    share: GroupInPool,
    claims: Sequence[HeldClaim],
    now: datetime,
    begins: str,
    because: str,
) -> Over:
    """In a pool that lends: dedicated servers run on, others borrow and can be asked to give back."""
    low = [claim for claim in claims if claim.priority is Priority.LOW]
    dedicated = [claim for claim in claims if claim.priority is not Priority.LOW]
    held = sum(claim.devices for claim in claims)
    too_many = sum(claim.devices for claim in dedicated) - share.guaranteed
    lasting = _newest_of(dedicated, too_many)
    lent = _newest_of(low, held - share.guaranteed)
    servers = {claim.id: Affected(claim.id, Effect.OVER, because) for claim in lasting}
    servers |= {
        claim.id: Affected(
            claim.id,
            Effect.BORROWED,
            because,
            claim.reclaim_at or stop_at(standing.policy, claim, now),
        )
        for claim in lent
    }
    lines = []
    if lasting:
        lines.append(
            f"{begins}: {_runs_on(lasting, 'the share')}; "
            f"nothing dedicated of {share.name} starts there until {_ends(lasting)}."
        )
    if lent:
        verb = "borrows" if len(lent) == 1 else "borrow"
        lines.append(
            f"{begins}: {counted(len(lent), 'server')} then {verb}, and can be reclaimed when others "
            "want what is guaranteed to them."
        )
    if held > share.ceiling:
        lines.append(
            f"{share.name} could hold {share.ceiling} in {standing.pool} at most, borrowed ones among them: "
            f"nothing new of it starts there until {counted(held - share.ceiling, 'device')} of its is given back."
        )
    return lines, servers


def _over_department(
    standing: PoolStanding, department: Department, claims: Iterable[HeldClaim]
) -> Over:
    """What a department's ceiling does not allow."""
    newest = sorted(claims, key=_newest, reverse=True)
    held = sum(claim.devices for claim in newest)
    if department.ceiling is None or held <= department.ceiling:
        return [], {}
    over = _newest_of(newest, held - department.ceiling)
    because = f"beyond the {department.ceiling} that department {department.name} may hold"
    line = (
        f"The groups of department {department.name} hold {counted(held, 'device')} in {standing.pool} and "
        f"could hold {department.ceiling} together: {_runs_on(over, 'that')}; nothing "
        f"new of theirs starts there until {counted(held - department.ceiling, 'device')} of theirs is given back."
    )
    return [line], {claim.id: Affected(claim.id, Effect.OVER, because) for claim in over}


def _newest_of(claims: Iterable[HeldClaim], devices: int) -> list[HeldClaim]:
    """The first of these that hold so many devices together; none for nothing."""
    chosen: list[HeldClaim] = []
    for claim in claims:
        if devices <= 0:
            break
        chosen.append(claim)
        devices -= claim.devices
    return chosen


def _runs_on(over: Sequence[HeldClaim], what: str) -> str:
    """What becomes of servers that are over something."""
    if len(over) == 1:
        return f"1 server is then over {what}. It keeps running"
    return f"{len(over)} servers are then over {what}. They keep running"


def _ends(over: Sequence[HeldClaim]) -> str:
    return "it ends" if len(over) == 1 else "they end"
