"""What holds of each decision of the queue, whatever it looks at."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.rules.queue_line import Line
from allotment.rules.queue_shares import Room
from allotment.rules.queue_standing import (
    PoolStanding,
    WaitingClaim,
)
from allotment.rules.queue_state import PoolState
from allotment.rules.queueing import decide, serve
from queue_histories import MINUTE, NEVER, NOW, moments


@pytest.mark.promise("QUEUE-4")
@given(moments())
def test_a_decision_that_was_applied_is_soon_settled(
    moment: tuple[PoolStanding, list[WaitingClaim]],
) -> None:
    standing, tickets = moment
    patient = standing.policy.model_copy(update={"protect_after": NEVER})
    state, line = PoolState(replace(standing, policy=patient), NOW), Line(tickets)
    for _ in range(3):
        serve(state, line, NOW)
    last = serve(state, line, NOW)
    assert (last.starts, last.reclaims, last.spared) == ((), (), ())


@pytest.mark.promise("QUEUE-4")
@given(moments(), st.integers(0, 14))
def test_who_was_told_to_give_back_for_a_ticket_that_has_gone_is_spared_unless_another_needs_it(
    moment: tuple[PoolStanding, list[WaitingClaim]], gone: int
) -> None:
    standing, tickets = moment
    late = standing.policy.model_copy(update={"grace": MINUTE})
    state, line = PoolState(replace(standing, policy=late), NOW), Line(tickets)
    serve(state, line, NOW)
    for ticket in list(line)[:gone]:
        line.remove(ticket)
    serve(state, line, NOW)
    sizes = {claim.id: claim.devices for claim in line}
    for _ in range(3):
        promised = serve(state, line, NOW).promised
    needed = sum(sizes[ticket] for ticket in promised)
    back = [claim.devices for claim in state.told.values()]
    assert bool(back) <= bool(promised)
    assert not back or sum(back) - max(back) < needed


@pytest.mark.promise("QUEUE-3")
@given(moments(), st.randoms(use_true_random=False))
def test_decisions_do_not_depend_on_the_order_of_rows(
    moment: tuple[PoolStanding, list[WaitingClaim]], random: Random
) -> None:
    standing, tickets = moment
    mixed = PoolStanding(
        *(standing.pool, standing.model, standing.policy, standing.total),
        nodes=standing.nodes[::-1],
        groups=standing.groups[::-1],
        held=standing.held[::-1],
    )
    shuffled = list(tickets)
    random.shuffle(shuffled)
    assert decide(standing, tickets, NOW) == decide(mixed, shuffled, NOW)


def slowly(standing: PoolStanding, tickets: list[WaitingClaim]) -> list[str]:
    """Who starts, by ranking every ticket anew after each start: slow and obvious."""
    state = PoolState(standing, NOW, reclaims=False)
    started: list[str] = []
    while True:
        waiting = sorted(
            (claim for claim in tickets if claim.id not in started),
            key=lambda claim: obvious_rank(state, claim),
        )
        for claim in waiting:
            room = state.room(Line([claim]).bucket(claim))
            nodes = list(state.nodes.fitting(claim.devices))
            if room <= Room.BORROWS and nodes:
                state.start(claim, nodes[0], NOW)
                started.append(claim.id)
                break
        else:
            return started


def obvious_rank(state: PoolState, claim: WaitingClaim) -> tuple[object, ...]:
    entitled = state.room(Line([claim]).bucket(claim)) is Room.ENTITLED
    fair = state.group(claim.group).fair
    return -claim.moved, not entitled, fair, claim.since, claim.id


@pytest.mark.promise("QUEUE-3")
@given(moments())
def test_ranking_only_the_heads_of_lines_starts_the_same_as_ranking_everybody(
    moment: tuple[PoolStanding, list[WaitingClaim]],
) -> None:
    standing, tickets = moment
    patient = standing.policy.model_copy(update={"protect_after": NEVER})
    standing = PoolStanding(
        *(standing.pool, standing.model, patient, standing.total),
        nodes=standing.nodes,
        groups=standing.groups,
        held=standing.held,
    )
    quick = serve(PoolState(standing, NOW, reclaims=False), Line(tickets), NOW)
    assert [start.ticket for start in quick.starts] == slowly(standing, tickets)


@pytest.mark.promise("QUEUE-1")
@given(moments())
def test_every_ticket_starts_or_is_told_why_not_and_positions_count_from_one(
    moment: tuple[PoolStanding, list[WaitingClaim]],
) -> None:
    standing, tickets = moment
    decisions = decide(standing, tickets, NOW)
    told = [start.ticket for start in decisions.starts]
    told += [wait.ticket for wait in decisions.waits]
    assert sorted(told) == [ticket.id for ticket in tickets]
    assert [wait.position for wait in decisions.waits] == list(range(1, len(decisions.waits) + 1))
