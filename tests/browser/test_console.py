"""The console as an operator sees it: Chromium, Voilà or JupyterLab, a real control plane.

The control plane runs in this process with a record in the middle of a day; the notebook is the
wheel's own. Whatever changes is changed by somebody else.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

import control_planes
import example_data
import example_platform
from allotment.work.listeners import Listeners
from allotment_widgets import console_notebook_path
from console_pages import WITH_ROWS, WITHOUT_ROWS, go, in_light_and_dark, row, tick, turn
from control_planes import Platform

pytestmark = pytest.mark.needs("chromium")

TOKEN, ADDRESS = "JUPYTERHUB_API_TOKEN", "ALLOTMENT_API_URL"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with control_planes.platform(tmp_path_factory.mktemp("platform")) as running:
        example_platform.make(running.record)
        example_data.add_data(running.record, datetime.now(UTC))
        example_data.add_models(running.record, datetime.now(UTC))
        running.start()
        yield running


@pytest.fixture(scope="module", autouse=True)
def operators_server(platform: Platform) -> Iterator[None]:
    """What the hub gives the console's server: set before any notebook server is started."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ADDRESS, platform.url)
        patch.setenv(TOKEN, platform.hub.token("operator"))
        yield


@pytest.fixture
def day(platform: Platform) -> Platform:
    """The platform, with every server's report of now."""
    example_platform.report(platform.record, platform.plane.use)
    return platform


def notebook(folder: Path) -> None:
    """Puts the wheel's notebook where the spawner puts it."""
    shutil.copyfile(console_notebook_path(), folder / "operator-console.ipynb")


@pytest.fixture
def console(day: Platform, voila: Any, open_page: Callable[..., Page]) -> Callable[..., Page]:
    """Opens the console, at a panel."""
    assert day.planes
    notebook(voila.folder)

    def open_at(panel: str = "overview", **options: Any) -> Page:
        page = open_page(f"{voila.address}/voila/render/operator-console.ipynb", **options)
        expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
        if panel != "overview":
            go(page, panel)
        return page

    return open_at


@pytest.mark.promise("ADMIN-2")
def test_a_server_that_ends_elsewhere_vanishes_within_two_seconds_and_the_selection_stays(
    console: Callable[..., Page], day: Platform
) -> None:
    page = console("servers")
    tick(page, "carla", "sweep-a")
    page.get_by_role("searchbox").fill("carla")
    expect(page.get_by_text("2 of 21 servers · 1 selected")).to_be_visible()

    day.hub.stop("carla", "sweep-b")

    expect(row(page, "sweep-b")).to_be_hidden(timeout=2000)
    expect(page.get_by_text("1 of 20 servers · 1 selected")).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_value("carla")
    expect(row(page, "sweep-a").get_by_role("checkbox")).to_be_checked()


