"""Edits that show first what they would do: through the API and the client."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from allotment.client import NewShare
from allotment.model.foresight import Effect
from allotment.model.groups import Share
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.refusals import NotPermitted, Refusal
from allotment.model.sharing import PoolPolicy
from allotment.record import claims, departments, events, groups, pools

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


@pytest.fixture
def busy(lab: Any, api: Any) -> Any:
    """Ann and bob of vision each hold a device of a100, at 2 an hour since an hour."""
    lab.profile("gpu", devices=1, price="2")
    for person in ("ann", "bob"):
        claims.mark_running(lab.record, lab.granted(person, "gpu", "train"), lab.now)
        lab.later(minutes=1)
    lab.later(minutes=59)
    return api


def sequence(lab: Any) -> int:
    with lab.record.reading() as reading:
        return events.latest_sequence(reading)


@pytest.mark.promise("GROUP-5", "MONEY-1")
def test_a_lower_share_names_servers_with_what_they_cost_and_changes_nothing(
    busy: Any, lab: Any
) -> None:
    client, before = busy.client("olga+").groups, sequence(lab)

    found = client.consequences("vision", [NewShare("a100", 1)])

    (server,) = found.servers
    assert (server.person, server.name, server.devices) == ("bob", "train", 1)
    assert (server.effect, server.at, server.price) == (Effect.OVER, None, Decimal(2))
    assert server.cost.quantize(Decimal("0.1")) == Decimal("2.0")
    assert (found.rate, found.cost) == (Decimal(2), server.cost)
    assert client.get("vision").shares[0].guaranteed == 2
    assert sequence(lab) == before
    assert lab.sound()


@pytest.mark.promise("GROUP-5")
def test_what_would_be_refused_is_refused_when_it_is_asked_for(busy: Any) -> None:
    client = busy.client("olga+")
    with pytest.raises(Refusal, match="guarantees of 40 would be given out"):
        client.groups.consequences("vision", [NewShare("a100", 40)])
    with pytest.raises(Refusal, match="Devices in use cannot be moved"):
        client.pools.consequences("a100", devices=[])


@pytest.mark.promise("GROUP-5", "GROUP-6")
def test_a_departments_lower_ceiling_names_the_newest_servers_of_its_groups(
    busy: Any, lab: Any
) -> None:
    with lab.write() as writing:
        departments.create(writing, "research", ceilings={"a100": 2})
        groups.edit(writing, "vision", department="research")
    client = busy.client("olga+").departments

    found = client.consequences("research", {"a100": 1})

    assert [one.person for one in found.servers] == ["bob"]
    assert client.get("research").ceilings[0].ceiling == 2


@pytest.mark.promise("GROUP-5", "GROUP-6")
def test_joining_a_department_says_what_its_ceiling_does(busy: Any, lab: Any) -> None:
    with lab.write() as writing:
        departments.create(writing, "research", ceilings={"a100": 0})
    client = busy.client("olga+").groups

    found = client.consequences("vision", [NewShare("a100", 2)], department="research")

    assert len(found.servers) == 2
    assert client.get("vision").department is None


@pytest.mark.promise("GROUP-5", "QUEUE-4")
def test_a_pool_that_lends_no_more_says_who_is_over(lab: Any, api: Any) -> None:
    lab.profile("low", devices=1, priority="low")
    with lab.write() as writing:
        pools.set_policy(writing, "a100", PoolPolicy(sharing=True))
        groups.edit(writing, "vision", wanted=[Share("vision", "a100", 0, 2)])
    lab.granted("ann", "low")
    client = api.client("olga+").pools

    found = client.consequences("a100", policy=PoolPolicy(sharing=False))

    assert [(one.person, one.effect) for one in found.servers] == [("ann", Effect.OVER)]
    assert client.get("a100").policy.sharing


@pytest.mark.promise("LIMIT-1", "GROUP-5")
@pytest.mark.parametrize(
    ("scope", "subject", "over"),
    [
        (LimitScope.PERSON, "ann", ["ann"]),
        (LimitScope.GROUP, "vision", ["ann", "bob"]),
        (LimitScope.PLATFORM, "", ["ann", "bob"]),
        (LimitScope.PERSON, "zoe", []),
    ],
)
def test_a_lower_limit_names_who_holds_more(
    busy: Any, scope: LimitScope, subject: str, over: list[str]
) -> None:
    client = busy.client("olga+").limits

    found = client.consequences(scope, subject, LimitKind.DEVICES, 0)

    assert [(one.person, one.used, one.limit) for one in found.people] == [
        (name, 1, 0) for name in over
    ]
    assert bool(found.consequences) is bool(over)
    assert client.all().items == ()


@pytest.mark.promise("LIMIT-1")
def test_who_has_a_limit_of_their_own_is_not_concerned_by_a_wider_one(busy: Any) -> None:
    client = busy.client("olga+").limits
    client.put(LimitScope.PERSON, "ann", LimitKind.DEVICES, 4)

    found = client.consequences(LimitScope.PLATFORM, "", LimitKind.DEVICES, 0)

    assert [one.person for one in found.people] == ["bob"]


@pytest.mark.promise("USER-4", "USER-7")
def test_a_lead_asks_for_members_only(busy: Any) -> None:
    lead = busy.client("ann+").limits
    found = lead.consequences(LimitScope.PERSON, "bob", LimitKind.SERVERS, 0)

    assert [one.person for one in found.people] == ["bob"]
    with pytest.raises(NotPermitted):
        lead.consequences(LimitScope.PERSON, "zoe", LimitKind.SERVERS, 0)
    with pytest.raises(NotPermitted):
        lead.consequences(LimitScope.PLATFORM, "", LimitKind.SERVERS, 0)


@pytest.mark.promise("GROUP-5", "QUEUE-1")
def test_who_waits_and_could_start_no_more_is_named(lab: Any, api: Any) -> None:
    lab.granted("ann", "two-gpu")
    waiting = api.client("bob").tickets.create("two-gpu", server="next")

    found = api.client("olga+").groups.consequences("vision", [NewShare("a100", 1)])

    assert [(one.ticket, one.person, one.prospect) for one in found.tickets] == [
        (waiting.id, "bob", "never")
    ]
