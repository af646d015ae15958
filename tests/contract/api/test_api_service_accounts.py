"""Service accounts: made, listed, used, revoked; and never more than whoever made them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from allotment.api.identity import hash_token
from allotment.cli import app
from allotment.model.people import BuiltInRole, Permission
from allotment.model.refusals import NotPermitted, Refusal
from allotment.model.service_accounts import TOKEN_PREFIX
from allotment.record import events, people
from allotment.record.schema import service_accounts

pytestmark = pytest.mark.parametrize("store", ["sqlite"])
SEE, POOLS = Permission.SEE_ALL, Permission.MANAGE_POOLS


def make(api: Any, lab: Any, *permissions: Permission, by: str = "olga+", days: int = 30) -> str:
    """Make the account ``ci``; returns its token."""
    accounts = api.client(by).service_accounts
    return str(accounts.create("ci", permissions, lab.now + timedelta(days=days)).token)


@pytest.mark.promise("AUTH-3")
def test_a_service_account_may_do_what_it_was_made_for_and_nothing_else(api: Any, lab: Any) -> None:
    token = make(api, lab, SEE)

    assert api.ask("GET", "/overview", token).status_code == 200
    refused = api.ask("POST", "/pools", token, json={"name": "new", "devices": []})
    assert refused.status_code == 403
    assert "The service account ci may not change pools." in refused.json()["detail"]


@pytest.mark.promise("AUTH-3", "OPS-2")
def test_what_a_service_account_does_is_told_as_its_own(api: Any, lab: Any) -> None:
    token = make(api, lab, SEE, POOLS)

    assert api.ask("POST", "/pools", token, json={"name": "new", "devices": []}).status_code == 201
    with lab.record.reading() as reading:
        (event,) = events.newest(reading, "pool.created", 1)
    assert event.actor == "service:ci"


@pytest.mark.promise("AUTH-3")
def test_its_token_is_kept_as_a_hash_and_told_once(api: Any, lab: Any) -> None:
    token = make(api, lab, SEE)

    assert token.startswith(TOKEN_PREFIX)
    listed = api.ask("GET", "/service-accounts", "olga+")
    with lab.record.reading() as reading:
        (row,) = reading.all(service_accounts.select())
        told = [str(event) for event in events.after(reading, 0)]
    assert row.token_hash == hash_token(token)
    assert not [text for text in (listed.text, *map(str, row), *told) if token in text]
    assert not [text for text in (listed.text, *told) if row.token_hash in text]


@pytest.mark.promise("AUTH-3")
def test_a_request_that_is_repeated_does_not_tell_the_token_again(api: Any, lab: Any) -> None:
    body = {
        "name": "ci",
        "permissions": ["see-all"],
        "expires_at": (lab.now + timedelta(days=1)).isoformat(),
    }
    key = {"Idempotency-Key": "once"}

    first = api.ask("POST", "/service-accounts", "olga+", json=body, headers=key)
    second = api.ask("POST", "/service-accounts", "olga+", json=body, headers=key)

    assert (first.status_code, second.status_code) == (201, 409)
    assert first.json()["token"] not in second.text


@pytest.mark.promise("AUTH-3", "USER-7")
def test_nobody_gives_a_service_account_what_they_lack(api: Any, lab: Any) -> None:
    with lab.write() as writing:
        people.set_role(writing, "zoe", "reader")
    with pytest.raises(NotPermitted):
        make(api, lab, SEE, by="zoe+")
    with pytest.raises(NotPermitted):
        make(api, lab, SEE, by="olga")


@pytest.mark.promise("AUTH-3")
def test_a_service_account_loses_what_its_maker_loses(api: Any, lab: Any) -> None:
    token = make(api, lab, SEE, POOLS)
    with lab.write() as writing:
        people.set_role(writing, "zoe", BuiltInRole.OPERATOR)
        people.set_role(writing, "olga", BuiltInRole.READER)

    assert api.ask("GET", "/overview", token).status_code == 200
    refused = api.ask("POST", "/pools", token, json={"name": "new", "devices": []})
    assert refused.status_code == 403
    (listed,) = api.client("zoe+").service_accounts.all().items
    assert (listed.effective, listed.state) == ((SEE,), "active")


@pytest.mark.promise("AUTH-3")
def test_a_service_account_ends(api: Any, lab: Any) -> None:
    token = make(api, lab, SEE, days=1)
    lab.later(days=1)

    assert api.ask("GET", "/overview", token).status_code == 401
    assert api.client("olga+").service_accounts.all().items[0].state == "ended"


@pytest.mark.promise("AUTH-3")
@pytest.mark.parametrize("days", [-1, 0, 367])
def test_a_service_account_lasts_a_year_at_most(api: Any, lab: Any, days: int) -> None:
    with pytest.raises(Refusal, match="up to 366 days"):
        make(api, lab, SEE, days=days)


@pytest.mark.promise("AUTH-3")
def test_a_revoked_service_account_is_known_no_more(api: Any, lab: Any) -> None:
    token = make(api, lab, SEE)

    api.client("olga+").service_accounts.revoke("ci")

    assert api.ask("GET", "/overview", token).status_code == 401
    assert api.client("olga+").service_accounts.all().items == ()


@pytest.mark.promise("AUTH-3")
def test_a_service_account_makes_no_service_accounts(api: Any, lab: Any) -> None:
    token = make(api, lab, SEE, Permission.MANAGE_ROLES)
    with pytest.raises(NotPermitted, match="a person does"):
        api.client(token).service_accounts.create("other", [SEE], lab.now + timedelta(days=1))


@pytest.mark.promise("AUTH-3")
def test_a_service_account_works_while_the_hub_is_away(api: Any, lab: Any) -> None:
    token = make(api, lab, SEE)
    api.hub.broken = True

    assert api.ask("GET", "/overview", token).status_code == 200


@pytest.mark.promise("AUTH-3")
def test_when_a_service_account_was_used_is_known(api: Any, lab: Any) -> None:
    token = make(api, lab, SEE)
    accounts = api.client("olga+").service_accounts
    assert accounts.all().items[0].used_at is None

    api.ask("GET", "/overview", token)

    assert accounts.all().items[0].used_at is not None


@pytest.mark.promise("AUTH-3")
def test_a_service_account_launches_nothing_and_has_nothing_of_its_own(api: Any, lab: Any) -> None:
    token = make(api, lab, *Permission)

    assert api.ask("POST", "/tickets", token, json={"profile": "gpu"}).status_code in {403, 409}
    assert api.ask("GET", "/me", token).json()["servers"] == []


@pytest.mark.promise("AUTH-3")
def test_the_command_line_makes_lists_and_revokes(api: Any) -> None:
    environment = {"ALLOTMENT_API_URL": api.url, "ALLOTMENT_TOKEN": "olga+"}

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, list(words), env=environment)
        assert done.exit_code == 0, done.output
        return str(done.stdout)

    made = run("service-account", "nightly", "--permission", "see-all", "--note", "Reports")
    token = made.splitlines()[-1]
    assert api.ask("GET", "/overview", token).status_code == 200
    assert "nightly" in run("service-accounts")
    assert run("service-accounts", "--revoke", "nightly", "--yes") == "nightly was revoked.\n"
    assert run("service-accounts") == "There is no service account.\n"
