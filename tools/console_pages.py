"""What a person does in the console's page in a browser: panels, rows, and a look in both colours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

WITH_ROWS = (
    *("overview", "pools", "nodes", "servers", "profiles", "software", "groups", "users"),
    *("costs", "capacity", "sources", "datasets", "targets", "models", "health"),
)
"""Panels of an example platform that show rows as soon as they are opened."""
WITHOUT_ROWS = ("replay", "let-in", "service-accounts")


def go(page: Page, panel: str) -> None:
    """Open a panel, and wait for its rows."""
    turn(page, panel)
    expect(page.locator(".ag-row").first).to_be_visible()


def turn(page: Page, panel: str) -> None:
    """Open a panel that shows no rows before it is asked."""
    page.locator(f'.allotment-rail [data-go="{panel}"]').click()
    expect(page.locator(f'.allotment-rail [data-go="{panel}"]')).to_have_attribute(
        "aria-current", "page"
    )


def row(page: Page, *words: str) -> Any:
    """The first row with all of these words."""
    found = page.locator(".ag-row")
    for each in words:
        found = found.filter(has_text=each)
    return found.first


def tick(page: Page, *words: str) -> None:
    """Select the row with these words."""
    row(page, *words).get_by_role("checkbox").check()


def in_light_and_dark(page: Page, accessible: Callable[..., None]) -> None:
    """Look at what the page shows now; in the dark only colours differ."""
    accessible(page)
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"light => {background} !== light", arg=light)
    accessible(page, rules=["color-contrast"])
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"light => {background} === light", arg=light)
