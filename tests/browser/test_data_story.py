"""Data, as people do it: registered in the console by its form, proven, shared, tested and loaded by somebody else, revoked.

A real control plane, PostgreSQL and S3; the console in Voilà, and JupyterLab as a server of the platform.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import Page, expect

import browsing
import control_planes
import example_platform
from allotment.model.claims import Claim, Granted
from allotment.record import claims
from allotment.record.claims import hash_token
from allotment_widgets import console_notebook_path
from control_planes import Platform
from database_shops import SECRET, PostgreSQLShop

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group("data-story")]

Open = Callable[..., Page]
PROVEN = 90_000
"""Milliseconds within which a source is proven, on a busy machine."""
ROWS = 1200


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A day of work without data; carla's server is told by its own token."""
    with control_planes.platform(tmp_path_factory.mktemp("platform")) as running:
        example_platform.make(running.record)
        token = running.hub.token("carla", operates=False)
        claim = Claim("hub", "carla", "report", "minimal", token_hash=hash_token(token))
        outcome = claims.admit(running.record, claim, datetime.now(UTC))
        assert isinstance(outcome, Granted)
        claims.mark_running(running.record, outcome.allotment.id, datetime.now(UTC))
        running.start()
        yield running


@pytest.fixture(scope="module")
def shop(postgresql_server: Any) -> PostgreSQLShop:
    """A database with sales, and the account with which it is registered."""
    return PostgreSQLShop(postgresql_server)