@pytest.mark.promise("ADMIN-4", "MONEY-2", "MONEY-6", "GROUP-5")
def test_use_cost_and_capacity_are_drawn_and_an_edit_shows_first_what_it_does(
    console: Callable[..., Page],
) -> None:
    page = console("costs")
    for named in ("In use, average of the day", "Devices there now", "nlp"):
        expect(page.locator(".allotment-chart").get_by_text(named).first).to_be_visible()
    go(page, "capacity")
    expect(row(page, "a100", "all together")).to_be_visible()

    go(page, "groups")
    row(page, "vision").click()
    page.get_by_role("button", name="Edit…").first.click()
    page.get_by_label("Guaranteed devices").fill("2")
    page.get_by_label("Ceiling").click()
    concerned = page.get_by_role("region", name="Servers concerned")
    expect(concerned.get_by_role("link", name="dmitri/detector")).to_be_visible()
    expect(concerned.get_by_text("in all")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_be_enabled()
    page.get_by_role("button", name="Cancel").click()

    go(page, "servers")
    profile = page.get_by_role("columnheader", name="Profile")
    expect(profile).to_be_hidden()
    page.get_by_role("button", name="More columns").click()
    expect(profile).to_be_visible()


@pytest.mark.promise("OPS-6", "ADMIN-4")
def test_a_changed_share_is_replayed_beside_the_present_one_and_seen_before_it_is_applied(
    console: Callable[..., Page], accessible: Callable[..., None]
) -> None:
    page = console()
    turn(page, "replay")
    page.get_by_label("Replay", exact=True).select_option("The last 30 days")
    page.get_by_label("Pool", exact=True).select_option("h100")
    guaranteed = page.get_by_label("Guaranteed", exact=True)
    expect(guaranteed).to_have_value("16")
    guaranteed.fill("12")
    guaranteed.press("Tab")
    page.get_by_label("Lend what groups do not use").check()
    expect(page.get_by_text("nlp in h100: guaranteed 16 → 12")).to_be_visible()
    page.get_by_role("button", name="Run", exact=True).click()

    both = page.get_by_role("table").filter(has_text="launches began")
    for head in ("Present", "Changed", "Difference"):
        expect(both.get_by_role("columnheader", name=head)).to_be_visible()
    expect(both.get_by_role("row", name="Hours of waiting in all")).to_be_visible()
    page.get_by_role("button", name="Apply…").click()
    preview = page.get_by_role("heading", name="Apply this policy")
    expect(preview).to_be_visible()
    expect(page.get_by_text("nlp in h100: guaranteed 16 → 12")).to_have_count(2)
    expect(page.get_by_role("button", name="Apply", exact=True)).to_be_enabled()
    accessible(page)
    page.get_by_role("button", name="Cancel").click()
    expect(preview).to_be_hidden()

    turn(page, "let-in")
    page.get_by_role("button", name="Find out").click()
    expect(page.get_by_text("Each line is one change alone")).to_be_visible()
    expect(page.get_by_text("try several changes together in Replay")).to_be_visible()
    accessible(page)


@pytest.mark.promise("SERVER-4", "ADMIN-3")
def test_servers_are_stopped_with_a_reason_after_it_was_said_what_ends(
    console: Callable[..., Page], day: Platform
) -> None:
    page = console("servers")
    tick(page, "grace", "sim-to-real")
    tick(page, "hugo", "maps")
    page.get_by_role("button", name="Stop 2…").click()

    reason = page.get_by_label("Why? Their users read it.")
    expect(reason).to_be_focused()
    expect(page.get_by_text("end, with everything that runs there. Files stay.")).to_be_visible()
    reason.fill("Maintenance of dgx-1")
    page.get_by_role("button", name="Stop 2 servers", exact=True).click()

    expect(page.get_by_text("2 servers are stopping.")).to_be_visible()
    expect(row(page, "sim-to-real")).to_be_hidden()
    stopped = day.client("operator").servers.get("hub~grace~sim-to-real")
    assert (stopped.stop_reason, stopped.stopped_by) == ("Maintenance of dgx-1", "operator")


@pytest.mark.promise("POOL-3", "ADMIN-3")
def test_a_pool_is_made_by_selecting_plots(console: Callable[..., Page], day: Platform) -> None:
    page = console("pools")
    page.get_by_role("option", name="dgx-3 gpu-20").click()
    page.get_by_role("option", name="dgx-3 gpu-21").click()
    expect(page.get_by_text("2 devices selected.")).to_be_visible()

    page.get_by_role("button", name="New pool of these…").click()
    page.get_by_label("Name", exact=True).fill("reserve")
    page.get_by_role("button", name="Create pool").click()

    expect(page.get_by_text("Pool reserve was made, with 2 devices.")).to_be_visible()
    expect(page.get_by_role("listbox", name="reserve, 2 devices")).to_be_visible()
    assert day.client("operator").pools.get("reserve").devices == ("gpu-20", "gpu-21")


@pytest.mark.promise("USER-2", "ADMIN-3")
def test_two_people_are_on_boarded_at_once(console: Callable[..., Page], day: Platform) -> None:
    page = console("users")
    page.get_by_role("button", name="On-board people…").click()
    page.get_by_label("Names, one a line").fill("ada\nalan")
    page.get_by_label("Group", exact=True).select_option("vision · Computer vision")
    expect(page.get_by_text("2 people can sign in and launch, in group vision")).to_be_visible()

    page.get_by_role("button", name="On-board 2").click()

    expect(page.get_by_text("ada and alan are on board.")).to_be_visible()
    expect(row(page, "alan", "vision")).to_be_visible()
    assert day.client("operator").users.get("ada").role == "data-scientist"


@pytest.mark.promise("POOL-5", "ADMIN-3")
def test_a_refused_deletion_shows_its_reasons_where_it_was_asked(
    console: Callable[..., Page],
) -> None:
    page = console("pools")
    row(page, "NVIDIA H100").click()
    page.get_by_role("button", name="Delete…").click()

    page.get_by_role("button", name="Delete h100").click()

    alert = page.get_by_role("alert").filter(has_text="cannot be deleted")
    expect(alert).to_contain_text("mei/pretrain")
    expect(alert).to_contain_text("1 group has a share in it: nlp.")
    expect(page.get_by_role("button", name="Delete h100")).to_be_enabled()


@pytest.mark.promise("ADMIN-5")
def test_a_form_is_left_by_escape_and_the_focus_goes_back(console: Callable[..., Page]) -> None:
    page = console("groups")
    new = page.get_by_role("button", name="New group…")
    new.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()

    page.keyboard.press("Escape")

    expect(page.get_by_label("Name", exact=True)).to_be_hidden()
    expect(new).to_be_focused()


@pytest.mark.promise("ADMIN-5")
def test_the_rail_is_walked_by_keyboard(console: Callable[..., Page]) -> None:
    page = console()
    page.locator('.allotment-rail [data-go="overview"]').focus()

    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1, name="Nodes")).to_be_visible()
    expect(page.locator('.allotment-rail [data-go="nodes"]')).to_be_focused()


