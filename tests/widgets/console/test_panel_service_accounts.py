"""Service accounts, people who leave, and the mapping of groups, as an operator does it in the console."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from allotment.model.sign_on import Admits, GroupMapping, ProviderIdentity
from allotment.record import people, sign_ons
from control_planes import Platform

OpenConsole = Callable[..., Any]
ACCOUNTS = "Service accounts"


def token_of(page: Any) -> str:
    found = re.search(r"allotment-sa-[\w-]+", page.text())
    assert found is not None
    return found.group()


@pytest.mark.promise("AUTH-3", "ADMIN-3")
def test_a_service_account_is_made_its_token_shown_once_and_revoked(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="service-accounts")
    page.until(lambda: "no service account" in page.grid(ACCOUNTS).empty)
    page.act(ACCOUNTS, "make")
    page.fill("Name", "nightly")
    page.fill("see-all", True)
    page.sees("Whoever has its token may, until")
    page.press("Make")
    page.sees("The token of nightly")
    token = token_of(page)
    page.has_row(ACCOUNTS, "nightly", may="see-all", maker="operator", state="active")
    answered = httpx.get(
        f"{platform.url}/overview", headers={"Authorization": f"Bearer {token}"}, trust_env=False
    )
    assert answered.status_code == 200

    page.press("Close")
    page.until(lambda: token not in page.text())
    page.select(ACCOUNTS, "nightly")
    page.act(ACCOUNTS, "revoke")
    page.sees("whatever uses it is refused")
    page.press("Revoke")
    page.lacks_row(ACCOUNTS, "nightly")


@pytest.mark.promise("AUTH-3", "USER-7")
def test_a_reader_sees_service_accounts_and_makes_none(open_console: OpenConsole) -> None:
    page = open_console("auditor", panel="service-accounts")

    page.until(lambda: "no service account" in page.grid(ACCOUNTS).empty)

    assert page.buttons() == []


@pytest.mark.promise("AUTH-5", "ADMIN-3")
def test_somebody_is_let_go_after_the_form_said_what_that_ends(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="users")
    page.select("Users", "mei")
    page.act("Users", "leave")
    page.sees("mei can sign in no more; passwords, tokens and sharing of servers end.")
    page.sees("The home is kept. What mei did stays in the record.")
    page.fill("Home goes to (empty: it is kept)", "farid")
    page.sees("The home is moved to farid.")

    page.press("Let mei go")

    page.sees("mei has left.")
    page.has_row("Users", "mei", role_words="has left")
    with platform.record.reading() as reading:
        assert people.get(reading, "mei").left_at is not None


@pytest.mark.promise("AUTH-6", "ADMIN-3")
def test_a_mapping_is_looked_at_before_it_is_in_force(
    open_console: OpenConsole, platform: Platform
) -> None:
    identity = ProviderIdentity("https://idp.example.org", "s-1", "newcomer", groups=("linguists",))
    with platform.record.writing("operator", datetime.now(UTC)) as writing:
        sign_ons.signed_in(writing, identity, GroupMapping(), admits=Admits.EVERYBODY)
    file = (
        "sign_in: {kind: oidc, issuer: 'https://idp.example.org', client_id: a, operators: [operator],"
        " client_secret_variable: SECRET, accept_shared_user: true, groups: [{name: linguists, group: speech}]}\n"
        "groups: [{name: speech}]\n"
    )
    page = open_console(panel="users")
    page.act("Users", "mapping")
    page.fill("The settings file", file)

    page.press("Look")

    page.sees("1 change. Nothing was changed now.")
    page.sees("<td>newcomer</td><td>gains</td><td>membership in</td><td>speech</td>")
