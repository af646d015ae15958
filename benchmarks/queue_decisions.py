"""Decide the queue again: many tickets, 50 groups, 20 pools, with reasons.

    python benchmarks/queue_decisions.py [--quick]

The tickets stand in their lines, as they do when a queue is decided again, and the pools are nearly
full: a few devices came back. *Told* is every ticket's own reason and position in words.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from allotment.model.profiles import Priority
from allotment.model.sharing import PoolPolicy
from allotment.rules.queue_line import Line
from allotment.rules.queue_standing import (
    Decisions,
    GroupInPool,
    HeldClaim,
    Node,
    PoolStanding,
    WaitingClaim,
)
from allotment.rules.queueing import PoolKey, decide, schedule
from table import Row, main

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GROUPS, POOLS, NODES, NODE = 50, 20, 16, 8
SIZES = (1, 1, 1, 2, 4, 8)
ROUNDS = 4
LOW, DEDICATED = Priority.LOW, Priority.DEDICATED


def standing(number: int) -> PoolStanding:
    """A pool that a few groups share; all of it is held but a device on every fourth node."""
    groups = [f"g{one}" for one in range(number % 2, GROUPS, 2)][number % 5 :: 5]
    held = tuple(
        HeldClaim(
            f"h{number}-{place}",
            groups[place % len(groups)],
            "x",
            f"n{place // NODE}",
            1,
            LOW if place % 3 else DEDICATED,
            NOW - timedelta(minutes=place),
            NOW + timedelta(minutes=place),
        )
        for place in range(NODES * NODE)
        if place % (NODE * 4)
    )
    share = NODES * NODE // len(groups)
    shares = tuple(_share(group, share, held) for group in groups)
    nodes = tuple(Node(f"n{one}", 0 if one % 4 else 1) for one in range(NODES))
    return PoolStanding(
        f"p{number:02}", "A100", PoolPolicy(sharing=True), NODES * NODE, nodes, shares, held=held
    )


def _share(group: str, share: int, held: tuple[HeldClaim, ...]) -> GroupInPool:
    mine = [claim for claim in held if claim.group == group]
    dedicated = sum(claim.devices for claim in mine if claim.priority is DEDICATED)
    total = sum(claim.devices for claim in mine)
    return GroupInPool(group, share, 4 * share, share, held=total, held_dedicated=dedicated)


def waiting(pools: list[PoolStanding], tickets: int) -> dict[PoolKey, list[WaitingClaim]]:
    """Tickets spread over pools, groups, sizes and priorities."""
    numbers = count()
    return {
        (pool.pool, pool.model): [
            WaitingClaim(
                f"t{(number := next(numbers)):07}",
                pool.groups[number % len(pool.groups)].name,
                f"person-{number % 999}",
                SIZES[number // 7 % len(SIZES)],
                LOW if number % 4 else DEDICATED,
                NOW - timedelta(seconds=tickets - number),
                3600.0,
            )
            for _ in range(tickets // POOLS)
        ]
        for pool in pools
    }


def settled(
    pools: list[PoolStanding], tickets: dict[PoolKey, list[WaitingClaim]]
) -> list[PoolStanding]:
    """The same after some decisions: who must give back has been told, as when it is decided again."""
    for _ in range(ROUNDS):
        decided = schedule(pools, tickets, NOW).values()
        pools = [_told(pool, one) for pool, one in zip(pools, decided, strict=True)]
    return pools


def _told(pool: PoolStanding, decided: Decisions) -> PoolStanding:
    ends = {claim.id: claim.reclaim_at for claim in pool.held}
    ends |= {reclaim.allotment: reclaim.stop_at for reclaim in decided.reclaims}
    ends |= dict.fromkeys(decided.spared)
    return replace(
        pool, held=tuple(replace(claim, reclaim_at=ends[claim.id]) for claim in pool.held)
    )


def milliseconds(work: Callable[[], object], rounds: int) -> float:
    """Milliseconds of the processor: the median of some rounds."""
    took = []
    for _ in range(rounds):
        gc.collect()
        begin = time.process_time()
        work()
        took.append((time.process_time() - begin) * 1000)
    return statistics.median(took)


def measure(quick: bool) -> list[Row]:
    """Decide all pools, and one, with few and with many who wait."""
    rounds = 3 if quick else 15
    fresh = [standing(number) for number in range(POOLS)]
    rows = []
    for tickets, most in ((10_000, 15.0), (100_000, 50.0)):
        lists = waiting(fresh, tickets)
        pools = settled(fresh, lists)
        lines = {key: Line(claims) for key, claims in lists.items()}
        again = milliseconds(lambda at=lines, all_of=pools: schedule(all_of, at, NOW), rounds)
        told = milliseconds(
            lambda at=lines, all_of=pools: [
                len(list(one.waits)) for one in schedule(all_of, at, NOW).values()
            ],
            rounds,
        )
        anew = milliseconds(lambda at=lists, all_of=pools: schedule(all_of, at, NOW), rounds)
        words = f"every ticket told {told:.1f} ms, from unsorted rows {anew:.1f} ms"
        aim = f"under {most:.0f} ms"
        rows.append(
            Row(
                f"{tickets:,} tickets decided again",
                f"{again:.1f} ms",
                words,
                "",
                aim,
                again < most,
            )
        )
    key = fresh[0].pool, fresh[0].model
    lists = waiting(fresh, 10_000)
    pools = settled(fresh, lists)
    line = Line(lists[key])
    one = milliseconds(lambda: decide(pools[0], line, NOW), rounds * 5)
    rows.append(Row("one of those pools", f"{one:.2f} ms", aim="under 1 ms", met=one < 1))
    return rows


if __name__ == "__main__":
    main("The queue decided again", measure)
