"""Who may change what of a source, and what becomes of its secrets then."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.client import AllotmentClient
from allotment.model.refusals import NotPermitted, Refusal, RevisionStale
from allotment.model.sources import Audience
from played_database import Played

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


@pytest.mark.promise("DATA-5")
def test_a_secret_is_never_shown_to_another_address_than_it_was_entered_for(
    data_api: Any, shop: AllotmentClient, played: Played
) -> None:
    with pytest.raises(Refusal, match="must be entered again"):
        data_api.client("ann+").sources.edit("shop", revision="any", fields={"host": "of-ann"})

    moved = shop.sources.edit("shop", revision="any", fields={"host": "two", "password": "new"})
    assert (moved.fields or {})["host"] == "two"
    kept = shop.sources.edit("shop", revision="any", fields={"database": "other"})
    assert kept.secrets == ("password",)
    assert played.accounts == {}


@pytest.mark.promise("DATA-5", "USER-4")
def test_a_lead_cannot_have_a_custodians_secret_read_something_else(
    data_api: Any, shop: AllotmentClient
) -> None:
    lead = data_api.client("ann+").sources

    with pytest.raises(Refusal, match="Database changed") as refused:
        lead.edit("shop", revision="any", fields={"database": "payroll"})

    assert "ask a data custodian" in refused.value.reasons[0].remedy
    assert (shop.sources.get("shop").fields or {})["database"] == ""
    own = lead.edit("shop", revision="any", fields={"database": "ours", "password": "anns"})
    assert (own.fields or {})["database"] == "ours"


@pytest.mark.promise("DATA-5", "USER-4")
def test_a_change_of_fields_is_judged_with_the_secret_that_it_leaves_in_place(
    data_api: Any, shop: AllotmentClient, played: Played
) -> None:
    new = {"host": "two", "password": "of-two"}
    moves = iter([lambda: shop.sources.edit("shop", revision="any", fields=new)])
    played.on_validate = lambda: next(moves, lambda: None)() and None

    with pytest.raises(RevisionStale):
        data_api.client("ann+").sources.edit("shop", revision="any", fields={"host": "one"})

    assert (shop.sources.get("shop").fields or {})["host"] == "two"


@pytest.mark.promise("DATA-3", "USER-4")
@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"title": "Shop"}, None),
        ({"audience": Audience(groups=("vision",), people=("bob",))}, None),
        ({"audience": Audience(everyone=True)}, NotPermitted),
        ({"audience": Audience(people=("zoe",))}, NotPermitted),
        ({"group": None}, NotPermitted),
        ({"fields": {"identity": "platform", "password": "x"}}, NotPermitted),
    ],
)
@pytest.mark.usefixtures("shop")
def test_a_lead_manages_the_groups_sources_within_the_group(
    data_api: Any, change: dict[str, Any], refused: type[Exception] | None
) -> None:
    lead = data_api.client("ann+").sources

    if refused is None:
        assert lead.edit("shop", revision="any", **change).manages
    else:
        with pytest.raises(refused):
            lead.edit("shop", revision="any", **change)


@pytest.mark.promise("DATA-5")
def test_what_is_remembered_of_a_request_says_nothing_of_its_secrets(
    data_api: Any, shop: AllotmentClient
) -> None:
    assert shop is not None
    key = {"Idempotency-Key": "once"}
    fields = {"host": "two", "password": "first"}
    body = {"name": "second", "kind": "postgresql", "fields": fields}

    made = data_api.ask("POST", "/sources", "carl+", json=body, headers=key)
    again = body | {"fields": fields | {"password": "another"}}
    repeated = data_api.ask("POST", "/sources", "carl+", json=again, headers=key)

    assert (made.status_code, repeated.json()) == (201, made.json())
    assert repeated.headers["Idempotent-Replayed"] == "true"
