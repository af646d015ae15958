"""What people see who sign in through an identity provider."""

from collections.abc import Callable, Mapping
from pathlib import Path

from playwright.sync_api import Browser, Page

from oidc_providers import PASSWORD
from sign_on_hubs import SignOnHub, sign_on_hub

Picture = Callable[[str, Page], None]
MILLISECONDS = 60_000


def take(
    browser: Browser, views: Mapping[str, Mapping[str, object]], folder: Path, picture: Picture
) -> None:
    """Signing in, a stranger who is refused, who gave up, and the page of a token of the provider's people."""
    folder.mkdir()
    with sign_on_hub(folder) as hub:
        hub.provider.person("sam", "accounting")
        for name, view in views.items():
            context = browser.new_context(**view)  # type: ignore[arg-type]  # one of the views
            context.set_default_timeout(MILLISECONDS)
            try:
                _take(
                    hub, context.new_page(), lambda what, page, n=name: picture(f"{what}-{n}", page)
                )
            finally:
                context.close()


def _take(hub: SignOnHub, page: Page, picture: Picture) -> None:
    page.goto(f"{hub.url}/hub/login")
    page.get_by_role("link", name="Continue with Example account").wait_for()
    picture("sign-on", page)
    page.get_by_text("Sign in with a password").click()
    picture("sign-on-emergency", page)
    page.get_by_role("link", name="Continue with Example account").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("heading", name="You were not signed in").wait_for()
    picture("sign-on-given-up", page)
    page.get_by_role("link", name="Back to sign-in").click()
    page.get_by_role("link", name="Continue with Example account").click()
    page.get_by_label("Login").fill("sam")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="You cannot sign in here").wait_for()
    picture("sign-on-refused", page)
