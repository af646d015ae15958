"""What a server is lent, how much of it, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.api.identity import hash_token
from allotment.api.sessions import COOKIE
from allotment.client import AllotmentClient
from allotment.data.problems import SourceProblem
from allotment.model.refusals import NotFound, NotPermitted, Refusal
from allotment.model.sources import Audience
from allotment.record import loans
from allotment.work.lending import MOST
from played_database import Played, lend, round_

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


@pytest.mark.promise("DATA-7")
@pytest.mark.usefixtures("shop")
def test_an_account_whose_making_broke_off_is_dropped(data_api: Any, played: Played) -> None:
    def break_off() -> None:
        message = "It broke off."
        raise SourceProblem(message)

    played.on_issue = break_off
    with pytest.raises(Refusal, match="broke off"):
        lend(data_api)

    assert played.accounts == {}


@pytest.mark.promise("DATA-7")
@pytest.mark.usefixtures("shop")
def test_what_is_revoked_while_it_is_being_lent_is_not_lent(data_api: Any, played: Played) -> None:
    played.on_issue = lambda: data_api.client("carl+").sources.revoke("shop") and None

    with pytest.raises(NotPermitted, match="taken back while"):
        lend(data_api)

    assert played.accounts == {}


@pytest.mark.promise("DATA-5")
@pytest.mark.usefixtures("shop")
def test_what_was_lent_ends_by_itself_and_is_kept_nowhere(
    data_api: Any, lab: Any, played: Played
) -> None:
    lent = lend(data_api)
    with data_api.plane.record.reading() as reading:
        [loan] = loans.open_loans(reading)
    assert (loan.account, loan.expires_at) == (lent.fields["user"], lent.expires_at)

    round_(data_api, lab, hours=13)

    assert played.accounts == {}


@pytest.mark.promise("DATA-5")
@pytest.mark.usefixtures("shop")
def test_a_server_holds_so_many_accounts_at_once_and_no_more(data_api: Any) -> None:
    for _ in range(MOST):
        lend(data_api)

    with pytest.raises(Refusal) as refused:
        lend(data_api)

    reason = refused.value.reasons[0]
    assert (reason.limit, reason.used, reason.asked) == (MOST, MOST, 1)


@pytest.mark.promise("PROFILE-5")
def test_a_disabled_source_stays_with_servers_that_were_promised_it(
    data_api: Any, lab: Any, hub: Any, shop: AllotmentClient
) -> None:
    lab.later(minutes=1)
    promised = "token-of-a-later-server"
    hub.give(promised, "bob")
    lab.granted("bob", "cpu", "later", token_hash=hash_token(promised))
    shop.sources.edit("shop", revision="any", enabled=False)

    later = data_api.client(promised)
    assert later.sources.get("shop").grounds == "promised"
    assert later.sources.credentials("shop").fields["password"] == "lent"
    assert shop.sources.get("shop").held_by == ("bob/later",)
    with pytest.raises(Refusal):
        lend(data_api)

    shop.sources.revoke("shop")
    with pytest.raises(Refusal):
        later.sources.credentials("shop")


@pytest.mark.promise("DATA-3", "USER-7")
def test_everyone_is_everyone_who_is_on_boarded(
    data_api: Any, hub: Any, shop: AllotmentClient
) -> None:
    shop.sources.edit("shop", revision="any", audience=Audience(everyone=True))
    hub.give("nina", "nina")

    assert [one.name for one in data_api.client("zoe").sources.all().items] == ["shop"]
    assert data_api.client("nina").sources.all().items == ()
    with pytest.raises(NotFound):
        data_api.client("nina").sources.browse("shop")


@pytest.mark.promise("USER-7", "DATA-5")
@pytest.mark.usefixtures("shop")
def test_a_browsers_cookie_reads_what_there_is_and_nothing_that_is_in_it(data_api: Any) -> None:
    cookie = {"Cookie": f"{COOKIE}={data_api.app.state.sessions.seal('bob')}"}

    assert data_api.ask("GET", "/sources/shop", headers=cookie).status_code == 200
    assert data_api.ask("GET", "/sources/shop/browse", headers=cookie).status_code == 403
    assert data_api.ask("POST", "/sources/shop/credentials", headers=cookie).status_code == 403
