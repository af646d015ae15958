"""Charts and device plots as a person sees them, hears them, and reaches them by keyboard."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

import browsing

PAGE = """
import ipywidgets
from datetime import datetime, timedelta, UTC
from allotment_widgets import Chart, Look, Palette, Plot, PlotGrid, Series

now = datetime(2026, 11, 22, 12, tzinfo=UTC)
chart = Chart([Series("held", "Held", kind="area"), Series("idle", "Idle", colour="idle"), Series("capacity", "Capacity", kind="limit")],
              title="Held against capacity", unit="devices", keep=timedelta(minutes=30))
times = [now + timedelta(minutes=n) for n in range(20)]
chart.replace(times, {"held": list(range(4, 24)), "idle": [1] * 10 + [None] + [2] * 9, "capacity": [24] * 20})

def device(n, section, **more):
    words = dict(state="held", group="vision", colour=1, holder="bob") if n % 3 == 0 else {}
    return Plot(**dict(id=f"{section}-{n}", title=f"{section} gpu-{n}", section=section) | words | more)

devices = [device(n, s) for s, count in (("dgx-1", 8), ("dgx-2", 8), ("cloud", 96)) for n in range(count)]
devices[1] = device(1, "dgx-1", state="unhealthy")
plots = PlotGrid(title="Devices")
plots.replace(devices)
said = ipywidgets.Label("nothing yet")
plots.on_select(lambda ids: setattr(said, "value", "selected " + ", ".join(ids)))
plots.on_activate(lambda name: setattr(said, "value", f"opened {name}"))

def button(words, act):
    made = ipywidgets.Button(description=words)
    made.on_click(lambda _: act())
    return made

def begin():
    plots.select([])
    plots.replace(devices)
    said.value = "begun"

buttons = ipywidgets.HBox([
    button("Begin", begin),
    button("Append", lambda: chart.append([now + timedelta(minutes=20)], {"held": [24], "idle": [0], "capacity": [24]})),
    button("Change", lambda: plots.update([device(2, "dgx-1", state="idle", group="nlp", colour=2)], ["dgx-1-7"])),
])
page = ipywidgets.VBox([Look(), buttons, said, chart, plots])
page.add_class("allotment")
display(page)
"""


@pytest.fixture(scope="module")
def address(voila: browsing.Server) -> str:
    return voila.page("plots", PAGE)


@pytest.fixture(scope="module")
def shared(open_shared_page: Callable[..., Page], address: str) -> Page:
    return open_shared_page(address)


@pytest.fixture
def page(shared: Page) -> Page:
    """The page as it was when it was opened."""
    press(shared, "Begin")
    expect(shared.get_by_text("begun")).to_be_visible()
    return shared


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def plot(page: Page, name: str) -> Locator:
    return page.get_by_role("option", name=name)


def test_a_device_says_in_words_what_its_colour_says(page: Page) -> None:
    expect(plot(page, "dgx-1 gpu-0: held by bob")).to_be_visible()
    expect(plot(page, "dgx-1 gpu-1: unhealthy")).to_be_visible()
    expect(plot(page, "dgx-1 gpu-2: free")).to_be_visible()


def test_a_line_says_how_many_are_held_and_the_legend_whose(page: Page) -> None:
    expect(page.get_by_text("3 of 8 held, 1 unhealthy", exact=True)).to_be_visible()
    expect(page.get_by_text("vision 38")).to_be_visible()


def test_too_many_for_squares_are_one_bar_that_can_be_opened(page: Page) -> None:
    expect(page.get_by_role("img", name="cloud: 32 vision, held; 64 free")).to_be_visible()
    press(page, "Show 96 plots of cloud")
    expect(plot(page, "cloud gpu-95")).to_be_visible()
    press(page, "Show one bar of cloud")
    expect(plot(page, "cloud gpu-95")).to_have_count(0)


def test_plots_are_chosen_by_mouse(page: Page) -> None:
    plot(page, "dgx-1 gpu-2").click()
    plot(page, "dgx-1 gpu-5").click(modifiers=["Shift"])
    expect(page.get_by_text("selected dgx-1-2, dgx-1-3, dgx-1-4, dgx-1-5")).to_be_visible()
    plot(page, "dgx-1 gpu-3").click()
    expect(page.get_by_text("selected dgx-1-2, dgx-1-4, dgx-1-5")).to_be_visible()
    expect(plot(page, "dgx-1 gpu-3")).to_have_attribute("aria-selected", "false")


@pytest.mark.promise("ADMIN-5")
def test_plots_are_chosen_by_keyboard(page: Page) -> None:
    plot(page, "dgx-1 gpu-0").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_text("selected dgx-1-1, dgx-2-1, dgx-2-2")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("opened dgx-2-2")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("3 selected")).to_have_count(0)


@pytest.mark.promise("ADMIN-2")
def test_a_change_of_devices_keeps_selection_and_focus(page: Page) -> None:
    plot(page, "dgx-1 gpu-3").click()
    press(page, "Change")
    expect(plot(page, "dgx-1 gpu-2: held but idle")).to_be_visible()
    expect(plot(page, "dgx-1 gpu-7")).to_have_count(0)
    expect(plot(page, "dgx-1 gpu-3")).to_have_attribute("aria-selected", "true")
    expect(plot(page, "dgx-1 gpu-3")).to_have_attribute("tabindex", "0")


@pytest.mark.promise("ADMIN-5")
def test_a_chart_says_what_it_shows_and_follows_its_points(page: Page) -> None:
    said = page.get_by_role("img", name="Held against capacity. Held: 23 now, between 4 and 23.")
    expect(said).to_be_visible()
    press(page, "Append")
    expect(page.get_by_role("img", name="Held: 24 now, between 4 and 24.")).to_be_visible()
    expect(page.get_by_role("row", name="Held 24 devices 4 devices 24 devices")).to_be_attached()


@pytest.mark.promise("ADMIN-5")
def test_a_chart_is_walked_by_keyboard(page: Page) -> None:
    page.get_by_role("img", name="Held against capacity").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(
        page.get_by_role("status").filter(has_text="Held 5 devices, Idle 1 devices")
    ).to_be_attached()
    expect(page.locator(".tooltip")).to_contain_text("5 devices")


@pytest.mark.promise("ADMIN-5")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_they_are_accessible_in_both_themes(
    open_page: Callable[..., Page], address: str, accessible: Any, scheme: str
) -> None:
    page = open_page(address, scheme=scheme)
    expect(plot(page, "dgx-1 gpu-0")).to_be_visible()
    plot(page, "dgx-1 gpu-0").click()
    accessible(page)


def test_a_chart_is_drawn_again_in_the_colours_of_a_new_theme(shared: Page) -> None:
    canvas = "() => document.querySelector('.allotment-chart canvas').toDataURL()"
    expect(shared.locator(".allotment-chart canvas")).to_be_visible()
    light = shared.evaluate(canvas)
    shared.emulate_media(color_scheme="dark")
    expect(shared.locator("html")).to_have_attribute("data-allotment-theme", "dark")
    dark = shared.evaluate(canvas)
    shared.emulate_media(color_scheme="light")
    assert light != dark
