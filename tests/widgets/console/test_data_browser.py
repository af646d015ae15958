"""``allotment.browse``: what may be used, looked through with a server's own token, first rows shown as text."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

import control_planes
import example_platform
from allotment.client import AllotmentClient
from allotment.model.claims import Claim, Granted
from allotment.model.sources import Audience, Proof, Source, SourceKind, Verdict
from allotment.notebook.sessions import Session
from allotment.record import claims, sources
from allotment_widgets.data_browser import DataBrowser
from allotment_widgets.data_rows import rows_html
from control_planes import Platform

OpenBrowser = Callable[..., Any]
DATA, CONTENTS = "Data", "Contents"


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """A platform with files and a database of the group vision, which bob is in."""
    with control_planes.platform(tmp_path) as running:
        example_platform.make(running.record)
        running.start()
        fill(running.folder / "data")
        with running.record.writing("operator", datetime.now(UTC)) as writing:
            for name, kind, path in (
                ("lake", SourceKind.FOLDER, "lake"),
                ("stock", SourceKind.SQLITE, "stock.db"),
            ):
                place = str(running.folder / "data" / path)
                audience = Audience(groups=("vision",))
                sources.create(
                    writing, Source(name, kind, fields={"path": place}, audience=audience), {}
                )
                sources.proven(writing, name, Proof(datetime.now(UTC), Verdict.READ_ONLY))
        yield running


def fill(folder: Path) -> None:
    """A Parquet file, a CSV with a hostile name of a column, and a table."""
    (folder / "lake" / "2026").mkdir(parents=True)
    table = pa.table({"id": range(250), "city": ["Köln", None] * 125})
    pa.parquet.write_table(table, folder / "lake" / "2026" / "cities.parquet")
    (folder / "lake" / "notes.csv").write_text("<b>x</b>;y\n1;2\n3;4\n", encoding="utf-8")
    with sqlite3.connect(folder / "stock.db") as database:
        database.execute('create table "odd ""name" (item text, left integer)')
        database.execute("""insert into "odd ""name" values ('nail', 7)""")
    database.close()


@pytest.fixture
def open_browser(page_of: Callable[[Any], Any], platform: Platform) -> Iterator[OpenBrowser]:
    """Open the browser in a server of somebody's."""
    opened: list[DataBrowser] = []

    def open_one(person: str = "bob", name: str = "") -> Any:
        token = f"token-of-the-server-of-{person}"
        claim = Claim("hub", person, "data", "minimal", token_hash=claims.hash_token(token))
        assert isinstance(claims.admit(platform.record, claim, datetime.now(UTC)), Granted)
        platform.hub.owners[token] = (person, ("access:services!service=allotment",))
        browser = DataBrowser(Session(AllotmentClient(platform.url, token)), name)
        opened.append(browser)
        return page_of(browser)

    yield open_one
    for browser in opened:
        browser.close()


@pytest.mark.promise("DATA-6")
def test_a_table_is_found_its_rows_are_shown_and_its_line_is_there_to_copy(
    open_browser: OpenBrowser,
) -> None:
    page = open_browser()
    page.has_row(DATA, "source stock", kind="SQLite", state="usable")
    page.select(DATA, "source stock")
    page.activate(CONTENTS, "schema/main")
    page.activate(CONTENTS, 'table/main/odd "name')
    page.has_row(CONTENTS, 'column/main/odd "name/item', kind="column", type="text")
    page.sees("&quot;odd &quot;&quot;name&quot; limit 100")
    page.press("Show the first 100 rows")
    page.sees("<td>nail</td><td class=num>7</td>")


@pytest.mark.promise("DATA-6")
def test_files_are_found_and_the_first_hundred_rows_of_one_are_shown(
    open_browser: OpenBrowser,
) -> None:
    page = open_browser(name="lake")
    page.has_row(CONTENTS, "folder/2026", kind="folder")
    page.select(CONTENTS, "file/notes.csv")
    page.press("Show the first 100 rows")
    page.sees("&lt;b&gt;x&lt;/b&gt;<br>")
    page.activate(CONTENTS, "folder/2026")
    page.has_row(CONTENTS, "file/2026/cities.parquet")
    page.select(CONTENTS, "file/2026/cities.parquet")
    page.sees("polars.read_parquet((allotment.path(&#x27;lake&#x27;) / &#x27;2026&#x27;")
    page.sees("allotment.register(&#x27;NAME&#x27;")
    page.press("Show the first 100 rows")
    page.sees("The first 100 rows.")
    page.sees("<td>Köln</td>")


