"""The grid as a person sees it: a page of Voilà, and JupyterLab with its themes."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

import browsing

GRID = """
import threading
import ipywidgets
from datetime import datetime, timedelta, UTC
from allotment_widgets import Action, Column, Grid, Look, Plot, State

now = datetime.now(UTC)
grid = Grid(
    [
        Column("user", "User"),
        Column("group", "Group", hide_narrow=True),
        Column("devices", "Devices", kind="devices"),
        Column("use", "Use", kind="percent"),
        Column("since", "Since", kind="since"),
        Column("cost", "Cost", kind="money", unit="€"),
        Column("held", "Held", kind="meter"),
        Column("state", "State", kind="state", words="why", states={
            "running": State("Running", "ok"), "idle": State("Idle", "warn"), "failed": State("Failed", "bad")}),
    ],
    title="Servers", noun=("server", "servers"), row_tone="state", empty="No server runs.",
    actions=[Action("stop", "Stop…", many="Stop {n}…", tone="risk")],
)
rows = [
    dict(id=f"s{n}", user=f"user-{n:02}", group="vision" if n % 2 else "nlp", use=n, cost=n / 2, held=(n % 5, 5),
         devices=[Plot(id="g", title=f"dgx-1 gpu-{n}", state="held", colour=1)],
         since=now - timedelta(hours=2, minutes=n), state="running")
    for n in range(40)
]
rows[3] |= {"user": "<img src=x onerror=alert(1)>", "state": "idle", "why": "Idle 47 min"}
grid.replace(rows)
said = ipywidgets.Label("nothing yet")
grid.on_select(lambda ids: setattr(said, "value", "selected " + ", ".join(ids)))
grid.on_activate(lambda row_id: setattr(said, "value", f"opened {row_id}"))
grid.on_action(lambda key, ids: setattr(said, "value", f"{key} " + ", ".join(ids)))

def button(words, act):
    made = ipywidgets.Button(description=words)
    made.on_click(lambda _: act())
    return made

def skip_one():
    # As if a message were lost: the page must ask for everything again.
    grid._rows.update([{"id": "s8", "use": 55}], ())
    grid.update([{"id": "s7", "use": 66}])

def busy():
    # The kernel's own thread is held up until the other one has spoken.
    other = threading.Thread(target=lambda: grid.update([{"id": "s6", "use": 44}]))
    other.start()
    other.join()

def begin():
    grid.filter_text, grid.sort = "", []
    grid.failed("")
    grid.select([])
    grid.replace(rows)
    said.value = "begun"

