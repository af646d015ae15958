"""The status page of a server, as its owner sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

import browsing
from stand_in_control_plane import ControlPlane, playing, spawned

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def control_plane() -> Iterator[ControlPlane]:
    with playing() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def address(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server's status page."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in spawned(control_plane.url).items():
            environment.setenv(name, value)
        folder: Path = tmp_path_factory.mktemp("server")
        with browsing.lab(folder) as server:
            yield f"{server.address}/allotment"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_is_accessible_and_fits_in_light_and_dark_on_a_phone_and_a_desk(
    open_page: Open, accessible: Callable[..., None], address: str, scheme: str, width: int
) -> None:
    page = open_page(address, scheme=scheme, width=width)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Training <7>")
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.promise("SERVER-7")
def test_it_says_by_itself_that_the_control_plane_went_away_and_came_back(
    open_page: Open, control_plane: ControlPlane, address: str
) -> None:
    page = open_page(address)
    away = page.get_by_text("The control plane does not tell now what you hold.")
    expect(away).to_have_count(0)
    control_plane.problem = (503, "The record is away.")
    expect(away).to_be_visible(timeout=60_000)
    control_plane.problem = None
    expect(away).to_have_count(0, timeout=60_000)


@pytest.mark.promise("DATA-4")
def test_a_source_that_was_added_is_tested_by_a_click_and_what_was_found_stays(
    open_page: Open, address: str
) -> None:
    page = open_page(address)
    page.get_by_role("button", name="Test lake from this server").click()

    found = page.get_by_role("status").filter(has_text="Not reached.")
    expect(found).to_be_visible(timeout=60_000)
    page.evaluate("refresh()")
    expect(found).to_be_visible()


def test_it_can_be_read_without_a_mouse(open_page: Open, address: str) -> None:
    page: Any = open_page(address)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Back to work")).to_be_focused()