@pytest.fixture(scope="module")
def bucket(s3_store: Any) -> str:
    """A bucket with a table in two files."""
    files = {}
    for number in range(2):
        written = io.BytesIO()
        pl.DataFrame({"id": range(ROWS // 2), "part": [number] * (ROWS // 2)}).write_parquet(
            written
        )
        files[f"sales/part-{number}.parquet"] = written.getvalue()
    made: str = s3_store.bucket(files)
    return made


@pytest.fixture(scope="module")
def console(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the operator's console."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ALLOTMENT_API_URL", platform.url)
        environment.setenv("JUPYTERHUB_API_TOKEN", platform.hub.token("operator"))
        folder: Path = tmp_path_factory.mktemp("console")
        (folder / "console.ipynb").write_text(console_notebook_path().read_text())
        with browsing.voila(folder, "--template=allotment") as server:
            yield f"{server.address}/voila/render/console.ipynb"


@pytest.fixture
def open_carlas_server(
    platform: Platform, open_page: Open, tmp_path: Path
) -> Iterator[Callable[..., Page]]:
    """Starts JupyterLab as carla's server, and opens a notebook of some cells."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ALLOTMENT_API_URL", platform.url)
        environment.setenv("JUPYTERHUB_API_TOKEN", platform.hub.token("carla", operates=False))
        environment.setenv("JUPYTERHUB_USER", "carla")
        environment.setenv("JUPYTERHUB_SERVER_NAME", "report")
        environment.setenv("ALLOTMENT_HUB", "hub")
        environment.setenv("ALLOTMENT_ID", _allotment(platform))
        settings = tmp_path / "settings"
        notices = settings / "@jupyterlab/apputils-extension/notification.jupyterlab-settings"
        notices.parent.mkdir(parents=True)
        notices.write_text('{"fetchNews": "false", "checkForUpdates": false}', encoding="utf-8")
        options = [f"--LabApp.{what}_dir={settings}" for what in ("user_settings", "workspaces")]
        folder = tmp_path / "home"
        folder.mkdir()
        with browsing.lab(folder, *options) as server:

            def open_notebook(*cells: str) -> Page:
                page = open_page(server.page("report", *cells), width=1400)
                page.wait_for_function(
                    "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.isReady"
                )
                return page

            yield open_notebook


def _allotment(platform: Platform) -> str:
    return platform.client("operator").servers.get("hub~carla~report").allotment


def run_cell(page: Page, number: int) -> Any:
    """Run the cell that is selected, which is this one, and go to the next; where it says what it found."""
    page.evaluate("() => jupyterapp.commands.execute('notebook:run-cell-and-select-next')")
    return page.locator(".jp-CodeCell").nth(number).locator(".jp-Cell-outputArea")


def turn(page: Page, panel: str) -> None:
    page.locator(f'.allotment-rail [data-go="{panel}"]').click()
    expect(page.locator(f'.allotment-rail [data-go="{panel}"]')).to_have_attribute(
        "aria-current", "page"
    )


def row(page: Page, name: str) -> Any:
    return page.locator(".ag-row").filter(has_text=name).first


def fill(page: Page, fields: dict[str, str]) -> None:
    """Write into the form that is open, as typing does."""
    form = page.locator(".asking")
    for label, text in fields.items():
        field = form.get_by_label(label, exact=True)
        field.fill(text)
        field.press("Tab")


def add_database(page: Page, shop: PostgreSQLShop) -> None:
    page.get_by_role("button", name="Add…").click()
    page.get_by_label("Kind", exact=True).select_option("PostgreSQL")
    told = {"Name": "stock", "Host": shop.server.host, "Port": str(shop.server.port)}
    told |= {"Database": shop.server.database, "Account": shop.registered, "Password": SECRET}
    fill(page, told | {"Role of readers": shop.readers, "People": "carla"})
    page.get_by_label("Encryption", exact=True).select_option(
        "Not encrypted: everybody between can read it"
    )
    expect(page.get_by_text("Who may use it: carla.")).to_be_visible()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(row(page, "stock")).to_contain_text("Proven", timeout=PROVEN)


def add_bucket(page: Page, store: Any, bucket: str) -> None:
    page.get_by_role("button", name="Add…").click()
    page.get_by_label("Kind", exact=True).select_option("S3 and compatible")
    fill(page, {"Name": "lake", "Bucket": bucket, "Endpoint": store.endpoint, "Role": store.role})
    fill(page, {"Access key": store.access_key_id, "Secret key": store.secret_access_key})
    page.get_by_label("Who may use it", exact=True).select_option("Everyone")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(row(page, "lake")).to_contain_text("Proven", timeout=PROVEN)


def register_dataset(page: Page, bucket: str) -> None:
    turn(page, "datasets")
    page.get_by_role("button", name="Register…").click()
    fill(page, {"Name": "sales", "Files": f"s3://{bucket}/sales/", "People": "carla"})
    page.get_by_role("button", name="Register", exact=True).click()
    said = f"sales was registered: {ROWS:,} rows, 2 columns, 2 files"
    expect(page.get_by_text(said)).to_be_visible(timeout=PROVEN)


def revoke(page: Page, panel: str, name: str, *says: str) -> None:
    turn(page, panel)
    row(page, name).click()
    page.get_by_role("button", name="Revoke…").click()
    for words in says:
        expect(page.locator(".asking").get_by_text(words)).to_be_visible()
    page.get_by_role("button", name=f"Revoke {name}", exact=True).click()
    expect(row(page, name)).to_contain_text("Revoked")


@pytest.mark.promise("DATA-1", "DATA-2", "DATA-3", "DATA-4", "DATA-6", "DATA-7", "SET-1", "SET-2")
def test_a_database_and_a_bucket_are_registered_proven_shared_tested_loaded_and_revoked(
    console: str,
    platform: Platform,
    open_page: Open,
    open_carlas_server: Callable[..., Page],
    shop: PostgreSQLShop,
    s3_store: Any,
    bucket: str,
) -> None:
    operator = open_page(console)
    expect(operator.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    turn(operator, "sources")
    expect(operator.get_by_text("No source is registered. Press Add")).to_be_visible()
    add_database(operator, shop)
    add_bucket(operator, s3_store, bucket)
    register_dataset(operator, bucket)
    platform.plane.data.told.look(datetime.now(UTC))

    carla = open_carlas_server(
        "import allotment\nallotment.sql('stock', 'select count(*) as n from sales').item()",
        "allotment.load('sales').height",
        "allotment.sql('stock', 'select count(*) as n from sales').item()",
        "allotment.notebook.session().forget()\nallotment.load('sales').height",
    )
    banner = carla.locator("#allotment-endings")
    banner.get_by_role("button", name="Test stock from this server").click(timeout=PROVEN)
    expect(banner).to_contain_text("Reached.", timeout=PROVEN)
    expect(run_cell(carla, 0)).to_contain_text("1000", timeout=PROVEN)
    expect(run_cell(carla, 1)).to_contain_text(str(ROWS), timeout=PROVEN)

    lost = "1 server loses it at once: carla/report."
    dropped = "Accounts that were lent are dropped within a minute"
    revoke(operator, "sources", "stock", lost, dropped)
    revoke(operator, "datasets", "sales", lost, "within 15 minutes")

    assert shop.accounts() == []
    expect(run_cell(carla, 2)).to_contain_text("revoked", timeout=PROVEN)
    expect(run_cell(carla, 3)).to_contain_text("revoked", timeout=PROVEN)
