"""Signing in through a provider, as people see it: there, back again, and what is said when it does not work."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from oidc_providers import PASSWORD
from sign_on_hubs import SignOnHub, sign_on_hub

Open = Callable[..., Page]
Check = Callable[..., None]
LOOKS = [("light", 1280), ("dark", 390)]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignOnHub]:
    """Olga runs it, una by a group; ada leads vision, ben is in it; sam is somebody else."""
    with sign_on_hub(tmp_path_factory.mktemp("sign-on")) as made:
        made.provider.person("olga")
        made.provider.person("ada", "seeing-leads")
        made.provider.person("ben", "seeing")
        made.provider.person("sam", "accounting")
        yield made


def sign_in(page: Page, name: str) -> None:
    page.get_by_role("link", name="Continue with Example account").click()
    page.get_by_label("Login").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def overflow(page: Page) -> int:
    width: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return width


@pytest.mark.promise("AUTH-1", "GROUP-1")
@pytest.mark.parametrize(
    ("name", "shown"), [("olga", "olga"), ("ada", "ada · vision"), ("ben", "ben · vision")]
)
def test_people_come_back_from_the_provider_to_their_home_page(
    hub: SignOnHub, open_page: Open, name: str, shown: str
) -> None:
    page = open_page(f"{hub.url}/hub/home")

    sign_in(page, name)

    expect(page).to_have_url(f"{hub.url}/hub/home")
    expect(page.get_by_label("Account and appearance")).to_have_text(shown)
    expect(page.get_by_role("link", name="Change password")).to_have_count(0)


@pytest.mark.promise("AUTH-1", "USER-1")
def test_an_operator_by_the_settings_may_open_the_console(hub: SignOnHub, open_page: Open) -> None:
    page = open_page(f"{hub.url}/hub/home")

    sign_in(page, "olga")

    expect(page.get_by_text("Operator console").first).to_be_visible()


@pytest.mark.promise("AUTH-1")
@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_a_stranger_is_told_whom_to_ask(
    hub: SignOnHub, open_page: Open, accessible: Check, scheme: str, width: int
) -> None:
    page = open_page(f"{hub.url}/hub/login", scheme=scheme, width=width)

    sign_in(page, "sam")

    expect(page.get_by_role("heading", name="You cannot sign in here")).to_be_visible()
    expect(page.get_by_text("Ask the desk, desk@example.org")).to_be_visible()
    accessible(page)
    assert overflow(page) == 0


@pytest.mark.promise("AUTH-1")
@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_the_sign_in_page_leads_to_the_provider_and_keeps_a_way_for_emergencies(
    hub: SignOnHub, open_page: Open, accessible: Check, scheme: str, width: int
) -> None:
    page = open_page(f"{hub.url}/hub/login", scheme=scheme, width=width)
    accessible(page)

    page.get_by_text("Sign in with a password").click()
    accessible(page)
    assert overflow(page) == 0
    page.get_by_label("Name").fill("rescue")
    page.get_by_label("Password", exact=True).fill(hub.passwords["rescue"])
    page.get_by_role("button", name="Sign in").click()

    expect(page).to_have_url(f"{hub.url}/hub/home")


@pytest.mark.promise("AUTH-1")
def test_who_says_no_at_the_provider_can_begin_again(hub: SignOnHub, open_page: Open) -> None:
    page = open_page(f"{hub.url}/hub/login")
    page.get_by_role("link", name="Continue with Example account").click()

    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_role("heading", name="You were not signed in")).to_be_visible()
    page.get_by_role("link", name="Back to sign-in").click()
    expect(page.get_by_role("link", name="Continue with Example account")).to_be_visible()


@pytest.mark.promise("AUTH-1")
def test_an_answer_for_another_client_signs_nobody_in(hub: SignOnHub, open_page: Open) -> None:
    page = open_page(f"{hub.url}/hub/login")

    with hub.provider.misused({"aud": "another-client"}):
        sign_in(page, "ben")
        expect(page.get_by_role("heading", name="You were not signed in")).to_be_visible()

    expect(page.get_by_text("for another program than this one")).to_be_visible()


@pytest.mark.promise("AUTH-1")
def test_a_provider_that_fails_on_the_way_back_is_said_and_tried_again(
    hub: SignOnHub, open_page: Open
) -> None:
    page = open_page(f"{hub.url}/hub/login")
    page.get_by_role("link", name="Continue with Example account").click()
    page.get_by_label("Login").fill("ben")
    page.get_by_label("Password").fill(PASSWORD)

    with hub.provider.misused(away_at="/token"):
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Signing in does not work now")).to_be_visible()

    page.get_by_role("link", name="Back to sign-in").click()
    page.get_by_role("link", name="Continue with Example account").click()
    expect(page).to_have_url(f"{hub.url}/hub/home")


@pytest.mark.promise("AUTH-1")
def test_signing_out_is_said_and_the_next_sign_in_needs_no_password(
    hub: SignOnHub, open_page: Open
) -> None:
    page = open_page(f"{hub.url}/hub/login")
    sign_in(page, "ben")

    page.goto(f"{hub.url}/hub/logout")

    expect(page.get_by_text("Your session with Example account goes on")).to_be_visible()
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("link", name="Continue with Example account").click()
    expect(page).to_have_url(f"{hub.url}/hub/home")
