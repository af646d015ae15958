"""Datasets: what was read of them, registered by a form, read again, attached to, committed, compared, tagged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from allotment.model.datasets import PrivacyLabel
from allotment.model.documents import VersionDifference, VersionFile
from allotment.model.sources import Audience
from allotment.record import datasets, people, sources, versions
from allotment_widgets.panels.dataset_versions import difference_html
from control_planes import Platform
from example_data import add_data

OpenConsole = Callable[..., Any]
DATASETS, VERSIONS = "Datasets", "Versions"


@pytest.fixture
def data(platform: Platform) -> Platform:
    """The example platform with sources and datasets."""
    add_data(platform.record, datetime.now(UTC))
    return platform


@pytest.fixture
def orders(platform: Platform) -> Path:
    """Two Parquet files and a CSV below the platform's data folder."""
    folder = platform.folder / "data" / "orders"
    folder.mkdir()
    table = pa.table({"id": [1, 2, 3], "amount": [1.5, 2.5, None]})
    for name in ("a", "b"):
        pa.parquet.write_table(table, folder / f"{name}.parquet")
    (platform.folder / "data" / "prices.csv").write_text("item;price\nnail;0,02\nscrew;0,05\n")
    return folder


@pytest.mark.promise("SET-1")
@pytest.mark.usefixtures("data")
def test_every_dataset_says_how_large_it_is_and_what_is_estimated_says_so(
    open_console: OpenConsole,
) -> None:
    page = open_console(panel="datasets")
    page.has_row(DATASETS, "sales", rows="6,001,215", state="enabled", version=3)
    page.has_row(DATASETS, "clicks", rows="about 48,200,000", format="CSV", label="public")
    page.has_row(DATASETS, "patients", label="personal", audience="bob, carla")
    page.has_row(DATASETS, "telemetry", state="closed")
    page.select(DATASETS, "sales")
    page.sees("<code>timestamp[us, tz=UTC]</code>")
    page.sees("allotment.load(&#x27;sales&#x27;)")


@pytest.mark.promise("SET-1")
@pytest.mark.usefixtures("data")
def test_files_that_could_not_be_read_are_named_each_with_why(open_console: OpenConsole) -> None:
    page = open_console(panel="datasets")
    page.select(DATASETS, "telemetry")
    page.sees("2 files could not be read")
    page.sees("its footer is cut off")
    page.sees("Nobody can load it: the source sensors cannot be used.")


@pytest.mark.promise("SET-1", "SET-2")
def test_files_are_registered_and_read_at_once(
    open_console: OpenConsole, platform: Platform, orders: Path
) -> None:
    page = open_console(panel="datasets")
    page.act(DATASETS, "register")
    page.sees("Still needed: Name and Files.")
    page.fill("Name", "orders")
    page.fill("Files", f"{orders}/\n")
    page.sees("Who may use it: operator.")
    page.press("Register")
    page.sees("orders was registered: 6 rows, 2 columns, 2 files of")
    page.has_row(DATASETS, "orders", rows="6", format="Parquet")
    with platform.record.reading() as reading:
        assert datasets.get(reading, "orders").audience.people == ("operator",)


@pytest.mark.promise("SET-1")
def test_how_a_csv_is_read_is_found_out_and_can_be_said(
    open_console: OpenConsole, platform: Platform, orders: Path
) -> None:
    page = open_console(panel="datasets")
    page.act(DATASETS, "register")
    page.fill("Name", "prices")
    page.fill("Files", str(orders.parent / "prices.csv"))
    page.fill("First line names columns", False)
    page.press("Register")
    page.has_row(DATASETS, "prices", rows="3")
    page.select(DATASETS, "prices")
    page.sees("delimiter &#x27;;&#x27;")
    with platform.record.reading() as reading:
        assert dict(datasets.get(reading, "prices").options) == {"header": False}