@pytest.mark.promise("SET-2", "DATA-6")
def test_a_dataset_shows_its_columns_rows_and_line(
    open_browser: OpenBrowser, platform: Platform
) -> None:
    place = platform.folder / "data" / "lake" / "2026"
    audience = Audience(groups=("vision",))
    platform.client("operator").datasets.create(
        "cities", [f"{place}/"], audience=audience, source="lake"
    )
    page = open_browser(name="cities")
    page.sees("allotment.load(&#x27;cities&#x27;)")
    page.sees("250 rows")
    page.press("Show the first 100 rows")
    page.sees("The first 100 rows.")


@pytest.mark.promise("SET-1", "SET-2")
def test_a_dataset_is_found_by_a_column_and_its_documents_are_saved_as_files(
    open_browser: OpenBrowser, platform: Platform
) -> None:
    operator = platform.client("operator")
    place = platform.folder / "data" / "lake" / "2026" / "cities.parquet"
    audience = Audience(groups=("vision",))
    operator.datasets.create("cities", [str(place)], audience=audience, label="personal")
    operator.datasets.attach("cities", "licence.html", b"<script>")
    page = open_browser(name="cities")
    page.has_row(DATA, "dataset cities", columns="id, city")
    page.sees("Personal: about people")
    page.sees("<b>licence.html</b>")
    page.press("Fetch")
    page.sees('base64,PHNjcmlwdD4=" download="licence.html">Save licence.html</a>')


@pytest.mark.promise("SET-1", "SET-2")
def test_files_that_are_looked_at_are_registered_by_a_form_for_oneself(
    open_browser: OpenBrowser, platform: Platform
) -> None:
    page = open_browser(name="lake")
    page.activate(CONTENTS, "folder/2026")
    page.has_row(CONTENTS, "file/2026/cities.parquet")
    page.act(DATA, "register")
    page.sees("Register a dataset")
    assert page.field("Files").value == f"{platform.folder}/data/lake/2026/"
    page.sees("Still needed: Name.")
    page.fill("Name", "cities")
    page.sees("Who may use it: bob.")
    page.press("Register")
    page.has_row(DATA, "dataset cities", state="usable")
    page.sees("cities was registered: 250 rows, 2 columns, 1 file of")
    page.sees("allotment.load(&#x27;cities&#x27;)")


@pytest.mark.promise("SET-1")
def test_a_file_that_cannot_be_registered_is_named_in_the_form(
    open_browser: OpenBrowser, platform: Platform
) -> None:
    (platform.folder / "data" / "lake" / "torn.parquet").write_bytes(b"PAR1 and no more")
    page = open_browser(name="lake")
    page.select(CONTENTS, "file/torn.parquet")
    page.act(DATA, "register")
    page.fill("Name", "torn")
    page.press("Register")
    page.until(lambda: "reasons" in page.text() and page.text().count("torn.parquet") > 1)
    assert page.button("Register") is not None
    assert platform.client("operator").datasets.all().items == ()


@pytest.mark.promise("DATA-3")
def test_what_is_not_shared_is_not_there_and_nothing_says_what_to_do(
    open_browser: OpenBrowser,
) -> None:
    page = open_browser("ines", name="lake")
    page.sees("Nothing is called &#x27;lake&#x27; that is shared with you.")
    page.until(lambda: "Ask your team lead" in page.grid(DATA).empty)
    assert page.rows(DATA) == {}


@pytest.mark.promise("DATA-7")
def test_a_source_that_is_taken_back_meanwhile_says_so_where_it_is_looked_into(
    open_browser: OpenBrowser, platform: Platform
) -> None:
    page = open_browser()
    page.has_row(DATA, "source lake", state="usable")
    with platform.record.writing("operator", datetime.now(UTC)) as writing:
        sources.revoke(writing, "lake")
    page.select(DATA, "source lake")
    page.sees("It was revoked on")


def test_values_are_text_and_long_or_many_of_them_are_cut() -> None:
    frame = pl.DataFrame(
        {"<i>": ["<script>", "x" * 500, None], **{f"c{n}": [1, 2, 3] for n in range(60)}}
    )
    said = rows_html(frame)
    assert "&lt;script&gt;" in said
    assert "<script>" not in said
    assert "x" * 121 not in said
    assert "21 further columns are left out" in said
