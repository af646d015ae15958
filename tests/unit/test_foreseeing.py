"""What an edit of shares and ceilings would do, told from the queue as it is and as it would be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from allotment.model.foresight import Effect, Prospect
from allotment.model.profiles import Priority
from allotment.model.sharing import PoolPolicy
from allotment.rules.foreseeing import Foresight, foresee
from allotment.rules.queue_standing import (
    NO_GROUP,
    Department,
    GroupInPool,
    HeldClaim,
    Node,
    PoolStanding,
    WaitingClaim,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEY = ("a100", "A100")
LENDS = PoolPolicy(sharing=True)
STRICT = PoolPolicy()


def held(name: str, group: str, devices: int = 1, *, low: bool = False, ago: int = 60) -> HeldClaim:
    """A server that has run for so many minutes."""
    priority = Priority.LOW if low else Priority.DEDICATED
    since = NOW - timedelta(minutes=ago)
    return HeldClaim(name, group, "somebody", "n1", devices, priority, since)


def waits(name: str, group: str, devices: int = 1, *, low: bool = False) -> WaitingClaim:
    priority = Priority.LOW if low else Priority.DEDICATED
    return WaitingClaim(name, group, "somebody", devices, priority, NOW - timedelta(minutes=1))


def standing(
    shares: dict[str, tuple[int, int]],
    *claims: HeldClaim,
    policy: PoolPolicy = STRICT,
    total: int = 8,
    department: int | None = None,
) -> PoolStanding:
    """A pool whose groups are all in one department, where it has a ceiling."""
    groups = tuple(
        GroupInPool(
            name,
            guaranteed,
            ceiling,
            held=sum(c.devices for c in claims if c.group == name),
            held_dedicated=sum(
                c.devices for c in claims if c.group == name and c.priority is Priority.DEDICATED
            ),
            department=None if department is None else "research",
        )
        for name, (guaranteed, ceiling) in shares.items()
    )
    above = (
        ()
        if department is None
        else (Department("research", department, sum(one.held for one in groups)),)
    )
    free = total - sum(claim.devices for claim in claims)
    return PoolStanding(
        *KEY, policy, total, (Node("n1", free),), groups, departments=above, held=claims
    )


def told(before: PoolStanding, after: PoolStanding, *waiting: WaitingClaim) -> Foresight:
    return foresee(({KEY: before}, {KEY: waiting}), ({KEY: after}, {KEY: waiting}), NOW)


@pytest.mark.promise("GROUP-5")
def test_the_newest_servers_beyond_a_lowered_guarantee_are_over_and_keep_running() -> None:
    claims = held("old", "vision", ago=90), held("new", "vision", ago=5)
    found = told(standing({"vision": (2, 2)}, *claims), standing({"vision": (1, 1)}, *claims))

    assert [(one.allotment, one.effect, one.at) for one in found.servers] == [
        ("new", Effect.OVER, None)
    ]
    (line,) = found.lines
    assert line.startswith("vision holds 2 devices in a100 and would be guaranteed 1: 1 server is")
    assert line.endswith("nothing new of vision starts there until it ends.")


@pytest.mark.promise("GROUP-5")
def test_an_edit_that_lowers_nothing_below_what_is_held_does_nothing() -> None:
    claims = (held("one", "vision"),)
    found = told(standing({"vision": (4, 4)}, *claims), standing({"vision": (1, 2)}, *claims))

    assert found == Foresight()


@pytest.mark.promise("GROUP-5")
def test_what_is_over_already_is_not_told_again() -> None:
    claims = held("old", "vision", ago=90), held("new", "vision", ago=5)
    before = standing({"vision": (1, 1), "nlp": (1, 1)}, *claims)

    assert told(before, replace(before, groups=before.groups[:1])) == Foresight()


@pytest.mark.promise("GROUP-5", "QUEUE-4")
def test_where_a_pool_lends_low_priority_servers_become_borrowers_with_the_earliest_stop() -> None:
    claims = (
        held("dedicated", "vision", 2, ago=90),
        held("young", "vision", low=True, ago=10),
        held("mature", "vision", low=True, ago=40),
    )
    found = told(
        standing({"vision": (4, 6)}, *claims, policy=LENDS),
        standing({"vision": (1, 3)}, *claims, policy=LENDS),
    )

    assert {one.allotment: (one.effect, one.at) for one in found.servers} == {
        "dedicated": (Effect.OVER, None),
        "mature": (Effect.BORROWED, NOW + LENDS.grace),
        "young": (Effect.BORROWED, NOW + timedelta(minutes=20) + LENDS.grace),
    }
    assert "could hold 3 in a100 at most" in found.lines[-1]


@pytest.mark.promise("GROUP-5", "QUEUE-4")
def test_a_guarantee_given_to_somebody_who_waits_tells_who_would_be_reclaimed_and_when() -> None:
    claims = tuple(held(f"low-{n}", "vision", 2, low=True) for n in range(4))
    before = standing({"vision": (0, 8), "nlp": (0, 0)}, *claims, policy=LENDS)
    after = standing({"vision": (0, 8), "nlp": (2, 2)}, *claims, policy=LENDS)

    found = told(before, after, waits("mine", "nlp", 2))

    (reclaimed,) = found.servers
    assert (reclaimed.effect, reclaimed.at) == (Effect.RECLAIMED, NOW + LENDS.grace)
    assert found.lines == (
        "1 server would be told at once to give back what is guaranteed to somebody who waits.",
    )


@pytest.mark.promise("GROUP-5", "GROUP-6")
def test_a_departments_lower_ceiling_tells_the_newest_of_all_its_groups() -> None:
    claims = held("old", "vision", 3, ago=90), held("new", "nlp", 2, ago=5)
    shares = {"vision": (4, 4), "nlp": (4, 4)}
    found = told(standing(shares, *claims, department=8), standing(shares, *claims, department=4))

    assert [one.allotment for one in found.servers] == ["new"]
    assert "could hold 4 together" in found.lines[0]


@pytest.mark.promise("GROUP-5")
def test_servers_of_a_group_that_gives_its_share_up_are_over_by_all_they_hold() -> None:
    before = standing({"vision": (2, 2)}, held("one", "vision", 2))
    after = standing({}, held("one", NO_GROUP, 2))

    assert [one.effect for one in told(before, after).servers] == [Effect.OVER]


@pytest.mark.promise("GROUP-5", "QUEUE-1")
def test_those_who_wait_are_told_who_starts_and_who_never_could() -> None:
    waiting = waits("two", "vision", 2), waits("four", "nlp", 4)
    found = told(
        standing({"vision": (1, 1), "nlp": (4, 4)}, held("taken", "nlp", 4)),
        standing({"vision": (2, 2), "nlp": (3, 3)}, held("taken", "nlp", 4)),
        *waiting,
    )

    assert dict(found.tickets) == {"two": Prospect.STARTS, "four": Prospect.NEVER}
