"""The banner in a real JupyterLab: when this server is stopped, why, and a button that puts it off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

import browsing
from stand_in_control_plane import ControlPlane, ending_document, playing, spawned

Open = Callable[..., Page]
CHANGED = "The source lake was changed. Test whether you can read it."
STARTED = "Your server Fit has started. It waited 25 minutes."
WHY = "Idle since 13:17 UTC: no cell or program ran, and nobody worked in it."


@pytest.fixture(scope="module")
def control_plane() -> Iterator[ControlPlane]:
    """A control plane that announces the server's end with its first report, and tells that another has started."""
    notice = {"at": "2026-11-22T13:17:00Z", "kind": "wait", "message": STARTED, "id": "wait-1"}
    with playing() as stand_in:
        notices = [
            notice,
            notice | {"kind": "source", "message": CHANGED, "id": "s", "source": "lake"},
        ]
        stand_in.receipt = {"endings": [ending_document()], "notices": notices}
        yield stand_in


@pytest.fixture(scope="module")
def address(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab as a server of the platform, its first report sent."""
    settings = tmp_path_factory.mktemp("lab-settings")
    notices = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    notices.parent.mkdir(parents=True)
    notices.write_text('{"fetchNews": "false", "checkForUpdates": false}', encoding="utf-8")
    themes = settings / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
    themes.write_text('{"adaptive-theme": true}', encoding="utf-8")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in spawned(control_plane.url).items():
            environment.setenv(name, value)
        folder: Path = tmp_path_factory.mktemp("server")
        options = (f"--LabApp.user_settings_dir={settings}", f"--LabApp.workspaces_dir={settings}")
        with browsing.lab(folder, *options) as server:
            control_plane.report()
            yield f"{server.address}/lab?reset"


@pytest.mark.promise("IDLE-2")
def test_it_tells_the_time_left_and_why_and_puts_the_end_off_by_a_click(
    open_page: Open, control_plane: ControlPlane, address: str
) -> None:
    later = datetime.now(UTC) + timedelta(minutes=75, seconds=30)
    control_plane.extended = {
        "endings": [ending_document(stop_at=later.isoformat(), extended=1, extensions_left=2)]
    }
    page = open_page(address)
    banner = page.get_by_role("region", name="This server ends")
    expect(banner).to_be_visible(timeout=60_000)
    expect(banner).to_contain_text("This server is stopped in 15 min.")
    expect(banner).to_contain_text(WHY)
    banner.get_by_role("button", name="Extend by 60 min").click()
    expect(banner).to_contain_text("This server is stopped in 1 h 15 min.")
    assert ("POST", "/services/allotment/api/v1/servers/hub~bob~train/extend") in [
        asked[:2] for asked in control_plane.asked
    ]


@pytest.mark.promise("IDLE-2")
def test_it_says_why_an_end_is_not_put_off_and_goes_when_no_end_is_announced(
    open_page: Open, control_plane: ControlPlane, address: str
) -> None:
    page = open_page(address)
    banner = page.get_by_role("region", name="This server ends")
    button = banner.get_by_role("button", name="Extend")
    expect(button).to_be_visible(timeout=60_000)
    control_plane.problem = (409, "The end of this server was put off 3 times already.")
    button.click()
    expect(banner.get_by_role("alert")).to_contain_text("put off 3 times already")
    control_plane.problem = None
    control_plane.extended = {"endings": []}
    button.click()
    expect(banner).to_have_count(0)


@pytest.mark.promise("QUEUE-2")
def test_it_tells_that_a_server_which_waited_has_started_until_that_is_set_aside(
    open_page: Open, address: str
) -> None:
    page = open_page(address)
    banner = page.locator("#allotment-endings")
    told = banner.get_by_role("status").filter(has_text=STARTED)
    expect(told).to_be_visible(timeout=60_000)
    banner.get_by_role("button", name=f"Set aside: {STARTED}").click()
    expect(told).to_have_count(0)
    page.reload()
    expect(banner).to_be_visible(timeout=60_000)
    expect(banner).not_to_contain_text(STARTED)


@pytest.mark.promise("DATA-4")
def test_a_source_that_was_changed_is_tested_from_this_server_by_a_click(
    open_page: Open, control_plane: ControlPlane, address: str, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("read me")
    control_plane.answers["/sources/lake/credentials"] = {
        "source": "lake",
        "kind": "folder",
        "fields": {"path": str(tmp_path)},
        "now": datetime.now(UTC).isoformat(),
    }
    banner = open_page(address).locator("#allotment-endings")
    expect(banner).to_contain_text(CHANGED, timeout=60_000)

    banner.get_by_role("button", name="Test lake from this server").click()

    expect(banner).to_contain_text("Reached. It lists 1 entry at its top.", timeout=60_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_is_accessible_in_light_and_dark_on_a_phone_and_a_desk(
    open_page: Open,
    accessible: Callable[..., None],
    control_plane: ControlPlane,
    address: str,
    scheme: str,
    width: int,
    tmp_path: Path,
) -> None:
    control_plane.extended = {"endings": [ending_document()]}
    page: Any = open_page(address, scheme=scheme, width=width)
    page.request.post(address.replace("/lab?reset", "/allotment/extend"), data="{}")
    banner = page.get_by_role("region", name="This server ends")
    expect(banner).to_be_visible(timeout=60_000)
    accessible(page, "#allotment-endings")
    page.screenshot(path=tmp_path / "banner.png")
    assert banner.evaluate("one => one.offsetTop") == 0
    page.wait_for_function(
        "one => one.scrollHeight <= one.offsetHeight && one.scrollWidth <= one.offsetWidth",
        arg=banner.element_handle(),
    )
