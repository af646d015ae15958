"""Proofs are repeated, and people are told to test what was changed."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.client import AllotmentClient
from allotment.model.reasons import Rule
from allotment.model.refusals import NotPermitted, Refusal
from allotment.model.sources import Verdict
from played_database import Played, lend

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


@pytest.mark.promise("DATA-2")
def test_a_source_is_proven_again_each_day_and_a_day_on_which_it_is_away_takes_it_from_nobody(
    data_api: Any, lab: Any, shop: AllotmentClient, played: Played
) -> None:
    proving = data_api.plane.data.proving
    assert proving.round(lab.later(hours=23)) == ""
    played.away.add("one")
    assert "shop: unproven" in proving.round(lab.later(hours=2))
    assert proving.round(lab.later(minutes=5)) == ""
    found = shop.sources.get("shop")
    assert (found.proven, "not answer" in (found.proof.problem if found.proof else "")) == (
        True,
        True,
    )

    played.away.clear()
    played.proofs = [Verdict.WRITABLE]
    assert proving.round(lab.later(minutes=6)) == "shop: writable"

    with pytest.raises(Refusal) as refused:
        lend(data_api)
    assert refused.value.reasons[0].rule is Rule.DATA_PROOF
    alerts = data_api.client("olga+").overview().alerts
    assert any("its users can write: inserting" in one.message for one in alerts)


@pytest.mark.promise("DATA-2")
def test_only_who_manages_all_sources_accepts_one_that_can_be_written_to(
    data_api: Any, shop: AllotmentClient, played: Played
) -> None:
    played.proofs = [Verdict.WRITABLE]
    shop.sources.prove("shop")

    with pytest.raises(NotPermitted):
        data_api.client("ann+").sources.accept("shop")
    accepted = shop.sources.accept("shop")

    assert (accepted.accepted, accepted.accepted_by, accepted.proven) == (True, "carl", False)
    assert data_api.client("bob").sources.get("shop").accepted
    assert lend(data_api).fields["password"] == "lent"


@pytest.mark.promise("DATA-4")
@pytest.mark.usefixtures("shop")
def test_who_may_use_a_new_or_changed_source_is_told_to_test_it(data_api: Any, lab: Any) -> None:
    told = [one for one in data_api.client("bob").me().notices if one.kind == "source"]
    assert [(one.source, "was added" in one.message) for one in told] == [("shop", True)]
    assert not [one for one in data_api.client("zoe").me().notices if one.kind == "source"]

    lab.later(days=1)
    new = {"host": "two", "password": "new"}
    data_api.client("carl+").sources.edit("shop", revision="any", fields=new)

    [again] = [one for one in data_api.client("bob").me().notices if one.kind == "source"]
    assert "was changed" in again.message
    assert again.id != told[0].id


@pytest.mark.promise("DATA-4")
@pytest.mark.usefixtures("shop")
def test_a_test_that_fails_says_what_would_help(data_api: Any, played: Played) -> None:
    played.away.add("one")

    found = data_api.client("bob").sources.check("shop")

    assert (found.reached, found.words, found.remedy) == (
        False,
        "It does not answer.",
        "Start it.",
    )
