"""Pictures of the data browser and of tables in a cell, as somebody with a server of the platform sees them."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from playwright.sync_api import Page

import example_platform
from allotment.model.claims import Claim, Granted
from allotment.model.sources import Audience, Proof, Source, SourceKind, Verdict
from allotment.record import claims, sources
from control_planes import Platform

TOKEN = "token-of-a-server-of-bobs"  # noqa: S105 - lives for the pictures
BROWSER = "import allotment\nallotment.browse()"
TABLES = (
    "import allotment\nallotment.sources()",
    "allotment.datasets()",
    "allotment.load('cities').head(5)",
    "allotment.sql('stock', 'select * from articles')",
)
VISION = Audience(groups=("vision",))
CITIES = ("Aachen", "Bonn", "Köln", "Lüttich", "Maastricht")


def make(platform: Platform) -> None:
    """A folder, a database and a dataset of the group vision, and a server of bob's, who is in it."""
    example_platform.make(platform.record)
    place = platform.folder / "data"
    fill(place)
    now = datetime.now(UTC)
    with platform.record.writing("operator", now) as writing:
        for name, kind, title, path in (
            ("lake", SourceKind.FOLDER, "Data lake", place / "lake"),
            ("stock", SourceKind.SQLITE, "Stock of all shops", place / "stock.db"),
        ):
            fields = {"path": str(path)}
            one = Source(name, kind, title, fields=fields, audience=VISION)
            sources.create(writing, one, {})
            sources.proven(writing, name, Proof(now, Verdict.READ_ONLY))
    platform.hub.owners[TOKEN] = ("bob", ("access:services!service=allotment",))
    claim = Claim("hub", "bob", "data", "minimal", token_hash=claims.hash_token(TOKEN))
    if not isinstance(claims.admit(platform.record, claim, now), Granted):
        raise RuntimeError("bob was refused a server")  # noqa: TRY004 - no type is wrong
    platform.start()
    operator = platform.client("operator").datasets
    about = "Every city that we deliver to; anew each Monday."
    uri = f"{place}/lake/2026/cities.parquet"
    operator.create("cities", [uri], title="Cities", description=about, audience=VISION)
    operator.attach("cities", "data-dictionary.pdf", b"%PDF-1.7")


def fill(folder: Path) -> None:
    """Files and a table."""
    year = folder / "lake" / "2026"
    year.mkdir(parents=True)
    people = [(number + 1) * 49_137 for number in range(250)]
    cities = pl.DataFrame({"city": CITIES * 50, "people": people, "coast": [False] * 250})
    cities.write_parquet(year / "cities.parquet")
    (year / "notes.csv").write_text("day;note\n2026-11-01;begun\n", encoding="utf-8")
    with sqlite3.connect(folder / "stock.db") as database:
        database.execute("create table articles (article text, in_stock integer)")
        articles = [("nail", 7_000), ("screw", 12_500)]
        database.executemany("insert into articles values (?, ?)", articles)
    database.close()


def take_browser(page: Page, address: str, picture: Callable[[str], None]) -> None:
    """A dataset with its first rows, a file in a folder, and the form that registers it."""
    page.goto(address)
    page.locator(".ag-row").filter(has_text="cities").first.click()
    page.get_by_role("button", name="Show the first 100 rows").click()
    page.get_by_text("The first 100 rows.").wait_for()
    picture("browse-dataset")
    page.locator(".ag-row").filter(has_text="Folder").first.click()
    page.locator(".ag-row").filter(has_text="2026/").first.dblclick()
    page.locator(".ag-row").filter(has_text="cities.parquet").first.click()
    page.get_by_text("polars.read_parquet").wait_for()
    picture("browse-folder")
    page.get_by_role("button", name="Register files…").click()
    page.get_by_text("Register a dataset").evaluate("(found) => found.scrollIntoView()")
    page.get_by_label("Name", exact=True).fill("big-cities")
    # Where the pictures' own files lie is nobody's business.
    page.get_by_label("Files", exact=True).fill("/data/lake/2026/cities.parquet")
    picture("browse-register")


def take_tables(page: Page, address: str, picture: Callable[[str], None]) -> None:
    """What a cell shows."""
    page.goto(address)
    page.get_by_text("screw").wait_for()
    picture("cells")
