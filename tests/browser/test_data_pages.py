"""Pages of data as people meet them: hundreds of sources, the data browser in a server of one's own, by keyboard too."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import Page, expect

import browsing
import control_planes
import example_data
import example_platform
from allotment.model.claims import Claim, Granted
from allotment.model.sources import Audience, Proof, Source, SourceKind, Verdict
from allotment.record import Writing, claims, datasets, sources
from allotment_widgets import console_notebook_path
from control_planes import Platform

pytestmark = pytest.mark.needs("chromium")

Open = Callable[..., Page]
VISION = Audience(groups=("vision",))
SERVER = "token-of-a-server-of-bobs"
BROWSE = """import os
os.environ["JUPYTERHUB_API_TOKEN"] = {token!r}
import allotment
allotment.browse()"""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform with 400 sources and 1,000 datasets, one of each to be read by the group vision."""
    with control_planes.platform(tmp_path_factory.mktemp("platform")) as running:
        example_platform.make(running.record)
        lake = running.folder / "data" / "lake"
        lake.mkdir()
        pl.DataFrame({"id": range(250), "city": ["Köln", None] * 125}).write_parquet(
            lake / "cities.parquet"
        )
        with running.record.writing("operator", datetime.now(UTC)) as writing:
            many(writing)
            folder = Source("shelf", SourceKind.FOLDER, "Shelf", fields={"path": str(lake)})
            sources.create(writing, replace(folder, audience=VISION), {})
            sources.proven(writing, "shelf", Proof(datetime.now(UTC), Verdict.READ_ONLY))
        running.hub.owners[SERVER] = ("bob", ("access:services!service=allotment",))
        claim = Claim("hub", "bob", "data", "minimal", token_hash=claims.hash_token(SERVER))
        assert isinstance(claims.admit(running.record, claim, datetime.now(UTC)), Granted)
        running.start()
        running.client("operator").datasets.create(
            "cities", [f"{lake}/cities.parquet"], title="Cities", audience=VISION
        )
        yield running


def many(writing: Writing) -> None:
    """Sources and datasets of many teams, shared with nobody."""
    now = datetime.now(UTC)
    warehouse = example_data.SOURCES[0]
    for number in range(400):
        name = f"team-{number:03}"
        sources.create(writing, replace(warehouse, name=name, audience=Audience()), {})
        sources.proven(writing, name, Proof(now, Verdict.READ_ONLY, ends_within=60))
    one = example_data.dataset(now, "sales")
    for number in range(1000):
        none = {"source": f"team-{number % 400:03}", "target": None, "audience": Audience()}
        datasets.create(writing, replace(one, name=f"set-{number:04}", **none))


@pytest.fixture(scope="module")
def pages(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Voilà as the console's server; a page of somebody else's says whose token it has."""
    folder: Path = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ALLOTMENT_API_URL", platform.url)
        environment.setenv("JUPYTERHUB_API_TOKEN", platform.hub.token("operator"))
        shutil.copyfile(console_notebook_path(), folder / "operator-console.ipynb")
        with browsing.voila(folder, "--template=allotment") as server:
            yield server


@pytest.fixture
def browse(pages: Any, open_page: Open) -> Open:
    """Opens the data browser in a server of bob's."""

    def open_one(**look: Any) -> Page:
        return open_page(pages.page("browse", BROWSE.format(token=SERVER)), **look)

    return open_one


def row(page: Page, words: str) -> Any:
    return page.locator(".ag-row").filter(has_text=words).first


@pytest.mark.promise("ADMIN-2", "DATA-1", "SET-1")
def test_one_of_hundreds_of_sources_and_of_a_thousand_datasets_is_found_by_typing(
    pages: Any, open_page: Open
) -> None:
    page = open_page(f"{pages.address}/voila/render/operator-console.ipynb")
    for panel, total, counts, name in (
        ("sources", "401 sources", "1 of 401 sources", "team-123"),
        ("datasets", re.compile(r"1,00\d datasets"), re.compile("1 of 1,00. datasets"), "set-0987"),
    ):
        page.locator(f'.allotment-rail [data-go="{panel}"]').click()
        expect(page.locator(".count").filter(has_text=total)).to_be_visible()
        page.get_by_role("searchbox").fill(name)
        expect(page.locator(".count").filter(has_text=counts)).to_be_visible()
        row(page, name).click()
        expect(page.get_by_role("heading", level=2).filter(has_text=name)).to_be_visible()


@pytest.mark.promise("DATA-6", "ADMIN-5")
def test_a_file_is_found_looked_into_and_its_line_copied(
    browse: Open, accessible: Callable[..., None]
) -> None:
    page = browse()
    row(page, "shelf").click()
    row(page, "cities.parquet").click()
    page.get_by_role("button", name="Show the first 100 rows").click()
    expect(page.get_by_text("The first 100 rows.")).to_be_visible()
    expect(page.get_by_role("cell", name="Köln").first).to_be_visible()
    accessible(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "(allotment.path('shelf') / 'cities.parquet').open()" in copied


@pytest.mark.promise("SET-1", "ADMIN-5")
def test_a_file_that_is_looked_at_is_registered_by_a_form_that_everybody_can_use(
    browse: Open, accessible: Callable[..., None]
) -> None:
    page = browse()
    row(page, "shelf").click()
    row(page, "cities.parquet").click()
    begin = page.get_by_role("button", name="Register files…")
    begin.click()
    name = page.get_by_label("Name", exact=True)
    expect(name).to_be_focused()
    expect(page.get_by_label("Files", exact=True)).to_have_value(re.compile("/cities.parquet$"))
    page.keyboard.type("towns")
    expect(page.get_by_text("Who may use it: bob.")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Register", exact=True).click()
    expect(page.get_by_text("towns was registered: 250 rows")).to_be_visible()
    expect(page.get_by_text("allotment.load('towns')")).to_be_visible()


@pytest.mark.promise("DATA-6", "ADMIN-5")
def test_a_dataset_is_found_and_looked_into_without_a_mouse_on_a_phones_width_in_the_dark(
    browse: Open, accessible: Callable[..., None]
) -> None:
    page = browse(scheme="dark", width=390)
    expect(row(page, "cities")).to_be_visible()
    page.get_by_role("searchbox").focus()
    page.keyboard.type("cities")
    expect(page.get_by_text(re.compile("^1 of . sources and datasets"))).to_be_visible()
    for _ in ("More columns", "Register files…", "Read again", "the heads of the columns"):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    preview = page.get_by_role("button", name="Show the first 100 rows")
    preview.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The first 100 rows.")).to_be_visible()
    rows = page.locator(".wide-table.rows")
    rows.focus()
    expect(rows).to_be_focused()
    accessible(page)
    outside = page.evaluate(
        "() => [...document.querySelectorAll('.browser *')]"
        ".filter((each) => each.getBoundingClientRect().right > innerWidth + 1"
        " && !each.closest('.ag-root-wrapper, .wide-table')).map((each) => each.className)"
    )
    assert outside == []
