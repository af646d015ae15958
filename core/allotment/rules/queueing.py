"""The queue: who starts now, in which order, who gives back, and why the others wait.

The order: an operator's word, then claims within their group's guarantee, then fair share (what the
group has and had lately, over its weight), then first come. A claim within the guarantee that has
waited long comes before the younger ones, whatever their groups have. A ticket that fits nowhere is
passed by, until it has waited longer than the policy's ``protect_after``: then only what does not
delay it may overtake it (:mod:`~allotment.rules.overtaking`). How one pool is decided:
:mod:`~allotment.rules.queue_turn`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from allotment.rules.queue_line import Line
from allotment.rules.queue_standing import Decisions, PoolStanding, WaitingClaim
from allotment.rules.queue_state import PoolState
from allotment.rules.queue_turn import Turn

PoolKey = tuple[str, str]
"""Pool and model."""


def schedule(
    pools: Sequence[PoolStanding],
    tickets: Mapping[PoolKey, Sequence[WaitingClaim] | Line],
    now: datetime,
    *,
    reasons: bool = True,
) -> Mapping[PoolKey, Decisions]:
    """Decide every pool. A ticket that waits for several starts in one, and borrowers give back in one."""
    decided: dict[PoolKey, Decisions] = {}
    started: set[str] = set()
    promised: set[str] = set()
    for standing in sorted(pools, key=lambda pool: (pool.pool, pool.model)):
        key = standing.pool, standing.model
        line = _in_line(standing, tickets.get(key, ()))
        gone = {ticket for ticket in started if ticket in line}
        if gone:
            line = line.without(gone)
        decisions = _decide(standing, line, now, frozenset(promised), reasons=reasons)
        decided[key] = decisions
        started.update(start.ticket for start in decisions.starts)
        promised.update(decisions.promised)
    elsewhere = started & promised
    if elsewhere:
        decided = {key: _without(decisions, elsewhere) for key, decisions in decided.items()}
    return decided


def decide(
    standing: PoolStanding,
    waiting: Sequence[WaitingClaim] | Line,
    now: datetime,
    *,
    reasons: bool = True,
) -> Decisions:
    """Decide one pool: what starts on which node, who gives back, and why the others wait.

    The same standing and tickets, in whatever order, give the same decisions. A
    :class:`~allotment.rules.queue_line.Line` is only read. Without ``reasons``, nobody is told why.
    """
    return _decide(standing, _in_line(standing, waiting), now, frozenset(), reasons=reasons)


def serve(state: PoolState, line: Line, now: datetime) -> Decisions:
    """Decide one pool in a working copy that goes on: what starts leaves the line and holds devices.

    Nobody is told why they wait.
    """
    turn = Turn(state, line, now)
    turn.take()
    turn.leave()
    return turn.decisions(reasons=False)


def _in_line(standing: PoolStanding, waiting: Sequence[WaitingClaim] | Line) -> Line:
    apart = {one.person for one in standing.reservations if one.person is not None}
    if isinstance(waiting, Line) and waiting.apart == apart:
        return waiting
    return Line(waiting, apart)


def _decide(
    standing: PoolStanding,
    line: Line,
    now: datetime,
    spoken_for: frozenset[str],
    *,
    reasons: bool,
) -> Decisions:
    turn = Turn(PoolState(standing, now), line, now, spoken_for)
    turn.take()
    return turn.decisions(reasons=reasons)


def _without(decisions: Decisions, elsewhere: set[str]) -> Decisions:
    """The same without borrowers giving back for tickets that start elsewhere."""
    if elsewhere.isdisjoint(decisions.promised):
        return decisions
    return replace(
        decisions,
        reclaims=tuple(one for one in decisions.reclaims if one.for_ticket not in elsewhere),
        promised=tuple(ticket for ticket in decisions.promised if ticket not in elsewhere),
        waits=[one for one in decisions.waits if one.ticket not in elsewhere],
    )
