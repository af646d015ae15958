"""A server on an old version, as its person sees it in a browser: what changed, and the reset."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from hubs import until
from page_hubs import PROFILES, PageHub, launch

pytestmark = pytest.mark.needs("chromium")

Open = Callable[..., Page]
Check = Callable[..., None]
SMALL = PROFILES["small"]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageHub]:
    made = PageHub(tmp_path_factory.mktemp("updates") / "hub")
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.mark.promise("SOFT-1", "SOFT-2")
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_a_reset_brings_the_version_that_the_row_tells_of(
    hub: PageHub, signed_in: Open, accessible: Check, scheme: str, width: int
) -> None:
    person = {"light": "ada", "dark": "ben"}[scheme]
    hub.publish("small", f"{SMALL}version: before {scheme}\n")
    browser = hub.signed_in(person)
    launch(browser, profile="small", display_name="Notes")
    browser.close()
    until(lambda: [one for one in hub.held(person) if one.running_at], "the server", 60)
    hub.publish("small", f"{SMALL}version: after {scheme}\nnotes: A faster pandas.\n")

    page = signed_in(person, scheme=scheme, width=width)
    row = page.get_by_role("row", name=re.compile("Notes"))
    expect(row).to_contain_text(f"It runs before {scheme}; after {scheme} is there.")
    row.get_by_text("What changed").click()
    expect(row).to_contain_text("A faster pandas.")
    accessible(page)
    row.get_by_role("button", name=re.compile("Reset to update")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("It has not said lately what runs in it.")
    expect(dialog).to_contain_text("Your home and its files stay as they are.")
    (before,) = hub.held(person)
    dialog.get_by_role("button", name="Reset to update").click()

    page.wait_for_url(re.compile("/user/|/spawn-pending/"))
    until(lambda: [one for one in hub.held(person) if one.running_at], "the server again", 60)
    (after,) = hub.held(person)
    assert after.id != before.id
    assert after.terms["profile"]["version"] == f"after {scheme}"
