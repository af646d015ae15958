"""What was lent is withdrawn, whatever happens in between. Over a source that is played."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from allotment.client import AllotmentClient
from allotment.model.refusals import NotFound, NotPermitted
from allotment.model.sources import Audience
from allotment.work import withdrawing
from allotment.work.outside import OF_ONE
from allotment.work.withdrawing import AT_ONCE, FAILING
from played_database import Played, lend, round_

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


@pytest.mark.promise("DATA-7")
def test_an_account_whose_dropping_breaks_keeps_no_other_from_being_dropped(
    data_api: Any, lab: Any, played: Played, shop: AllotmentClient
) -> None:
    lend(data_api)
    fields = {"host": "two", "password": "registered"}
    shop.sources.create("store", "postgresql", fields, audience=Audience(groups=("vision",)))
    data_api.client("bobs-server").sources.credentials("store")
    played.broken.add("one")

    said = round_(data_api, lab, hours=13)

    assert "withdrew 1 loan" in said
    assert list(played.accounts.values()) == ["one"]


@pytest.mark.promise("DATA-7")
@pytest.mark.usefixtures("shop")
def test_an_account_that_cannot_be_dropped_now_is_tried_again_until_it_is(
    data_api: Any, lab: Any, played: Played
) -> None:
    lend(data_api)
    played.away.add("one")
    data_api.client("carl+").sources.revoke("shop")
    assert len(played.accounts) == 1
    alerts = data_api.client("olga+").overview().alerts
    assert any("could not be dropped yet" in one.message for one in alerts)

    assert "could not be dropped yet" in round_(data_api, lab, minutes=1)
    played.away.clear()
    assert round_(data_api, lab, seconds=1) == ""
    assert round_(data_api, lab, minutes=1) == "withdrew 1 loan"

    assert played.accounts == {}


@pytest.mark.promise("DATA-7")
def test_a_source_is_revoked_though_calls_to_it_hang(
    data_api: Any, lab: Any, played: Played, shop: AllotmentClient
) -> None:
    lend(data_api)
    with ExitStack() as hanging:
        for number in range(OF_ONE):
            turn = data_api.plane.data.outside._turn(f"person-{number}", "source", "shop")
            hanging.enter_context(turn)
        revoked = shop.sources.revoke("shop")

    assert not revoked.enabled
    assert round_(data_api, lab) == "withdrew 1 loan"
    assert played.accounts == {}


def another(shop: AllotmentClient, name: str, host: str) -> None:
    """One more source that vision may use."""
    fields = {"host": host, "password": "registered"}
    shop.sources.create(name, "postgresql", fields, audience=Audience(groups=("vision",)))


@pytest.mark.promise("DATA-7")
def test_a_source_that_does_not_answer_delays_the_withdrawal_from_no_other(
    data_api: Any, lab: Any, played: Played, shop: AllotmentClient
) -> None:
    lend(data_api)
    another(shop, "store", "two")
    data_api.client("bobs-server").sources.credentials("store")
    played.hanging.add("one")

    with ThreadPoolExecutor(1) as aside:
        said = aside.submit(round_, data_api, lab, hours=13)
        answered = played.dropped.wait(20)
        held = list(played.accounts.values())
        played.go.set()

    assert (answered, held) == (True, ["one"])
    assert said.result() == "withdrew 2 loans"


@pytest.mark.promise("DATA-7")
@pytest.mark.usefixtures("shop")
def test_a_source_that_is_away_is_asked_once_in_a_round_and_when_it_is_revoked(
    data_api: Any, lab: Any, played: Played
) -> None:
    for _ in range(3):
        lend(data_api)
    played.away.add("one")

    data_api.client("carl+").sources.revoke("shop")
    assert played.asked == ["one"]
    assert round_(data_api, lab, seconds=1) == "1 account could not be dropped yet"
    assert played.asked == ["one", "one"]

    played.away.clear()
    assert round_(data_api, lab, minutes=1) == "withdrew 3 loans"


@pytest.mark.promise("DATA-7")
def test_many_sources_that_are_away_take_turns_and_leave_room_for_the_others(
    data_api: Any, lab: Any, played: Played, shop: AllotmentClient
) -> None:
    hosts = {f"away-{number}" for number in range(2 * FAILING)}
    for host in hosts:
        another(shop, host, host)
        data_api.client("bobs-server").sources.credentials(host)
    played.away |= hosts
    round_(data_api, lab, hours=13)
    played.asked.clear()

    round_(data_api, lab, minutes=1)
    first = set(played.asked)
    round_(data_api, lab, minutes=1)

    assert len(first) == FAILING
    assert set(played.asked) == hosts


@pytest.mark.promise("DATA-7")
def test_accounts_of_a_source_that_is_deleted_are_dropped_side_by_side(
    data_api: Any, played: Played, shop: AllotmentClient
) -> None:
    for _ in range(3):
        lend(data_api)
    side_by_side = threading.Barrier(3, timeout=20)
    played.on_withdraw = side_by_side.wait

    shop.sources.delete("shop", revision="any")

    assert played.accounts == {}


@pytest.mark.promise("DATA-7")
def test_a_source_that_is_away_is_deleted_after_one_turn_with_its_accounts_named(
    data_api: Any, played: Played, shop: AllotmentClient
) -> None:
    """Each turn takes as long as a call to it may."""
    for _ in range(AT_ONCE + 2):
        lend(data_api)
    left = sorted(played.accounts)
    played.away.add("one")

    shop.sources.delete("shop", revision="any")

    assert len(played.asked) == AT_ONCE
    events = data_api.client("olga+").events.after(0).items
    told = [one.after or {} for one in events if one.kind == "source.accounts_left"]
    assert [sorted(one["accounts"]) for one in told] == [left]


@pytest.mark.promise("DATA-7")
def test_a_source_that_moves_drops_its_accounts_where_they_are(
    data_api: Any, shop: AllotmentClient, played: Played
) -> None:
    lend(data_api)

    shop.sources.edit("shop", revision="any", fields={"host": "two", "password": "new"})

    assert played.accounts == {}


@pytest.mark.promise("DATA-7")
def test_accounts_that_a_moved_source_leaves_behind_are_named_in_the_record(
    data_api: Any, shop: AllotmentClient, played: Played
) -> None:
    lent = lend(data_api)
    played.away.add("one")

    shop.sources.edit("shop", revision="any", fields={"host": "two", "password": "new"})

    [event] = [
        one
        for one in data_api.client("olga+").events.after(0).items
        if one.kind == "source.accounts_left"
    ]
    assert event.after == {"accounts": [lent.fields["user"]]}


@pytest.mark.promise("DATA-1")
def test_deleting_a_source_drops_what_was_lent_of_it(
    data_api: Any, shop: AllotmentClient, played: Played
) -> None:
    lend(data_api)

    shop.sources.delete("shop", revision="any")

    assert played.accounts == {}
    with pytest.raises(NotFound):
        shop.sources.get("shop")


@pytest.mark.promise("DATA-7")
def test_sources_that_hang_hold_up_no_round_and_keep_no_other_waiting(
    data_api: Any,
    lab: Any,
    played: Played,
    shop: AllotmentClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(withdrawing, "ROUND_SECONDS", 0.2)
    monkeypatch.setattr(withdrawing, "SOURCES_AT_ONCE", 3)
    for number in range(5):
        another(shop, f"a-tarpit-{number}", f"tarpit-{number}")
        data_api.client("bobs-server").sources.credentials(f"a-tarpit-{number}")
        played.hanging.add(f"tarpit-{number}")
    lab.later(seconds=1)  # loans are taken back in their order
    lend(data_api)

    first = round_(data_api, lab, hours=13)
    round_(data_api, lab, seconds=15)
    held = sorted(played.accounts.values())
    asked = len(played.asked)
    played.go.set()

    assert first == "6 accounts could not be dropped yet"
    assert held == [f"tarpit-{number}" for number in range(5)]
    assert asked == 6


@pytest.mark.promise("DATA-5", "DATA-7")
def test_an_account_that_is_made_while_its_source_moves_is_dropped_where_it_is(
    data_api: Any, played: Played, shop: AllotmentClient
) -> None:
    elsewhere = {"host": "two", "password": "new"}
    moves = iter([lambda: shop.sources.edit("shop", revision="any", fields=elsewhere)])
    played.on_issue = lambda: next(moves, lambda: None)() and None

    with pytest.raises(NotPermitted, match="taken back while"):
        lend(data_api)

    assert played.accounts == {}
    assert set(played.asked) == {"one"}


@pytest.mark.promise("DATA-5", "DATA-7")
def test_an_account_that_is_lent_just_before_its_source_moves_is_dropped_where_it_is(
    data_api: Any, played: Played, shop: AllotmentClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    lending = data_api.plane.data.lending
    end_all, late = lending.end_all, iter([lambda: lend(data_api)])

    def and_lend(*asked: Any) -> None:
        end_all(*asked)
        next(late, lambda: None)()

    monkeypatch.setattr(lending, "end_all", and_lend)

    moved = shop.sources.edit("shop", revision="any", fields={"host": "two", "password": "new"})

    assert (moved.fields or {})["host"] == "two"
    assert played.accounts == {}
    assert set(played.asked) == {"one"}