buttons = ipywidgets.HBox([
    button("Begin", begin),
    button("Change", lambda: grid.update([{"id": "s5", "use": 99, "state": "failed"}, {"id": "new", "user": "vera", "group": "vision"}], ["s39"])),
    button("Lose", skip_one),
    button("Busy", busy),
    button("Empty", lambda: grid.replace([])),
    button("Fail", lambda: grid.failed("The control plane has not answered since 14:02.")),
])
page = ipywidgets.VBox([Look(), buttons, said, grid])
page.add_class("allotment")
display(page)
"""


@pytest.fixture(scope="module")
def address(voila: browsing.Server) -> str:
    return voila.page("grid", GRID)


@pytest.fixture(scope="module")
def shared(open_shared_page: Callable[..., Page], address: str) -> Page:
    return open_shared_page(address)


@pytest.fixture
def page(shared: Page) -> Page:
    """The page as it was when it was opened."""
    press(shared, "Begin")
    expect(shared.get_by_text("begun")).to_be_visible()
    return shared


def row(page: Page, text: str) -> Any:
    return page.get_by_role("row").filter(has_text=text)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def users(page: Page) -> list[str]:
    """The first column from top to bottom."""
    cells = page.locator(".ag-cell[col-id=user]")
    return list(cells.all_inner_texts())


def test_each_kind_of_value_is_shown_in_words(page: Page) -> None:
    shown = row(page, "user-02")
    for words in ("nlp", "dgx-1 gpu-2", "2 %", "2 h 02 min", "€ 1.00", "2 of 5", "Running"):
        expect(shown).to_contain_text(words)


def test_what_a_row_says_is_never_markup(page: Page) -> None:
    expect(row(page, "<img src=x onerror=alert(1)>")).to_be_visible()
    expect(page.locator(".allotment-grid img")).to_have_count(0)


def test_a_state_may_say_more_than_its_word(page: Page) -> None:
    expect(row(page, "Idle 47 min").locator(".tag.warn")).to_be_visible()


def test_the_exact_time_is_told_on_hover(page: Page) -> None:
    title = row(page, "user-02").locator("time").get_attribute("title")
    assert title is not None
    assert "20" in title


@pytest.mark.promise("ADMIN-2")
def test_sorting_filter_and_selection_survive_a_delta(page: Page) -> None:
    page.get_by_role("searchbox").fill("vision")
    expect(page.get_by_text("20 of 40 servers")).to_be_visible()
    page.get_by_role("columnheader", name="Use", exact=True).click()
    expect(page.locator(".ag-cell[col-id=use]").first).to_have_text("39 %")
    row(page, "user-37").get_by_role("checkbox").click()
    expect(page.get_by_text("selected s37")).to_be_visible()
    press(page, "Change")
    expect(page.locator(".ag-cell[col-id=use]").first).to_have_text("99 %")
    expect(page.get_by_text("20 of 40 servers · 1 selected")).to_be_visible()
    expect(row(page, "user-37").get_by_role("checkbox")).to_be_checked()
    expect(page.get_by_role("searchbox")).to_have_value("vision")


def test_a_lost_delta_is_made_good_by_a_snapshot(page: Page) -> None:
    press(page, "Lose")
    expect(row(page, "user-07")).to_contain_text("66 %")
    expect(row(page, "user-08")).to_contain_text("55 %")


@pytest.mark.promise("ADMIN-2")
def test_a_change_from_another_thread_arrives(page: Page) -> None:
    press(page, "Busy")
    expect(row(page, "user-06")).to_contain_text("44 %")


def test_a_selected_row_that_goes_is_deselected_everywhere(page: Page) -> None:
    page.get_by_role("columnheader", name="Use", exact=True).click()
    row(page, "user-39").get_by_role("checkbox").click()
    expect(page.get_by_role("button", name="Stop 1…")).to_be_enabled()
    press(page, "Change")
    expect(page.get_by_role("button", name="Stop…")).to_be_disabled()


def test_buttons_act_on_what_is_selected(page: Page) -> None:
    expect(page.get_by_role("button", name="Stop…")).to_be_disabled()
    row(page, "user-01").get_by_role("checkbox").click()
    row(page, "user-02").get_by_role("checkbox").click()
    press(page, "Stop 2…")
    expect(page.get_by_text("stop s1, s2")).to_be_visible()


@pytest.mark.promise("ADMIN-5")
def test_rows_are_reached_chosen_and_opened_by_keyboard(page: Page) -> None:
    page.get_by_role("searchbox").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(page.get_by_text("selected s1")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("opened s1")).to_be_visible()


def test_a_double_click_opens(page: Page) -> None:
    page.get_by_role("gridcell", name="user-04", exact=True).dblclick()
    expect(page.get_by_text("opened s4")).to_be_visible()


def test_nothing_found_nothing_there_and_a_failure_are_said(page: Page) -> None:
    page.get_by_role("searchbox").fill("nobody")
    expect(page.get_by_text("Nothing matches “nobody”.")).to_be_visible()
    page.get_by_role("searchbox").fill("")
    press(page, "Empty")
    expect(page.get_by_text("No server runs.")).to_be_visible()
    press(page, "Fail")
    expect(page.get_by_role("alert")).to_have_text(
        "The control plane has not answered since 14:02."
    )


def test_columns_that_may_be_left_out_are_left_out_on_a_phone(
    open_page: Callable[..., Page], address: str
) -> None:
    page = open_page(address, width=390)
    expect(row(page, "user-00")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Group")).to_have_count(0)


@pytest.mark.promise("ADMIN-5")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_in_both_themes(
    open_page: Callable[..., Page], address: str, accessible: Any, scheme: str
) -> None:
    page = open_page(address, scheme=scheme)
    expect(row(page, "user-00")).to_be_visible()
    row(page, "user-02").get_by_role("checkbox").click()
    press(page, "Change")
    expect(page.locator(".tag.bad")).to_be_visible()
    assert page.locator("html").get_attribute("data-allotment-theme") == scheme
    accessible(page)


def test_the_script_travels_once_for_all_grids(
    open_page: Callable[..., Page], voila: browsing.Server
) -> None:
    address = voila.page(
        "many",
        GRID
        + "\nfor other in range(5): display(Grid([Column('a', 'A')], title=f'Other {other}', empty='none'))",
    )
    page = open_page("about:blank")
    received = []
    page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))),
    )
    page.goto(address)
    expect(row(page, "user-00")).to_be_visible()
    expect(page.get_by_role("grid", name="Other 4")).to_be_visible()
    assert len([size for size in received if size > 200_000]) == 1


@pytest.mark.promise("ADMIN-5")
def test_it_follows_the_theme_of_jupyterlab(
    open_page: Callable[..., Page], lab: browsing.Server, run_all: Any, accessible: Any
) -> None:
    page = open_page(lab.page("grid", GRID))
    run_all(page)
    expect(row(page, "user-00")).to_be_visible()
    light = page.locator(".allotment-grid").evaluate(
        "(grid) => getComputedStyle(grid).backgroundColor"
    )
    page.evaluate(
        "() => jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})"
    )
    expect(page.locator("html")).to_have_attribute("data-allotment-theme", "dark")
    dark = page.locator(".allotment-grid").evaluate(
        "(grid) => getComputedStyle(grid).backgroundColor"
    )
    assert light != dark
    accessible(page, ".allotment")