@pytest.mark.promise("ADMIN-5")
def test_axe_finds_nothing_serious_in_any_panel_in_light_and_dark(
    console: Callable[..., Page], accessible: Callable[..., None]
) -> None:
    page = console()

    for panel in WITH_ROWS:
        go(page, panel)
        in_light_and_dark(page, accessible)
    for panel in WITHOUT_ROWS:
        turn(page, panel)
        in_light_and_dark(page, accessible)


@pytest.mark.promise("DATA-1", "SET-4", "ADMIN-5")
def test_a_sources_form_a_datasets_versions_and_the_line_that_loads_one_can_be_used_by_everybody(
    console: Callable[..., Page], accessible: Callable[..., None]
) -> None:
    page = console("sources", width=390)
    row(page, "crm").click()
    expect(page.get_by_text("Its users could write: insert into crm.contact")).to_be_visible()
    page.get_by_role("button", name="Add…").click()
    page.get_by_label("Kind", exact=True).select_option("S3 and compatible")
    expect(page.get_by_text("The bucket that is read, by its name alone.")).to_be_visible()
    accessible(page)
    page.keyboard.press("Escape")
    go(page, "datasets")
    row(page, "sales").click()
    page.get_by_role("button", name="Versions", exact=True).click()
    tick(page, "October is complete")
    line = page.get_by_text("version='2026-10'")
    expect(line).to_be_visible()
    accessible(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".drawer").get_by_role("button", name="Copy").click()
    expect(page.locator(".drawer").get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "import allotment\n\nallotment.load('sales', version='2026-10')"


@pytest.mark.promise("ADMIN-5")
def test_axe_finds_nothing_serious_in_a_form_with_its_refusal(
    console: Callable[..., Page], accessible: Callable[..., None]
) -> None:
    page = console("users")
    tick(page, "erin")
    page.get_by_role("button", name="Configure…").click()
    page.get_by_role("button", name="Make a link for a new password").click()
    expect(page.get_by_text("It works once")).to_be_visible()
    page.get_by_label("Own limit: running servers").fill("many")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("is no limit for running servers")).to_be_visible()

    accessible(page)


def test_on_a_phones_width_nothing_is_wider_than_the_page(console: Callable[..., Page]) -> None:
    page = console("users", width=390)

    wide = page.evaluate(
        "() => [...document.querySelectorAll('.console *')]"
        ".filter((each) => each.getBoundingClientRect().right > innerWidth + 1"
        " && !each.closest('.ag-root-wrapper')).map((each) => each.className)"
    )

    assert wide == []


def test_while_the_control_plane_is_away_the_page_says_so_and_comes_back_by_itself(
    console: Callable[..., Page], day: Platform
) -> None:
    page = console("servers")

    day.stop()
    expect(page.get_by_role("alert").filter(has_text="did not answer")).to_be_visible()
    expect(row(page, "pretrain")).to_be_visible()
    day.start()

    expect(page.get_by_text("Live · everything as of")).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="did not answer")).to_be_hidden()


def test_a_page_that_is_left_no_longer_asks_the_control_plane(
    console: Callable[..., Page], day: Platform
) -> None:
    page = console("servers")
    gone = threading.Event()

    class Watched(Listeners[Any]):
        def __setattr__(self, name: str, value: Any) -> None:
            fewer = len(value) < len(self._listeners)
            super().__setattr__(name, value)
            if fewer:
                gone.set()

    day.plane.use._listeners.__class__ = Watched

    page.close(run_before_unload=True)

    assert gone.wait(30)


@pytest.mark.promise("ADMIN-1")
def test_in_jupyterlab_the_same_notebook_shows_the_console_and_stays_live_while_a_cell_runs(
    lab: Any, open_page: Callable[..., Page], day: Platform
) -> None:
    cells = ["from allotment_widgets import operator_console\noperator_console()"]
    busy = "import time\nends = time.monotonic() + 600\nwhile time.monotonic() < ends: pass"
    page = open_page(lab.page("operator-console", *cells, busy))
    page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.sessionContext?.isReady")
    page.evaluate("() => jupyterapp.commands.execute('notebook:run-cell-and-select-next')")
    expect(row(page, "ines", "whisper-ft")).to_be_visible()
    # Not awaited: the second cell ends long after this test.
    page.evaluate("() => void jupyterapp.commands.execute('notebook:run-cell')")
    expect(page.get_by_role("button", name="| Busy")).to_be_visible()

    day.hub.stop("ines", "whisper-ft")

    expect(row(page, "ines", "whisper-ft")).to_be_hidden()