@pytest.mark.promise("SET-1")
def test_a_refused_registration_names_every_file_and_changes_nothing(
    open_console: OpenConsole, platform: Platform, orders: Path
) -> None:
    (orders / "broken.parquet").write_bytes(b"no parquet at all")
    page = open_console(panel="datasets")
    page.act(DATASETS, "register")
    page.fill("Name", "orders")
    page.fill("Files", f"{orders}/")
    page.press("Register")
    page.sees("broken.parquet")
    with platform.record.reading() as reading:
        assert datasets.all_datasets(reading) == ()


def test_only_what_was_changed_is_sent_and_data_about_people_is_not_for_everyone(
    open_console: OpenConsole, data: Platform
) -> None:
    page = open_console(panel="datasets")
    page.select(DATASETS, "patients")
    page.act(DATASETS, "change")
    page.sees("Nothing is changed yet.")
    page.fill("Who may use it", "everyone")
    page.press("Save")
    page.sees("Data about people is not shared with everyone.")
    page.fill("Who may use it", "some")
    page.fill("Title", "Patients, 2026")
    page.press("Save")
    page.sees("patients was changed")
    with data.record.reading() as reading:
        found = datasets.get(reading, "patients")
    assert (found.title, found.label) == ("Patients, 2026", PrivacyLabel.PERSONAL)
    assert found.reading is not None


@pytest.mark.promise("PROFILE-5")
def test_a_dataset_is_disabled_revoked_and_deleted(
    open_console: OpenConsole, data: Platform
) -> None:
    page = open_console(panel="datasets")
    page.select(DATASETS, "sales")
    page.act(DATASETS, "disable")
    page.press("Disable")
    page.has_row(DATASETS, "sales", state="disabled")
    page.act(DATASETS, "revoke")
    page.press("Revoke sales")
    page.has_row(DATASETS, "sales", state="revoked")
    page.act(DATASETS, "delete")
    page.sees("Its files stay where they are.")
    page.press("Delete")
    page.lacks_row(DATASETS, "sales")
    with data.record.reading() as reading:
        assert "sales" not in {each.name for each in datasets.all_datasets(reading)}


@pytest.mark.promise("SET-1")
def test_documents_are_attached_fetched_as_files_and_removed(
    open_console: OpenConsole, data: Platform
) -> None:
    page = open_console(panel="datasets")
    page.select(DATASETS, "sales")
    page.act(DATASETS, "documents")
    page.sees("Nothing is attached.")
    page.field("Choose files…").value = (chosen("terms.html", b"<script>alert(1)</script>"),)
    page.press("Attach")
    page.sees("1 document kept beside sales.")
    page.act(DATASETS, "documents")
    page.press("Fetch")
    page.sees('download="terms.html"')
    assert "<script>" not in page.text()
    page.press("Remove")
    page.sees("Nothing is attached.")
    with data.record.reading() as reading:
        assert datasets.get(reading, "sales").attachments == ()


@pytest.mark.promise("SET-4")
@pytest.mark.usefixtures("data")
def test_versions_say_who_committed_them_and_how_far_a_commit_is(open_console: OpenConsole) -> None:
    page = open_console(panel="datasets")
    page.select(DATASETS, "sales")
    page.act(DATASETS, "versions")
    page.has_row(VERSIONS, "3", message="October is complete", tags="2026-10, latest-audited")
    page.has_row(VERSIONS, "4", state="committing", state_words="Committing, 43 %")
    page.select(VERSIONS, "2")
    page.sees("allotment.load(&#x27;sales&#x27;, version=&#x27;2026-09&#x27;)")


@pytest.mark.promise("SET-4")
def test_a_version_is_committed_compared_and_tagged(
    open_console: OpenConsole, platform: Platform, orders: Path
) -> None:
    client = platform.client("operator")
    places = {name: platform.folder / "data" / name for name in ("history", "contents")}
    for place in places.values():
        place.mkdir()
    client.targets.create(
        "history",
        metadata_kind="folder",
        metadata={"path": str(places["history"])},
        contents_kind="folder",
        contents={"path": str(places["contents"])},
    )
    client.datasets.create("orders", [f"{orders}/"], target="history")
    page = open_console(panel="datasets")
    page.select(DATASETS, "orders")
    page.act(DATASETS, "versions")
    for number, message in (("1", "As it was"), ("2", "One less")):
        page.act(VERSIONS, "commit")
        page.fill("What is new?", message)
        page.press("Commit")
        page.has_row(VERSIONS, number, state="committed", message=message)
        (orders / "b.parquet").unlink(missing_ok=True)
    page.select(VERSIONS, "1", "2")
    page.act(VERSIONS, "difference")
    page.sees("1 file removed; 3 rows fewer.")
    page.select(VERSIONS, "2")
    page.act(VERSIONS, "tag")
    page.fill("Tag", "2026-11")
    page.sees("allotment.load(&#x27;orders&#x27;, version=&#x27;2026-11&#x27;) loads this version")
    page.press("Save")
    page.has_row(VERSIONS, "2", tags="2026-11")
    with platform.record.reading() as reading:
        assert versions.get(reading, "orders", 2).tags == ("2026-11",)


@pytest.mark.promise("USER-7")
@pytest.mark.usefixtures("data")
def test_a_reader_may_look_at_datasets_and_versions_and_change_nothing(
    open_console: OpenConsole,
) -> None:
    page = open_console("auditor", panel="datasets")
    page.select(DATASETS, "sales")
    page.act(DATASETS, "versions")
    page.has_row(VERSIONS, "3", state="committed")
    assert sorted(page.buttons()) == ["Close", "Difference", "Documents…", "Versions"]


@pytest.mark.promise("USER-8", "DATA-1")
def test_a_data_custodian_has_the_panels_of_data_and_no_other(
    open_console: OpenConsole, data: Platform
) -> None:
    with data.record.writing("operator", datetime.now(UTC)) as writing:
        people.onboard(writing, ["cleo"], role="data-custodian")
    page = open_console("cleo", panel="datasets")
    assert [each["title"] for each in page.console._rail.entries] == [
        "Sources",
        "Datasets",
        "Version targets",
        "Models",
    ]
    page.has_row(DATASETS, "sales", state="enabled")
    assert "Register…" in page.buttons()


@pytest.mark.promise("USER-4")
def test_a_lead_manages_sources_of_led_groups_only_and_shares_them_within(
    open_console: OpenConsole, data: Platform
) -> None:
    with data.record.writing("operator", datetime.now(UTC)) as writing:
        crm = sources.get(writing, "crm")
        sources.edit(writing, replace(crm, audience=Audience(groups=("nlp",))), {})
    page = open_console("mei", panel="sources")
    page.has_row("Sources", "crm", audience="group nlp")
    page.select("Sources", "lake")
    page.until(lambda: "revoke" in page.grid("Sources").withheld)
    page.select("Sources", "crm")
    page.until(lambda: "revoke" not in page.grid("Sources").withheld)
    page.act("Sources", "change")
    page.until(lambda: "Groups" in {getattr(each, "description", "") for each in page.shown()})
    assert [each[1] for each in page.field("Who may use it").options] == ["some"]
    assert page.field("Groups").options == ("nlp",)
    assert page.field("Managed by").options == (("Leads of nlp", "nlp"),)


def test_a_difference_names_files_as_text() -> None:
    files = (VersionFile(path="<b>.parquet", size=10, md5="0" * 32),)
    found = VersionDifference(
        dataset="sales", before=1, after=2, added=files, removed=(), changed=(), rows=-1200
    )
    said = difference_html(found)
    assert "1 file added; 1,200 rows fewer." in said
    assert "&lt;b&gt;.parquet" in said


def chosen(name: str, content: bytes) -> dict[str, Any]:
    """A file as a browser hands it over."""
    return {
        "name": name,
        "type": "application/octet-stream",
        "size": len(content),
        "content": memoryview(content),
        "last_modified": datetime.now(UTC),
    }
